//! Every way to log in that a kubeconfig knows.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use plugin_testing::{NAME, Plugin};
use serde_json::{Value, json};

use super::{plugin_of, server::Server};

/// The header of the first request.
fn header(server: &Server, name: &str) -> Option<String> {
    let seen = server.seen();
    seen.first()?.headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn exec(plugin: &Plugin, script: &str) -> Value {
    let path = plugin.scratch.write("login", format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    json!({ "exec": {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": path,
        "args": ["eks", "get-token", "--cluster-name", "c"],
        "env": [{ "name": "AWS_PROFILE", "value": "prod" }],
        "interactiveMode": "IfAvailable",
    } })
}

fn credential(status: &Value) -> String {
    json!({ "kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1beta1", "status": status })
        .to_string()
}

#[test]
fn a_program_logs_in_as_that_of_eks_does() {
    let server = Server::start();
    let plugin = plugin_of(&server);
    let token = credential(&json!({ "expirationTimestamp": "2099-01-01T00:00:00Z", "token": "k8s-aws-v1.abc" }));
    let script = format!(
        r#"[ "$1 $2 $AWS_PROFILE" = "eks get-token prod" ] || exit 8
           case "$KUBERNETES_EXEC_INFO" in *'"kind":"ExecCredential"'*) ;; *) exit 9 ;; esac
           echo '{token}'"#
    );
    let user = exec(&plugin, &script);
    let output = plugin.user(user).run("a");
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(header(&server, "authorization").as_deref(), Some("Bearer k8s-aws-v1.abc"));
}

#[test]
fn a_program_may_log_in_with_a_certificate() {
    let server = Server::start();
    let plugin = plugin_of(&server);
    let pair = server.https().authority().client("carol", None).unwrap();
    let status = json!({ "clientCertificateData": pair.cert, "clientKeyData": pair.key });
    let user = exec(&plugin, &format!("cat <<'END'\n{}\nEND", credential(&status)));
    let output = plugin.user(user).run("a");
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(server.seen()[0].certificate.as_deref(), Some("CN=carol"));
}

#[test]
fn a_program_that_fails_keeps_its_secrets() {
    let server = Server::start();
    let plugin = plugin_of(&server);
    let mut user = exec(&plugin, "echo token-of-yesterday; echo 'your session has expired' >&2; exit 255");
    user["exec"]["interactiveMode"] = "Never".into();
    user["exec"]["env"] = json!([{ "name": "SECRET", "value": "sesame-street" }]);
    let output = plugin.user(user).run("a");
    assert_eq!(output.code, 1, "{output:?}");
    assert!(output.stderr.contains("exit status: 255: your session has expired"), "{}", output.stderr);
    assert!(
        !output.stderr.contains("token-of-yesterday") && !output.stderr.contains("sesame-street"),
        "{}",
        output.stderr
    );
    assert_eq!(server.seen().len(), 0);
}

#[test]
fn a_client_certificate_logs_in() {
    let server = Server::start();
    let pair = server.https().authority().client("carol", Some("ops")).unwrap();
    let user = json!({
        "client-certificate-data": STANDARD.encode(&pair.cert),
        "client-key-data": STANDARD.encode(&pair.key),
    });
    assert_eq!(plugin_of(&server).user(user).run("a").code, 0);
    assert_eq!(server.seen()[0].certificate.as_deref(), Some("O=ops, CN=carol"));

    let plugin = plugin_of(&server);
    let [cert, key] =
        [("cert", &pair.cert), ("key", &pair.key)].map(|(name, pem)| plugin.scratch.write(name, pem).unwrap());
    let line = format!("b --client-certificate {} --client-key {}", cert.display(), key.display());
    assert_eq!(plugin.run(&line).code, 0);
    assert_eq!(server.seen()[1].certificate.as_deref(), Some("O=ops, CN=carol"));
}

#[test]
fn tokens_come_from_flags_and_files() {
    let server = Server::start();
    let plugin = plugin_of(&server);
    plugin.scratch.write("token", "from-a-file").unwrap();
    assert_eq!(plugin.user(json!({ "tokenFile": "token" })).run("a").code, 0);
    assert_eq!(header(&server, "authorization").as_deref(), Some("Bearer from-a-file"), "its path is the kubeconfig's");

    let server = Server::start();
    let plugin = plugin_of(&server);
    let ca = plugin.scratch.write("ca.crt", server.https().authority().cert()).unwrap();
    let line = format!(
        "a --server https://{} --token sesame --certificate-authority {}",
        server.https().address(),
        ca.display()
    );
    let output = plugin.run_at(&line, "/nowhere");
    assert_eq!(output.code, 0, "without any kubeconfig: {output:?}");
    assert_eq!(header(&server, "authorization").as_deref(), Some("Bearer sesame"));
}

