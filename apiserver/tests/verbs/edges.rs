//! What writes refuse, and what they warn of although they do it.

use api_testing::{Answer, Server};
use http::StatusCode;
use serde_json::{Value, json};

use super::{WIDGETS, created, widget};

fn warnings(answer: &Answer) -> Vec<&str> {
    answer.headers.get_all("warning").iter().map(|value| value.to_str().expect("ASCII")).collect()
}

fn with_metadata(name: &str, more: &Value) -> Value {
    let mut object = widget(name, 1);
    object["metadata"].as_object_mut().expect("metadata").extend(more.as_object().expect("an object").clone());
    object
}

#[tokio::test]
async fn a_creation_at_a_name_creates_that_name_only() {
    let server = Server::new().await;
    let path = format!("{WIDGETS}/a");
    let answer = server.post(&path, &widget("b", 1)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    let unnamed =
        json!({ "apiVersion": "gold.example.com/v1", "kind": "Widget", "metadata": { "generateName": "g-" } });
    assert_eq!(server.post(&path, &unnamed).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(server.post(&path, &widget("a", 1)).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_new_object_has_no_revision() {
    let server = Server::new().await;
    let answer = server.post(WIDGETS, &with_metadata("a", &json!({ "resourceVersion": "5" }))).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json()["message"], "resourceVersion should not be set on objects to be created");
    let answer = server.post(WIDGETS, &with_metadata("a", &json!({ "resourceVersion": "0" }))).await;
    assert_eq!(answer.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_subresource_that_is_none_is_not_found() {
    let server = Server::new().await;
    created(&server, "a").await;
    let answer = server.get(&format!("{WIDGETS}/a/nope")).await;
    assert_eq!((answer.status, &answer.json()["details"]["name"]), (StatusCode::NOT_FOUND, &json!("a")));
}

#[tokio::test]
async fn writing_needs_a_namespace() {
    let server = Server::new().await;
    let all = "/apis/gold.example.com/v1/widgets";
    assert_eq!(server.get(all).await.status, StatusCode::OK);
    assert_eq!(server.post(all, &widget("a", 1)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.delete(all).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn warnings_come_with_refusals_too() {
    let server = Server::new().await;
    let mut object = widget("a", -1);
    object["spec"]["nope"] = 1.into();
    let answer = server.post(WIDGETS, &object).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(warnings(&answer), [r#"299 - "unknown field \"spec.nope\"""#]);
}

#[tokio::test]
async fn new_finalizers_without_a_domain_are_warned_of() {
    let server = Server::new().await;
    let answer = server.post(WIDGETS, &with_metadata("a", &json!({ "finalizers": ["x.dev/y", "plain"] }))).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(warnings(&answer).len(), 1, "{:?}", warnings(&answer));
    let labels = json!({ "metadata": { "labels": { "a": "b" } } });
    let answer = server.merge(&format!("{WIDGETS}/a"), &labels).await;
    assert_eq!((answer.status, warnings(&answer)), (StatusCode::OK, Vec::new()));
}

#[tokio::test]
async fn owners_are_kept_once_with_a_warning() {
    let server = Server::new().await;
    let owner = json!({ "apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "1" });
    let owners = json!({ "ownerReferences": [owner, owner] });
    let answer = server.post(WIDGETS, &with_metadata("a", &owners)).await;
    assert_eq!(answer.json()["metadata"]["ownerReferences"], json!([owner]));
    assert_eq!(warnings(&answer).len(), 1);
    let answer = server.merge(&format!("{WIDGETS}/a"), &json!({ "metadata": owners })).await;
    assert_eq!(answer.json()["metadata"]["ownerReferences"], json!([owner]));
    assert!(warnings(&answer)[0].contains("after mutating admission"), "{:?}", warnings(&answer));
}

#[tokio::test]
async fn another_uid_is_a_conflict_when_sent_whole_and_invalid_in_a_patch() {
    let server = Server::new().await;
    let mut object = created(&server, "a").await;
    object["metadata"]["uid"] = "other".into();
    let path = format!("{WIDGETS}/a");
    assert_eq!(server.put(&path, &object).await.status, StatusCode::CONFLICT);
    let answer = server.merge(&path, &json!({ "metadata": { "uid": "other" } })).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.json()["details"]["causes"][0]["field"], "metadata.uid");
}

#[tokio::test]
async fn a_patch_cannot_make_another_kind() {
    let server = Server::new().await;
    created(&server, "a").await;
    let path = format!("{WIDGETS}/a");
    let cases = [
        (json!({ "kind": "Other" }), "Other.gold.example.com \"a\" is invalid: kind: "),
        (json!({ "apiVersion": "other.dev/v1" }), "Widget.other.dev \"a\" is invalid: apiVersion: "),
        (json!({ "kind": null }), " \"\" is invalid: patch: "),
    ];
    for (patch, message) in cases {
        let answer = server.merge(&path, &patch).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{patch}");
        assert!(answer.json()["message"].as_str().is_some_and(|text| text.starts_with(message)), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_status_is_judged_alone() {
    let server = Server::new().await;
    created(&server, "a").await;
    let patch = json!({ "kind": "Other", "spec": { "size": -1 }, "status": { "phase": "Ready" } });
    let answer = server.merge(&format!("{WIDGETS}/a/status"), &patch).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!((&answer.json()["kind"], &answer.json()["spec"]["size"]), (&json!("Widget"), &json!(1)));
    let answer = server.merge(&format!("{WIDGETS}/a/status"), &json!({ "status": "up" })).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.json()["details"]["causes"][0]["field"], "status");
}

#[tokio::test]
async fn a_grace_period_is_a_number() {
    let server = Server::new().await;
    created(&server, "a").await;
    let answer = server.delete(&format!("{WIDGETS}/a?gracePeriodSeconds=abc")).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(server.delete(&format!("{WIDGETS}/a?gracePeriodSeconds=5")).await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_request_ends_with_the_time_it_is_given() {
    let server = Server::new().await;
    let begun = tokio::time::Instant::now();
    // It would wait for three seconds.
    let answer = server.get(&format!("{WIDGETS}?resourceVersion=1000&timeout=1s")).await;
    assert_eq!((answer.status, begun.elapsed().as_secs()), (StatusCode::GATEWAY_TIMEOUT, 1));
    let status = answer.json();
    assert_eq!((&status["reason"], &status["code"]), (&json!("Timeout"), &json!(504)));
    assert_eq!(status["message"], "Timeout: request did not complete within the allotted timeout");
}
