//! Backup software as it is, on a cluster that knows SnapshotMetadataServices from us alone: it asks the API for one, a
//! token for its audience, and our service for the blocks.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::process::{Command, Output};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use clients::snapshots::{self, BLOCK, BLOCKS, CHANGED, DRIVER, images, snapshot};
use kit::{Cluster, Outrigger, Scratch};
use serde_json::{Value, json};

const SERVICES: &str = "snapshotmetadataservices";

/// What the client library printed: ranges, when it got to the end.
fn ranges(output: &Output) -> Vec<(u64, u64)> {
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{complained}");
    let lines: Vec<&str> = said.lines().collect();
    let (last, lines) = lines.split_last().unwrap();
    assert!(last.starts_with("done "), "{last}");
    let range =
        |line: &&str| line.split_once(' ').map(|(offset, size)| (offset.parse().unwrap(), size.parse().unwrap()));
    lines.iter().map(|line| range(line).unwrap()).collect()
}

fn account() -> [(String, Value); 3] {
    let rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "backup"},
        "rules": [{"apiGroups": ["snapshot.storage.k8s.io"], "resources": ["volumesnapshots"], "verbs": ["get"]}],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "backup"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "backup"},
        "subjects": [{"kind": "ServiceAccount", "name": "backup", "namespace": "default"}],
    });
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "backup"}});
    [
        ("/api/v1/namespaces/default/serviceaccounts".to_owned(), account),
        (format!("{rbac}/roles"), role),
        (format!("{rbac}/rolebindings"), binding),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_library_of_kubernetes_finds_the_service_and_lists_what_changed() {
    let (cluster, folder) = (Cluster::shared(), Scratch::new("snapshots").unwrap());
    images(folder.path()).unwrap();
    let port = kit::free_ports::<1>().unwrap()[0];
    let flags = [format!("--cbt-dir={}", folder.path().display()), format!("--cbt-metadata-listen=127.0.0.1:{port}")];
    let outrigger = Outrigger::behind(cluster, &[], &[&flags[0], &flags[1]]).unwrap();
    let admin = cluster.admin();
    snapshots::install(&admin).await.unwrap();
    snapshot(&admin, "monday").await.unwrap();
    snapshot(&admin, "tuesday").await.unwrap();
    for (path, object) in account() {
        admin.post(&path, &object).await.unwrap().success().unwrap();
    }
    for version in ["v1alpha1", "v1beta1"] {
        outrigger.register(cluster, "cbt.storage.k8s.io", version).await.unwrap();
    }
    // Made in one version, and read by the library in the other.
    let service = json!({
        "apiVersion": "cbt.storage.k8s.io/v1alpha1", "kind": "SnapshotMetadataService", "metadata": {"name": DRIVER},
        "spec": {
            "audience": "changed-blocks",
            "address": format!("127.0.0.1:{port}"),
            "caCert": BASE64_STANDARD.encode(outrigger.ca()),
        },
    });
    admin.post(&format!("/apis/cbt.storage.k8s.io/v1alpha1/{SERVICES}"), &service).await.unwrap().success().unwrap();
    let kubectl = cluster.kubectl_as(kit::ADMIN).unwrap();
    assert!(kubectl.ok(&["get", "sms"]).unwrap().contains(DRIVER));

    let ask = |args: &[&str]| {
        let mut command = Command::new(kit::backup_peer().unwrap());
        command.arg("-kubeconfig").arg(cluster.kubeconfig()).args(["-namespace", "default", "-account", "backup"]);
        tokio::task::block_in_place(|| command.args(args).output().unwrap())
    };
    let changed = ranges(&ask(&["-snapshot", "tuesday", "-previous", "monday"]));
    let touched = |block: u64| {
        changed.iter().any(|(offset, size)| offset / BLOCK <= block && block <= (offset + size - 1) / BLOCK)
    };
    assert!((0..BLOCKS).all(|block| touched(block) == CHANGED.contains(&block)), "{changed:?}");
    assert!(!ranges(&ask(&["-snapshot", "tuesday"])).is_empty());
    let missing = ask(&["-driver", DRIVER, "-snapshot", "sunday"]);
    let complained = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(!missing.status.success() && complained.contains("code = NotFound"), "{complained}");
}
