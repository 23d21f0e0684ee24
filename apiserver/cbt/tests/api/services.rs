//! SnapshotMetadataServices that are the cluster's: passed on to a real kube-apiserver.

use std::{convert::Infallible, sync::Arc};

use api_testing::{Everybody, Server, USER};
use http::{Request, Response, StatusCode};
use kit::{Cluster, Crd, eventually};
use kube::client::Body;
use proto::cbt::suite::Synthetic;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::source::Named;

const OURS: &str = "/apis/cbt.storage.k8s.io/v1alpha1/snapshotmetadataservices";
const THEIRS: &str = "/apis/cbt.storage.k8s.io/v1beta1/snapshotmetadataservices";

/// The kind as external-snapshot-metadata brings it.
const DEFINITION: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: snapshotmetadataservices.cbt.storage.k8s.io
  annotations: {api-approved.kubernetes.io: "https://github.com/kubernetes-csi/external-snapshot-metadata/pull/2"}
spec:
  group: cbt.storage.k8s.io
  scope: Cluster
  names:
    kind: SnapshotMetadataService
    listKind: SnapshotMetadataServiceList
    plural: snapshotmetadataservices
    singular: snapshotmetadataservice
    shortNames: [sms]
  versions:
  - name: v1beta1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            required: [address, audience, caCert]
            properties:
              address: {type: string}
              audience: {type: string}
              caCert: {type: string, format: byte}
"#;

/// The cluster, in which the definition is.
async fn cluster() -> &'static Cluster {
    static INSTALLED: OnceCell<()> = OnceCell::const_new();
    let cluster = Cluster::shared();
    let install = async || Crd::new(DEFINITION).install(&cluster.admin()).await.expect("a definition");
    INSTALLED.get_or_init(install).await;
    cluster
}

async fn on(client: kube::Client) -> Server {
    let blocks = Arc::new(Named(Synthetic::full(1, 1 << 16)));
    Server::with(&cbt_api::extensions(blocks, Some(client)), Arc::new(Everybody)).await
}

/// A server in front of that cluster.
async fn server() -> Server {
    on(cluster().await.client().await.expect("a client")).await
}

fn service(name: &str) -> Value {
    json!({
        "apiVersion": "cbt.storage.k8s.io/v1alpha1",
        "kind": "SnapshotMetadataService",
        "metadata": { "name": name },
        "spec": { "address": "cbt.csi:50051", "audience": "a", "caCert": "UEVN" },
    })
}

async fn stored(name: &str) -> Value {
    let answer = cluster().await.admin().get(&format!("{THEIRS}/{name}")).await.expect("an answer");
    answer.json().expect("JSON")
}

#[tokio::test]
async fn an_object_is_written_to_the_cluster_and_read_from_it() {
    let server = server().await;
    let created = server.post(OURS, &service("a")).await;
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.text());
    let mut created = created.json();
    assert_eq!(created["apiVersion"], "cbt.storage.k8s.io/v1alpha1");
    let theirs = stored("a").await;
    assert_eq!(theirs["metadata"], created["metadata"], "it is one object");
    assert_eq!(theirs["apiVersion"], "cbt.storage.k8s.io/v1beta1");
    assert_eq!(server.get(&format!("{OURS}/a")).await.json(), created);
    assert_eq!(server.get(&format!("{THEIRS}/a")).await.json(), theirs, "the version that the cluster has");

    created["spec"]["audience"] = json!("b");
    let updated = server.put(&format!("{OURS}/a"), &created).await;
    assert_eq!(
        (updated.status, &updated.json()["spec"]["audience"]),
        (StatusCode::OK, &json!("b")),
        "{}",
        updated.text()
    );
    let stale = server.put(&format!("{OURS}/a"), &created).await;
    assert_eq!((stale.status, &stale.json()["reason"]), (StatusCode::CONFLICT, &json!("Conflict")));
    let deleted = server.delete(&format!("{OURS}/a")).await;
    assert_eq!((deleted.status, &deleted.json()["status"]), (StatusCode::OK, &json!("Success")));
    assert_eq!(stored("a").await["reason"], "NotFound");
}

