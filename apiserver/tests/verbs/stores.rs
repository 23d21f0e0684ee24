//! Kinds that bring a store: each resource is read, written and watched where it is kept, and nowhere else.

use std::sync::Arc;

use api_testing::{Everybody, Server};
use apiserver::{Actor, Call, Extension};
use async_trait::async_trait;
use axum::body::Body;
use http::{Response, StatusCode};
use machinery::status::Status;
use proto::store::{self, Store};
use revlog::{Log, Memory};
use serde_json::{Value, json};

use crate::{WIDGETS, created, outage::Refusing, revision, widget};

const PARCELS: &str = "/apis/post.example.com/v1/parcels";

const DEFINITION: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: parcels.post.example.com}
spec:
  group: post.example.com
  scope: Cluster
  names: {plural: parcels, singular: parcel, kind: Parcel, listKind: ParcelList}
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, properties: {grams: {type: integer}}}
"#;

/// Leaves everything to the verbs.
struct Stored;

#[async_trait]
impl Actor for Stored {
    async fn act(&self, _: &mut Call<'_>) -> Result<Option<Response<Body>>, Status> {
        Ok(None)
    }
}

fn parcel(name: &str, grams: i64) -> Value {
    json!({
        "apiVersion": "post.example.com/v1", "kind": "Parcel", "metadata": { "name": name }, "spec": { "grams": grams },
    })
}

/// A server of widgets in its own store, and of parcels in `store`.
async fn parcels_in(store: Arc<dyn Store>) -> Server {
    let extension =
        Extension { origin: "parcel.yaml", definition: DEFINITION, actor: Arc::new(Stored), store: Some(store) };
    Server::with(&[extension], Arc::new(Everybody)).await
}

async fn memory(context: &runtime::Context) -> Arc<dyn Store> {
    let options = revlog::Options::default();
    let (log, work) = Log::open(Memory::default(), options, revlog::Metrics::default()).await.expect("a log");
    context.tasks.spawn("log", work);
    log
}

async fn head(store: &dyn Store) -> u64 {
    store.status().await.expect("a status").revision
}

#[tokio::test]
async fn each_resource_is_written_where_it_is_kept() {
    let context = runtime::Context::new();
    let apart = memory(&context).await;
    let server = parcels_in(Arc::clone(&apart)).await;
    created(&server, "a").await;
    created(&server, "b").await;
    assert_eq!((head(&**server.store()).await, head(&*apart).await), (2, 0));

    let answer = server.post(PARCELS, &parcel("a", 1)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    assert_eq!(revision(&answer.json()), 1, "revisions are those of its own store");
    assert_eq!(server.merge(&format!("{PARCELS}/a"), &json!({ "spec": { "grams": 2 } })).await.status, StatusCode::OK);
    assert_eq!(server.get(&format!("{PARCELS}/a")).await.json()["spec"]["grams"], 2);
    let list = server.get(PARCELS).await.json();
    assert_eq!((&list["metadata"]["resourceVersion"], list["items"].as_array().map(Vec::len)), (&json!("2"), Some(1)));
    assert_eq!(server.delete(&format!("{PARCELS}/a")).await.status, StatusCode::OK);
    assert_eq!((head(&**server.store()).await, head(&*apart).await), (2, 3));
    assert_eq!(server.get(&format!("{WIDGETS}/a")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_watch_follows_the_store_of_its_resource() {
    let context = runtime::Context::new();
    let apart = memory(&context).await;
    let server = parcels_in(Arc::clone(&apart)).await;
    for name in ["a", "b", "c"] {
        created(&server, name).await;
    }
    // "From now on" is revision 0 there and 3 here.
    let (mut parcels, mut widgets) =
        (server.watch(&format!("{PARCELS}?watch=1")).await, server.watch(&format!("{WIDGETS}?watch=1")).await);
    for name in ["a", "b", "c"] {
        assert_eq!(widgets.next().await["object"]["metadata"]["name"], name);
    }
    server.post(PARCELS, &parcel("first", 1)).await;
    created(&server, "d").await;
    let event = parcels.next().await;
    assert_eq!((&event["type"], &event["object"]["metadata"]["name"]), (&json!("ADDED"), &json!("first")));
    assert_eq!(widgets.next().await["object"]["metadata"]["name"], "d");
    let mut again = server.watch(&format!("{PARCELS}?watch=1&resourceVersion=0")).await;
    assert_eq!(again.next().await["object"]["metadata"]["name"], "first");
}

#[tokio::test]
async fn a_store_that_is_away_takes_only_its_resources_with_it_and_readiness_names_it() {
    let away = store::Error::Unavailable { reason: "it is starting".to_owned() };
    let server = parcels_in(Arc::new(Refusing(away))).await;
    created(&server, "a").await;
    assert_eq!(server.get(&format!("{WIDGETS}/a")).await.status, StatusCode::OK);
    for answer in [
        server.get(PARCELS).await,
        server.get(&format!("{PARCELS}/a")).await,
        server.get(&format!("{PARCELS}?watch=1")).await,
        server.get(&format!("{PARCELS}?watch=1&resourceVersion=5")).await,
        server.post(PARCELS, &parcel("a", 1)).await,
        server.delete(&format!("{PARCELS}/a")).await,
    ] {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text());
    }
    let ready = server.get("/readyz").await;
    assert_eq!(ready.status, StatusCode::OK, "the widgets are well: {}", ready.text());
    assert!(ready.text().contains("[+]storage ok\n"), "{}", ready.text());
    assert!(ready.text().contains("[-]storage/parcels.post.example.com failed"), "{}", ready.text());
    let named = server.get("/readyz/storage/parcels.post.example.com").await;
    assert_eq!(named.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn without_its_own_store_the_server_is_not_ready() {
    let away = store::Error::Unavailable { reason: "it is starting".to_owned() };
    let server = Server::on(Arc::new(Refusing(away)), &runtime::Context::new());
    assert_eq!(server.get("/readyz").await.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(server.get("/livez").await.status, StatusCode::OK);
    assert_eq!(server.post(WIDGETS, &widget("a", 1)).await.status, StatusCode::SERVICE_UNAVAILABLE);
}