#[test]
fn one_user_may_act_as_another() {
    let server = Server::start();
    assert_eq!(plugin_of(&server).run("a --as bob --as-group ops --as-group dev").code, 0);
    let headers = &server.seen()[0].headers;
    assert_eq!(headers["impersonate-user"], "bob");
    let groups: Vec<_> = headers.get_all("impersonate-group").iter().collect();
    assert_eq!(groups, ["ops", "dev"]);
}

#[test]
fn several_files_are_one_kubeconfig() {
    let server = Server::start();
    let plugin = plugin_of(&server);
    let mut clusters = plugin.kubeconfig.clone();
    clusters["users"] = json!([]);
    let users = json!({ "apiVersion": "v1", "kind": "Config", "users": plugin.kubeconfig["users"], "current-context": "other" });
    let [one, two] =
        [("one", clusters), ("two", users)].map(|(name, file)| plugin.scratch.write(name, file.to_string()).unwrap());
    let files = format!("{}:{}/missing:{}", one.display(), plugin.scratch.path().display(), two.display());
    let output = plugin.run_at("a", &files);
    assert_eq!(output.code, 0, "{output:?}");
    assert_eq!(header(&server, "authorization").as_deref(), Some("Bearer sesame"));
    let context = plugin.run_at("a --context nobody", &files);
    assert!(context.code == 1 && context.stderr.contains("nobody"), "{context:?}");
}

#[test]
fn the_servers_name_may_be_another_than_its_addresss() {
    let server = Server::start();
    assert_eq!(plugin_of(&server).cluster("tls-server-name", NAME).run("a").code, 0);
    let wrong = plugin_of(&server).cluster("tls-server-name", "outer.example.com").run("a");
    assert_eq!(wrong.code, 1, "{wrong:?}");
    assert_eq!(plugin_of(&server).run("a --tls-server-name outer.example.com --insecure-skip-tls-verify").code, 0);
    let mut stranger = plugin_of(&server);
    stranger.kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"] =
        STANDARD.encode(kit::Authority::new("stranger").unwrap().cert()).into();
    assert_eq!(stranger.run("a").code, 1);
    assert_eq!(server.seen().len(), 2, "nothing was sent to a server that is not trusted");
}

#[test]
fn proxies_are_used_where_they_are_meant() {
    let server = Server::start();
    let (proxy, connections) = proxy();
    let through = plugin_of(&server).cluster("proxy-url", &proxy).run("a");
    assert_eq!(through.code, 0, "{through:?}");
    assert_eq!(connections.try_iter().count(), 1);

    let by_environment = || plugin_of(&server).env("HTTPS_PROXY", &proxy);
    assert_eq!(by_environment().run("a").code, 0);
    assert_eq!(connections.try_iter().count(), 1);
    assert_eq!(by_environment().env("NO_PROXY", "example.com,127.0.0.1").run("a").code, 0);
    assert_eq!(connections.try_iter().count(), 0, "the environment excepts the server");
    let own = by_environment().env("NO_PROXY", "*").cluster("proxy-url", &proxy);
    assert_eq!(own.run("a").code, 0);
    assert_eq!(connections.try_iter().count(), 1, "but has no say about the kubeconfig's own");
}

/// A proxy that knows CONNECT, and tells of each.
fn proxy() -> (String, std::sync::mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let sender = sender.clone();
            std::thread::spawn(move || connect(client, &sender));
        }
    });
    (url, receiver)
}

fn connect(mut client: TcpStream, sender: &std::sync::mpsc::Sender<()>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    let target = String::from_utf8(head).ok()?.strip_prefix("CONNECT ")?.split(' ').next()?.to_owned();
    let server = TcpStream::connect(target).ok()?;
    sender.send(()).ok()?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    let (mut up_from, mut up_to) = (client.try_clone().ok()?, server.try_clone().ok()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut up_from, &mut up_to);
        let _ = up_to.shutdown(Shutdown::Write);
    });
    let (mut down_from, mut down_to) = (server, client);
    let _ = std::io::copy(&mut down_from, &mut down_to);
    Some(())
}
