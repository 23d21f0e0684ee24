//! kubectl against us: alone, behind a cluster past the aggregator, and through it. Each test runs on all three ways.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::OnceLock;

use clients::{bundle_deployment, documents, rack};
use kit::{Cluster, Kubectl, Outrigger, eventually};
use serde_json::{Value, json};

/// One way to us.
struct Way {
    kubectl: Kubectl,
    namespace: String,
    /// Whether the server answers for namespaces.
    core: bool,
}

/// The servers that all tests of this file share.
fn standalone() -> &'static Outrigger {
    static SHARED: OnceLock<Outrigger> = OnceLock::new();
    SHARED.get_or_init(|| Outrigger::standalone(&[&kit::examples::crd("racks")], &[]).unwrap())
}

fn behind() -> &'static Outrigger {
    static SHARED: OnceLock<Outrigger> = OnceLock::new();
    SHARED.get_or_init(|| {
        let cluster = Cluster::shared();
        let outrigger = Outrigger::behind(cluster, &[&kit::examples::crd("racks")], &[]).unwrap();
        for (group, version) in [("fleet.cattle.io", "v1alpha1"), ("gold.example.com", "v1")] {
            kit::block_on(outrigger.register(cluster, group, version)).unwrap();
        }
        outrigger
    })
}

impl Way {
    fn alone(namespace: &str) -> Self {
        Self { kubectl: standalone().kubectl().unwrap(), namespace: namespace.to_owned(), core: true }
    }

    fn direct(namespace: &str) -> Self {
        let kubectl = behind().kubectl().unwrap();
        Self { kubectl, namespace: Self::create(&format!("{namespace}-direct")), core: false }
    }

    fn aggregated(namespace: &str) -> Self {
        let _us: &Outrigger = behind();
        let kubectl = Cluster::shared().kubectl_as(kit::ADMIN).unwrap();
        Self { kubectl, namespace: Self::create(&format!("{namespace}-aggregated")), core: true }
    }

    /// A namespace exists in the cluster or not at all; without one it exists implicitly.
    fn create(namespace: &str) -> String {
        kit::block_on(Cluster::shared().namespace(namespace)).unwrap();
        namespace.to_owned()
    }

    fn args<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        [args, &["-n", &self.namespace]].concat()
    }

    /// Runs a command that must succeed.
    fn ok(&self, args: &[&str]) -> String {
        self.kubectl.ok(&self.args(args)).unwrap()
    }

    /// Runs a command that must fail, and returns what it complained about.
    fn fails(&self, args: &[&str]) -> String {
        let output = self.kubectl.run(&self.args(args)).unwrap();
        assert_ne!(output.code, 0, "{args:?} succeeded: {}", output.stdout);
        output.stderr
    }

    fn pipe(&self, args: &[&str], document: &Value) -> String {
        self.kubectl.pipe(&self.args(args), &document.to_string()).unwrap()
    }

    fn create_object(&self, name: &str) {
        assert_eq!(
            self.pipe(&["create", "-f", "-"], &bundle_deployment(name, "s-1:a")),
            format!("bundledeployment.fleet.cattle.io/{name} created\n")
        );
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.ok(&["get", "bundledeployment", name, "-o", "json"])).unwrap()
    }
}

