//! Reads of one object.

use futures::join;
use tokio::time::{Instant, sleep};

use super::*;
use crate::store::At;

/// A read of what is not there is no error.
pub async fn nothing_is_none(store: &dyn Store) {
    assert_eq!(ok(store.get(&widget("default", "a"), At::Latest).await), None);
    made(store, "a").await;
    assert_eq!(ok(store.get(&widget("default", "b"), At::Latest).await), None);
    assert_eq!(ok(store.get(&widget("other", "a"), At::Latest).await), None);
}

/// One object is not read as of a revision.
pub async fn exact_revisions_are_invalid(store: &dyn Store) {
    let revision = made(store, "a").await;
    let refused = error(store.get(&widget("default", "a"), At::Exact(revision)).await);
    assert!(matches!(refused, Error::Invalid { .. }), "{refused:?}");
}

/// Any revision that is reached will do, and 0 is always.
pub async fn a_read_is_not_older_than_asked(store: &dyn Store) {
    let key = widget("default", "a");
    let first = made(store, "a").await;
    let second = ok(update(store, &key, content("u", "y"), at(first)).await);
    for revision in [0, first, second] {
        let entry = ok(store.get(&key, At::NotOlderThan(revision)).await).expect("it is there");
        assert!(entry.revision >= revision.max(second), "{revision}");
    }
}

/// A reader may be ahead of a writer.
pub async fn a_read_waits_for_a_revision_that_comes(store: &dyn Store) {
    let key = widget("default", "a");
    let first = made(store, "a").await;
    let read = store.get(&key, At::NotOlderThan(first + 1));
    let write = async {
        sleep(Duration::from_millis(100)).await;
        ok(update(store, &key, content("u", "y"), at(first)).await)
    };
    let (entry, second) = join!(read, write);
    assert_eq!(ok(entry).map(|entry| entry.revision), Some(second));
}

/// But not for ever.
pub async fn a_revision_that_never_comes_is_refused(store: &dyn Store) {
    let current = made(store, "a").await;
    let start = Instant::now();
    let refused = error(store.get(&widget("default", "a"), At::NotOlderThan(current + 5)).await);
    assert_eq!(refused, Error::Future { requested: current + 5, current });
    assert!((Duration::from_secs(2)..Duration::from_secs(10)).contains(&start.elapsed()));
}
