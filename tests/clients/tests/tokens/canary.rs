//! Thirty planted plaintexts, through every path there is; then they are looked for where they must not be.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kit::{Client, Outrigger, Process, eventually};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
    trace_service_server::{TraceService, TraceServiceServer},
};
use serde_json::{Value, json};
use tonic::transport::{Server, server::TcpIncoming};

use crate::setting::{GROUP, MERGE, Setting, create, plaintext, token};

const APPLY: [(&str, &str); 1] = [("content-type", "application/apply-patch+yaml")];
/// Everything of every request, as far as the policy goes.
const POLICY: &str = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: RequestResponse\n";

/// What was exported, as text.
#[derive(Clone, Default)]
struct Traces(Arc<Mutex<String>>);

#[tonic::async_trait]
impl TraceService for Traces {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        self.0.lock().unwrap().push_str(&format!("{:?}", request.into_inner()));
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Traces {
    async fn start() -> (Self, String) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let traces = Self::default();
        let service = Server::builder().add_service(TraceServiceServer::new(traces.clone()));
        #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
        tokio::spawn(service.serve_with_incoming(TcpIncoming::from(listener)));
        (traces, endpoint)
    }
}

/// Takes thirty plaintexts through every path at `path`, and returns them. Ends with the token `last` being there.
async fn plant(client: &Client, path: &str) -> Vec<String> {
    let mut planted = Vec::new();
    for number in 0..12 {
        planted.push(create(client, path, &format!("made-{number}"), json!({ "ttl": "1h" })).await);
    }
    for number in 0..8 {
        let uri = format!("{path}/applied-{number}?fieldManager=t");
        let config = token(&format!("applied-{number}"), json!({})).to_string();
        planted.push(plaintext(&client.send("PATCH", &uri, &APPLY, config).await.unwrap()));
    }
    for number in 0..10 {
        planted.push(plaintext(&client.send("POST", &format!("{path}/made-{number}/rotate"), &[], "").await.unwrap()));
    }
    assert_eq!(planted.len(), 30);
    // What was shown is sent back, rightly and wrongly, by people and programs that do not know better.
    for (number, shown) in planted.iter().enumerate() {
        let name = format!("made-{}", number % 12);
        let mut object = client.get(&format!("{path}/{name}")).await.unwrap().success().unwrap();
        object["status"]["plaintextToken"] = json!(shown);
        object["metadata"]["labels"] = json!({ "round": number.to_string() });
        let uri = format!("{path}/{name}");
        let json = [("content-type", "application/json")];
        let wrong = format!("{}{{", object);
        object["metadata"]["managedFields"] = Value::Null;
        let mut config = object.clone();
        config["metadata"] = json!({ "name": name });
        let mut strange = config.clone();
        strange["spec"]["enabled"] = json!("maybe");
        let requests: [Request<'_>; 9] = [
            ("PUT", uri.clone(), &json, object.to_string()),
            ("PUT", uri.clone(), &json, object.to_string()),
            ("PUT", format!("{uri}/status"), &json, object.to_string()),
            ("PATCH", uri.clone(), &MERGE, json!({ "status": { "plaintextToken": shown } }).to_string()),
            ("PATCH", format!("{uri}?fieldManager=u&force=true&dryRun=All"), &APPLY, config.to_string()),
            ("POST", path.to_owned(), &json, config.to_string()),
            ("POST", path.to_owned(), &json, wrong),
            ("POST", path.to_owned(), &json, strange.to_string()),
            ("POST", format!("{uri}/rotate?dryRun=All"), &json, config.to_string()),
        ];
        for (method, uri, headers, body) in requests {
            let answer = client.send(method, &uri, headers, body).await.unwrap();
            assert!(!answer.text().contains(random(shown)), "{method} {uri}: {}", answer.text());
        }
    }
    planted
}

/// Method, URI, headers and body.
type Request<'a> = (&'a str, String, &'a [(&'a str, &'a str)], String);

/// The part that nobody else may know.
fn random(shown: &str) -> &str {
    shown.rsplit('/').next().unwrap()
}

/// Fails if `text` has any of them.
fn search(planted: &[String], place: &str, text: &[u8]) {
    assert!(!text.is_empty(), "there is nothing to search in {place}");
    assert_eq!(found(planted, text), None, "in {place}");
}

/// The first of them that `text` has, as it is or in base64.
fn found<'a>(planted: &'a [String], text: &[u8]) -> Option<&'a String> {
    let text = String::from_utf8_lossy(text);
    planted.iter().find(|shown| {
        let random = random(shown);
        // A text inside of base64 looks in three ways, by where it begins.
        let encoded = (0..3).map(|skip| STANDARD.encode(&random[skip..random.len() - (random.len() - skip) % 3]));
        encoded.chain([random.to_owned()]).any(|needle| text.contains(&needle))
    })
}

