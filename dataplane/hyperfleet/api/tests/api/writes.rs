//! Clusters and node pools: made, changed, deleted.

use http::Method;

use crate::server::{V1, start};

#[tokio::test]
async fn a_cluster_is_made_read_and_changed() {
    let server = start(&[]).await;
    let body =
        r#"{"kind":"Cluster","name":"a","spec":{"big":12345678901234567890,"one":1.0,"text":"<&>"},"labels":null}"#;
    let made = server.post(&format!("{V1}/clusters"), body).await;
    assert_eq!((made.status.as_u16(), made.header("vary")), (201, "Authorization"));
    assert!(made.text().contains(r#""spec":{"big":12345678901234567890,"one":1.0,"text":"<&>"}"#), "{}", made.text());
    let made = made.json();
    assert_eq!((made["created_by"].clone(), made["generation"].clone()), ("system".into(), 1.into()));
    assert_eq!(made["status"]["phase"], "NotReady");
    assert_eq!(made["status"]["last_updated_time"], "0001-01-01T00:00:00Z");
    let path = made["href"].as_str().expect("it has a place").to_owned();
    assert_eq!(server.get(&path).await.json(), made);

    let patch = async |body: &str| server.ask(Method::PATCH, &path, &[], body).await.json();
    let changed = patch(r#"{"spec":{"a":1},"generation":9,"unknown":1}"#).await;
    assert_eq!((changed["generation"].clone(), changed["spec"]["a"].clone()), (2.into(), 1.into()));
    assert_eq!(patch(r#"{"spec":{"a":1}}"#).await["generation"], 2, "nothing is different");
    assert_eq!(patch(r#"{"labels":{"x":"y"}}"#).await["generation"], 3);
    assert_eq!(patch(r#"{"name":"b"}"#).await["name"], "b");
    assert_eq!(
        server.ask(Method::PATCH, &path, &[], r#"{"spec":null}"#).await.reason(),
        "spec field must be an object"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_node_pool_belongs_to_its_cluster() {
    let server = start(&[]).await;
    let (cluster, other) = (server.cluster("a").await, server.cluster("b").await);
    let pools = format!("{V1}/clusters/{cluster}/nodepools");
    let made = server.post(&pools, r#"{"name":"np1","spec":{}}"#).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.json()["owner_references"]["id"], cluster.as_str());
    let id = made.json()["id"].as_str().expect("it has an id").to_owned();
    assert_eq!(server.post(&pools, r#"{"name":"np1","spec":{}}"#).await.reason(), "This NodePool already exists");
    assert_eq!(
        server.post(&format!("{V1}/clusters/{other}/nodepools"), r#"{"name":"np1","spec":{}}"#).await.status,
        201
    );
    let elsewhere = server.get(&format!("{V1}/clusters/{other}/nodepools/{id}")).await;
    assert_eq!(elsewhere.status, 404);
    let found = server.get(&format!("{pools}?search=name='np1'+or+name='np2'")).await.json();
    assert_eq!(found["total"], 1, "a search stays within its cluster");
    let missing = server.post(&format!("{V1}/clusters/none/nodepools"), r#"{"name":"np1","spec":{}}"#).await;
    assert_eq!(missing.reason(), "Cluster with id='none' not found");
    server.stop().await;
}

#[tokio::test]
async fn a_deletion_waits_for_adapters_or_is_forced() {
    let server = start(&["--cluster-adapters=dns"]).await;
    let id = server.cluster("a").await;
    let path = format!("{V1}/clusters/{id}");
    let early = server.post(&format!("{path}/force-delete"), r#"{"reason":"stuck"}"#).await;
    assert_eq!(early.status, 409, "nobody asked for its deletion");
    let deleted = server.ask(Method::DELETE, &path, &[], "").await;
    assert_eq!((deleted.status.as_u16(), deleted.json()["deleted_by"].clone()), (202, "system".into()));
    assert_eq!(server.get(&path).await.status, 200, "it is there until adapters are done");
    assert_eq!(server.ask(Method::PATCH, &path, &[], r#"{"spec":{"a":1}}"#).await.status, 409);
    assert_eq!(server.post(&format!("{path}/force-delete"), "{}").await.status, 400, "it needs a reason");
    let forced = server.post(&format!("{path}/force-delete"), r#"{"reason":"stuck"}"#).await;
    assert_eq!((forced.status.as_u16(), forced.body.len()), (204, 0));
    assert_eq!(server.get(&path).await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn strict_names_and_labels_are_refused_with_their_fields() {
    let server = start(&["--strict-names", "--strict-labels"]).await;
    let body = r#"{"kind":"Banana","name":"A","spec":{},"labels":{"a b":"c"}}"#;
    let refused = server.post(&format!("{V1}/clusters"), body).await.json();
    let fields: Vec<_> =
        refused["details"].as_array().expect("details").iter().map(|detail| detail["field"].clone()).collect();
    assert_eq!(fields, ["name", "name", "labels.a b", "kind"]);
    server.cluster("good-name").await;
    server.stop().await;
}
