//! A Go controller on Kubernetes' own client library: its three kinds of informers, beginning by a list and by a stream,
//! through a restart of ours and a history that has gone on without them; and the calls that controllers make.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::time::Duration;

use clients::{bundle_deployment, collection};
use kit::{ADMIN, BOB, Client, Cluster, Outrigger, Process, Scratch, eventually};
use serde_json::{Value, json};

const INFORMERS: [&str; 3] = ["typed", "dynamic", "metadata"];
/// More than what may wait on its way through the aggregator for a client that does not read: 200 annotations of this size.
const LARGE: usize = 200 * 1024;
const WRITES: usize = 200;
const PATIENCE: Duration = Duration::from_secs(120);

/// The controller, and what it told so far.
struct Controller {
    process: Process,
    _scratch: Scratch,
}

impl Controller {
    fn start(cluster: &Cluster, token: &str, namespace: &str, what: &str, watch_list: bool) -> Self {
        let scratch = Scratch::new("controller").unwrap();
        let flags = [
            format!("-kubeconfig={}", cluster.kubeconfig_of(token).display()),
            format!("-namespace={namespace}"),
            what.to_owned(),
        ];
        let env = [("KUBE_FEATURE_WatchListClient", if watch_list { "true" } else { "false" })];
        let program = kit::controller_peer().unwrap();
        let process = Process::spawn_with("controller", &program, &flags, &env, &scratch.file("controller.log"));
        Self { process: process.unwrap(), _scratch: scratch }
    }

