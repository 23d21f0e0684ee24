//! Streams that are slow, or dropped.

use std::time::Duration;

use ebs_stub::Trouble;
use futures::{StreamExt, TryStreamExt};
use proto::cbt::Error;
use tokio::time::timeout;

use crate::support::{BLOCKS, Bench, allocated, config, map};

/// What must come about comes about within this time.
const SOON: Duration = Duration::from_secs(30);

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(SOON, wait).await.unwrap_or_else(|_| panic!("in vain: {what}"));
}

async fn bench(pages_ahead: u16) -> Bench {
    let config = cbt_ebs::Config { ebs_pages_ahead: pages_ahead, ..config() };
    let bench = Bench::with(map([], 0), map(0..BLOCKS, 1), &config).await;
    bench.stub.set(|settings| settings.page = 10);
    bench
}

#[tokio::test]
async fn pages_are_fetched_ahead_of_the_reader_and_no_further() {
    let bench = bench(5).await;
    let mut messages = bench.stream(allocated()).await;
    until("five pages ahead of the first", || bench.count("ListSnapshotBlocks") == 6).await;
    // Nothing asks for more: the task waits for room, and the stub for calls.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.count("ListSnapshotBlocks"), 6);
    messages.try_next().await.unwrap();
    messages.try_next().await.unwrap();
    until("another page for the one that was read", || bench.count("ListSnapshotBlocks") == 7).await;
}

/// In the middle of a call.
#[tokio::test]
async fn a_dropped_stream_ends_its_calls() {
    let bench = bench(5).await;
    bench.stub.plan(|call| (call.number == 2).then_some(Trouble::Silence));
    let messages = bench.stream(allocated()).await;
    until("a call without an answer", || bench.stub.waiting() == 1).await;
    drop(messages);
    until("the end of the call", || bench.stub.waiting() == 0).await;
    until("the end of the task", || bench.context.tasks.running().is_empty()).await;
    assert_eq!(bench.count("ListSnapshotBlocks"), 3);
}

/// Between two attempts.
#[tokio::test]
async fn a_dropped_stream_ends_its_retries() {
    let bench = bench(5).await;
    bench.stub.plan(|call| (call.number > 0).then_some(Trouble::Throttled));
    let messages = bench.stream(allocated()).await;
    until("an attempt that failed", || bench.count("ListSnapshotBlocks") >= 2).await;
    drop(messages);
    until("the end of the task", || bench.context.tasks.running().is_empty()).await;
}

/// The client goes on elsewhere from its last entry.
#[tokio::test]
async fn the_end_of_the_process_ends_a_stream_with_an_error() {
    let bench = bench(2).await;
    let mut messages = bench.stream(allocated()).await;
    messages.try_next().await.unwrap();
    bench.context.shutdown.drain();
    let rest: Vec<_> = messages.collect().await;
    assert!(matches!(rest.last(), Some(Err(Error::Unavailable(_)))), "{:?}", rest.last());
    timeout(SOON, bench.context.tasks.ended()).await.unwrap();
}

/// Before there is a stream.
#[tokio::test]
async fn a_question_that_is_taken_back_ends_its_call() {
    let bench = bench(5).await;
    bench.stub.plan(|_| Some(Trouble::Silence));
    let question = proto::cbt::ChangedBlocks::blocks(&bench.driver, allocated());
    assert!(timeout(Duration::from_millis(50), question).await.is_err());
    until("the end of the call", || bench.stub.waiting() == 0).await;
}
