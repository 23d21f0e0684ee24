//! What Kubernetes clients do: as with any kind, and REST clients see it.

use api_testing::{Answer, Server};
use http::StatusCode;
use hyperfleet_records::{Kind, Resource};
use serde_json::{Value, json};

use crate::world::{World, key_of};

const CLUSTERS: &str = "/apis/hyperfleet.openshift.io/v1alpha1/clusters";
const NODEPOOLS: &str = "/apis/hyperfleet.openshift.io/v1alpha1/nodepools";
const APPLY: &str = "application/apply-patch+yaml";

fn cluster(name: &str) -> Value {
    json!({
        "apiVersion": "hyperfleet.openshift.io/v1alpha1",
        "kind": "Cluster",
        "metadata": { "name": name, "labels": { "tier": "gold" }, "annotations": { "example.com/note": "mine" } },
        "spec": { "region": "us-east1", "nested": { "count": 3 } },
    })
}

fn nodepool(name: &str) -> Value {
    json!({
        "apiVersion": "hyperfleet.openshift.io/v1alpha1",
        "kind": "NodePool",
        "metadata": { "name": name },
        "spec": { "replicas": 3 },
    })
}

#[track_caller]
fn is(answer: &Answer, status: StatusCode) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    answer.json()
}

async fn record(world: &World, kind: Kind, name: &str) -> Option<Resource> {
    world.records.by_object_name(kind, name).await.expect("a read")
}

