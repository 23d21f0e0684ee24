//! Watches: every event after a revision, in order, once.

use futures::future::join_all;

use super::*;
use crate::store::{Change, Previous};

fn event(change: Change, key: &Key, revision: Revision, content: Content) -> Event {
    Event { change, entry: Entry { key: key.clone(), revision, content }, previous: None }
}

/// So that whoever waits for it knows where it stands.
pub async fn the_first_batch_comes_at_once(store: &dyn Store) {
    let revision = made(store, "a").await;
    let mut watch = watched(store, &widgets(), revision).await;
    assert_eq!(next(&mut watch).await, Batch { events: vec![], upto: revision });
}

/// With what was before an update, and what was last before a deletion.
pub async fn events_say_what_happened(store: &dyn Store) {
    let key = widget("default", "a");
    let start = head(store).await;
    let mut watch = watched(store, &widgets(), start).await;
    let old = labelled("x", [("a", "1")]);
    let new = Content { fields: labels([("f", "1")]), ..labelled("y", [("a", "2")]) };
    ok(create(store, &key, old.clone()).await);
    ok(update(store, &key, new.clone(), Expect::default()).await);
    let end = ok(delete(store, &key, Expect::default()).await);
    let expected = [
        event(Change::Created, &key, start + 1, old.clone()),
        Event {
            previous: Some(Previous { revision: start + 1, content: old }),
            ..event(Change::Updated, &key, start + 2, new.clone())
        },
        event(Change::Deleted, &key, start + 3, new),
    ];
    assert_eq!(events_until(&mut watch, end).await, expected, "as it happened");
    assert_eq!(events_until(&mut watched(store, &widgets(), start).await, end).await, expected, "from the ring");
}

/// Whoever writes meanwhile.
pub async fn events_after_a_revision_come_once_and_in_order(store: &dyn Store) {
    let start = made(store, "before").await;
    let mut watch = watched(store, &widgets(), start).await;
    let writer = |writer: usize| async move {
        for step in 0..50 {
            made(store, &format!("w{writer}-{step}")).await;
        }
    };
    let end = start + 400;
    let (_, events) = futures::join!(join_all((0..8).map(writer)), events_until(&mut watch, end));
    assert_eq!(revisions(&events), (start + 1..=end).collect::<Vec<_>>());
}

/// Two who watch the same see the same.
pub async fn watchers_see_the_same(store: &dyn Store) {
    let start = head(store).await;
    let (mut one, mut two) = (watched(store, &widgets(), start).await, watched(store, &widgets(), start).await);
    for name in ["a", "b", "c"] {
        made(store, name).await;
    }
    let end = ok(delete(store, &widget("default", "b"), Expect::default()).await);
    let (one, two) = (events_until(&mut one, end).await, events_until(&mut two, end).await);
    assert_eq!(one.len(), 4);
    assert_eq!(one, two);
}

/// From any revision, as if it had not been interrupted.
pub async fn a_watch_resumes_where_it_ended(store: &dyn Store) {
    let start = head(store).await;
    for name in ["a", "b", "c", "d"] {
        made(store, name).await;
    }
    let end = head(store).await;
    let whole = events_until(&mut watched(store, &widgets(), start).await, end).await;
    for (skipped, after) in (start..=end).enumerate() {
        let rest = events_until(&mut watched(store, &widgets(), after).await, end).await;
        assert_eq!(rest, whole[skipped..], "after {after}");
    }
}

/// And nothing of the others.
pub async fn a_namespace_is_watched_alone(store: &dyn Store) {
    let start = head(store).await;
    let scope = scope("example.com", "widgets", Some("a"));
    let mut live = watched(store, &scope, start).await;
    for namespace in ["a", "b", "a-b", "", "a"] {
        let name = format!("w{}", head(store).await);
        ok(create(store, &widget(namespace, &name), content("u", "x")).await);
    }
    let end = made(store, "last").await;
    for events in
        [events_until(&mut live, end).await, events_until(&mut watched(store, &scope, start).await, end).await]
    {
        assert_eq!(revisions(&events), [start + 1, start + 5]);
    }
}

/// However alike its name.
pub async fn another_resource_is_not_seen(store: &dyn Store) {
    let start = head(store).await;
    let mut others = Vec::new();
    for scope in [
        scope("example.com", "widget", None),
        scope("example.com", "widgetss", None),
        scope("example.co", "widgets", None),
        scope("", "widgets", None),
    ] {
        others.push(watched(store, &scope, start).await);
    }
    let end = made(store, "a").await;
    for watch in &mut others {
        assert_eq!(events_until(watch, end).await, []);
    }
}

