//! What is forgotten, what is not, and that nothing is ever just shorter.

use super::*;
use crate::store::{At, Change, Status};

fn as_of(revision: Revision) -> ListOptions {
    ListOptions { at: At::Exact(revision), ..ListOptions::default() }
}

/// Three widgets, of which one was updated and one deleted; the revision before those, and the last.
async fn history(store: &dyn Store) -> (Revision, Revision) {
    for name in ["a", "b", "c"] {
        made(store, name).await;
    }
    let before = head(store).await;
    ok(update(store, &widget("default", "a"), content("u", "a2"), Expect::default()).await);
    ok(delete(store, &widget("default", "b"), Expect::default()).await);
    (before, head(store).await)
}

/// A watcher that comes back too late starts again.
pub async fn what_is_compacted_cannot_be_watched(subject: &dyn Subject) {
    let store = subject.store();
    let (before, end) = history(store).await;
    subject.compact(end).await;
    for after in [0, before, end - 1] {
        let refused = refusal(store.watch(&widgets(), WatchOptions { after }).await);
        assert_eq!(refused, Error::Compacted { requested: after, oldest: end });
    }
    assert_eq!(ok(store.status().await).compacted, end);
}

/// A page that comes too late starts again.
pub async fn what_is_compacted_cannot_be_listed(subject: &dyn Subject) {
    let store = subject.store();
    let (before, end) = history(store).await;
    subject.compact(end).await;
    for revision in [0, before, end - 1] {
        let refused = refusal(listed(store, &widgets(), as_of(revision)).await);
        assert_eq!(refused, Error::Compacted { requested: revision, oldest: end });
    }
}

/// It is the border, and it belongs to what is kept.
pub async fn the_oldest_kept_revision_can_be_listed_and_watched(subject: &dyn Subject) {
    let store = subject.store();
    let (before, end) = history(store).await;
    let then = ok(listed(store, &widgets(), as_of(before)).await);
    subject.compact(before).await;
    assert_eq!(ok(listed(store, &widgets(), as_of(before)).await), then);
    let events = events_until(&mut watched(store, &widgets(), before).await, end).await;
    let [updated, deleted] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(updated.previous.as_ref().map(|previous| previous.content.clone()), Some(content("u", "a")));
    assert_eq!((deleted.change, &deleted.entry.content), (Change::Deleted, &content("u", "b")));
}

/// However old they are.
pub async fn objects_outlive_compaction(subject: &dyn Subject) {
    let store = subject.store();
    let (_, end) = history(store).await;
    let (_, before) = ok(listed(store, &widgets(), ListOptions::default()).await);
    subject.compact(end).await;
    assert_eq!(ok(listed(store, &widgets(), ListOptions::default()).await), (end, before.clone()));
    assert_eq!(names(&before), ["default/a", "default/c"]);
    for Entry { key, revision, content } in before {
        let entry = ok(store.get(&key, At::Latest).await);
        assert_eq!(entry.as_ref().map(|entry| (entry.revision, &entry.content)), Some((revision, &content)));
        ok(update(store, &key, content, at(revision)).await);
    }
}

/// As if it had never been.
pub async fn a_deleted_name_can_be_used_after_compaction(subject: &dyn Subject) {
    let store = subject.store();
    let (_, end) = history(store).await;
    subject.compact(end).await;
    let key = widget("default", "b");
    assert_eq!(ok(store.get(&key, At::Latest).await), None);
    assert_eq!(error(delete(store, &key, Expect::default()).await), Error::NotFound { key: key.clone() });
    let again = ok(create(store, &key, content("v", "again")).await);
    subject.compact(again).await;
    assert_eq!(ok(store.get(&key, At::Latest).await).map(|entry| entry.revision), Some(again));
}

/// Also when nothing is left.
pub async fn revisions_go_on_after_compaction(subject: &dyn Subject) {
    let store = subject.store();
    made(store, "a").await;
    let end = ok(delete(store, &widget("default", "a"), Expect::default()).await);
    subject.compact(end + 100).await;
    let Status { revision, compacted, .. } = ok(store.status().await);
    assert_eq!((revision, compacted), (end, end));
    assert_eq!(made(store, "b").await, end + 1);
}

/// A running list holds what it reads.
pub async fn a_running_list_is_complete_though_history_is_compacted(subject: &dyn Subject) {
    let store = subject.store();
    let keys: Vec<_> = (0..1200).map(|number| widget("n", &format!("w{number:04}"))).collect();
    for some in keys.chunks(300) {
        futures::future::join_all(some.iter().map(|key| create(store, key, content("u", "x".repeat(2000))))).await;
    }
    let mut list = ok(store.list(&widgets(), ListOptions::default()).await);
    let mut entries = ok(list.chunks.next().await.expect("there are some"));
    for key in &keys[keys.len() - 50..] {
        ok(delete(store, key, Expect::default()).await);
    }
    subject.compact(head(store).await).await;
    while let Some(chunk) = list.chunks.next().await {
        entries.extend(ok(chunk));
    }
    let listed: Vec<_> = entries.into_iter().map(|entry| entry.key).collect();
    assert_eq!(listed, keys);
}

/// It needs nothing of what is gone.
pub async fn a_watch_that_is_up_to_date_outlives_compaction(subject: &dyn Subject) {
    let store = subject.store();
    let (_, end) = history(store).await;
    let mut watch = watched(store, &widgets(), end).await;
    next(&mut watch).await;
    subject.compact(end).await;
    let after = made(store, "d").await;
    assert_eq!(revisions(&events_until(&mut watch, after).await), [after]);
}
