//! What a fetch leaves in the object.

use std::sync::Arc;

use http::StatusCode;
use proto::cbt::{Error, suite::Synthetic};
use serde_json::{Value, json};

use crate::{
    DELTAS, delta,
    source::{Named, Script, message},
    with_delta,
};

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

fn sparse() -> Named {
    Named(Synthetic::sparse(1000, 1 << 16))
}

async fn status(server: &api_testing::Server) -> Value {
    server.get(&format!("{DELTAS}/d")).await.json()["status"].clone()
}

#[tokio::test]
async fn a_fetch_of_all_is_counted() {
    let server = with_delta(sparse()).await;
    server.get(&format!("{DELTAS}/d?fetchcbd=true&limit=0")).await;
    let expected = json!({
        "blocks": 1000, "bytes": 1000 << 16, "driver": "synthetic.example.com", "observedGeneration": 1,
        "volumeSizeBytes": 2000 << 16,
    });
    assert_eq!(status(&server).await, expected);
    let table = server.accepting(TABLE).get(DELTAS).await.json();
    let columns: Vec<_> =
        table["columnDefinitions"].as_array().expect("columns").iter().map(|column| column["name"].clone()).collect();
    assert_eq!(columns, ["Name", "Base", "Target", "Mode", "Driver", "Blocks", "Bytes", "Age"]);
    assert_eq!(
        table["rows"][0]["cells"],
        json!(["d", "base", "target", "block", "synthetic.example.com", 1000, 1000 << 16, "0s"])
    );
    let managed = server.get(&format!("{DELTAS}/d")).await.json()["metadata"]["managedFields"].clone();
    assert!(
        managed
            .as_array()
            .expect("managers")
            .iter()
            .any(|entry| entry["manager"] == "outrigger-cbt" && entry["subresource"] == "status")
    );
}

#[tokio::test]
async fn the_same_count_is_written_once() {
    let server = with_delta(sparse()).await;
    let revision = async || server.get(&format!("{DELTAS}/d")).await.json()["metadata"]["resourceVersion"].clone();
    let before = revision().await;
    server.get(&format!("{DELTAS}/d?fetchcbd=true&limit=5000")).await;
    let counted = revision().await;
    assert_ne!(counted, before);
    for accept in ["application/json", "application/x-ndjson", "application/yaml", proto::cbt::MEDIA_TYPE] {
        server.accepting(accept).get(&format!("{DELTAS}/d?fetchcbd=true&limit=0")).await;
    }
    assert_eq!(revision().await, counted);
}

#[tokio::test]
async fn a_part_is_not_counted() {
    let server = with_delta(sparse()).await;
    for query in ["", "&limit=1000", "&limit=999", "&offset=1&limit=0"] {
        assert_eq!(server.get(&format!("{DELTAS}/d?fetchcbd=true{query}")).await.status, StatusCode::OK);
        assert_eq!(status(&server).await, Value::Null, "{query}");
    }
    let broken =
        Script { messages: vec![message([1])], end: Some(Error::Unavailable(String::new())), ..Script::default() };
    let server = with_delta(broken).await;
    let answer = server.answer("GET", &format!("{DELTAS}/d?fetchcbd=true"), "", String::new()).await;
    futures::StreamExt::collect::<Vec<_>>(answer.into_body().into_data_stream()).await;
    assert_eq!(status(&server).await, Value::Null);
}

#[tokio::test]
async fn what_others_write_to_the_status_stays() {
    let server = with_delta(sparse()).await;
    let patched = server.merge(&format!("{DELTAS}/d/status"), &json!({ "status": { "error": "mine" } })).await;
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.text());
    let fetched = server.get(&format!("{DELTAS}/d?fetchcbd=true&limit=0")).await.json();
    assert_eq!(fetched["status"]["error"], "mine");
    let status = status(&server).await;
    assert_eq!((&status["error"], &status["blocks"]), (&json!("mine"), &json!(1000)));
}

#[tokio::test]
async fn a_count_is_not_written_to_another_object() {
    let script = Script { messages: vec![message([1])], ..Script::default() };
    let server = with_delta(script).await;
    let answer = server.answer("GET", &format!("{DELTAS}/d?fetchcbd=true"), "", String::new()).await;
    // While the answer is under way, another object takes the name.
    server.delete(&format!("{DELTAS}/d")).await;
    server.post(DELTAS, &delta("d", "base", "other")).await;
    futures::StreamExt::collect::<Vec<_>>(answer.into_body().into_data_stream()).await;
    assert_eq!(status(&server).await, Value::Null);
}

#[tokio::test]
async fn the_driver_is_that_of_the_snapshots_content() {
    let answer = |request: http::Request<kube::client::Body>| async move {
        let (code, body) = match request.uri().path() {
            "/apis/snapshot.storage.k8s.io/v1/namespaces/default/volumesnapshots/target" => {
                (200, json!({ "status": { "boundVolumeSnapshotContentName": "content" } }))
            }
            "/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents/content" => {
                (200, json!({ "spec": { "driver": "ebs.csi.aws.com" } }))
            }
            _ => (404, json!({ "kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404 })),
        };
        let body = kube::client::Body::from(body.to_string().into_bytes());
        http::Response::builder().status(code).body(body)
    };
    let cluster = kube::Client::new(tower::service_fn(answer), "default");
    let several = Script { messages: vec![message([1])], driver: "", ..Script::default() };
    let extensions = cbt_api::extensions(Arc::new(several), Some(cluster));
    let server = api_testing::Server::with(&extensions, Arc::new(api_testing::Everybody)).await;
    for (name, target, driver) in [("d", "target", json!("ebs.csi.aws.com")), ("e", "unknown", Value::Null)] {
        server.post(DELTAS, &delta(name, "", target)).await;
        assert_eq!(server.get(&format!("{DELTAS}/{name}?fetchcbd=true")).await.status, StatusCode::OK);
        let status = server.get(&format!("{DELTAS}/{name}")).await.json()["status"].clone();
        assert_eq!((&status["driver"], &status["blocks"]), (&driver, &json!(1)));
    }
}
