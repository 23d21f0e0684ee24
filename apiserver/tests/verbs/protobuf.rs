//! Metadata and statuses in protobuf. The bytes themselves are tested where they are made, in `machinery::protobuf`.

use http::{HeaderMap, StatusCode};
use machinery::{
    GroupResource,
    negotiate::MetaVersion,
    protobuf::{self, ListMeta, PartialObjectMetadata},
    status::Status,
};
use serde_json::json;

use api_testing::Server;

use crate::{WIDGETS, created};

const PLAIN: &str = "application/vnd.kubernetes.protobuf";
const PARTIAL: &str = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const PARTIAL_LIST: &str = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const OLD_LIST: &str = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1beta1";

fn content_type(headers: &HeaderMap) -> &str {
    headers["content-type"].to_str().unwrap_or_default()
}

fn widgets() -> GroupResource {
    GroupResource::new("gold.example.com", "widgets")
}

#[tokio::test]
async fn an_objects_metadata_comes_in_protobuf() {
    let server = Server::new().await;
    let object = created(&server, "a").await;
    let answer = server.accepting(PARTIAL).get(&format!("{WIDGETS}/a")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(content_type(&answer.headers), PLAIN);
    assert_eq!(answer.body, protobuf::object(&object, MetaVersion::V1));
}

#[tokio::test]
async fn a_lists_metadata_comes_in_protobuf_page_by_page() {
    let server = Server::new().await;
    let objects = [created(&server, "a").await, created(&server, "b").await];
    let uri = format!("{WIDGETS}?limit=1");
    let page = server.get(&uri).await.json();
    let metadata = ListMeta {
        resource_version: page["metadata"]["resourceVersion"].as_str().expect("a revision").to_owned(),
        continue_: page["metadata"]["continue"].as_str().map(str::to_owned),
        remaining: Some(1),
    };
    for (accept, version) in [(PARTIAL_LIST, MetaVersion::V1), (OLD_LIST, MetaVersion::V1Beta1)] {
        let answer = server.accepting(accept).get(&uri).await;
        assert_eq!(content_type(&answer.headers), PLAIN);
        let items = vec![PartialObjectMetadata::of(&objects[0])];
        assert_eq!(answer.body, protobuf::list(items, metadata.clone(), version), "{accept}");
    }
}

#[tokio::test]
async fn a_watch_sends_metadata_in_protobuf_frames() {
    let server = Server::new().await;
    let object = created(&server, "a").await;
    let uri =
        format!("{WIDGETS}?watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
    let mut watch = server.accepting(PARTIAL).watch(&uri).await;
    assert_eq!(content_type(&watch.headers), "application/vnd.kubernetes.protobuf;stream=watch");

    let bookmark = json!({ "metadata": {
        "annotations": { "k8s.io/initial-events-end": "true" },
        "resourceVersion": object["metadata"]["resourceVersion"],
    } });
    let changed =
        server.merge(&format!("{WIDGETS}/a"), &json!({ "metadata": { "labels": { "x": "1" } } })).await.json();
    for (kind, object) in [("ADDED", &object), ("BOOKMARK", &bookmark), ("MODIFIED", &changed)] {
        let frame = protobuf::watch_frame(kind, &protobuf::object(object, MetaVersion::V1));
        assert_eq!(watch.bytes(frame.len()).await, frame, "{kind}");
    }
}

#[tokio::test]
async fn statuses_come_in_protobuf() {
    let server = Server::new().await;
    let object = created(&server, "a").await;

    let refused = server.accepting(PLAIN).get(&format!("{WIDGETS}/a")).await;
    assert_eq!(refused.status, StatusCode::NOT_ACCEPTABLE, "the whole of a custom resource has no protobuf");
    assert_eq!(content_type(&refused.headers), PLAIN);
    let formats = ["application/json", "application/yaml", PLAIN];
    assert_eq!(refused.body, protobuf::status(&Status::not_acceptable(&formats)));

    let either = server.accepting("application/vnd.kubernetes.protobuf,application/json");
    let missing = either.get(&format!("{WIDGETS}/b")).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(content_type(&missing.headers), PLAIN);
    assert_eq!(missing.body, protobuf::status(&Status::not_found(&widgets(), "b")));

    let gone = server.accepting(PARTIAL).delete(&format!("{WIDGETS}/a")).await;
    let uid = object["metadata"]["uid"].as_str().expect("a uid");
    assert_eq!(content_type(&gone.headers), PLAIN);
    assert_eq!(gone.body, protobuf::status(&Status::deleted(&widgets(), "a", uid)));
}