/// Though nothing in it concerns them.
pub async fn quiet_scopes_hear_how_far_the_log_is(store: &dyn Store) {
    let mut quiet = watched(store, &scope("example.com", "gadgets", None), head(store).await).await;
    for name in ["a", "b", "c"] {
        let revision = made(store, name).await;
        assert_eq!(events_until(&mut quiet, revision).await, []);
    }
}

/// Without a gap and without anything twice.
pub async fn a_list_joins_a_watch(store: &dyn Store) {
    let writer = |writer: usize| async move {
        for step in 0..40 {
            made(store, &format!("w{writer}-{step}")).await;
        }
    };
    let reader = async {
        let mut seen = Vec::new();
        for _ in 0..10 {
            let (revision, entries) = ok(listed(store, &widgets(), ListOptions::default()).await);
            seen.push((entries, watched(store, &widgets(), revision).await));
        }
        seen
    };
    let (_, seen) = futures::join!(join_all((0..4).map(writer)), reader);
    let end = head(store).await;
    for (entries, mut watch) in seen {
        let mut all: Vec<_> = entries.iter().map(|entry| entry.revision).collect();
        all.extend(revisions(&events_until(&mut watch, end).await));
        all.sort_unstable();
        assert_eq!(all, (end - 159..=end).collect::<Vec<_>>());
    }
}

/// However far that lies back.
pub async fn a_watch_from_the_beginning_sees_everything(store: &dyn Store) {
    let start = head(store).await;
    let keys: Vec<_> = (0..1000).map(|number| widget("n", &format!("w{number}"))).collect();
    for some in keys.chunks(250) {
        join_all(some.iter().map(|key| create(store, key, content("u", "x".repeat(1000))))).await;
    }
    let key = &keys[0];
    ok(update(store, key, content("u", "y"), Expect::default()).await);
    let end = ok(delete(store, key, Expect::default()).await);
    let events = events_until(&mut watched(store, &widgets(), start).await, end).await;
    assert_eq!(revisions(&events), (start + 1..=end).collect::<Vec<_>>());
    let [.., updated, deleted] = events.as_slice() else { panic!("too few") };
    let previous = updated.previous.as_ref().map(|previous| previous.content.clone());
    assert_eq!(previous, Some(content("u", "x".repeat(1000))));
    assert_eq!(*deleted, event(Change::Deleted, key, end, content("u", "y")));
}

/// A watcher can tell the new object from the old one.
pub async fn a_deletion_and_a_recreation_are_two_events(store: &dyn Store) {
    let key = widget("default", "a");
    let start = made(store, "a").await;
    ok(delete(store, &key, Expect::default()).await);
    let end = ok(create(store, &key, content("v", "again")).await);
    let events = events_until(&mut watched(store, &widgets(), start).await, end).await;
    let expected = [
        event(Change::Deleted, &key, start + 1, content("u", "a")),
        event(Change::Created, &key, start + 2, content("v", "again")),
    ];
    assert_eq!(events, expected);
}

/// With two objects of the largest size in one.
pub async fn large_events_come_through(store: &dyn Store) {
    let key = widget("default", "a");
    let start = head(store).await;
    let mut live = watched(store, &widgets(), start).await;
    let large = |letter: &str| content("u", letter.repeat(3 << 20));
    ok(create(store, &key, large("x")).await);
    ok(update(store, &key, large("y"), Expect::default()).await);
    let end = ok(update(store, &key, large("z"), Expect::default()).await);
    for mut watch in
        [watched(store, &widgets(), start).await, std::mem::replace(&mut live, Box::pin(futures::stream::empty()))]
    {
        let events = events_until(&mut watch, end).await;
        assert_eq!(revisions(&events), [start + 1, start + 2, start + 3]);
        let previous = events[2].previous.as_ref().expect("it was an update");
        assert!(previous.content == large("y") && events[2].entry.content == large("z"));
    }
}

/// It would miss, silently, what comes before that; a store that was restored from a backup is in the past.
pub async fn a_watch_of_the_future_is_refused(store: &dyn Store) {
    let current = made(store, "a").await;
    let refused = refusal(store.watch(&widgets(), WatchOptions { after: current + 9 }).await);
    assert_eq!(refused, Error::Future { requested: current + 9, current });
}

/// And leave nothing behind that disturbs others.
pub async fn many_watchers_come_and_go(store: &dyn Store) {
    let start = head(store).await;
    let mut watches = Vec::new();
    for _ in 0..100 {
        watches.push(watched(store, &widgets(), start).await);
    }
    let first = made(store, "a").await;
    watches.truncate(50);
    let second = made(store, "b").await;
    let seen = join_all(watches.iter_mut().map(|watch| events_until(watch, second))).await;
    assert!(seen.iter().all(|events| revisions(events) == [first, second]));
}
