//! Behind a real kube-apiserver: who may restart what, and kubectl without any plugin.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, OnceLock};

use api_testing::Server as Log;
use apiserver::{Config, Identities, Server};
use clap::Parser;
use kit::{BOB, Client, Cluster, Identity, Kubectl, Node, Registration, Report, Scratch, eventually};
use runtime::tls::{self, bootstrap::Pair};
use serde_json::{Value, json};

use super::{NODES, RESTARTS, scripted::Scripted};

/// A cluster with us behind it.
struct Behind {
    cluster: &'static Cluster,
    worker: Arc<Scripted>,
    port: u16,
    ca: String,
    _scratch: Scratch,
}

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    config: Config,
}

/// One for all tests of this file: they keep out of each other's way by the names of nodes and users.
fn behind() -> &'static Behind {
    static SHARED: OnceLock<Behind> = OnceLock::new();
    SHARED.get_or_init(|| {
        let cluster = Cluster::shared();
        let (sender, receiver) = std::sync::mpsc::channel();
        // A runtime of its own, which lives as long as the process: those of the tests end with them.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let (server, behind) = start(cluster).await;
                sender.send(behind).unwrap();
                server.serve().await.unwrap();
            });
        });
        let behind = receiver.recv().unwrap();
        let registration =
            Registration { group: "infraops.michael.io", version: "v1", port: behind.port, ca: &behind.ca };
        kit::block_on(registration.apply(&cluster.admin())).unwrap();
        behind
    })
}

async fn start(cluster: &'static Cluster) -> (Server, Behind) {
    tls::install_provider();
    let context = runtime::Context::new();
    let scratch = Scratch::new("restart-api").unwrap();
    let authority = kit::Authority::new("restart-api-ca").unwrap();
    let serving = authority.server(&["localhost", "127.0.0.1", &Registration::server_name()]).unwrap();
    let pair = Pair {
        cert: scratch.write("tls.crt", &serving.cert).unwrap(),
        key: scratch.write("tls.key", &serving.key).unwrap(),
    };
    let config = Flags::parse_from(["test", "--secure-port=0", "--bind-address=127.0.0.1"]).config;
    let kubeconfig = cluster.outrigger_kubeconfig();
    let identities = Identities::behind(&config.trust, Some(&kubeconfig), &context).await.unwrap();
    let worker = Arc::new(Scripted::default());
    let store = Arc::clone(Log::new().await.store());
    worker.store_in(&store);
    let client = client(&kubeconfig).await;
    let extensions = restart_api::extensions(worker.clone(), client, &context.tasks);
    let identity = tls::Identity::load(&pair, &context.tasks).unwrap();
    let server =
        Server::bind(&config, store, &extensions, identities, Default::default(), identity, &context).await.unwrap();
    let port = server.local_addr().unwrap().port();
    (server, Behind { cluster, worker, port, ca: authority.cert().to_owned(), _scratch: scratch })
}

async fn client(kubeconfig: &std::path::Path) -> kube::Client {
    let kubeconfig = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await.unwrap();
    kube::Client::try_from(config).unwrap()
}

// === impl Behind ===

impl Behind {
    async fn node(&self, name: &str, provider_id: &str) -> Node {
        let node = Node::create(&self.cluster.admin(), name, provider_id, &[("pool", name)]).await.unwrap();
        let report = Report { boot_id: "boot-1".into(), ready: true, address: "10.0.0.1".into() };
        node.report(&report).await.unwrap();
        let known = format!("{NODES}?fieldSelector=metadata.name%3D{name}");
        let admin = self.cluster.admin();
        let ready = async || {
            let list = admin.get(&known).await.unwrap().json().unwrap();
            list["items"][0]["status"]["ready"] == true
        };
        eventually!(ready().await, "{name} is known and ready");
        node
    }

    /// Lets a user restart one node, and nothing else.
    async fn allow(&self, user: &str, node: &str) {
        const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
        let name = format!("restart-{node}");
        let role = json!({
            "metadata": {"name": name},
            "rules": [{
                "apiGroups": ["infraops.michael.io"],
                "resources": ["nodes/restart"],
                "resourceNames": [node],
                "verbs": ["create"],
            }],
        });
        let binding = json!({
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        });
        let admin = self.cluster.admin();
        admin.post(&format!("{RBAC}/clusterroles"), &role).await.unwrap().success().unwrap();
        admin.post(&format!("{RBAC}/clusterrolebindings"), &binding).await.unwrap().success().unwrap();
    }

    /// What the worker was told of who asked for a restart of `node`.
    fn users(&self, node: &str) -> Vec<String> {
        let requests = self.worker.requests().into_iter().filter(|request| request.node == node);
        requests.map(|request| request.user.name).collect()
    }

