//! Bookmarks: how far a watch is, although nothing happens.

use api_testing::Server;
use serde_json::Value;

use super::{WIDGETS, created, revision, widget};

/// The clock jumps when everybody waits, so that minutes pass at once.
#[tokio::test(start_paused = true)]
async fn bookmarks_come_each_minute_and_before_the_end() {
    let server = Server::new().await;
    let first = revision(&created(&server, "a").await);
    let begun = tokio::time::Instant::now();
    let query = "watch=1&allowWatchBookmarks=true&timeoutSeconds=150";
    let mut watch = server.watch(&format!("{WIDGETS}?{query}&resourceVersion={first}")).await;
    let mut at = Vec::new();
    for _ in 0..3 {
        let event: Value = watch.next_within(std::time::Duration::from_secs(200)).await;
        assert_eq!((&event["type"], &event["object"]["kind"]), (&"BOOKMARK".into(), &"Widget".into()));
        assert_eq!(revision(&event["object"]), first, "nothing has happened");
        assert_eq!(event["object"]["metadata"].as_object().map(serde_json::Map::len), Some(1), "{event}");
        at.push(begun.elapsed().as_secs());
    }
    assert_eq!(at, [60, 120, 148], "each minute, and two seconds before the end");
}

#[tokio::test(start_paused = true)]
async fn a_bookmark_is_of_what_others_wrote() {
    let server = Server::new().await;
    let first = revision(&created(&server, "a").await);
    let query = format!("watch=1&allowWatchBookmarks=true&resourceVersion={first}");
    let mut watch = server.watch(&format!("/apis/gold.example.com/v1/namespaces/other/widgets?{query}")).await;
    let last = revision(&server.post(WIDGETS, &widget("b", 1)).await.json());
    let event: Value = watch.next_within(std::time::Duration::from_secs(200)).await;
    assert_eq!(
        (&event["type"], revision(&event["object"])),
        (&"BOOKMARK".into(), last),
        "it need not begin before that"
    );
}
