//! The store of a process: opened, measured, and closed with the process.

use std::sync::Arc;

use bytes::Bytes;
use proto::store::{At, Content, Error, Key, Labels, Op, Store, Value, Write, Written};
use runtime::Context;
use storage::{Config, Database};

fn key(name: &str) -> Key {
    Key { group: "g".into(), resource: "widgets".into(), namespace: "n".into(), name: name.into() }
}

fn creation(name: &str) -> Write {
    let value = Value { json: Bytes::from_static(b"{}"), splice: 1, schema: "s".into() };
    let content = Content { uid: "u".into(), labels: Labels::new(), fields: Labels::new(), value };
    Write { key: key(name), op: Op::Create(content) }
}

async fn open(database: &Database, context: &Context) -> anyhow::Result<Arc<dyn Store>> {
    storage::open(database, &Config::default(), context).await
}

#[tokio::test]
async fn a_second_process_is_told_to_take_another_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = Database::Sqlite(folder.path().join("x.db"));
    let _store = open(&database, &Context::new()).await.expect("it can be opened");
    let refused = open(&database, &Context::new()).await.err().expect("it belongs to the first");
    let text = format!("{refused:#}");
    assert!(text.contains("--db") && text.contains("x.db is in use by another process"), "{text}");
}

#[tokio::test]
async fn the_store_serves_until_the_last_request_of_a_drain_is_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = Database::Sqlite(folder.path().join("x.db"));
    let context = Context::new();
    let store = open(&database, &context).await.expect("it can be opened");
    let request = context.shutdown.guard();
    context.shutdown.drain();
    assert_eq!(store.write(creation("a")).await, Ok(Written { revision: 1 }));
    drop(request);
    context.tasks.ended().await;
    assert!(matches!(store.write(creation("b")).await, Err(Error::Unavailable { .. })));
    assert!(!context.tasks.failed());
    assert!(open(&database, &Context::new()).await.is_err(), "the store still holds the lock");
    drop(store);
    let again = open(&database, &Context::new()).await.expect("it is free");
    assert!(again.get(&key("a"), At::Latest).await.is_ok_and(|entry| entry.is_some()));
}

#[tokio::test]
async fn what_is_asked_is_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let context = Context::new();
    let store = open(&Database::Sqlite(folder.path().join("x.db")), &context).await.expect("it can be opened");
    store.write(creation("a")).await.expect("it works");
    store.write(creation("a")).await.expect_err("it is there");
    store.get(&key("a"), At::Latest).await.expect("it works");
    let text = context.metrics.encode();
    for line in [
        "outrigger_store_requests_total{operation=\"create\",outcome=\"ok\"} 1",
        "outrigger_store_requests_total{operation=\"create\",outcome=\"already_exists\"} 1",
        "outrigger_store_requests_total{operation=\"get\",outcome=\"ok\"} 1",
        "outrigger_store_request_duration_seconds_count{operation=\"create\"} 2",
        "outrigger_log_writes_total 1",
        "outrigger_log_revision 1",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}