    fn kubectl(&self) -> Kubectl {
        self.cluster.kubectl_as(kit::ADMIN).unwrap()
    }
}

async fn post(client: &Client, node: &str) -> (u16, Value) {
    let answer = client.send("POST", &format!("{NODES}/{node}/restart"), &[("accept", "*/*")], "").await.unwrap();
    (answer.status, answer.json().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_for_one_node_allows_the_restart_of_that_one_only() {
    let behind = behind();
    behind.node("mine", "aws:///eu-west-1a/i-1").await;
    behind.node("yours", "aws:///eu-west-1a/i-2").await;
    let bob = behind.cluster.client_for(&Identity::Token(BOB.to_owned()));
    assert_eq!(post(&bob, "mine").await.0, 403, "nobody is allowed without a role");
    behind.allow("bob", "mine").await;
    eventually!(post(&bob, "mine").await.0 != 403, "the role takes effect");
    let (code, restart) = post(&bob, "mine").await;
    assert_eq!((code, &restart["kind"]), (200, &json!("NodeRestart")));
    let (code, refusal) = post(&bob, "yours").await;
    assert_eq!((code, &refusal["reason"]), (403, &json!("Forbidden")));
    for path in [RESTARTS, NODES] {
        assert_eq!(bob.get(path).await.unwrap().status, 403, "{path}");
    }
    let restart = json!({
        "apiVersion": "infraops.michael.io/v1", "kind": "NodeRestart", "metadata": {"name": "yours-1"},
        "spec": {"nodeName": "yours", "mode": "Hard"},
    });
    assert_eq!(bob.post(RESTARTS, &restart).await.unwrap().status, 403);
    assert_eq!(
        behind.cluster.admin().post(RESTARTS, &restart).await.unwrap().status,
        405,
        "not even the administrator"
    );
    assert_eq!(behind.users("yours"), [""; 0]);
    assert!(behind.users("mine").iter().all(|user| user == "bob"));

    let kubectl = behind.cluster.kubectl_as(BOB).unwrap();
    let path = |node: &str| format!("{NODES}/{node}/restart");
    kubectl.ok(&["create", "--raw", &path("mine"), "-f", "/dev/null"]).unwrap();
    let refused = kubectl.run(&["create", "--raw", &path("yours"), "-f", "/dev/null"]).unwrap();
    assert!(refused.code != 0 && refused.stderr.contains("(Forbidden)"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_is_good_through_the_kube_apiserver() {
    let behind = behind();
    behind.node("certified", "aws:///eu-west-1a/i-1").await;
    behind.allow("carol", "certified").await;
    let carol = behind.cluster.authority().client("carol", None).unwrap();
    let carol = behind.cluster.client_for(&Identity::Certificate(carol));
    eventually!(post(&carol, "certified").await.0 != 403, "the role takes effect");
    let path = format!("{NODES}/certified/restart");
    let answer = carol.send_http1("POST", &path, &[("accept", "*/*"), ("user-agent", "curl/8.5.0")], "").await.unwrap();
    assert_eq!((answer.status, &answer.json().unwrap()["kind"]), (200, &json!("NodeRestart")));
    assert_eq!(answer.header("location"), Some("../../noderestarts/certified-1"));
    let bare = carol.send_http1("POST", &path, &[], "").await.unwrap();
    assert_eq!((bare.status, bare.text().as_str()), (200, "Node certified: restart certified-1 is Accepted\n"));
    assert!(behind.users("certified").iter().all(|user| user == "carol"));
}

#[tokio::test(flavor = "multi_thread")]
async fn past_the_aggregator_names_count_for_nothing() {
    let behind = behind();
    behind.node("direct", "aws:///eu-west-1a/i-1").await;
    let front_proxy =
        |name: &str| Identity::Certificate(behind.cluster.front_proxy_authority().client(name, None).unwrap());
    let stranger =
        Identity::Certificate(kit::Authority::new("stranger").unwrap().client("front-proxy-client", None).unwrap());
    let forged = [("x-remote-user", "admin"), ("x-remote-group", "system:masters")];
    let path = format!("{NODES}/direct/restart");
    let post = async |identity: &Identity, headers: &[(&str, &str)]| {
        let client = Client::new("127.0.0.1", behind.port, &behind.ca, identity).unwrap();
        client.send("POST", &path, headers, "").await.map(|answer| answer.status)
    };
    assert_eq!(post(&Identity::Anonymous, &[]).await.unwrap(), 401, "nobody");
    assert_eq!(post(&Identity::Anonymous, &forged).await.unwrap(), 401, "forged");
    assert_eq!(post(&front_proxy("somebody-else"), &forged).await.unwrap(), 401, "a name that is not allowed");
    assert!(matches!(post(&stranger, &forged).await, Err(_) | Ok(401)), "another authority");
    assert_eq!(behind.users("direct"), [""; 0]);
    assert_eq!(post(&front_proxy("front-proxy-client"), &forged).await.unwrap(), 200, "the aggregator itself");
    assert_eq!(behind.users("direct"), ["admin"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_needs_no_plugin() {
    let behind = behind();
    behind.node("plain", "aws:///eu-west-1a/i-7").await;
    let (kubectl, path) = (behind.kubectl(), format!("{NODES}/plain/restart"));
    let planned = kubectl.pipe(&["create", "--raw", &format!("{path}?dryRun=All"), "-f", "-"], "").unwrap();
    assert_eq!(serde_json::from_str::<Value>(&planned).unwrap()["status"]["plan"]["verdict"], "it would");
    let body = kubectl.file("body.json", r#"{"kind":"RestartOptions","mode":"Hard","reason":"kernel"}"#).unwrap();
    let restart = kubectl.ok(&["create", "--raw", &path, "-f", &body]).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&restart).unwrap()["metadata"]["name"], "plain-1");
    let asked = behind.worker.requests().into_iter().rfind(|request| request.node == "plain").unwrap();
    assert_eq!(&asked.options[..], br#"{"mode":"Hard","reason":"kernel"}"#);
    let wrong = kubectl.file("wrong.json", r#"{"drian":{"enabled":true}}"#).unwrap();
    let refused = kubectl.run(&["create", "--raw", &path, "-f", &wrong]).unwrap();
    assert!(refused.code != 0 && refused.stderr.contains("unknown field \"drian\""), "{refused:?}");

    let table = kubectl.ok(&["get", "nodes.infraops.michael.io", "plain"]).unwrap();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let lines: Vec<_> = table.lines().map(words).collect();
    assert_eq!(lines[0].join(" "), "NAME PROVIDER INSTANCE REGION LAST RESTART AGE");
    assert_eq!(lines[1][..4], ["plain", "aws", "i-7", "eu-west-1"]);
    let wide = kubectl.ok(&["get", "nodes.infraops.michael.io", "-l", "pool=plain", "-o", "wide"]).unwrap();
    assert!(wide.contains("Accepted") && wide.contains("aws:///eu-west-1a/i-7"), "{wide}");
    let core = kubectl.ok(&["get", "nodes", "plain"]).unwrap();
    assert!(core.starts_with("NAME") && core.contains("VERSION"), "nodes are still the cluster's own: {core}");
    // The kube-apiserver takes a moment to gather what we publish.
    let explained = || kubectl.run(&["explain", "noderestart.spec.mode"]).unwrap().stdout;
    eventually!(explained().contains("SoftThenHard"), "the fields are explained");
}

#[tokio::test(flavor = "multi_thread")]
async fn restarts_are_watched_and_cancelled_with_kubectl() {
    let behind = behind();
    behind.node("watched", "aws:///eu-west-1a/i-8").await;
    let kubectl = behind.kubectl();
    kubectl.ok(&["create", "--raw", &format!("{NODES}/watched/restart"), "-f", "/dev/null"]).unwrap();
    // Of a list: of one object kubectl leaves the first event out, whatever it says.
    let selector = "--field-selector=spec.nodeName=watched";
    let watch = kubectl.spawn("watch", &["get", "noderestarts", selector, "-w"]).unwrap();
    eventually!(watch.output().contains("Accepted"), "the watch has begun: {}", watch.output());
    behind.worker.put("watched", json!({"phase": "Draining"})).await;
    eventually!(watch.output().contains("Draining"), "the phase is seen: {}", watch.output());
    let named = kubectl.ok(&["get", "nr", selector, "-o", "name"]).unwrap();
    assert_eq!(named, "noderestart.infraops.michael.io/watched-1\n");
    let edited = kubectl.run(&["annotate", "noderestart", "watched-1", "a=b"]).unwrap();
    assert!(edited.code != 0 && edited.stderr.contains("POST to nodes/NAME/restart"), "{edited:?}");
    kubectl.ok(&["delete", "noderestart", "watched-1"]).unwrap();
    assert_eq!(behind.worker.cancels().into_iter().filter(|cancel| cancel.name == "watched-1").count(), 1);
    let gone = kubectl.run(&["get", "noderestart", "watched-1"]).unwrap();
    assert!(gone.stderr.contains("(NotFound)"), "{gone:?}");
}
