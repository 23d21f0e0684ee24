//! The objects that a cluster with snapshots has: of each volume a VolumeSnapshot, as the snapshot controller leaves it,
//! and a VolumeSnapshotDelta of all its blocks; and who may ask for them.

use anyhow::{Context as _, Result};
use kit::{Client, Cluster, Crd};
use serde_json::{Value, json};

use crate::cbt::driver;

/// The namespace of all of them.
pub(crate) const NAMESPACE: &str = "default";

const SNAPSHOTS: &str = "/apis/snapshot.storage.k8s.io/v1";
const SERVICES: &str = "/apis/cbt.storage.k8s.io/v1beta1/snapshotmetadataservices";
const DELTAS: &str = "/apis/cbt.storage.k8s.io/v1alpha1/namespaces/default/volumesnapshotdeltas";
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";

/// What tokens of backup software are for.
const AUDIENCE: &str = "changed-blocks.example.com";
/// The service account of backup software.
const ACCOUNT: &str = "backup";
const CLASS: &str = "bench";

/// The name of the snapshot of so many entries, and of its VolumeSnapshotDelta.
pub(crate) fn name(entries: u64) -> String {
    format!("blocks-{entries}")
}

/// The path of the VolumeSnapshotDelta of so many entries.
pub(crate) fn delta_path(entries: u64) -> String {
    format!("{DELTAS}/{}", name(entries))
}

/// Prepares a cluster for snapshots of the driver.
pub(crate) async fn prepare(cluster: &Cluster) -> Result<()> {
    let admin = cluster.admin();
    for definition in ["volumesnapshots", "volumesnapshotcontents", "volumesnapshotclasses", "snapshotmetadataservices"]
    {
        let document = kit::examples::read(&format!("dataplane/cbt/tests/cluster/documents/{definition}.yaml"))?;
        Crd::new(&document).install(&admin).await.with_context(|| format!("installing {definition}"))?;
    }
    let class = json!({
        "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotClass", "metadata": {"name": CLASS},
        "driver": driver::NAME, "deletionPolicy": "Delete",
    });
    create(&admin, &format!("{SNAPSHOTS}/volumesnapshotclasses"), &class).await?;
    let service = json!({
        "apiVersion": "cbt.storage.k8s.io/v1beta1", "kind": "SnapshotMetadataService",
        "metadata": {"name": driver::NAME},
        "spec": {"audience": AUDIENCE, "address": "127.0.0.1:1", "caCert": "eA=="},
    });
    create(&admin, SERVICES, &service).await?;
    Ok(())
}

/// A snapshot of so many entries, bound and ready.
pub(crate) async fn snapshot(admin: &Client, entries: u64) -> Result<()> {
    let name = name(entries);
    let body = json!({
        "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot", "metadata": {"name": name},
        "spec": {"source": {"persistentVolumeClaimName": "data"}, "volumeSnapshotClassName": CLASS},
    });
    let snapshots = format!("{SNAPSHOTS}/namespaces/{NAMESPACE}/volumesnapshots");
    let snapshot = create(admin, &snapshots, &body).await?;
    let body = json!({
        "apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotContent", "metadata": {"name": name},
        "spec": {
            "driver": driver::NAME, "deletionPolicy": "Retain", "source": {"volumeHandle": name},
            "volumeSnapshotClassName": CLASS,
            "volumeSnapshotRef": {"namespace": NAMESPACE, "name": name, "uid": snapshot["metadata"]["uid"]},
        },
    });
    let contents = format!("{SNAPSHOTS}/volumesnapshotcontents");
    create(admin, &contents, &body).await?;
    let status = json!({"snapshotHandle": entries.to_string(), "readyToUse": true});
    set_status(admin, &format!("{contents}/{name}"), &status).await?;
    let status = json!({"boundVolumeSnapshotContentName": name, "readyToUse": true});
    set_status(admin, &format!("{snapshots}/{name}"), &status).await
}

/// The VolumeSnapshotDelta of all blocks of a snapshot.
pub(crate) async fn delta(admin: &Client, entries: u64) -> Result<()> {
    let body = json!({
        "apiVersion": "cbt.storage.k8s.io/v1alpha1", "kind": "VolumeSnapshotDelta",
        "metadata": {"name": name(entries)},
        "spec": {"targetVolumeSnapshotName": name(entries), "mode": "block"},
    });
    create(admin, DELTAS, &body).await.map(drop)
}

/// The token of backup software that may look at all snapshots.
pub(crate) async fn token(admin: &Client) -> Result<String> {
    let accounts = format!("/api/v1/namespaces/{NAMESPACE}/serviceaccounts");
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT}});
    create(admin, &accounts, &account).await?;
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": ACCOUNT},
        "rules": [{"apiGroups": ["snapshot.storage.k8s.io"], "resources": ["volumesnapshots"], "verbs": ["get"]}],
    });
    create(admin, &format!("{RBAC}/roles"), &role).await?;
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": ACCOUNT},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": ACCOUNT},
        "subjects": [{"kind": "ServiceAccount", "namespace": NAMESPACE, "name": ACCOUNT}],
    });
    create(admin, &format!("{RBAC}/rolebindings"), &binding).await?;
    let request = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": {"audiences": [AUDIENCE], "expirationSeconds": 7200},
    });
    let answer = create(admin, &format!("{accounts}/{ACCOUNT}/token"), &request).await?;
    answer["status"]["token"].as_str().map(str::to_owned).context("the cluster gave no token")
}

async fn create(admin: &Client, path: &str, body: &Value) -> Result<Value> {
    admin.post(path, body).await?.success().with_context(|| format!("POST {path}"))
}

async fn set_status(admin: &Client, path: &str, status: &Value) -> Result<()> {
    let merge = [("content-type", "application/merge-patch+json")];
    let body = json!({ "status": status }).to_string();
    let answer = admin.send("PATCH", &format!("{path}/status"), &merge, body).await?;
    answer.success().with_context(|| format!("PATCH {path}/status")).map(drop)
}