/// Searches every file below a folder; says how many.
fn search_files(planted: &[String], folder: &Path) -> usize {
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            files += search_files(planted, &path);
        } else if let Some(content) = fs::read(&path).ok().filter(|content| !content.is_empty()) {
            search(planted, &path.display().to_string(), &content);
            files += 1;
        }
    }
    files
}

fn flags(folder: &Path) -> Vec<String> {
    let policy = folder.join("policy.yaml");
    fs::write(&policy, POLICY).unwrap();
    vec![
        format!("--audit-log-path={}", folder.join("audit.log").display()),
        format!("--audit-policy-file={}", policy.display()),
        "--debug".to_owned(),
        "--debug-level=9".to_owned(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_plaintext_is_found_anywhere_behind_a_cluster() {
    let audit = kit::Scratch::new("canary").unwrap();
    let (traces, endpoint) = Traces::start().await;
    let flags = flags(audit.path());
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let env = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "100")];
    let mut setting = Setting::start(&flags, &env);
    let path = setting.namespace("canary", &["alice"]).await;
    let (alice, admin) = (setting.user("alice"), setting.cluster.admin());
    let mut watch = admin.lines(&format!("{path}?watch=1&timeoutSeconds=300"), &[]).await.unwrap();
    let planted = plant(&alice, &path).await;
    for shown in &planted {
        setting.who(shown).await;
        setting.review(shown).await;
        setting.review(&format!("{shown}x")).await;
        let presented = kit::Identity::Token(shown.clone());
        setting.outrigger.client_for(&presented).unwrap().get(&path).await.unwrap();
        let wrong =
            json!({ "apiVersion": "authentication.k8s.io/v0", "kind": "TokenReview", "spec": { "token": shown } });
        assert_eq!(setting.webhook().post("/tokenreviews", &wrong).await.unwrap().status, 400);
    }
    create(&alice, &path, "last", json!({})).await;
    let mut events = String::new();
    while !events.contains("\"last\"") {
        events.push_str(&watch.next(kit::PATIENCE).await.unwrap().unwrap());
    }
    search(&planted, "the watch", events.as_bytes());
    for uri in ["/api/v1/secrets", "/api/v1/events", "/metrics", path.as_str()] {
        search(&planted, uri, &admin.get(uri).await.unwrap().body);
    }
    for uri in ["/metrics", &path] {
        search(&planted, uri, &setting.outrigger.admin().unwrap().get(uri).await.unwrap().body);
    }
    eventually!(traces.0.lock().unwrap().contains("ranchertokens"), "traces are exported");
    setting.outrigger.process().signal("TERM").unwrap();
    setting.outrigger.process().wait(kit::PATIENCE).unwrap();
    search(&planted, "the traces", traces.0.lock().unwrap().as_bytes());
    let log = fs::read_to_string(audit.file("audit.log")).unwrap();
    assert!(log.contains(r#""level":"RequestResponse""#) && log.contains("made-0"), "the audit log tells of them");
    assert!(search_files(&planted, audit.path()) >= 2);
    assert!(search_files(&planted, setting.outrigger.folder()) >= 2);
    search(
        &planted,
        "the log of the kube-apiserver",
        &fs::read(setting.cluster.folder().join("kube-apiserver.log")).unwrap(),
    );
    assert!(search_files(&planted, &setting.cluster.folder().join("etcd")) >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_plaintext_is_found_anywhere_without_a_cluster() {
    let audit = kit::Scratch::new("canary").unwrap();
    let flags = flags(audit.path());
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut outrigger = Outrigger::standalone(&[], &flags).unwrap();
    let admin = outrigger.admin().unwrap();
    let path = format!("/apis/{GROUP}/v1alpha2/namespaces/default/ranchertokens");
    let planted = plant(&admin, &path).await;
    let kubectl = outrigger.kubectl().unwrap();
    search(&planted, "kubectl get", kubectl.ok(&["get", "ranchertokens", "-o", "yaml"]).unwrap().as_bytes());
    search(&planted, "/metrics", &admin.get("/metrics").await.unwrap().body);
    let found = admin.get(&format!("{path}/made-0")).await.unwrap().success().unwrap();
    assert_eq!(found["status"]["state"], "Active");
    stop(outrigger.process());
    assert!(search_files(&planted, outrigger.folder()) >= 3, "the database is among them");
    search_files(&planted, audit.path());
}

fn stop(process: &mut Process) {
    process.signal("TERM").unwrap();
    process.wait(kit::PATIENCE).unwrap();
}

#[test]
fn what_is_planted_is_found() {
    let planted = ["ort/n/a/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ".to_owned()];
    for before in ["", "x", "xy"] {
        let text = format!("{before}{}", planted[0]);
        assert_eq!(found(&planted, text.as_bytes()), Some(&planted[0]));
        assert_eq!(found(&planted, STANDARD.encode(&text).as_bytes()), Some(&planted[0]), "{before:?}");
    }
    assert_eq!(found(&planted, b"ort/n/a/"), None);
}
