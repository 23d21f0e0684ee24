//! Pages: how many are asked for, from where, and what is made of the odd ones.

use ebs_stub::{PastTheEnd, Trouble};
use proto::cbt::{Error, Query, Shape};

use crate::support::{BLOCKS, Bench, allocated, delta, map};

/// What the calls asked for: where to start, and at most how many.
fn asked(bench: &Bench) -> Vec<(Option<u32>, u32)> {
    let number = |text: &String| text.parse().unwrap();
    let calls = bench.stub.calls();
    let calls = calls.iter().map(|call| &call.members);
    calls.map(|members| (members.get("StartingBlockIndex").map(number), number(&members["MaxResults"]))).collect()
}

#[tokio::test]
async fn a_page_of_the_api_costs_one_call_wherever_it_is() {
    let bench = Bench::new(map([], 0), map(0..BLOCKS, 1)).await;
    for start in [0, 1000, u64::from(BLOCKS) - 256] {
        let listed = bench.list(Query { start, limit: 256, ..allocated() }).await.unwrap();
        assert_eq!(listed, (start as u32..start as u32 + 256).collect::<Vec<_>>());
    }
    assert_eq!(asked(&bench), [(Some(0), 256), (Some(1000), 256), (Some(BLOCKS - 256), 256)]);
}

#[tokio::test]
async fn as_many_are_asked_for_as_the_api_takes() {
    let bench = Bench::new(map([], 0), map(0..BLOCKS, 1)).await;
    for (limit, most) in [(1, 100), (100, 100), (101, 101), (10_000, 10_000), (10_001, 10_000), (0, 10_000)] {
        let before = asked(&bench).len();
        let listed = bench.list(Query { limit, ..allocated() }).await.unwrap();
        assert_eq!(listed.len() as u64, if limit == 0 { BLOCKS.into() } else { limit.min(BLOCKS.into()) });
        assert_eq!(asked(&bench)[before], (Some(0), most));
    }
}

/// One block changed, at the end of a full volume: pages before it are empty.
#[tokio::test]
async fn pages_without_blocks_do_not_end_a_list() {
    let mut target = map(0..BLOCKS, 1);
    target.insert(BLOCKS - 1, 2);
    let bench = Bench::new(map(0..BLOCKS, 1), target).await;
    bench.stub.set(|settings| settings.page = 100);
    assert_eq!(bench.list(delta()).await, Ok(vec![BLOCKS - 1]));
    assert_eq!(bench.count("ListChangedBlocks"), 21);
    // Having found that a small page is not enough, it asks for as much as can be had.
    assert_eq!(bench.list(Query { limit: 1, ..delta() }).await, Ok(vec![BLOCKS - 1]));
    let asked: Vec<_> = asked(&bench)[21..].iter().map(|(_, most)| *most).collect();
    assert_eq!((asked[0], asked[1]), (100, 10_000));
}

#[tokio::test]
async fn the_first_page_may_be_empty_and_the_last() {
    let bench = Bench::new(map([], 0), map(0..30, 1)).await;
    bench.stub.set(|settings| (settings.page, settings.empty_last_page) = (10, true));
    bench.stub.plan(|call| [0, 3].contains(&call.number).then_some(Trouble::Empty));
    assert_eq!(bench.list(allocated()).await, Ok((0..30).collect()));
    assert_eq!(bench.count("ListSnapshotBlocks"), 6);
}

#[tokio::test]
async fn a_list_that_ends_with_a_page_asks_for_no_other() {
    let bench = Bench::new(map([], 0), map(0..30, 1)).await;
    bench.stub.set(|settings| settings.page = 10);
    assert_eq!(bench.list(allocated()).await, Ok((0..30).collect()));
    assert_eq!(bench.count("ListSnapshotBlocks"), 3);
}

#[tokio::test]
async fn a_limit_within_a_page_ends_the_calls_with_it() {
    let bench = Bench::new(map([], 0), map(0..BLOCKS, 1)).await;
    bench.stub.set(|settings| settings.page = 10);
    assert_eq!(bench.list(Query { limit: 25, ..allocated() }).await, Ok((0..25).collect()));
    assert_eq!(bench.count("ListSnapshotBlocks"), 3);
}

#[tokio::test]
async fn the_end_of_the_volume_is_a_start_whatever_the_api_makes_of_it() {
    for past_the_end in [PastTheEnd::Empty, PastTheEnd::Refused] {
        let bench = Bench::new(map([], 0), map(0..BLOCKS, 1)).await;
        bench.stub.set(|settings| settings.past_the_end = past_the_end);
        let bytes = Query { shape: Shape::Ranges, ..allocated() };
        assert_eq!(bench.list(Query { start: BLOCKS.into(), ..allocated() }).await, Ok(vec![]));
        assert_eq!(bench.list(Query { start: 1 << 30, ..bytes.clone() }).await, Ok(vec![]));
        assert_eq!(bench.list(Query { start: (1 << 30) - 1, ..bytes.clone() }).await, Ok(vec![BLOCKS - 1]));
        for query in [
            Query { start: u64::from(BLOCKS) + 1, ..allocated() },
            Query { start: 1 << 31, ..allocated() },
            Query { start: (1 << 30) + 1, ..bytes },
        ] {
            assert!(matches!(bench.list(query).await, Err(Error::OutOfRange(_))), "{past_the_end:?}");
        }
    }
}

#[tokio::test]
async fn a_snapshot_without_blocks_says_how_large_it_is() {
    let bench = Bench::new(map([], 0), map([], 0)).await;
    let messages: Vec<_> = futures::StreamExt::collect(bench.stream(allocated()).await).await;
    let sizes: Vec<_> =
        messages.into_iter().map(|blocks| blocks.map(|blocks| (blocks.len(), blocks.capacity()))).collect();
    assert_eq!(sizes, [Ok((0, 1 << 30))]);
}
