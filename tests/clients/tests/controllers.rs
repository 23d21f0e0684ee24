//! A real kube-controller-manager works through our API: it collects garbage and empties namespaces.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::OnceLock;
use std::time::Duration;

use clients::{bundle_deployment, collection};
use kit::{Client, Cluster, Options, Outrigger, eventually};
use serde_json::{Value, json};

/// Controllers look at discovery now and then, and retry with growing pauses.
const PATIENCE: Duration = Duration::from_secs(180);

struct Setting {
    cluster: Cluster,
    _outrigger: Outrigger,
}

fn setting() -> &'static Setting {
    static SHARED: OnceLock<Setting> = OnceLock::new();
    SHARED.get_or_init(|| {
        let cluster = Cluster::start(&Options::default()).unwrap();
        let outrigger = clients::behind(&cluster).unwrap();
        Setting { cluster: cluster.with_controllers().unwrap(), _outrigger: outrigger }
    })
}

fn config_map(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})
}

fn owned_by(mut object: Value, owner: &Value) -> Value {
    object["metadata"]["ownerReferences"] = json!([{
        "apiVersion": owner["apiVersion"], "kind": owner["kind"],
        "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"], "blockOwnerDeletion": true,
    }]);
    object
}

async fn create(admin: &Client, path: &str, object: &Value) -> Value {
    admin.post(path, object).await.unwrap().success().unwrap()
}

async fn is_gone(admin: &Client, path: &str) -> bool {
    admin.get(path).await.is_ok_and(|answer| answer.status == 404)
}

async fn delete(admin: &Client, path: &str, policy: &str) {
    admin.send("DELETE", &format!("{path}?propagationPolicy={policy}"), &[], "").await.unwrap().success().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn our_objects_go_with_their_owner_in_etcd() {
    let (cluster, namespace) = (&setting().cluster, "owner-in-etcd");
    cluster.namespace(namespace).await.unwrap();
    let (admin, maps, ours) =
        (cluster.admin(), format!("/api/v1/namespaces/{namespace}/configmaps"), collection(namespace));
    let owner = create(&admin, &maps, &config_map("owner")).await;
    create(&admin, &ours, &owned_by(bundle_deployment("owned", "s-1:a"), &owner)).await;
    create(&admin, &ours, &bundle_deployment("free", "s-1:a")).await;
    delete(&admin, &format!("{maps}/owner"), "Background").await;
    eventually!(within PATIENCE, is_gone(&admin, &format!("{ours}/owned")).await, "the dependent is collected");
    assert_eq!(admin.get(&format!("{ours}/free")).await.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_in_etcd_go_with_their_owner_here() {
    let (cluster, namespace) = (&setting().cluster, "owner-here");
    cluster.namespace(namespace).await.unwrap();
    let (admin, maps, ours) =
        (cluster.admin(), format!("/api/v1/namespaces/{namespace}/configmaps"), collection(namespace));
    for (name, policy, dependent_goes) in
        [("back", "Background", true), ("fore", "Foreground", true), ("orphan", "Orphan", false)]
    {
        let owner = create(&admin, &ours, &bundle_deployment(name, "s-1:a")).await;
        create(&admin, &maps, &owned_by(config_map(name), &owner)).await;
        let path = format!("{ours}/{name}");
        delete(&admin, &path, policy).await;
        eventually!(within PATIENCE, is_gone(&admin, &path).await, "{policy}: the owner goes");
        let dependent = format!("{maps}/{name}");
        if dependent_goes {
            eventually!(within PATIENCE, is_gone(&admin, &dependent).await, "{policy}: the dependent goes");
        } else {
            let left = admin.get(&dependent).await.unwrap().success().unwrap();
            assert_eq!(left["metadata"]["ownerReferences"], Value::Null, "{policy}: the dependent is nobody's");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphaned_object_of_ours_loses_its_owner() {
    let (cluster, namespace) = (&setting().cluster, "orphaned-here");
    cluster.namespace(namespace).await.unwrap();
    let (admin, maps, ours) =
        (cluster.admin(), format!("/api/v1/namespaces/{namespace}/configmaps"), collection(namespace));
    let owner = create(&admin, &maps, &config_map("owner")).await;
    create(&admin, &ours, &owned_by(bundle_deployment("owned", "s-1:a"), &owner)).await;
    delete(&admin, &format!("{maps}/owner"), "Orphan").await;
    eventually!(within PATIENCE, is_gone(&admin, &format!("{maps}/owner")).await, "the owner goes");
    let left = admin.get(&format!("{ours}/owned")).await.unwrap().success().unwrap();
    assert_eq!(left["metadata"]["ownerReferences"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_namespace_empties_our_collection_and_ends() {
    let (cluster, namespace) = (&setting().cluster, "deleted");
    cluster.namespace(namespace).await.unwrap();
    let (admin, ours) = (cluster.admin(), collection(namespace));
    for index in 0..5 {
        create(&admin, &ours, &bundle_deployment(&format!("o{index}"), "s-1:a")).await;
    }
    let mut finalized = bundle_deployment("finalized", "s-1:a");
    finalized["metadata"]["finalizers"] = json!(["fleet.cattle.io/bundle-deployment-finalizer"]);
    create(&admin, &ours, &finalized).await;
    delete(&admin, &format!("/api/v1/namespaces/{namespace}"), "Background").await;

    let path = format!("{ours}/finalized");
    eventually!(
        within PATIENCE,
        admin.get(&path).await.unwrap().json().unwrap()["metadata"]["deletionTimestamp"].is_string(),
        "the finalized object is being deleted"
    );
    let refused = admin.post(&ours, &bundle_deployment("late", "s-1:a")).await.unwrap();
    assert_eq!(refused.status, 403, "nothing is created in a terminating namespace: {}", refused.text());
    let patch = [("content-type", "application/merge-patch+json")];
    admin.send("PATCH", &path, &patch, r#"{"metadata":{"finalizers":null}}"#).await.unwrap().success().unwrap();
    eventually!(within PATIENCE, is_gone(&admin, &format!("/api/v1/namespaces/{namespace}")).await, "the namespace is gone");
    let left = admin.get(&ours).await.unwrap().success().unwrap();
    assert_eq!(left["items"], json!([]));
}