fn message(object: &Value) -> &str {
    object["message"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_created_object_is_a_record() {
    let world = World::new().await;
    let server = world.server().await;
    let made = is(&server.post(CLUSTERS, &cluster("prod")).await, StatusCode::CREATED);
    assert_eq!((&made["metadata"]["generation"], &made["status"]["phase"]), (&json!(1), &json!("NotReady")));
    assert_eq!(made, server.get(&format!("{CLUSTERS}/prod")).await.json(), "what was answered is what is there");
    assert_eq!(made["metadata"]["managedFields"][0]["operation"], "Update");

    let record = record(&world, Kind::Cluster, "prod").await.expect("a record");
    assert_eq!((record.name.as_str(), record.generation, record.created.1.as_str()), ("prod", 1, "admin"));
    assert_eq!(made["metadata"]["uid"], record.id.as_str());
    assert_eq!(record.labels.get("tier").map(String::as_str), Some("gold"));
    assert_eq!(serde_json::from_str::<Value>(record.spec.get()).expect("JSON"), cluster("")["spec"]);

    let taken = is(&server.post(CLUSTERS, &cluster("prod")).await, StatusCode::CONFLICT);
    assert_eq!(taken["reason"], "AlreadyExists");
    let mut named = cluster("");
    named["metadata"] = json!({ "generateName": "gen-" });
    let named = is(&server.post(CLUSTERS, &named).await, StatusCode::CREATED);
    assert!(named["metadata"]["name"].as_str().is_some_and(|name| name.starts_with("gen-")), "{named}");
}

#[tokio::test]
async fn a_nodepool_is_made_in_the_cluster_that_its_name_says() {
    let world = World::new().await;
    let server = world.server().await;
    let parent = world.cluster("prod").await;
    let made = is(&server.post(NODEPOOLS, &nodepool("prod.np1")).await, StatusCode::CREATED);
    assert_eq!(made["metadata"]["ownerReferences"][0]["uid"], parent.id.as_str());
    let record = record(&world, Kind::NodePool, "prod.np1").await.expect("a record");
    assert_eq!((record.name.as_str(), record.owner.map(|owner| owner.id)), ("np1", Some(parent.id)));
    let named = json!({ "generateName": "prod.np-" });
    let mut generated = nodepool("");
    generated["metadata"] = named;
    let generated = is(&server.post(NODEPOOLS, &generated).await, StatusCode::CREATED);
    assert_eq!(generated["status"]["cluster"], "prod");

    for name in ["np1", "nowhere.np1"] {
        let refused = is(&server.post(NODEPOOLS, &nodepool(name)).await, StatusCode::BAD_REQUEST);
        assert!(message(&refused).contains("CLUSTER.NAME"), "{refused}");
    }
}

#[tokio::test]
async fn changes_go_both_ways() {
    let world = World::new().await;
    let server = world.server().await;
    let path = format!("{CLUSTERS}/prod");
    let made = is(&server.post(CLUSTERS, &cluster("prod")).await, StatusCode::CREATED);
    let record = record(&world, Kind::Cluster, "prod").await.expect("a record");
    let mut watch = server.watch(&format!("{CLUSTERS}?watch=1&resourceVersion={}", record.revision)).await;

    world.patch(&record, json!({ "region": "us-west1" })).await;
    let event = watch.next().await;
    assert_eq!((&event["type"], &event["object"]["spec"]), (&json!("MODIFIED"), &json!({ "region": "us-west1" })));
    assert_eq!(event["object"]["metadata"]["generation"], 2);
    assert_eq!(event["object"]["metadata"]["annotations"], json!({ "example.com/note": "mine" }));

    let mut stale = made.clone();
    stale["spec"]["region"] = "eu".into();
    is(&server.put(&path, &stale).await, StatusCode::CONFLICT);

    let patched = server.merge(&path, &json!({ "metadata": { "labels": { "tier": null, "env": "test" } } })).await;
    assert_eq!(is(&patched, StatusCode::OK)["metadata"]["labels"], json!({ "env": "test" }));
    let seen = world.records.get(&key_of(&record)).await.expect("a record");
    assert_eq!(seen.labels, [("env".to_owned(), "test".to_owned())].into());
    assert_eq!(watch.next().await["object"]["metadata"]["labels"], json!({ "env": "test" }));

    world.report(&record, "validation", &[("Available", "True")]).await;
    let event = watch.next().await;
    assert_eq!(event["object"]["status"]["phase"], "Ready");
    let same = is(&server.merge(&path, &json!({ "metadata": { "labels": { "env": "test" } } })).await, StatusCode::OK);
    assert_eq!(same["metadata"]["resourceVersion"], event["object"]["metadata"]["resourceVersion"], "nothing changed");
}

#[tokio::test]
async fn apply_owns_fields_as_for_any_kind() {
    let world = World::new().await;
    let server = world.server().await;
    let path = format!("{CLUSTERS}/prod");
    let apply = async |manager: &str, spec: Value| {
        let object = json!({
            "apiVersion": "hyperfleet.openshift.io/v1alpha1", "kind": "Cluster", "metadata": { "name": "prod" }, "spec": spec,
        });
        server.send("PATCH", &format!("{path}?fieldManager={manager}"), APPLY, object.to_string()).await
    };
    is(&apply("one", json!({ "region": "us-east1", "size": 1 })).await, StatusCode::CREATED);
    is(&apply("two", json!({ "zone": "b" })).await, StatusCode::OK);
    let refused = is(&apply("two", json!({ "region": "eu" })).await, StatusCode::CONFLICT);
    assert!(message(&refused).contains(".spec.region"), "{refused}");
    let applied = is(&apply("one", json!({ "region": "us-east1" })).await, StatusCode::OK);
    assert_eq!(applied["spec"], json!({ "region": "us-east1", "zone": "b" }), "what one gave up is gone");
    let record = record(&world, Kind::Cluster, "prod").await.expect("a record");
    assert_eq!((record.generation, record.spec.get().contains("zone")), (3, true));
}

#[tokio::test]
async fn what_rest_clients_are_refused_is_refused() {
    let world = World::new().await;
    let server = world.server().await;
    let mut wrong = cluster("prod");
    wrong["spec"]["region"] = "nowhere".into();
    let refused = is(&server.post(CLUSTERS, &wrong).await, StatusCode::BAD_REQUEST);
    assert!(message(&refused).contains("spec.region: prod cannot be nowhere"), "{refused}");
    // What is there already may stay, and may go.
    let record = world.cluster("stage").await;
    world.patch(&record, json!({ "region": "nowhere" })).await;
    let path = format!("{CLUSTERS}/stage");
    is(&server.merge(&path, &json!({ "metadata": { "annotations": { "a": "b" } } })).await, StatusCode::OK);
    is(&server.merge(&path, &json!({ "spec": { "size": 2 } })).await, StatusCode::BAD_REQUEST);
    is(&server.delete(&path).await, StatusCode::OK);
}

#[tokio::test]
async fn labels_that_kubernetes_has_not_outlive_its_writes() {
    let world = World::new().await;
    let server = world.server().await;
    let record = world.labelled("prod", &[("no label!", "x"), ("tier", "gold")]).await;
    let path = format!("{CLUSTERS}/prod");
    is(&server.merge(&path, &json!({ "metadata": { "labels": { "tier": null } } })).await, StatusCode::OK);
    let seen = world.records.get(&key_of(&record)).await.expect("a record");
    assert_eq!(seen.labels, [("no label!".to_owned(), "x".to_owned())].into());
}

#[tokio::test]
async fn a_deletion_waits_for_adapters_and_is_told_when_it_is_done() {
    let world = World::requiring(&["dns"]).await;
    let server = world.server().await;
    let path = format!("{CLUSTERS}/prod");
    is(&server.post(CLUSTERS, &cluster("prod")).await, StatusCode::CREATED);
    let record = record(&world, Kind::Cluster, "prod").await.expect("a record");
    let pool = world.nodepool(&record, "np1").await;
    let mut clusters = server.watch(&format!("{CLUSTERS}?watch=1&resourceVersion={}", world.head().await)).await;

    let deleted = is(&server.delete(&path).await, StatusCode::OK);
    assert!(deleted["metadata"]["deletionTimestamp"].is_string(), "{deleted}");
    let held = &deleted["metadata"]["finalizers"];
    assert_eq!(held[0], "adapter.hyperfleet.openshift.io/dns");
    assert!(world.records.get(&key_of(&record)).await.expect("a record").deleted.is_some());
    assert!(world.records.get(&key_of(&pool)).await.expect("a record").deleted.is_some(), "its nodepools too");
    assert!(clusters.next().await["object"]["metadata"]["deletionTimestamp"].is_string());

    let refused =
        is(&server.merge(&path, &json!({ "metadata": { "finalizers": null } })).await, StatusCode::BAD_REQUEST);
    assert!(message(&refused).contains("force-delete"), "{refused}");
    let dns = |status| [("Available", "False"), ("Finalized", status)];
    world.report(&record, "dns", &dns("False")).await;
    world.report(&pool, "dns", &dns("True")).await;
    is(&server.get(&format!("{NODEPOOLS}/prod.np1")).await, StatusCode::NOT_FOUND);
    is(&server.get(&path).await, StatusCode::OK);
    world.report(&record, "dns", &dns("True")).await;
    is(&server.get(&path).await, StatusCode::NOT_FOUND);
    loop {
        let event = clusters.next().await;
        if event["type"] == "DELETED" {
            assert_eq!(event["object"]["metadata"]["name"], "prod");
            break;
        }
        assert_eq!(event["type"], "MODIFIED");
    }
}

#[tokio::test]
async fn what_nothing_holds_is_gone_at_once() {
    let world = World::new().await;
    let server = world.server().await;
    is(&server.post(CLUSTERS, &cluster("prod")).await, StatusCode::CREATED);
    is(&server.post(NODEPOOLS, &nodepool("prod.np1")).await, StatusCode::CREATED);
    is(&server.post(NODEPOOLS, &nodepool("prod.np2")).await, StatusCode::CREATED);
    is(&server.delete(&format!("{NODEPOOLS}/prod.np1")).await, StatusCode::OK);
    is(&server.get(&format!("{NODEPOOLS}/prod.np1")).await, StatusCode::NOT_FOUND);
    is(&server.delete(&format!("{CLUSTERS}/prod")).await, StatusCode::OK);
    is(&server.get(&format!("{CLUSTERS}/prod")).await, StatusCode::NOT_FOUND);
    assert!(record(&world, Kind::NodePool, "prod.np2").await.is_none(), "it goes with its cluster");
    is(&server.post(CLUSTERS, &cluster("prod")).await, StatusCode::CREATED);
}

#[tokio::test]
async fn a_finalizer_of_somebody_else_holds_the_record_too() {
    let world = World::new().await;
    let server = world.server().await;
    let path = format!("{CLUSTERS}/prod");
    let mut held = cluster("prod");
    held["metadata"]["finalizers"] = json!(["example.com/backup"]);
    is(&server.post(CLUSTERS, &held).await, StatusCode::CREATED);
    let record = record(&world, Kind::Cluster, "prod").await.expect("a record");
    world.records.delete(&key_of(&record), "rest").await.expect("a deletion");
    let there = is(&server.get(&path).await, StatusCode::OK);
    assert!(there["metadata"]["finalizers"].as_array().is_some_and(|held| held.contains(&json!("example.com/backup"))));
    is(&server.merge(&path, &json!({ "metadata": { "finalizers": null } })).await, StatusCode::OK);
    is(&server.get(&path).await, StatusCode::NOT_FOUND);
    assert!(world.records.get(&key_of(&record)).await.is_err());
}

#[tokio::test]
async fn the_status_is_the_adapters() {
    let world = World::new().await;
    let server = world.server().await;
    world.cluster("prod").await;
    let path = format!("{CLUSTERS}/prod/status");
    let answer = server.merge(&path, &json!({ "status": { "phase": "Ready" } })).await;
    let refused = is(&answer, StatusCode::METHOD_NOT_ALLOWED);
    assert!(message(&refused).contains("/statuses"), "{refused}");
    assert_eq!(is(&server.get(&path).await, StatusCode::OK)["status"]["phase"], "NotReady");
    // Beside the rest of an object it does not count, as anywhere.
    let beside = server.merge(&format!("{CLUSTERS}/prod"), &json!({ "status": { "phase": "Ready" } })).await;
    assert_eq!(is(&beside, StatusCode::OK)["status"]["phase"], "NotReady");
}

#[tokio::test]
async fn tables_have_the_columns_that_people_want() {
    let world = World::new().await;
    let parent = world.cluster("prod").await;
    world.nodepool(&parent, "np1").await;
    let server: Server = world.server().await.accepting("application/json;as=Table;v=v1;g=meta.k8s.io");
    let columns = |table: &Value| -> Vec<String> {
        let columns = table["columnDefinitions"].as_array().cloned().unwrap_or_default();
        columns.iter().filter(|column| column["priority"] == 0).map(|column| column["name"].to_string()).collect()
    };
    let table = server.get(CLUSTERS).await.json();
    assert_eq!(columns(&table), ["\"Name\"", "\"Phase\"", "\"Generation\"", "\"Age\""]);
    assert_eq!(
        table["rows"][0]["cells"].as_array().map(|cells| cells[..3].to_vec()),
        Some(vec!["prod".into(), "NotReady".into(), 1.into()])
    );
    let table = server.get(NODEPOOLS).await.json();
    assert_eq!(columns(&table), ["\"Name\"", "\"Cluster\"", "\"Phase\"", "\"Generation\"", "\"Age\""]);
    assert_eq!(
        table["rows"][0]["cells"].as_array().map(|cells| cells[..2].to_vec()),
        Some(vec!["prod.np1".into(), "prod".into()])
    );
}
