//! Quotas and weak moments.

use std::time::Duration;

use ebs_stub::Trouble;
use futures::{StreamExt, future::try_join_all};
use proto::cbt::{Error, Query};

use crate::support::{BLOCKS, Bench, allocated, config, delta, indices, map};

async fn bench(retry_timeout: Duration) -> Bench {
    let config = cbt_ebs::Config { ebs_retry_timeout: retry_timeout, ..config() };
    let bench = Bench::with(map(0..BLOCKS, 1), map(0..BLOCKS, 2), &config).await;
    bench.stub.set(|settings| settings.page = 200);
    bench
}

#[tokio::test]
async fn what_passes_in_mid_stream_is_not_seen() {
    let bench = bench(Duration::from_secs(20)).await;
    let troubles = [
        Trouble::Throttled,
        Trouble::Throttling,
        Trouble::Failure(500),
        Trouble::Failure(503),
        Trouble::Failure(429),
        Trouble::Cut,
    ];
    let count = troubles.len();
    bench.stub.plan(move |call| (call.number % 2 == 1).then(|| troubles[call.number / 2 % count].clone()));
    assert_eq!(bench.list(delta()).await, Ok((0..BLOCKS).collect()));
    let failed = bench.stub.calls().iter().filter(|call| call.error.is_some()).count();
    assert!(failed >= count - 1, "only {failed} calls failed");
}

#[tokio::test]
async fn an_account_that_is_too_slow_for_its_streams_serves_them_all() {
    let bench = bench(Duration::from_secs(60)).await;
    bench.stub.limit("ListChangedBlocks", 40.0, 4.0);
    let lists = try_join_all((0..6).map(|_| bench.list(delta()))).await.unwrap();
    assert!(lists.iter().all(|listed| *listed == (0..BLOCKS).collect::<Vec<_>>()));
    assert!(bench.stub.calls().iter().any(|call| call.error == Some("RequestThrottledException")));
}

/// The pace keeps within the quota: nothing is throttled.
#[tokio::test]
async fn who_knows_the_quota_is_not_throttled() {
    let config = cbt_ebs::Config { ebs_requests_per_second: 100, ..config() };
    let bench = Bench::with(map(0..BLOCKS, 1), map(0..BLOCKS, 2), &config).await;
    bench.stub.set(|settings| settings.page = 200);
    // More calls than the burst lets through, which is for those that come late and together.
    bench.stub.limit("ListChangedBlocks", 100.0, 30.0);
    try_join_all((0..6).map(|_| bench.list(delta()))).await.unwrap();
    assert_eq!(bench.stub.calls().len(), 6 * 11);
    assert_eq!(bench.stub.calls().iter().filter(|call| call.error.is_some()).count(), 0);
}

/// What came before is good.
#[tokio::test]
async fn what_does_not_pass_ends_the_stream_after_its_last_good_entry() {
    for (trouble, code) in [(Trouble::Throttled, "throttled"), (Trouble::Failure(503), "unavailable")] {
        let bench = bench(Duration::from_millis(500)).await;
        bench.stub.plan(move |call| (call.number > 1).then(|| trouble.clone()));
        let messages: Vec<_> = bench.stream(delta()).await.collect().await;
        let listed: Vec<u32> = messages.iter().flatten().flat_map(indices).collect();
        assert_eq!(listed, (0..400).collect::<Vec<_>>());
        let error = messages.last().cloned().unwrap().unwrap_err();
        let expected = match error {
            Error::Throttled { .. } => "throttled",
            Error::Unavailable(_) => "unavailable",
            ref other => panic!("{other:?}"),
        };
        assert_eq!(code, expected, "{error}");
    }
}

#[tokio::test]
async fn a_first_page_that_does_not_come_is_a_refusal() {
    let bench = bench(Duration::from_millis(200)).await;
    bench.stub.plan(|_| Some(Trouble::Throttled));
    assert!(matches!(bench.list(Query { limit: 1, ..allocated() }).await, Err(Error::Throttled { .. })));
}
