//! Lists: order, pages, selectors, and one revision whatever happens meanwhile; and what an object looks like.

use machinery::selector::{FieldSelector, LabelSelector};
use proto::store::{At, ListOptions, Store};
use serde_json::json;

use crate::world::{World, cluster_key, key_of, object};

fn by_label(selector: &str) -> ListOptions {
    ListOptions { labels: LabelSelector::parse(selector).expect("a selector"), ..ListOptions::default() }
}

fn by_field(selector: &str) -> ListOptions {
    ListOptions { fields: FieldSelector::parse(selector).expect("a selector"), ..ListOptions::default() }
}

#[tokio::test]
async fn a_cluster_looks_like_an_object() {
    let world = World::new().await;
    let cluster = world.labelled("prod", &[("tier", "gold"), ("no label!", "x")]).await;
    world.report(&cluster, "validation", &[("Available", "True")]).await;
    let entry = world.view.get(&cluster_key("prod"), At::Latest).await.expect("a read").expect("an object");
    let mut object = object(&entry);
    let created = object["metadata"]["creationTimestamp"].take();
    assert!(created.as_str().is_some_and(|time| time.ends_with('Z') && time.len() == 20), "{created}");
    assert_eq!(
        object["metadata"],
        json!({
            "creationTimestamp": null,
            "finalizers": ["adapter.hyperfleet.openshift.io/validation", "hyperfleet.openshift.io/nodepools"],
            "generation": 1,
            "labels": { "tier": "gold" },
            "name": "prod",
            "resourceVersion": entry.revision.to_string(),
            "uid": cluster.id,
        })
    );
    assert_eq!(object["spec"], json!({ "region": "us-east1" }));
    assert_eq!((&object["status"]["phase"], &object["status"]["name"]), (&json!("Ready"), &json!("prod")));
    assert_eq!(object["status"]["observedGeneration"], 1);
    let report = &object["status"]["adapters"][0];
    assert_eq!((&report["name"], &report["conditions"][0]["status"]), (&json!("validation"), &json!("True")));
    let reconciled = object["status"]["conditions"].as_array().expect("conditions");
    assert!(reconciled.iter().any(|condition| condition["type"] == "Reconciled"), "{reconciled:?}");
    assert_eq!(entry.content.uid, cluster.id);
}

#[tokio::test]
async fn a_nodepool_names_its_cluster() {
    let world = World::new().await;
    let cluster = world.cluster("prod").await;
    let pool = world.nodepool(&cluster, "np1").await;
    let (_, entries) = world.listed("nodepools", ListOptions::default()).await.expect("a list");
    let object = object(&entries[0]);
    assert_eq!((&object["metadata"]["name"], &object["metadata"]["uid"]), (&json!("prod.np1"), &json!(pool.id)));
    assert_eq!((&object["status"]["cluster"], &object["status"]["name"]), (&json!("prod"), &json!("np1")));
    let owner = &object["metadata"]["ownerReferences"][0];
    assert_eq!(
        (&owner["kind"], &owner["name"], &owner["uid"]),
        (&json!("Cluster"), &json!("prod"), &json!(cluster.id))
    );
    // It stays so when the cluster is called otherwise.
    let patch = hyperfleet_records::Patch { name: Some("renamed".to_owned()), ..Default::default() };
    world.records.patch(&key_of(&cluster), patch, "rest").await.expect("a patch");
    let (_, entries) = world.listed("nodepools", by_field("status.cluster=prod")).await.expect("a list");
    assert_eq!(crate::world::object(&entries[0])["metadata"]["ownerReferences"][0]["name"], "prod");
}

#[tokio::test]
async fn a_name_that_no_object_can_have_is_the_id() {
    let world = World::new().await;
    let cluster = world.cluster("Groß Cluster").await;
    let entry = world.view.get(&cluster_key(&cluster.id), At::Latest).await.expect("a read").expect("an object");
    assert_eq!(object(&entry)["status"]["name"], "Groß Cluster");
}

#[tokio::test]
async fn lists_are_in_order_and_in_pages_of_one_revision() {
    let world = World::new().await;
    for name in ["b", "a-b", "a", "c", "ab"] {
        world.cluster(name).await;
    }
    let revision = world.head().await;
    let expected = ["a", "a-b", "ab", "b", "c"];
    assert_eq!(world.names("clusters", ListOptions::default()).await, expected);
    let mut paged = Vec::new();
    loop {
        let after = paged.last().map(|name: &String| (String::new(), name.clone()));
        let options = ListOptions { at: At::Exact(revision), after, limit: Some(2), ..ListOptions::default() };
        let page = world.names("clusters", options).await;
        // What is written between the pages is not in them.
        world.cluster(&format!("aa{}", paged.len())).await;
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    assert_eq!(paged, expected);
    let counted = ListOptions { count: true, limit: Some(1), ..ListOptions::default() };
    let list = world.view.list(&crate::world::scope("clusters"), counted).await.expect("a list");
    assert_eq!(list.count, Some(9));
}

#[tokio::test]
async fn more_than_one_chunk_is_one_list() {
    let world = World::new().await;
    for number in 0..260 {
        world.cluster(&format!("c{number:03}")).await;
    }
    let names = world.names("clusters", ListOptions::default()).await;
    assert_eq!((names.len(), names.is_sorted()), (260, true));
    assert_eq!(world.names("clusters", by_field("metadata.name=c255")).await, ["c255"]);
    assert_eq!(world.names("clusters", by_field("metadata.name=c26")).await, [""; 0]);
}

#[tokio::test]
async fn an_old_revision_is_listed_as_it_was() {
    let world = World::new().await;
    let cluster = world.labelled("a", &[("tier", "gold")]).await;
    world.cluster("b").await;
    let then = world.listed("clusters", ListOptions::default()).await.expect("a list");
    world.patch(&cluster, json!({ "region": "us-west1" })).await;
    world.records.delete(&key_of(&cluster), "rest").await.expect("a deletion");
    assert_eq!(world.names("clusters", ListOptions::default()).await, ["b"]);
    let options = ListOptions { at: At::Exact(then.0), ..ListOptions::default() };
    assert_eq!(world.listed("clusters", options).await.expect("a list"), then);
}

#[tokio::test]
async fn selectors_select() {
    let world = World::new().await;
    let gold = world.labelled("a", &[("tier", "gold"), ("env", "test")]).await;
    world.labelled("b", &[("tier", "silver")]).await;
    world.cluster("c").await;
    world.report(&gold, "validation", &[("Available", "True")]).await;
    for (selector, expected) in [
        ("tier=gold", vec!["a"]),
        ("tier in (gold,silver)", vec!["a", "b"]),
        ("tier", vec!["a", "b"]),
        ("!tier", vec!["c"]),
        ("tier!=gold", vec!["b", "c"]),
        ("tier=gold,env=test", vec!["a"]),
        ("tier=gold,env=prod", vec![]),
    ] {
        assert_eq!(world.names("clusters", by_label(selector)).await, expected, "{selector}");
    }
    for (selector, expected) in [
        ("status.phase=Ready", vec!["a"]),
        ("status.phase!=Ready", vec!["b", "c"]),
        ("metadata.name=b", vec!["b"]),
        ("metadata.name=b,status.phase=Ready", vec![]),
    ] {
        assert_eq!(world.names("clusters", by_field(selector)).await, expected, "{selector}");
    }
}
