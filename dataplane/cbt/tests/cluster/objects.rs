//! The objects of snapshots, as the snapshot controller leaves them.

use std::sync::OnceLock;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use kit::{Client, Cluster, Crd};
use serde_json::{Value, json};

/// The driver of the snapshots, unless a test says another.
pub(crate) const DRIVER: &str = "synthetic.example.com";
/// The audience of tokens for it.
pub(crate) const AUDIENCE: &str = "changed-blocks.example.com";

const SNAPSHOTS: &str = "/apis/snapshot.storage.k8s.io/v1";

/// The definitions that every cluster with snapshots has.
pub(crate) async fn install(cluster: &Cluster) {
    for document in [
        include_str!("documents/volumesnapshots.yaml"),
        include_str!("documents/volumesnapshotcontents.yaml"),
        include_str!("documents/volumesnapshotclasses.yaml"),
    ] {
        Crd::new(document).install(&cluster.admin()).await.expect("it is installed");
    }
}

/// The definition of SnapshotMetadataServices.
pub(crate) async fn install_services(cluster: &Cluster) {
    let document = include_str!("documents/snapshotmetadataservices.yaml");
    Crd::new(document).install(&cluster.admin()).await.expect("it is installed");
}

/// The cluster of all tests here, with everything installed, and a namespace of its own for the test.
pub(crate) async fn namespace(name: &str) -> &'static Cluster {
    static READY: OnceLock<&'static Cluster> = OnceLock::new();
    let cluster = READY.get_or_init(|| {
        let cluster = Cluster::shared();
        let made = kit::block_on(async {
            install(cluster).await;
            install_services(cluster).await;
            service(&cluster.admin(), DRIVER, AUDIENCE).await;
            Ok(())
        });
        made.expect("the cluster is set up");
        cluster
    });
    cluster.namespace(name).await.expect("there is a namespace");
    cluster
}

/// A SnapshotMetadataService.
pub(crate) async fn service(admin: &Client, driver: &str, audience: &str) {
    let body = json!({
        "apiVersion": "cbt.storage.k8s.io/v1beta1",
        "kind": "SnapshotMetadataService",
        "metadata": {"name": driver},
        "spec": {"audience": audience, "address": "127.0.0.1:1", "caCert": "eA=="},
    });
    create(admin, "/apis/cbt.storage.k8s.io/v1beta1/snapshotmetadataservices", &body).await;
}

/// Says in a SnapshotMetadataService where the service is.
pub(crate) async fn reachable(admin: &Client, driver: &str, address: &str, ca: &str) {
    let body = json!({"spec": {"address": address, "caCert": BASE64_STANDARD.encode(ca)}});
    let path = format!("/apis/cbt.storage.k8s.io/v1beta1/snapshotmetadataservices/{driver}");
    let headers = [("content-type", "application/merge-patch+json")];
    let answer = admin.send("PATCH", &path, &headers, body.to_string()).await;
    answer.expect("an answer").success().expect("it is changed");
}

/// A snapshot that is to be.
#[derive(Clone)]
pub(crate) struct Snapshot<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    pub(crate) driver: &'a str,
    pub(crate) volume: &'a str,
    pub(crate) handle: &'a str,
    pub(crate) class: &'a str,
}

// === impl Snapshot ===

impl<'a> Snapshot<'a> {
    pub(crate) fn new(namespace: &'a str, name: &'a str, handle: &'a str) -> Self {
        Self { namespace, name, driver: DRIVER, volume: "volume", handle, class: "none" }
    }

    fn content(&self) -> String {
        format!("{}-{}", self.namespace, self.name)
    }

    /// Creates it without a status, as a user does.
    pub(crate) async fn create(&self, admin: &Client) -> Value {
        let body = json!({
            "apiVersion": "snapshot.storage.k8s.io/v1",
            "kind": "VolumeSnapshot",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "spec": {"source": {"persistentVolumeClaimName": "pvc"}, "volumeSnapshotClassName": self.class},
        });
        create(admin, &format!("{SNAPSHOTS}/namespaces/{}/volumesnapshots", self.namespace), &body).await
    }

    /// Binds it to a content, as the controller does.
    pub(crate) async fn bind(&self, admin: &Client, snapshot: &Value, ready: bool) {
        let content = json!({
            "apiVersion": "snapshot.storage.k8s.io/v1",
            "kind": "VolumeSnapshotContent",
            "metadata": {"name": self.content()},
            "spec": {
                "driver": self.driver,
                "deletionPolicy": "Delete",
                "source": {"volumeHandle": self.volume},
                "volumeSnapshotClassName": self.class,
                "volumeSnapshotRef": {
                    "namespace": self.namespace, "name": self.name, "uid": snapshot["metadata"]["uid"],
                },
            },
        });
        let contents = format!("{SNAPSHOTS}/volumesnapshotcontents");
        let content = create(admin, &contents, &content).await;
        let status = json!({"snapshotHandle": self.handle, "readyToUse": ready});
        set_status(admin, &format!("{contents}/{}", self.content()), content, status).await;
        let path = format!("{SNAPSHOTS}/namespaces/{}/volumesnapshots/{}", self.namespace, self.name);
        let status = json!({"boundVolumeSnapshotContentName": self.content(), "readyToUse": ready});
        set_status(admin, &path, snapshot.clone(), status).await;
    }

    /// Both, ready to use.
    pub(crate) async fn make(&self, admin: &Client) {
        let snapshot = self.create(admin).await;
        self.bind(admin, &snapshot, true).await;
    }
}

async fn set_status(admin: &Client, path: &str, mut object: Value, status: Value) {
    object["status"] = status;
    let headers = [("content-type", "application/json")];
    let answer = admin.send("PUT", &format!("{path}/status"), &headers, object.to_string()).await;
    answer.expect("an answer").success().expect("its status is set");
}

pub(crate) async fn create(admin: &Client, path: &str, body: &Value) -> Value {
    admin.post(path, body).await.expect("an answer").success().expect("it is created")
}

/// A service account of a namespace.
pub(crate) async fn account(admin: &Client, namespace: &str, name: &str) {
    let body = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
    create(admin, &format!("/api/v1/namespaces/{namespace}/serviceaccounts"), &body).await;
}

/// Lets a service account look at the VolumeSnapshots of a namespace, which may be another.
pub(crate) async fn grant(admin: &Client, namespace: &str, account: (&str, &str)) {
    const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "backup"},
        "rules": [
            {"apiGroups": ["snapshot.storage.k8s.io"], "resources": ["volumesnapshots"], "verbs": ["get"]},
        ],
    });
    create(admin, &format!("{RBAC}/namespaces/{namespace}/roles"), &role).await;
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "backup"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "backup"},
        "subjects": [{"kind": "ServiceAccount", "namespace": account.0, "name": account.1}],
    });
    create(admin, &format!("{RBAC}/namespaces/{namespace}/rolebindings"), &binding).await;
}

/// A token of a service account; without audiences it is for the cluster's own API.
pub(crate) async fn token(admin: &Client, namespace: &str, account: &str, audiences: &[&str]) -> String {
    let body = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": audiences, "expirationSeconds": 600},
    });
    let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token");
    let answer = create(admin, &path, &body).await;
    answer["status"]["token"].as_str().expect("a token").to_owned()
}