/// Each behaviour on each way.
macro_rules! on_every_way {
    ($($behaviour:ident),* $(,)?) => {
        mod alone { $(#[test] fn $behaviour() { super::$behaviour(&super::Way::alone(&clients::namespace(stringify!($behaviour)))); })* }
        mod direct { $(#[test] fn $behaviour() { super::$behaviour(&super::Way::direct(&clients::namespace(stringify!($behaviour)))); })* }
        mod aggregated { $(#[test] fn $behaviour() { super::$behaviour(&super::Way::aggregated(&clients::namespace(stringify!($behaviour)))); })* }
    };
}

on_every_way![
    creates_gets_and_deletes,
    prints_tables,
    selects_by_label_and_field,
    applies,
    applies_on_the_server,
    edits,
    patches_and_labels,
    replaces_and_diffs,
    explains,
    lists_api_resources,
    validates_strictly,
    dry_runs,
    waits,
    watches,
    deletes_all,
    describes,
    names_of_every_sort_are_resolved,
    prints_in_every_form,
    watches_one_object_wide,
    patches_by_file_and_subresource,
    replaces_by_force,
    deletes_in_every_way,
    scales,
    prunes,
];

fn creates_gets_and_deletes(way: &Way) {
    way.create_object("a");
    let object = way.json("a");
    assert_eq!(object["spec"]["deploymentID"], "s-1:a");
    assert_eq!(object["metadata"]["generation"], 1);
    let yaml = way.ok(&["get", "bundledeployment", "a", "-o", "yaml"]);
    assert!(yaml.starts_with("apiVersion: fleet.cattle.io/v1alpha1\nkind: BundleDeployment\n"), "{yaml}");
    let missing = way.fails(&["get", "bundledeployment", "b"]);
    // After a 404 kubectl asks for the namespace, too, which a server behind a cluster does not serve itself.
    let told = if way.core { r#"bundledeployments.fleet.cattle.io "b" not found"# } else { "NotFound" };
    assert!(missing.contains(told), "{missing}");
    let deleted = way.ok(&["delete", "bundledeployment", "a"]);
    assert!(deleted.starts_with(r#"bundledeployment.fleet.cattle.io "a" deleted"#), "{deleted}");
    assert!(way.fails(&["get", "bundledeployment", "a"]).contains("NotFound"));
}

fn prints_tables(way: &Way) {
    way.create_object("a");
    let status = json!({"status": {"display": {"deployed": "True", "monitored": "False"}}}).to_string();
    way.ok(&["patch", "bundledeployment", "a", "--subresource=status", "--type=merge", "-p", &status]);
    let table = way.ok(&["get", "bundledeployments"]);
    let words: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words[0], ["NAME", "DEPLOYED", "MONITORED", "STATUS"]);
    assert_eq!(words[1], ["a", "True", "False"]);
    let all = way.kubectl.ok(&["get", "bundledeployments", "-A", "--chunk-size=1"]).unwrap();
    assert!(all.starts_with("NAMESPACE ") && all.contains(&way.namespace), "{all}");
    assert_eq!(way.ok(&["get", "bundledeployments", "-o", "name"]), "bundledeployment.fleet.cattle.io/a\n");
    assert_eq!(
        way.ok(&["get", "bundledeployments", "--no-headers", "-o", "custom-columns=I:.spec.deploymentID"]),
        "s-1:a\n"
    );
    assert!(way.fails(&["get", "nosuchthings"]).contains(r#"doesn't have a resource type "nosuchthings""#));
}

fn selects_by_label_and_field(way: &Way) {
    way.create_object("a");
    way.create_object("b");
    let names = |args: &[&str]| {
        way.ok(&[&["get", "bundledeployments", "-o", "jsonpath={.items[*].metadata.name}"], args].concat())
    };
    assert_eq!(names(&[]), "a b");
    assert_eq!(names(&["-l", "fleet.cattle.io/bundle-name=a"]), "a");
    assert_eq!(names(&["-l", "fleet.cattle.io/bundle-name notin (a)"]), "b");
    assert_eq!(names(&["--field-selector", "metadata.name=b"]), "b");
    assert!(way.fails(&["get", "bundledeployments", "-l", "a b"]).contains("unable to parse requirement"));
}

fn applies(way: &Way) {
    let apply = |document: &Value| way.pipe(&["apply", "-f", "-"], document);
    let mut document = bundle_deployment("a", "s-1:a");
    assert_eq!(apply(&document), "bundledeployment.fleet.cattle.io/a created\n");
    assert_eq!(apply(&document), "bundledeployment.fleet.cattle.io/a unchanged\n");
    document["spec"] = json!({"deploymentID": "s-2:b"});
    assert_eq!(apply(&document), "bundledeployment.fleet.cattle.io/a configured\n");
    let object = way.json("a");
    assert_eq!(object["spec"], json!({"deploymentID": "s-2:b"}), "what is no longer applied is gone");
    assert!(object["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"].is_string());
}

fn applies_on_the_server(way: &Way) {
    const ON_SERVER: [&str; 4] = ["apply", "--server-side", "-f", "-"];
    let apply = |args: &[&str], document: &Value| way.pipe(&[&ON_SERVER, args].concat(), document);
    let mut document = bundle_deployment("a", "s-1:a");
    let applied = "bundledeployment.fleet.cattle.io/a serverside-applied\n";
    assert_eq!(apply(&[], &document), applied);
    assert_eq!(apply(&[], &document), applied);
    document["spec"] = json!({"deploymentID": "s-2:b"});
    let diff = way.kubectl.run_with(&way.args(&["diff", "--server-side", "-f", "-"]), &[], &document.to_string());
    let diff = diff.unwrap();
    assert!(diff.code == 1 && diff.stdout.contains("+  deploymentID: s-2:b"), "{diff:?}");
    assert_eq!(apply(&[], &document), applied);
    assert_eq!(way.json("a")["spec"], json!({"deploymentID": "s-2:b"}), "what is no longer applied is gone");

    document["spec"]["deploymentID"] = json!("s-3:c");
    let other = [&ON_SERVER[..], &["--field-manager=other"]].concat();
    let conflict = way.kubectl.run_with(&way.args(&other), &[], &document.to_string()).unwrap();
    let told = "Apply failed with 1 conflict: conflict with \"kubectl\": .spec.deploymentID";
    assert!(conflict.code == 1 && conflict.stderr.contains(told), "{conflict:?}");
    assert_eq!(apply(&["--field-manager=other", "--force-conflicts"], &document), applied);
    assert_eq!(way.json("a")["spec"]["deploymentID"], "s-3:c");

    // From the client's side to the server's: kubectl's own dance of three requests.
    let mut document = bundle_deployment("b", "s-1:a");
    way.pipe(&["apply", "-f", "-"], &document);
    document["spec"] = json!({"deploymentID": "s-2:b"});
    assert_eq!(apply(&[], &document), "bundledeployment.fleet.cattle.io/b serverside-applied\n");
    let object = way.ok(&["get", "bundledeployment", "b", "-o", "json", "--show-managed-fields"]);
    let object: Value = serde_json::from_str(&object).unwrap();
    assert_eq!(object["spec"], json!({"deploymentID": "s-2:b"}));
    let managers: Vec<&str> = object["metadata"]["managedFields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["manager"].as_str().unwrap())
        .collect();
    assert_eq!(managers, ["kubectl-last-applied", "kubectl"], "the client-side manager is gone");
}

fn edits(way: &Way) {
    way.create_object("a");
    let script = way.kubectl.file("editor", "sed -i 's/s-1:a/s-9:edited/' \"$1\"\n").unwrap();
    let editor = format!("sh {script}");
    let output =
        way.kubectl.run_with(&way.args(&["edit", "bundledeployment", "a"]), &[("KUBE_EDITOR", &editor)], "").unwrap();
    assert_eq!(output.success().unwrap(), "bundledeployment.fleet.cattle.io/a edited\n");
    assert_eq!(way.json("a")["spec"]["deploymentID"], "s-9:edited");
}

fn patches_and_labels(way: &Way) {
    way.create_object("a");
    way.ok(&["patch", "bundledeployment", "a", "--type=merge", "-p", r#"{"spec":{"paused":true}}"#]);
    way.ok(&[
        "patch",
        "bundledeployment",
        "a",
        "--type=json",
        "-p",
        r#"[{"op":"replace","path":"/spec/deploymentID","value":"s-3:c"}]"#,
    ]);
    way.ok(&["label", "bundledeployment", "a", "tier=web"]);
    way.ok(&["annotate", "bundledeployment", "a", "note=yes"]);
    let object = way.json("a");
    assert_eq!((&object["spec"]["paused"], &object["spec"]["deploymentID"]), (&json!(true), &json!("s-3:c")));
    assert_eq!(
        (&object["metadata"]["labels"]["tier"], &object["metadata"]["annotations"]["note"]),
        (&json!("web"), &json!("yes"))
    );
    assert_eq!(object["metadata"]["generation"], 3);
    way.ok(&["label", "bundledeployment", "a", "tier-"]);
    assert_eq!(way.json("a")["metadata"]["labels"]["tier"], Value::Null);
    let strategic = way.fails(&["patch", "bundledeployment", "a", "-p", r#"{"spec":{"paused":false}}"#]);
    assert!(strategic.contains("strategic-merge-patch+json is not supported"), "{strategic}");
}

fn replaces_and_diffs(way: &Way) {
    way.create_object("a");
    let mut object = way.json("a");
    object["spec"]["deploymentID"] = json!("s-4:d");
    assert_eq!(way.pipe(&["replace", "-f", "-"], &object), "bundledeployment.fleet.cattle.io/a replaced\n");
    assert!(
        way.kubectl
            .run_with(&way.args(&["replace", "-f", "-"]), &[], &object.to_string())
            .unwrap()
            .stderr
            .contains("Conflict")
    );
    let changed = bundle_deployment("a", "s-5:e").to_string();
    let diff = way.kubectl.run_with(&way.args(&["diff", "-f", "-"]), &[], &changed).unwrap();
    assert_eq!(diff.code, 1, "{}", diff.stderr);
    assert!(diff.stdout.contains("+  deploymentID: s-5:e"), "{}", diff.stdout);
}

fn explains(way: &Way) {
    let helm = way.ok(&["explain", "bundledeployment.spec.options.helm"]);
    assert!(helm.contains("KIND:       BundleDeployment") && helm.contains("releaseName"), "{helm}");
    let recursive = way.ok(&["explain", "bundledeployments", "--recursive"]);
    assert!(recursive.contains("deploymentID") && recursive.contains("defaultNamespace"), "{recursive}");
    assert!(way.fails(&["explain", "bundledeployment.spec.nope"]).contains("nope"));
}

fn lists_api_resources(way: &Way) {
    let resources =
        way.kubectl.ok(&["api-resources", "--api-group=fleet.cattle.io", "--no-headers", "-o", "wide"]).unwrap();
    let line = resources.lines().find(|line| line.starts_with("bundledeployments ")).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(&words[1..4], ["fleet.cattle.io/v1alpha1", "true", "BundleDeployment"]);
    let mut verbs: Vec<&str> = words[4].split(',').collect();
    verbs.sort_unstable();
    assert_eq!(verbs, ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]);
    assert!(way.kubectl.ok(&["api-versions"]).unwrap().lines().any(|line| line == "fleet.cattle.io/v1alpha1"));
}

fn validates_strictly(way: &Way) {
    let mut document = bundle_deployment("a", "s-1:a");
    document["spec"]["nope"] = json!(1);
    let output = way.kubectl.run_with(&way.args(&["create", "-f", "-"]), &[], &document.to_string()).unwrap();
    assert!(output.code != 0 && output.stderr.contains(r#"unknown field "spec.nope""#), "{}", output.stderr);
    let output =
        way.kubectl.run_with(&way.args(&["create", "--validate=warn", "-f", "-"]), &[], &document.to_string()).unwrap();
    assert!(output.code == 0 && output.stderr.contains(r#"Warning: unknown field "spec.nope""#), "{}", output.stderr);
    document = bundle_deployment("b", "s-1:a");
    document["spec"]["paused"] = json!("yes");
    let output = way.kubectl.run_with(&way.args(&["create", "-f", "-"]), &[], &document.to_string()).unwrap();
    assert!(output.stderr.contains("spec.paused: Invalid value"), "{}", output.stderr);
}

fn dry_runs(way: &Way) {
    let created = way.pipe(&["create", "--dry-run=server", "-f", "-"], &bundle_deployment("a", "s-1:a"));
    assert_eq!(created, "bundledeployment.fleet.cattle.io/a created (server dry run)\n");
    assert!(way.fails(&["get", "bundledeployment", "a"]).contains("NotFound"));
    way.create_object("a");
    way.ok(&["delete", "bundledeployment", "a", "--dry-run=server"]);
    way.json("a");
}

fn waits(way: &Way) {
    way.create_object("a");
    let timeout = way.fails(&["wait", "bundledeployment/a", "--for=condition=Ready", "--timeout=1s"]);
    assert!(timeout.contains("timed out"), "{timeout}");
    let status = json!({"status": {"conditions": [{"type": "Ready", "status": "True"}]}}).to_string();
    way.ok(&["patch", "bundledeployment", "a", "--subresource=status", "--type=merge", "-p", &status]);
    way.ok(&["wait", "bundledeployment/a", "--for=condition=Ready", "--timeout=30s"]);
    way.ok(&["wait", "bundledeployment/a", "--for=jsonpath={.spec.deploymentID}=s-1:a", "--timeout=30s"]);
    let waiting = way
        .kubectl
        .spawn("wait", &way.args(&["wait", "bundledeployment/a", "--for=delete", "--timeout=60s", "-v=6"]))
        .unwrap();
    eventually!(waiting.output().contains("watch=true"), "kubectl watches: {}", waiting.output());
    way.ok(&["delete", "bundledeployment", "a", "--wait=false"]);
    eventually!(waiting.output().contains("condition met"), "kubectl sees the deletion: {}", waiting.output());
}

fn watches(way: &Way) {
    way.create_object("before");
    let watch =
        way.kubectl.spawn("watch", &way.args(&["get", "bundledeployments", "-w", "--output-watch-events"])).unwrap();
    eventually!(watch.output().contains("before"), "the list comes first: {}", watch.output());
    way.create_object("a");
    eventually!(watch.output().contains("ADDED      a"), "the creation is seen: {}", watch.output());
    way.ok(&["label", "bundledeployment", "a", "x=1"]);
    eventually!(watch.output().contains("MODIFIED   a"), "the change is seen: {}", watch.output());
    way.ok(&["delete", "bundledeployment", "a"]);
    eventually!(watch.output().contains("DELETED    a"), "the deletion is seen: {}", watch.output());
}

fn deletes_all(way: &Way) {
    for name in ["a", "b", "c"] {
        way.create_object(name);
    }
    way.ok(&["delete", "bundledeployments", "-l", "fleet.cattle.io/bundle-name in (a,b)"]);
    assert_eq!(way.ok(&["get", "bundledeployments", "-o", "name"]), "bundledeployment.fleet.cattle.io/c\n");
    way.ok(&["delete", "bundledeployments", "--all"]);
    assert_eq!(way.ok(&["get", "bundledeployments", "-o", "name"]), "");
}

fn describes(way: &Way) {
    way.create_object("a");
    let text = way.ok(&["describe", "bundledeployment", "a"]);
    assert!(text.contains("Kind:         BundleDeployment") && text.contains("Deployment ID:  s-1:a"), "{text}");
}

/// Short names, singulars, kinds and categories.
fn names_of_every_sort_are_resolved(way: &Way) {
    way.pipe(&["create", "-f", "-"], &rack("a", 1));
    for name in ["racks", "rack", "rk", "Rack", "racks.gold.example.com", "racks.v1.gold.example.com"] {
        assert_eq!(way.ok(&["get", name, "-o", "name"]), "rack.gold.example.com/a\n", "{name}");
    }
    let all = way.ok(&["get", "all", "-o", "name"]);
    assert!(all.contains("rack.gold.example.com/a\n"), "{all}");
}

fn prints_in_every_form(way: &Way) {
    way.create_object("a");
    way.create_object("b");
    let template = "-o=go-template={{range .items}}{{.metadata.name}}={{.spec.deploymentID}} {{end}}";
    assert_eq!(way.ok(&["get", "bundledeployments", template]), "a=s-1:a b=s-1:a ");
    let sorted = ["get", "bundledeployments", "--sort-by={.metadata.name}", "-o", "name", "--chunk-size=1"];
    assert_eq!(way.ok(&sorted), "bundledeployment.fleet.cattle.io/a\nbundledeployment.fleet.cattle.io/b\n");
    let labels = way.ok(&["get", "bundledeployments", "--show-labels", "--no-headers"]);
    assert!(labels.contains("fleet.cattle.io/bundle-name=b"), "{labels}");
    let wide = way.ok(&["get", "bundledeployments", "-o", "wide"]);
    assert!(wide.starts_with("NAME "), "{wide}");
    let raw = format!("/apis/fleet.cattle.io/v1alpha1/namespaces/{}/bundledeployments/a", way.namespace);
    assert!(way.kubectl.ok(&["get", "--raw", &raw]).unwrap().contains("\"deploymentID\":\"s-1:a\""));
    if way.namespace.ends_with("-aggregated") {
        assert_eq!(way.ok(&["auth", "can-i", "delete", "bundledeployments"]), "yes\n");
    }
}

fn watches_one_object_wide(way: &Way) {
    way.create_object("a");
    let args = ["get", "bundledeployment", "a", "-w", "-o", "wide", "--no-headers"];
    let watch = way.kubectl.spawn("watch-one", &way.args(&args)).unwrap();
    let only = ["get", "bundledeployments", "--watch-only", "-o", "jsonpath={.metadata.name} {.spec.paused};"];
    let only = way.kubectl.spawn("watch-only", &way.args(&[&only[..], &["-v=6"]].concat())).unwrap();
    eventually!(watch.output().lines().count() == 1, "the object comes first: {}", watch.output());
    eventually!(only.output().contains("watch=true"), "kubectl watches: {}", only.output());
    way.create_object("b");
    way.ok(&["patch", "bundledeployment", "a", "--type=merge", "-p", r#"{"spec":{"paused":true}}"#]);
    eventually!(only.output().contains("a true;"), "the change is seen: {}", only.output());
    assert!(!only.output().contains("a ;"), "nothing of before is seen: {}", only.output());
    eventually!(watch.output().lines().count() == 2, "the change is seen: {}", watch.output());
    assert!(watch.output().lines().all(|line| line.starts_with("a ")), "{}", watch.output());
}

fn patches_by_file_and_subresource(way: &Way) {
    way.create_object("a");
    let file = way.kubectl.file("patch.yaml", "spec:\n  paused: true\n").unwrap();
    way.ok(&["patch", "bundledeployment", "a", "--type=merge", "--patch-file", &file]);
    let status = r#"{"status":{"ready":true}}"#;
    way.ok(&["patch", "bundledeployment", "a", "--subresource=status", "--type=merge", "-p", status]);
    way.ok(&["patch", "bundledeployment", "a", "--type=merge", "-p", status, "--dry-run=server"]);
    let object = way.json("a");
    assert_eq!((&object["spec"]["paused"], &object["status"]["ready"]), (&json!(true), &json!(true)));
    let shown = way.ok(&["get", "bundledeployment", "a", "--subresource=status", "-o", "jsonpath={.status.ready}"]);
    assert_eq!(shown, "true");
    let told = way.ok(&["annotate", "bundledeployments", "--all", "by=kubectl", "--overwrite"]);
    assert!(told.contains("bundledeployment.fleet.cattle.io/a annotated"), "{told}");
}

fn replaces_by_force(way: &Way) {
    way.create_object("a");
    let before = way.json("a")["metadata"]["uid"].clone();
    let changed = bundle_deployment("a", "s-7:g");
    let told = way.pipe(&["replace", "--force", "-f", "-"], &changed);
    assert!(told.contains("deleted") && told.contains("replaced"), "{told}");
    let after = way.json("a");
    assert_ne!(after["metadata"]["uid"], before, "it is another object");
    assert_eq!(after["spec"]["deploymentID"], "s-7:g");
}

fn deletes_in_every_way(way: &Way) {
    for (name, args) in [
        ("now", &["--now"][..]),
        ("graceful", &["--grace-period=30"]),
        ("forced", &["--grace-period=0", "--force"]),
        ("background", &["--cascade=background"]),
    ] {
        way.create_object(name);
        let told = way.ok(&[&["delete", "bundledeployment", name], args].concat());
        assert!(told.contains(&format!("\"{name}\" ")) && told.contains("deleted"), "{told}");
        assert!(way.fails(&["get", "bundledeployment", name]).contains("NotFound"), "{name}");
    }
    // Nobody collects garbage here, so what waits for that stays.
    for (name, policy, finalizer) in [("f", "foreground", "foregroundDeletion"), ("o", "orphan", "orphan")] {
        way.create_object(name);
        way.ok(&["delete", "bundledeployment", name, &format!("--cascade={policy}"), "--wait=false"]);
        let object = way.json(name);
        assert_eq!(object["metadata"]["finalizers"], json!([finalizer]));
        assert!(object["metadata"]["deletionTimestamp"].is_string());
        way.ok(&["patch", "bundledeployment", name, "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#]);
    }
    let file = way
        .kubectl
        .file("both.yaml", &documents(&[bundle_deployment("x", "s-1:a"), bundle_deployment("y", "s-1:a")]))
        .unwrap();
    way.ok(&["create", "-f", &file]);
    way.ok(&["delete", "-f", &file]);
    way.ok(&["delete", "-f", &file, "--ignore-not-found"]);
    assert_eq!(way.ok(&["get", "bundledeployments", "-o", "name"]), "");
}

fn scales(way: &Way) {
    way.pipe(&["create", "-f", "-"], &rack("a", 1));
    assert_eq!(way.ok(&["scale", "rack", "a", "--replicas=3"]), "rack.gold.example.com/a scaled\n");
    assert_eq!(way.ok(&["get", "rack", "a", "-o", "jsonpath={.spec.replicas}"]), "3");
    assert_eq!(
        way.ok(&["scale", "rack", "a", "--current-replicas=3", "--replicas=5"]),
        "rack.gold.example.com/a scaled\n"
    );
    assert!(
        way.fails(&["scale", "rack", "a", "--current-replicas=3", "--replicas=7"])
            .contains("Expected replicas to be 3, was 5")
    );
    let table = way.ok(&["get", "rack", "a", "--subresource=scale"]);
    let words: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!((&words[0][..], &words[1][..3]), (&["NAME", "DESIRED", "AVAILABLE", "AGE"][..], &["a", "5", "0"][..]));
}

fn prunes(way: &Way) {
    let labelled = |name: &str| {
        let mut object = bundle_deployment(name, "s-1:a");
        object["metadata"]["labels"] = json!({"set": "one"});
        object
    };
    let apply = |objects: &[Value]| {
        let kind = "--prune-allowlist=fleet.cattle.io/v1alpha1/BundleDeployment";
        let args = ["apply", "--prune", kind, "-l", "set=one", "-f", "-"];
        way.kubectl.pipe(&way.args(&args), &documents(objects)).unwrap()
    };
    apply(&[labelled("a"), labelled("b")]);
    let told = apply(&[labelled("a")]);
    assert!(told.contains("bundledeployment.fleet.cattle.io/b pruned"), "{told}");
    assert_eq!(way.ok(&["get", "bundledeployments", "-o", "name"]), "bundledeployment.fleet.cattle.io/a\n");
}