    /// The lines that are JSON; the library's own log is not.
    fn lines(&self) -> Vec<Value> {
        let output = self.process.output();
        let whole = output.rfind('\n').map_or("", |end| &output[..end]);
        whole.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn of(&self, who: &str, what: &str) -> Vec<Value> {
        self.lines().into_iter().filter(|line| line["who"] == who && line["what"] == what).collect()
    }

    fn urls(&self, who: &str) -> Vec<String> {
        self.of(who, "request").iter().map(|line| line["url"].as_str().unwrap().to_owned()).collect()
    }

    fn has(&self, what: &str, name: &str) -> bool {
        INFORMERS.iter().all(|who| self.of(who, what).iter().any(|line| line["name"] == name))
    }

    /// Nothing is told twice, and nobody is told an older state after a newer one.
    fn assert_in_order(&self) {
        for who in INFORMERS {
            let mut told = BTreeSet::new();
            let mut newest = std::collections::BTreeMap::new();
            for line in self.lines().iter().filter(|line| line["who"] == who && line["name"].is_string()) {
                let (what, name) = (line["what"].as_str().unwrap(), line["name"].as_str().unwrap().to_owned());
                let revision: u64 = line["revision"].as_str().unwrap().parse().unwrap();
                if what == "same" {
                    continue;
                }
                assert!(told.insert((what.to_owned(), name.clone(), revision)), "{who} is told twice: {line}");
                let before = newest.insert(name, revision).unwrap_or_default();
                assert!(before < revision || what == "delete", "{who} is told of {before} and then of {line}");
            }
        }
    }
}

async fn label(admin: &Client, path: &str, value: &str) {
    let patch = json!({"metadata": {"labels": {"changed": value}}}).to_string();
    admin.send("PATCH", path, &[("content-type", MERGE)], patch).await.unwrap().success().unwrap();
}

const MERGE: &str = "application/merge-patch+json";

async fn informers_see_everything(cluster: &Cluster, outrigger: &mut Outrigger, namespace: &str, watch_list: bool) {
    cluster.namespace(namespace).await.unwrap();
    let (admin, path) = (cluster.admin(), collection(namespace));
    for name in ["a", "b"] {
        admin.post(&path, &bundle_deployment(name, "s-1:a")).await.unwrap().success().unwrap();
    }
    let controller = Controller::start(cluster, ADMIN, namespace, "watch", watch_list);
    let synced = || INFORMERS.iter().all(|who| !controller.of(who, "synced").is_empty());
    eventually!(within PATIENCE, synced(), "the informers sync: {}", controller.process.tail());
    for who in INFORMERS {
        let urls = controller.urls(who);
        assert_eq!(urls[0].contains("sendInitialEvents=true"), watch_list, "{who} begins so: {urls:?}");
        let listed = urls.iter().any(|url| !url.contains("watch="));
        assert_ne!(listed, watch_list, "{who} lists if it does not stream: {urls:?}");
        let initial = controller.of(who, "add");
        assert!(initial.len() == 2 && initial.iter().all(|line| line["initial"] == true), "{who}: {initial:?}");
    }
    let protobuf = |line: &Value| {
        let kind = line["contentType"].as_str().unwrap_or_default();
        kind.starts_with("application/vnd.kubernetes.protobuf")
    };
    assert!(controller.of("metadata", "request").iter().all(protobuf), "metadata comes in protobuf");

    admin.post(&path, &bundle_deployment("c", "s-1:a")).await.unwrap().success().unwrap();
    label(&admin, &format!("{path}/a"), "once").await;
    admin.send("DELETE", &format!("{path}/b"), &[], "").await.unwrap().success().unwrap();
    eventually!(controller.has("add", "c"), "a creation is seen: {}", controller.process.tail());
    eventually!(controller.has("update", "a"), "a change is seen: {}", controller.process.tail());
    eventually!(controller.has("delete", "b"), "a deletion is seen: {}", controller.process.tail());
    controller.assert_in_order();

    outrigger.restart().unwrap();
    let late = bundle_deployment("d", "s-1:a");
    eventually!(admin.post(&path, &late).await.is_ok_and(|answer| answer.status == 201), "the aggregator is back");
    admin.send("DELETE", &format!("{path}/c"), &[], "").await.unwrap().success().unwrap();
    eventually!(within PATIENCE, controller.has("add", "d"), "informers go on: {}", controller.process.tail());
    eventually!(within PATIENCE, controller.has("delete", "c"), "informers go on: {}", controller.process.tail());
    controller.assert_in_order();
    history_goes_on_without_them(&admin, &controller, &path).await;
}

/// They are stopped while more happens than anybody keeps for them, so that they have to begin anew.
async fn history_goes_on_without_them(admin: &Client, controller: &Controller, path: &str) {
    let before = admin.get(path).await.unwrap().success().unwrap();
    let before = before["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    let asked = INFORMERS.map(|who| controller.urls(who).len());
    controller.process.signal("STOP").unwrap();
    let mut last = String::new();
    for index in 0..WRITES {
        let annotation = format!("{index:04}{}", "x".repeat(LARGE));
        let patch = json!({"metadata": {"annotations": {"large": annotation}}}).to_string();
        let answer = admin.send("PATCH", &format!("{path}/d"), &[("content-type", MERGE)], patch).await.unwrap();
        last = answer.success().unwrap()["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    }
    let watch = format!("{path}?watch=1&timeoutSeconds=1&resourceVersion={before}");
    eventually!(
        within PATIENCE,
        admin.get(&watch).await.is_ok_and(|answer| answer.text().contains("too old resource version")),
        "the history is forgotten"
    );
    controller.process.signal("CONT").unwrap();
    let saw_last = |who: &&str| controller.of(who, "update").iter().any(|line| line["revision"] == last.as_str());
    eventually!(within PATIENCE, INFORMERS.iter().all(saw_last), "all are up to date");
    controller.assert_in_order();
    for (who, asked) in INFORMERS.iter().zip(asked) {
        let urls = controller.urls(who).split_off(asked);
        let anew = |url: &String| url.contains("sendInitialEvents=true") || !url.contains("watch=");
        assert!(!urls.is_empty() && !anew(&urls[0]), "{who} asks to go on first: {urls:?}");
        assert!(urls.iter().any(anew), "{who} begins anew: {urls:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn informers_list_or_stream_and_survive_a_restart_and_a_lost_history() {
    let cluster = Cluster::shared();
    let flags = ["--history=1s", "--watch-cache-bytes=1048576", "--watch-mib=1"];
    let mut outrigger = Outrigger::behind(cluster, &[], &flags).unwrap();
    outrigger.register(cluster, "fleet.cattle.io", "v1alpha1").await.unwrap();
    informers_see_everything(cluster, &mut outrigger, "streaming", true).await;
    informers_see_everything(cluster, &mut outrigger, "listing", false).await;

    // It has room for one request at a time, and he is no administrator, who always gets in.
    outrigger.kill().unwrap();
    let crowded = Outrigger::behind(cluster, &[], &["--max-requests-inflight=1"]).unwrap();
    crowded.register(cluster, "fleet.cattle.io", "v1alpha1").await.unwrap();
    cluster.namespace("calls").await.unwrap();
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "bob"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "bob"}],
    });
    let bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/calls/rolebindings";
    cluster.admin().post(bindings, &role).await.unwrap().success().unwrap();
    the_calls_of_a_controller(cluster).await;
}

async fn the_calls_of_a_controller(cluster: &Cluster) {
    let bob = cluster.client_for(&kit::Identity::Token(BOB.to_owned()));
    eventually!(bob.get(&collection("calls")).await.is_ok_and(|answer| answer.status == 200), "bob may");
    let mut controller = Controller::start(cluster, BOB, "calls", "calls", true);
    let ended = controller.process.wait(PATIENCE).unwrap();
    assert!(ended.success(), "{}", controller.process.tail());
    let result = |who: &str| controller.of(who, "result").pop().unwrap()["value"].take();
    let typed = json!({"attempts": 2, "deploymentID": "s-2:b", "paused": true, "ready": true, "generation": 3});
    assert_eq!(result("typed"), typed);
    // The first object is there besides.
    let pages = json!({"sizes": [10, 10, 6], "remaining": [16, 6], "revisions": 1, "seen": 25});
    assert_eq!(result("pages"), pages);
    let applied = json!({
        "unchanged": true, "causes": ["FieldManagerConflict .spec.deploymentID"], "id": "s-2:b",
        "managers": ["three Apply status", "two Apply "],
    });
    assert_eq!(result("apply"), applied);
    let metadata = json!({
        "finalizers": ["example.com/held"], "refused": true, "deleting": true, "gone": true, "before": 24, "after": 0,
    });
    assert_eq!(result("metadata"), metadata);
    assert_eq!(result("discovery"), json!(["bundledeployments", "bundledeployments/status"]));
    let crowd = result("crowd");
    assert_eq!((&crowd["refused"], &crowd["delay"]), (&json!(true), &json!(true)), "{crowd}");
    assert!(crowd["tooLarge"].as_str().unwrap().contains("Too large resource version"), "{crowd}");
    let refused = controller.of("crowd", "request").iter().filter(|line| line["status"] == 429).count();
    assert!(refused >= 2, "it was refused with retries and without: {refused}");
}
