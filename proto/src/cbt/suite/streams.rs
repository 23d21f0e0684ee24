//! Streams as such.

use futures::future::try_join_all;

use super::*;

/// Dropped before, at, or after their first message, many of them.
pub async fn dropped_streams_leave_nothing_behind(subject: &dyn Subject) {
    let truth = subject.truth();
    let whole = ok(list(subject.blocks(), truth.delta()).await).entries;
    for round in 0..48 {
        let query = Query { per_message: 1, ..if round % 2 == 0 { truth.delta() } else { truth.allocated() } };
        let mut messages = ok(timeout(SOON, subject.blocks().blocks(query)).await.expect("a list begins soon"));
        for _ in 0..round % 3 {
            timeout(SOON, messages.next()).await.expect("a message comes soon");
        }
    }
    assert_eq!(ok(list(subject.blocks(), truth.delta()).await).entries, whole);
}

/// Each its own.
pub async fn concurrent_lists_are_the_same(subject: &dyn Subject) {
    let query = Query { per_message: 1, ..subject.truth().delta() };
    let lists = ok(try_join_all((0..8).map(|_| list(subject.blocks(), query.clone()))).await);
    assert!(lists.iter().all(|listed| listed.entries == lists[0].entries));
}
