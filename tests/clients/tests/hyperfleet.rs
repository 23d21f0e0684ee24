//! HyperFleet's clusters and nodepools: REST clients and kubectl, each seeing what the other does. kubectl comes to us directly,
//! and through the aggregator of a cluster.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

use kit::{Cluster, Kubectl, Outrigger, eventually};
use serde_json::{Value, json};

const GROUP: &str = "hyperfleet.openshift.io";
const CLUSTERS: &str = "clusters.hyperfleet.openshift.io";
const NODEPOOLS: &str = "nodepools.hyperfleet.openshift.io";

/// One way to us, for both kinds of clients.
struct Way {
    _us: Outrigger,
    kubectl: Kubectl,
    rest: String,
}

// === impl Way ===

impl Way {
    fn alone() -> Self {
        let (rest, flags) = flags();
        let us = Outrigger::standalone(&[], &flags.each_ref().map(String::as_str)).unwrap();
        Self { kubectl: us.kubectl().unwrap(), rest, _us: us }
    }

    fn aggregated() -> Self {
        let (rest, flags) = flags();
        let us = Outrigger::behind(Cluster::shared(), &[], &flags.each_ref().map(String::as_str)).unwrap();
        kit::block_on(us.register(Cluster::shared(), GROUP, "v1alpha1")).unwrap();
        Self { kubectl: Cluster::shared().kubectl_as(kit::ADMIN).unwrap(), rest, _us: us }
    }

    fn ok(&self, args: &[&str]) -> String {
        self.kubectl.ok(args).unwrap()
    }

    fn fails(&self, args: &[&str]) -> String {
        let output = self.kubectl.run(args).unwrap();
        assert_ne!(output.code, 0, "{args:?} succeeded: {}", output.stdout);
        output.stderr
    }

    fn object(&self, resource: &str, name: &str) -> Value {
        serde_json::from_str(&self.ok(&["get", resource, name, "-o", "json"])).unwrap()
    }

    /// What a REST client is answered: the code and the body.
    fn curl(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let url = format!("{}/api/hyperfleet/v1{path}", self.rest);
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--globoff", "--max-time", "30", "--request", method]);
        curl.args(["--write-out", "\n%{http_code}", "--header", "content-type: application/json", &url]);
        if let Some(body) = body {
            curl.args(["--data", &body.to_string()]);
        }
        let output = curl.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, code) = text.rsplit_once('\n').unwrap();
        (code.parse().unwrap(), serde_json::from_str(body).unwrap_or(Value::Null))
    }

    #[track_caller]
    fn rest(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let (code, answer) = self.curl(method, path, body);
        assert!((200..300).contains(&code), "{method} {path}: {code} {answer}");
        answer
    }

    /// The adapter says this of the record at `path`.
    fn report(&self, path: &str, conditions: &[(&str, &str)]) {
        let generation = self.rest("GET", path, None)["generation"].clone();
        let conditions: Vec<Value> =
            conditions.iter().map(|(kind, status)| json!({ "type": kind, "status": status })).collect();
        let report = json!({ "adapter": "dns", "observed_generation": generation, "conditions": conditions });
        self.rest("POST", &format!("{path}/statuses"), Some(&report));
    }
}

/// The address of the REST API, and what Outrigger is told. The one required adapter is `dns`.
fn flags() -> (String, [String; 6]) {
    let [port] = kit::free_ports().unwrap();
    let flags = [
        "--hyperfleet".to_owned(),
        format!("--api-server-bindaddress=127.0.0.1:{port}"),
        "--health-check-server-bindaddress=127.0.0.1:0".to_owned(),
        "--metrics-server-bindaddress=127.0.0.1:0".to_owned(),
        "--cluster-adapters=dns".to_owned(),
        "--nodepool-adapters=dns".to_owned(),
    ];
    (format!("http://127.0.0.1:{port}"), flags)
}