#[tokio::test]
async fn patches_name_the_version_that_the_client_knows() {
    let server = server().await;
    server.post(OURS, &service("patched")).await;
    let uri = format!("{OURS}/patched");
    let version = "cbt.storage.k8s.io/v1alpha1";
    let operations = json!([
        { "op": "test", "path": "/apiVersion", "value": version },
        { "op": "replace", "path": "/spec/audience", "value": "json" },
    ]);
    let applied = format!(
        "apiVersion: {version}\nkind: SnapshotMetadataService\nmetadata:\n  name: patched\nspec:\n  audience: apply\n"
    );
    for (media_type, query, body, audience) in [
        (
            "application/merge-patch+json",
            "",
            json!({ "apiVersion": version, "spec": { "audience": "merge" } }).to_string(),
            "merge",
        ),
        ("application/json-patch+json", "", operations.to_string(), "json"),
        ("application/apply-patch+yaml", "?fieldManager=me&force=true", applied, "apply"),
    ] {
        let answer = server.send("PATCH", &format!("{uri}{query}"), media_type, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{media_type}: {}", answer.text());
        assert_eq!(
            (&answer.json()["apiVersion"], &answer.json()["spec"]["audience"]),
            (&json!(version), &json!(audience))
        );
        assert_eq!(stored("patched").await["spec"]["audience"], audience);
    }
}

#[tokio::test]
async fn lists_come_in_every_representation() {
    let server = server().await;
    for name in ["l1", "l2"] {
        let mut object = service(name);
        object["metadata"]["labels"] = json!({ "test": "lists" });
        assert_eq!(server.post(OURS, &object).await.status, StatusCode::CREATED);
    }
    let uri = format!("{OURS}?labelSelector=test%3Dlists");
    let list = server.get(&uri).await.json();
    assert_eq!(
        (&list["apiVersion"], &list["kind"]),
        (&json!("cbt.storage.k8s.io/v1alpha1"), &json!("SnapshotMetadataServiceList"))
    );
    let items = list["items"].as_array().expect("items");
    assert!(items.len() == 2 && items.iter().all(|item| item["apiVersion"] == "cbt.storage.k8s.io/v1alpha1"));

    let page = server.get(&format!("{uri}&limit=1")).await.json();
    let token = page["metadata"]["continue"].as_str().expect("there is more");
    let rest = server.get(&format!("{uri}&limit=1&continue={token}")).await.json();
    assert_eq!(rest["items"][0]["metadata"]["name"], "l2");

    let yaml = server.accepting("application/yaml").get(&uri).await;
    assert_eq!(machinery::yaml::decode(&yaml.body).expect("YAML").value, list);
    let table = server
        .accepting("application/json;as=Table;v=v1;g=meta.k8s.io")
        .get(&format!("{uri}&includeObject=Object"))
        .await
        .json();
    assert_eq!(
        (&table["kind"], &table["rows"][0]["object"]["apiVersion"]),
        (&json!("Table"), &json!("cbt.storage.k8s.io/v1alpha1"))
    );
    let partial =
        server.accepting("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io").get(&uri).await.json();
    assert_eq!(partial["items"][0]["apiVersion"], "meta.k8s.io/v1");

    assert_eq!(server.delete(&uri).await.status, StatusCode::OK);
    assert_eq!(stored("l1").await["reason"], "NotFound");
}

#[tokio::test]
async fn a_watch_hears_what_others_write() {
    let server = server().await;
    let version = server.get(OURS).await.json()["metadata"]["resourceVersion"].as_str().expect("a version").to_owned();
    let selected = "fieldSelector=metadata.name%3Dw&allowWatchBookmarks=true";
    let mut watch = server.watch(&format!("{OURS}?watch=1&resourceVersion={version}&{selected}")).await;
    let mut by_path = server
        .watch(&format!("/apis/cbt.storage.k8s.io/v1alpha1/watch/snapshotmetadataservices/w?resourceVersion={version}"))
        .await;
    let admin = cluster().await.admin();
    let mut object = service("w");
    object["apiVersion"] = json!("cbt.storage.k8s.io/v1beta1");
    admin.post(THEIRS, &object).await.expect("an answer").success().expect("a creation");
    assert_eq!(server.delete(&format!("{OURS}/w")).await.status, StatusCode::OK);
    for watch in [&mut watch, &mut by_path] {
        for kind in ["ADDED", "DELETED"] {
            let event = watch.next().await;
            assert_eq!((&event["type"], &event["object"]["metadata"]["name"]), (&json!(kind), &json!("w")));
            assert_eq!(event["object"]["apiVersion"], "cbt.storage.k8s.io/v1alpha1");
        }
    }
}

#[tokio::test]
async fn whoever_asks_has_no_more_rights_than_there() {
    let server = server().await;
    let bob = server.sending(USER, "bob");
    let refused = bob.get(OURS).await;
    assert_eq!((refused.status, &refused.json()["reason"]), (StatusCode::FORBIDDEN, &json!("Forbidden")));
    assert!(
        refused.text().contains(r#"User \"bob\" cannot list resource \"snapshotmetadataservices\""#),
        "{}",
        refused.text()
    );
    assert_eq!(bob.post(OURS, &service("bobs")).await.status, StatusCode::FORBIDDEN);
    let created = server.post(OURS, &service("mine")).await.json();
    assert_eq!(created["metadata"]["managedFields"][0]["manager"], "verbs-test", "as the client calls itself");
}

#[tokio::test]
async fn what_the_cluster_refuses_is_refused_in_its_words() {
    let server = server().await;
    let mut without = service("x");
    without["spec"].as_object_mut().expect("a spec").remove("audience");
    let mut other = service("x");
    other["apiVersion"] = json!("cbt.storage.k8s.io/v1beta1");
    assert_eq!(server.post(OURS, &service("taken")).await.status, StatusCode::CREATED);
    for (what, answer, code, words) in [
        ("missing", server.get(&format!("{OURS}/nope")).await, 404, "\\\"nope\\\" not found"),
        ("taken", server.post(OURS, &service("taken")).await, 409, "already exists"),
        ("incomplete", server.post(OURS, &without).await, 422, "spec.audience: Required value"),
        (
            "version",
            server.post(OURS, &other).await,
            400,
            "does not match the expected API version (cbt.storage.k8s.io/v1alpha1)",
        ),
        ("no JSON", server.send("POST", OURS, "application/json", "{".to_owned()).await, 400, "BadRequest"),
        ("media type", server.send("POST", OURS, "text/plain", "a".to_owned()).await, 415, "UnsupportedMediaType"),
    ] {
        assert_eq!(answer.status.as_u16(), code, "{what}: {}", answer.text());
        assert!(answer.text().contains(words), "{what}: {}", answer.text());
        assert_eq!(answer.json()["kind"], "Status");
    }
    let mut unknown = service("warned");
    unknown["spec"]["nope"] = json!(1);
    let warned = server.post(&format!("{OURS}?fieldValidation=Warn"), &unknown).await;
    assert!(warned.headers["warning"].to_str().expect("text").contains("spec.nope"), "{:?}", warned.headers);
}

#[tokio::test]
async fn a_request_that_comes_back_is_answered_here() {
    let server = server().await;
    assert_eq!(server.post(OURS, &service("there")).await.status, StatusCode::CREATED);
    let returned = server.sending("via", "1.1 outrigger");
    assert_eq!(returned.get(&format!("{OURS}/there")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.sending("via", "1.1 other").get(&format!("{OURS}/there")).await.status, StatusCode::OK);
}

/// A cluster that gives this answer to everything.
fn saying(code: u16, body: Value) -> kube::Client {
    let answer = move |_: Request<Body>| {
        let answer = Response::builder().status(code).body(Body::from(body.to_string().into_bytes()));
        async move { Ok::<_, Infallible>(answer.expect("an answer")) }
    };
    kube::Client::new(tower::service_fn(answer), "default")
}

#[tokio::test]
async fn a_cluster_without_the_kind_leaves_it_to_the_store() {
    let absent =
        json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404 });
    let server = on(saying(404, absent)).await;
    assert_eq!(server.post(OURS, &service("a")).await.status, StatusCode::CREATED);
    assert_eq!(server.get(&format!("{THEIRS}/a")).await.json()["apiVersion"], "cbt.storage.k8s.io/v1beta1");
}

#[tokio::test]
async fn a_cluster_that_cannot_say_is_not_taken_for_one_without() {
    let forbidden = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "no" });
    let server = on(saying(403, forbidden)).await;
    let answer = server.post(OURS, &service("a")).await;
    assert_eq!(
        (answer.status, &answer.headers["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"1".parse().expect("a value"))
    );
    assert!(answer.text().contains("customresourcedefinitions"), "it says what to grant: {}", answer.text());
    let broken = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 500, "message": "etcd" });
    assert_eq!(on(saying(500, broken)).await.get(OURS).await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_definition_that_comes_later_counts_from_then_on() {
    let cluster = Cluster::start(&kit::Options::default()).expect("a cluster");
    let server = on(cluster.client().await.expect("a client")).await;
    assert_eq!(server.post(OURS, &service("early")).await.status, StatusCode::CREATED, "kept by the store");
    Crd::new(DEFINITION).install(&cluster.admin()).await.expect("a definition");
    eventually!(server.get(&format!("{OURS}/early")).await.status == StatusCode::NOT_FOUND, "the cluster is asked");
    assert_eq!(server.post(OURS, &service("early")).await.status, StatusCode::CREATED);
    let answer = cluster.admin().get(&format!("{THEIRS}/early")).await.expect("an answer");
    assert_eq!(answer.status, 200);
}
