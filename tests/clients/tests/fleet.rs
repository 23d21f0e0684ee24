//! Fleet's own objects, in and out through the kube-apiserver, and through a `kill -9` right after the 201.
#![expect(clippy::unwrap_used, reason = "tests")]

use clients::fleet_examples;
use kit::{Cluster, Kubectl, Options, Outrigger, eventually};
use serde_json::{Value, json};

const NAMESPACE: &str = "cluster-fleet-default-downstream-0001-1a3d67d0a899";

struct Setting {
    kubectl: Kubectl,
    outrigger: Outrigger,
    _cluster: Cluster,
}

fn setting() -> Setting {
    let cluster = Cluster::start(&Options::default()).unwrap();
    let outrigger = clients::behind(&cluster).unwrap();
    let kubectl = cluster.kubectl_as(kit::ADMIN).unwrap();
    for example in fleet_examples() {
        let text = std::fs::read_to_string(&example).unwrap();
        let namespace = text.lines().find_map(|line| line.strip_prefix("  namespace: ")).unwrap().trim();
        let _there_already = kubectl.run(&["create", "namespace", namespace]).unwrap();
    }
    Setting { kubectl, outrigger, _cluster: cluster }
}

impl Setting {
    fn all(&self) -> Vec<Value> {
        let list = self.kubectl.ok(&["get", "bundledeployments", "-A", "-o", "json"]).unwrap();
        serde_json::from_str::<Value>(&list).unwrap()["items"].as_array().unwrap().clone()
    }
}

fn identity(object: &Value) -> [Value; 5] {
    let metadata = &object["metadata"];
    [&metadata["name"], &metadata["uid"], &metadata["resourceVersion"], &object["spec"], &metadata["managedFields"]]
        .map(Clone::clone)
}

#[test]
fn fleets_objects_go_in_come_out_and_survive_a_kill_right_after_the_answer() {
    let mut setting = setting();
    let service = setting.kubectl.ok(&["get", "apiservice", "v1alpha1.fleet.cattle.io"]).unwrap();
    assert!(service.contains(" True "), "it is available: {service}");
    // The aggregator reads our discovery in its own time, and kubectl remembers what it read; api-resources reads anew.
    let explained = || {
        setting.kubectl.run(&["api-resources"]).unwrap();
        setting.kubectl.run(&["explain", "bundledeployment.spec.options.helm"]).unwrap().stdout.contains("FIELDS")
    };
    eventually!(explained(), "kubectl explains");

    for example in fleet_examples() {
        let created = setting.kubectl.ok(&["create", "-f", &example.display().to_string()]).unwrap();
        assert!(created.ends_with(" created\n"), "{created}");
    }
    setting.outrigger.kill().unwrap();
    setting.outrigger.start_again().unwrap();
    eventually!(setting.kubectl.run(&["get", "bundledeployments", "-A"]).unwrap().code == 0, "we are back");
    let before = setting.all();
    assert_eq!(before.len(), 3);

    let table = setting.kubectl.ok(&["get", "bundledeployments", "-A"]).unwrap();
    assert_eq!(table.lines().count(), 4, "{table}");
    let yaml = setting.kubectl.ok(&["get", "bundledeployments", "-A", "-o", "yaml"]).unwrap();
    assert!(yaml.contains("kind: BundleDeployment"), "{yaml}");

    let watch = setting.kubectl.spawn("watch", &["get", "bundledeployments", "-A", "-w"]).unwrap();
    eventually!(watch.output().lines().count() >= 4, "the watch has begun: {}", watch.output());
    let status =
        json!({"status": {"display": {"deployed": "True", "monitored": "Patched", "state": "Ready"}}}).to_string();
    let name = before[0]["metadata"]["name"].as_str().unwrap();
    let namespace = before[0]["metadata"]["namespace"].as_str().unwrap();
    let patch =
        ["patch", "bundledeployment", name, "-n", namespace, "--subresource=status", "--type=merge", "-p", &status];
    setting.kubectl.ok(&patch).unwrap();
    eventually!(watch.output().contains("Patched"), "the patch is seen: {}", watch.output());

    let patched = setting.all();
    setting.outrigger.restart().unwrap();
    eventually!(setting.kubectl.run(&["get", "bundledeployments", "-A"]).unwrap().code == 0, "we are back again");
    let after: Vec<_> = setting.all().iter().map(identity).collect();
    assert_eq!(after, patched.iter().map(identity).collect::<Vec<_>>(), "nothing was lost and nothing changed");

    let labelled = [
        "get",
        "bundledeployments",
        "-n",
        NAMESPACE,
        "-l",
        "fleet.cattle.io/bundle-name=guestbook-manifests",
        "-o",
        "name",
    ];
    assert_eq!(setting.kubectl.ok(&labelled).unwrap(), "bundledeployment.fleet.cattle.io/guestbook-manifests\n");
}
