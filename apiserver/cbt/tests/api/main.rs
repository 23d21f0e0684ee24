//! The kinds of changed blocks in a server without sockets, over blocks that are made up.

mod data;
mod fetch;
mod kinds;
mod large;
mod refused;
mod services;
mod source;
mod summary;

use std::sync::Arc;

use api_testing::{Everybody, Server};
use http::StatusCode;
use proto::cbt::ChangedBlocks;
use serde_json::{Value, json};

const DELTAS: &str = "/apis/cbt.storage.k8s.io/v1alpha1/namespaces/default/volumesnapshotdeltas";

/// A server of these blocks, without a cluster.
async fn server(blocks: impl ChangedBlocks) -> Server {
    Server::with(&cbt_api::extensions(Arc::new(blocks), None), Arc::new(Everybody)).await
}

fn delta(name: &str, base: &str, target: &str) -> Value {
    json!({
        "apiVersion": "cbt.storage.k8s.io/v1alpha1",
        "kind": "VolumeSnapshotDelta",
        "metadata": { "name": name },
        "spec": { "baseVolumeSnapshotName": base, "targetVolumeSnapshotName": target },
    })
}

/// A server in whose default namespace the VolumeSnapshotDelta `d` is, from `base` to `target`.
async fn with_delta(blocks: impl ChangedBlocks) -> Server {
    let server = server(blocks).await;
    let answer = server.post(DELTAS, &delta("d", "base", "target")).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    server
}

/// The entries of a JSON object.
fn entries(object: &Value) -> Vec<Value> {
    object["status"]["changedBlockDeltas"].as_array().expect("a list of entries").clone()
}

fn indices(entries: &[Value]) -> Vec<u64> {
    entries.iter().map(|entry| entry["offset"].as_u64().expect("an offset")).collect()
}
