//! Data of blocks.

use std::time::Duration;

use bytes::Bytes;
use ebs_stub::{Trouble, data};
use futures::{StreamExt, TryStreamExt};
use proto::cbt::{ChangedBlocks, Data, Error, Read, Result};

use crate::support::{Bench, TARGET, allocated, config, delta, handle, map};

async fn read(bench: &Bench, tokens: Vec<Vec<u8>>) -> Result<Vec<Data>> {
    let tokens = tokens.into_iter().map(Bytes::from).collect();
    bench.driver.read(Read { target: handle(TARGET), tokens, secrets: Default::default() }).await?.try_collect().await
}

#[tokio::test]
async fn a_block_that_is_gone_from_the_later_snapshot_is_zeros() {
    let mut target = map(0..4, 1);
    target.remove(&2);
    let bench = Bench::new(map(0..4, 1), target).await;
    let tokens = bench.tokens(delta()).await;
    assert_eq!(tokens.len(), 1);
    let read = read(&bench, tokens).await.unwrap();
    assert_eq!((read[0].offset, read[0].bytes.len()), (2 * 524_288, 524_288));
    assert!(read[0].bytes.iter().all(|byte| *byte == 0));
    assert_eq!(bench.count("GetSnapshotBlock"), 0);
}

#[tokio::test]
async fn what_fails_for_a_moment_is_read_again() {
    let bench = Bench::new(map([], 0), map(0..5, 7)).await;
    bench.stub.plan(|call| match (call.operation.as_str(), call.number) {
        ("GetSnapshotBlock", 0) => Some(Trouble::Corrupt),
        ("GetSnapshotBlock", 1) => Some(Trouble::Cut),
        ("GetSnapshotBlock", 2) => Some(Trouble::Throttled),
        _ => None,
    });
    let tokens = bench.tokens(allocated()).await;
    let read = read(&bench, tokens).await.unwrap();
    assert_eq!(read.iter().map(|data| data.offset / 524_288).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert!(read.iter().all(|piece| piece.bytes == data(7)));
    assert_eq!(bench.count("GetSnapshotBlock"), 8);
}

#[tokio::test]
async fn data_without_their_checksum_are_never_passed_on() {
    let config = cbt_ebs::Config { ebs_retry_timeout: Duration::from_millis(300), ..config() };
    for trouble in [Trouble::Corrupt, Trouble::Short] {
        let bench = Bench::with(map([], 0), map(0..2, 7), &config).await;
        let tokens = bench.tokens(allocated()).await;
        let planned = trouble.clone();
        bench.stub.plan(move |_| Some(planned.clone()));
        let refused = read(&bench, tokens).await;
        assert!(matches!(refused, Err(Error::Broken(_))), "{trouble:?}");
    }
}

/// Some at a time, no more.
#[tokio::test]
async fn blocks_are_fetched_while_they_are_read() {
    let config = cbt_ebs::Config { ebs_reads_ahead: 3, ..config() };
    let bench = Bench::with(map([], 0), map(0..20, 7), &config).await;
    let tokens = bench.tokens(allocated()).await.into_iter().map(Bytes::from).collect();
    bench.stub.plan(|_| Some(Trouble::Silence));
    let read = Read { target: handle(TARGET), tokens, secrets: Default::default() };
    let mut pieces = bench.driver.read(read).await.unwrap();
    let waiting = async {
        while bench.stub.waiting() < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        piece = pieces.next() => panic!("{piece:?}"),
        () = waiting => {}
    }
    assert_eq!(bench.count("GetSnapshotBlock"), 3);
    drop(pieces);
    while bench.stub.waiting() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.count("GetSnapshotBlock"), 3);
}
