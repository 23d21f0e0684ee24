//! What has left the history.

use http::StatusCode;
use serde_json::json;

use api_testing::Server;

use crate::{WIDGETS, created, names, revision};

/// A server whose history begins after its first three widgets, and the first one's revision.
async fn forgetful() -> (Server, u64) {
    let server = Server::new().await;
    let first = revision(&created(&server, "a").await);
    created(&server, "b").await;
    let last = revision(&created(&server, "c").await);
    server.compact(last).await;
    (server, first)
}

#[tokio::test]
async fn a_watch_from_before_the_history_ends_with_gone() {
    let (server, first) = forgetful().await;
    let mut watch = server.watch(&format!("{WIDGETS}?watch=1&resourceVersion={first}")).await;
    let event = watch.next().await;
    assert_eq!(event["type"], "ERROR");
    assert_eq!(event["object"]["code"], 410);
    assert_eq!(event["object"]["reason"], "Expired");
    let message = event["object"]["message"].as_str().expect("a message");
    assert!(message.starts_with(&format!("too old resource version: {first} (")), "{message}");
}

#[tokio::test]
async fn a_list_as_of_before_the_history_is_gone() {
    let (server, first) = forgetful().await;
    let answer = server.get(&format!("{WIDGETS}?resourceVersion={first}&resourceVersionMatch=Exact")).await;
    assert_eq!(answer.status, StatusCode::GONE);
    assert_eq!(answer.json()["message"], "The resourceVersion for the provided list is too old.");
}

#[tokio::test]
async fn an_expired_page_comes_with_a_token_that_goes_on() {
    let server = Server::new().await;
    for name in ["a", "b", "c"] {
        created(&server, name).await;
    }
    let page = server.get(&format!("{WIDGETS}?limit=1")).await.json();
    let token = page["metadata"]["continue"].as_str().expect("a token").to_owned();
    server.delete(&format!("{WIDGETS}/c")).await;
    server.compact(revision(&created(&server, "d").await)).await;
    let gone = server.get(&format!("{WIDGETS}?limit=1&continue={token}")).await;
    assert_eq!(gone.status, StatusCode::GONE);
    let again = gone.json()["metadata"]["continue"].as_str().expect("another token").to_owned();
    let rest = server.get(&format!("{WIDGETS}?continue={again}")).await.json();
    assert_eq!(names(&rest), ["b", "d"], "what is there now, behind where the page ended");
}

#[tokio::test]
async fn a_revision_that_is_not_reached_is_waited_for_and_then_refused() {
    let (server, _) = forgetful().await;
    tokio::time::pause();
    let answer = server.get(&format!("{WIDGETS}?resourceVersion=1000")).await;
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(answer.headers["retry-after"], "1");
    let causes = json!([{ "reason": "ResourceVersionTooLarge", "message": "Too large resource version" }]);
    assert_eq!(answer.json()["details"]["causes"], causes);
}