/// Each behaviour on each way.
macro_rules! on_every_way {
    ($($behaviour:ident),* $(,)?) => {
        mod alone { $(#[test] fn $behaviour() { super::$behaviour(&super::Way::alone()); })* }
        mod aggregated {
            /// One server at a time is the group's.
            static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
            $(#[test] fn $behaviour() {
                let _one = ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                super::$behaviour(&super::Way::aggregated());
            })*
        }
    };
}

on_every_way![kubectl_sees_what_rest_clients_do, rest_clients_see_what_kubectl_does, tells_people_what_there_is];

fn kubectl_sees_what_rest_clients_do(way: &Way) {
    let watching = |resource| ["get", resource, "-w", "--output-watch-events", "--no-headers"];
    let clusters = way.kubectl.spawn("clusters", &watching(CLUSTERS)).unwrap();
    let pools = way.kubectl.spawn("nodepools", &watching(NODEPOOLS)).unwrap();

    let new =
        json!({ "kind": "Cluster", "name": "prod", "labels": { "tier": "gold" }, "spec": { "region": "us-east1" } });
    let id = way.rest("POST", "/clusters", Some(&new))["id"].as_str().unwrap().to_owned();
    let cluster = format!("/clusters/{id}");
    eventually!(clusters.output().contains("ADDED      prod   NotReady"), "the creation: {}", clusters.output());
    let new = json!({ "kind": "NodePool", "name": "np1", "spec": { "replicas": 3 } });
    let pool = way.rest("POST", &format!("{cluster}/nodepools"), Some(&new))["id"].as_str().unwrap().to_owned();
    let pool = format!("{cluster}/nodepools/{pool}");
    eventually!(pools.output().contains("ADDED      prod.np1   prod"), "its nodepool: {}", pools.output());
    assert_eq!(way.object(CLUSTERS, "prod")["metadata"]["uid"], id.as_str());

    let generation =
        way.rest("PATCH", &cluster, Some(&json!({ "spec": { "region": "us-west1" } })))["generation"].clone();
    assert_eq!(generation, 2);
    eventually!(clusters.output().contains("MODIFIED   prod   NotReady   2"), "the change: {}", clusters.output());

    let args = ["wait", &format!("{CLUSTERS}/prod"), "--for=condition=Reconciled", "--timeout=60s"];
    let waiting = way.kubectl.spawn("wait", &args).unwrap();
    way.report(&cluster, &[("Available", "True")]);
    eventually!(waiting.output().contains("condition met"), "the report: {}", waiting.output());
    let ready = way.ok(&["get", CLUSTERS, "--field-selector=status.phase=Ready", "-l", "tier=gold", "-o", "name"]);
    assert_eq!(ready, "cluster.hyperfleet.openshift.io/prod\n");

    way.rest("DELETE", &cluster, None);
    let held = way.object(CLUSTERS, "prod");
    assert!(held["metadata"]["deletionTimestamp"].is_string(), "{held}");
    assert_eq!(held["metadata"]["finalizers"][0], "adapter.hyperfleet.openshift.io/dns");
    way.report(&pool, &[("Available", "False"), ("Finalized", "True")]);
    eventually!(pools.output().contains("DELETED    prod.np1"), "the nodepool goes: {}", pools.output());
    way.report(&cluster, &[("Available", "False"), ("Finalized", "True")]);
    eventually!(clusters.output().contains("DELETED    prod"), "and the cluster: {}", clusters.output());
    assert!(way.fails(&["get", CLUSTERS, "prod"]).contains("NotFound"));
}

fn rest_clients_see_what_kubectl_does(way: &Way) {
    let manifest = |region: &str| {
        json!({
            "apiVersion": "hyperfleet.openshift.io/v1alpha1", "kind": "Cluster",
            "metadata": { "name": "stage", "labels": { "tier": "silver" } },
            "spec": { "region": region },
        })
        .to_string()
    };
    let applied = way.kubectl.pipe(&["apply", "-f", "-"], &manifest("us-east1")).unwrap();
    assert_eq!(applied, "cluster.hyperfleet.openshift.io/stage created\n");
    let search = "/clusters?search=labels.tier%3D%27silver%27";
    let found = way.rest("GET", search, None);
    let cluster = found["items"][0].clone();
    assert_eq!((&found["total"], &cluster["name"], &cluster["generation"]), (&json!(1), &json!("stage"), &json!(1)));
    let path = format!("/clusters/{}", cluster["id"].as_str().unwrap());

    way.kubectl.pipe(&["apply", "-f", "-"], &manifest("us-west1")).unwrap();
    let on_the_server = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    way.kubectl.pipe(&on_the_server, &manifest("eu-west1")).unwrap();
    let seen = way.rest("GET", &path, None);
    assert_eq!((&seen["spec"], &seen["generation"]), (&json!({ "region": "eu-west1" }), &json!(3)));
    way.ok(&["label", CLUSTERS, "stage", "tier=bronze", "--overwrite"]);
    assert_eq!(way.rest("GET", &path, None)["labels"], json!({ "tier": "bronze" }));
    way.ok(&["annotate", CLUSTERS, "stage", "example.com/note=mine"]);
    assert_eq!(way.object(CLUSTERS, "stage")["metadata"]["annotations"]["example.com/note"], "mine");

    let pool = json!({
        "apiVersion": "hyperfleet.openshift.io/v1alpha1", "kind": "NodePool",
        "metadata": { "name": "stage.np1" }, "spec": { "replicas": 3 },
    });
    way.kubectl.pipe(&["create", "-f", "-"], &pool.to_string()).unwrap();
    let pools = way.rest("GET", &format!("{path}/nodepools"), None);
    assert_eq!((&pools["total"], &pools["items"][0]["name"]), (&json!(1), &json!("np1")));

    let refused = way.fails(&[
        "patch",
        CLUSTERS,
        "stage",
        "--subresource=status",
        "--type=merge",
        "-p",
        r#"{"status":{"phase":"Ready"}}"#,
    ]);
    assert!(refused.contains("adapters report"), "{refused}");

    way.ok(&["delete", CLUSTERS, "stage", "--wait=false"]);
    assert!(way.rest("GET", &path, None)["deleted_time"].is_string());
    let refused = way.fails(&["patch", CLUSTERS, "stage", "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#]);
    assert!(refused.contains("force-delete"), "{refused}");
    let args = ["wait", &format!("{CLUSTERS}/stage"), "--for=delete", "--timeout=60s", "-v=6"];
    let waiting = way.kubectl.spawn("wait", &args).unwrap();
    eventually!(waiting.output().contains("watch=true"), "kubectl watches: {}", waiting.output());
    let pool = format!("{path}/nodepools/{}", pools["items"][0]["id"].as_str().unwrap());
    for held in [&pool, &path] {
        way.report(held, &[("Available", "False"), ("Finalized", "True")]);
    }
    eventually!(waiting.output().contains("condition met"), "kubectl sees it go: {}", waiting.output());
    assert_eq!(way.curl("GET", &path, None).0, 404);
}

fn tells_people_what_there_is(way: &Way) {
    let resources = way.ok(&["api-resources", "--api-group", GROUP, "--no-headers"]);
    let words: Vec<Vec<&str>> = resources.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words[0], ["clusters", "hfc", "hyperfleet.openshift.io/v1alpha1", "false", "Cluster"]);
    assert_eq!(words[1], ["nodepools", "hfnp", "hyperfleet.openshift.io/v1alpha1", "false", "NodePool"]);
    let explained = way.ok(&["explain", "hfc.status.adapters"]);
    assert!(explained.contains("lastReportTime"), "{explained}");
    let missing = way
        .kubectl
        .run_with(
            &["create", "-f", "-"],
            &[],
            r#"{"apiVersion":"hyperfleet.openshift.io/v1alpha1","kind":"Cluster","metadata":{"name":"a"}}"#,
        )
        .unwrap();
    assert!(missing.stderr.contains("spec: Required value"), "{}", missing.stderr);
}
