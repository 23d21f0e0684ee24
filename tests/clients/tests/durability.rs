//! Writers and `kill -9`: what was acknowledged is there afterwards, always.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clients::{bundle_deployment, collection};
use futures::future::join_all;
use kit::{Client, Outrigger, Response};
use serde_json::Value;

const WRITERS: usize = 16;

/// What one writer was told: the revision of each object it was answered for.
type Acknowledged = BTreeMap<String, u64>;

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_survive_three_kills() {
    nothing_is_lost_in(3).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "heavy: 100 kill -9 cycles under 16 writers"]
async fn acknowledged_writes_survive_a_hundred_kills() {
    nothing_is_lost_in(100).await;
}

async fn nothing_is_lost_in(cycles: usize) {
    let mut outrigger = Outrigger::standalone(&[], &[]).unwrap();
    let client = outrigger.admin().unwrap();
    let mut acknowledged = Acknowledged::new();
    for cycle in 0..cycles {
        let stop = Arc::new(AtomicBool::new(false));
        let writers =
            (0..WRITERS).map(|writer| write(client.clone(), format!("c{cycle}-w{writer}"), Arc::clone(&stop)));
        let writing = join_all(writers);
        let killing = async {
            tokio::time::sleep(Duration::from_millis(150 + 37 * (cycle as u64 % 7))).await;
            outrigger.kill().unwrap();
            stop.store(true, Ordering::Relaxed);
        };
        let (told, ()) = tokio::join!(writing, killing);
        acknowledged.extend(told.into_iter().flatten());
        outrigger.start_again().unwrap();
    }
    assert!(acknowledged.len() > cycles * WRITERS, "the writers got something done: {}", acknowledged.len());
    let stored = list(&client).await;
    let lost: Vec<&String> = acknowledged
        .iter()
        .filter(|(name, revision)| stored.get(*name) < Some(*revision))
        .map(|(name, _)| name)
        .collect();
    assert!(lost.is_empty(), "{} of {} acknowledged writes are lost: {lost:?}", lost.len(), acknowledged.len());
}

/// Creates and updates until the server is gone; returns the last revision it was told of each object.
async fn write(client: Client, prefix: String, stop: Arc<AtomicBool>) -> Acknowledged {
    let (mut told, path) = (Acknowledged::new(), collection("durability"));
    let patch = [("content-type", "application/merge-patch+json")];
    for index in 0.. {
        let name = format!("{prefix}-{index}");
        let created = client.post(&path, &bundle_deployment(&name, "s-1:a")).await;
        let Some(first) = acknowledged(created, 201) else { break };
        told.insert(name.clone(), first);
        let changed =
            client.send("PATCH", &format!("{path}/{name}"), &patch, r#"{"spec":{"deploymentID":"s-2:b"}}"#).await;
        let Some(second) = acknowledged(changed, 200) else { break };
        told.insert(name, second);
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    told
}

/// The revision of a write, if it was acknowledged.
fn acknowledged(answer: anyhow::Result<Response>, status: u16) -> Option<u64> {
    let answer = answer.ok().filter(|answer| answer.status == status)?;
    revision(&answer.json().ok()?)
}

async fn list(client: &Client) -> Acknowledged {
    let list = client.get(&collection("durability")).await.unwrap().success().unwrap();
    let objects = list["items"].as_array().unwrap().iter();
    objects.map(|object| (object["metadata"]["name"].as_str().unwrap().to_owned(), revision(object).unwrap())).collect()
}

fn revision(object: &Value) -> Option<u64> {
    object["metadata"]["resourceVersion"].as_str()?.parse().ok()
}
