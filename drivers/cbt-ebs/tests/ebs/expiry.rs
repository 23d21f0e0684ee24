//! Tokens that expire.

use std::time::Duration;

use bytes::Bytes;
use ebs_stub::Trouble;
use futures::{StreamExt, TryStreamExt};
use proto::cbt::{ChangedBlocks, Error, Query, Read};

use crate::support::{BLOCKS, Bench, TARGET, allocated, config, delta, handle, indices, map};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// A reader that pauses for longer than page tokens are good, again and again.
#[tokio::test]
async fn a_list_outlives_its_page_tokens() {
    let config = cbt_ebs::Config { ebs_pages_ahead: 1, ..config() };
    let bench = Bench::with(map(0..BLOCKS, 1), map(0..BLOCKS, 2), &config).await;
    bench.stub.set(|settings| settings.page = 100);
    let mut messages = bench.stream(delta()).await;
    let mut listed = Vec::new();
    while let Some(blocks) = messages.try_next().await.unwrap() {
        listed.extend(indices(&blocks));
        bench.stub.advance(HOUR);
    }
    assert_eq!(listed, (0..BLOCKS).collect::<Vec<_>>());
    let expired = bench.stub.calls().iter().filter(|call| call.error.is_some()).count();
    assert!(expired >= 10, "only {expired} page tokens expired");
}

/// Where a new listing begins is where the last block was, though empty pages came after it.
#[tokio::test]
async fn an_expired_token_after_empty_pages_loses_nothing() {
    let bench = Bench::new(map(0..BLOCKS, 1), map(0..BLOCKS, 2)).await;
    bench.stub.set(|settings| settings.page = 100);
    bench.stub.plan(|call| match call.number {
        3 | 4 | 6 | 8 => Some(Trouble::Empty),
        5 | 7 | 9 => Some(Trouble::PageToken),
        _ => None,
    });
    assert_eq!(bench.list(delta()).await, Ok((0..BLOCKS).collect()));
}

#[tokio::test]
async fn page_tokens_that_are_never_good_end_a_list_with_an_error() {
    let bench = Bench::new(map(0..BLOCKS, 1), map(0..BLOCKS, 2)).await;
    bench.stub.set(|settings| settings.page = 100);
    // Every new listing finds nothing and a token, which is not good.
    bench.stub.plan(|call| match call.members.contains_key("NextToken") {
        true => Some(Trouble::PageToken),
        false => (call.number > 0).then_some(Trouble::Empty),
    });
    let mut messages = bench.stream(delta()).await;
    let first = messages.try_next().await.unwrap().unwrap();
    assert_eq!(indices(&first), (0..100).collect::<Vec<_>>());
    assert!(matches!(messages.next().await, Some(Err(Error::Unavailable(_)))));
    assert!(messages.next().await.is_none());
}

#[tokio::test]
async fn block_tokens_say_how_long_they_are_good_and_are_no_longer() {
    let bench = Bench::new(map([], 0), map(0..4, 1)).await;
    bench.stub.set(|settings| settings.block_tokens = HOUR);
    let query = Query { tokens: true, ..allocated() };
    let blocks = bench.stream(query.clone()).await.try_next().await.unwrap().unwrap();
    let (issued, ttl) = blocks.validity();
    assert!(issued > 1_700_000_000 && (3000..=3600).contains(&ttl), "{issued} {ttl}");
    // The service's clock runs ahead of ours: a token that it does not take any more, and we think is good.
    let tokens: Vec<Bytes> = bench.tokens(query).await.into_iter().map(Bytes::from).collect();
    let read = || Read { target: handle(TARGET), tokens: tokens.clone(), secrets: Default::default() };
    assert_eq!(bench.driver.read(read()).await.unwrap().count().await, 4);
    bench.stub.advance(HOUR);
    let refused = bench.driver.read(read()).await.unwrap().try_next().await.unwrap_err();
    assert!(matches!(refused, Error::Invalid(_)), "{refused:?}");
    // Both agree: it has expired.
    bench.stub.set(|settings| settings.block_tokens = Duration::ZERO);
    let tokens: Vec<Bytes> =
        bench.tokens(Query { tokens: true, ..allocated() }).await.into_iter().map(Bytes::from).collect();
    let clock: runtime::clock::Clock = std::sync::Arc::new(|| runtime::clock::system()() + 2 * HOUR);
    let context = runtime::Context { clock, ..runtime::Context::new() };
    let later = cbt_ebs::Driver::new(&crate::support::sdk(&bench.stub.url()).await, &config(), &context);
    let read = Read { target: handle(TARGET), tokens, secrets: Default::default() };
    let refused = later.read(read).await.unwrap().try_next().await.unwrap_err();
    assert!(matches!(refused, Error::Expired(_)), "{refused:?}");
}
