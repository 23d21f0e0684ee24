//! Drivers that break the contract, each in its way: what they sent before is good, and then there is an error.

use std::sync::Arc;

use futures::{StreamExt, stream};
use proto::cbt::{Blocks, Error, Kind, Query};

use super::{
    allocated, blocks, collected, relay,
    scripted::{CAPACITY, Scripted, message, nothing, of},
};

use Kind::{Fixed, Variable};

/// What a driver sends, of which the last message is a lie, and how that is called.
fn lies() -> Vec<(Query, Vec<Blocks>, &'static str)> {
    let good = || message(Fixed, &[(0, 4096), (4096, 4096)]);
    vec![
        (allocated(), vec![good(), message(Fixed, &[(16384, 4096), (8192, 4096)])], "out of order"),
        (allocated(), vec![good(), message(Fixed, &[(4096, 4096)])], "overlap"),
        (allocated(), vec![good(), message(Fixed, &[(6000, 4096)])], "overlap"),
        (allocated(), vec![good(), good()], "overlap"),
        (allocated(), vec![good(), message(Fixed, &[(8192, 8192)])], "different sizes"),
        (allocated(), vec![good(), message(Fixed, &[(8192, 4096), (12288, 512)])], "different sizes"),
        (allocated(), vec![good(), message(Variable, &[(8192, 4096)])], "within a stream"),
        (allocated(), vec![good(), of(Fixed, CAPACITY / 2, &[(8192, 4096)])], "within a stream"),
        (allocated(), vec![good(), message(Fixed, &[(CAPACITY, 4096)])], "beyond the end"),
        (allocated(), vec![good(), message(Fixed, &[(1 << 50, 4096)])], "beyond the end"),
        (allocated(), vec![message(Variable, &[(CAPACITY - 5, 6)])], "beyond the end"),
        (allocated(), vec![good(), nothing()], "without entries"),
        (Query { start: 8192, ..allocated() }, vec![good()], "before the start"),
        (Query { start: 2, ..blocks() }, vec![good()], "before the start"),
        (
            Query { limit: 3, ..allocated() },
            vec![good(), message(Fixed, &[(8192, 4096), (12288, 4096)])],
            "more entries",
        ),
        (blocks(), vec![good(), message(Fixed, &[(9000, 4096)])], "multiples"),
        (blocks(), vec![message(Variable, &[(0, 4096)])], "of any size"),
    ]
}

#[tokio::test]
async fn a_lie_is_an_error_after_what_was_good() {
    for (query, messages, what) in lies() {
        let (sent, expected) = (messages.clone(), messages[..messages.len() - 1].to_vec());
        let driver = Scripted(move |_| Ok(stream::iter(sent.clone()).map(Ok).boxed()));
        let (came, end) = collected(&relay(Arc::new(driver)), query).await;
        assert_eq!(came, expected, "{what}");
        match end {
            Err(Error::Broken(why)) => assert!(why.contains(what), "{why}"),
            other => panic!("{other:?} for {what}"),
        }
    }
}

#[tokio::test]
async fn a_driver_without_end_is_stopped_at_the_end_of_the_volume() {
    let driver = Scripted(|_| {
        let block = |index: u64| Ok(of(Fixed, 1 << 20, &[(index * 4096, 4096)]));
        Ok(stream::iter((0..).map(block)).boxed())
    });
    let (came, end) = collected(&relay(Arc::new(driver)), allocated()).await;
    assert_eq!(came.len(), 256);
    assert!(matches!(end, Err(Error::Broken(_))), "{end:?}");
}

#[tokio::test]
async fn a_driver_that_says_nothing_without_end_is_stopped() {
    let driver = Scripted(|_| Ok(stream::repeat_with(|| Ok(nothing())).boxed()));
    let (came, end) = collected(&relay(Arc::new(driver)), allocated()).await;
    assert_eq!(came.len(), 1);
    assert!(matches!(end, Err(Error::Broken(_))), "{end:?}");
}

#[tokio::test]
async fn messages_that_are_too_large_are_cut_and_lose_nothing() {
    let entries: Vec<_> = (0..300_000).map(|index| (index * 4096, 4096)).collect();
    let large = message(Fixed, &entries);
    let driver = || {
        let large = large.clone();
        Scripted(move |_| Ok(stream::iter([Ok(large.clone())]).boxed()))
    };
    for (query, most) in [(allocated(), usize::MAX), (Query { per_message: 1000, ..allocated() }, 1000)] {
        let (came, end) = collected(&relay(Arc::new(driver())), query).await;
        assert_eq!(end, Ok(()));
        assert!(came.len() > 1 && came.iter().all(|message| message.len() <= most));
        assert!(came.iter().all(|message| message.encoded().len() <= 2 << 20), "clients take 4 MiB");
        let all: Vec<_> =
            came.iter().flat_map(|message| message.iter()).map(|block| (block.offset, block.size)).collect();
        assert_eq!(all, entries);
    }
}
