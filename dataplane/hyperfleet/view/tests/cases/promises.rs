//! What a store promises: one order, nothing missed, nothing lost to a race.

use futures::future::join_all;
use proto::store::{At, Change, Content, Error, Expect, ListOptions, Op, Store, WatchOptions, Write};
use serde_json::json;

use crate::world::{World, cluster_key, events_until, key_of, next, object, refusal, revisions, scope};

async fn write(world: &World, name: &str, op: Op) -> proto::store::Result<u64> {
    world.view.write(Write { key: cluster_key(name), op }).await.map(|written| written.revision)
}

/// What is there, with another spec.
async fn changed(world: &World, name: &str, region: &str) -> Content {
    let entry = world.view.get(&cluster_key(name), At::Latest).await.expect("a read").expect("an object");
    let mut object = object(&entry);
    object["spec"]["region"] = region.into();
    encoded(entry.content, &object)
}

fn encoded(content: Content, object: &serde_json::Value) -> Content {
    let (json, splice) = machinery::json::encode_stored(object);
    let value = proto::store::Value { json: json.into(), splice, schema: content.value.schema.clone() };
    Content { value, ..content }
}

#[tokio::test]
async fn events_say_what_happened() {
    let world = World::new().await;
    let start = world.head().await;
    let mut live = world.watched("clusters", start).await;
    let cluster = world.cluster("prod").await;
    let patched = world.patch(&cluster, json!({ "region": "us-west1" })).await;
    world.records.delete(&key_of(&cluster), "rest").await.expect("a deletion");
    let end = world.head().await;
    let mut late = world.watched("clusters", start).await;
    for events in [events_until(&mut live, end).await, events_until(&mut late, end).await] {
        let [created, updated, .., deleted] = events.as_slice() else { panic!("too few: {events:?}") };
        assert_eq!((created.change, created.entry.revision), (Change::Created, cluster.revision));
        assert_eq!((updated.change, updated.entry.revision), (Change::Updated, patched.revision));
        let previous = updated.previous.as_ref().expect("what was before");
        assert_eq!((previous.revision, &previous.content), (cluster.revision, &created.entry.content));
        assert_eq!(object(&updated.entry)["spec"], json!({ "region": "us-west1" }));
        assert_eq!((deleted.change, &deleted.entry.key), (Change::Deleted, &cluster_key("prod")));
        assert!(deleted.entry.revision > patched.revision, "of the deletion itself");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_come_once_and_in_order_whoever_writes() {
    let world = World::new().await;
    let start = world.head().await;
    let mut live = world.watched("clusters", start).await;
    let writer = |writer: usize| {
        let world = &world;
        async move {
            for step in 0..12 {
                let cluster = world.cluster(&format!("w{writer}-{step}")).await;
                world.nodepool(&cluster, "np").await;
            }
        }
    };
    join_all((0..6).map(writer)).await;
    let end = world.head().await;
    let seen = events_until(&mut live, end).await;
    assert_eq!(seen.len(), 72);
    assert!(revisions(&seen).is_sorted_by(|one, other| one < other));
    // Both kinds are in one order, and together they leave no gap.
    let pools = events_until(&mut world.watched("nodepools", start).await, end).await;
    let mut all = [revisions(&seen), revisions(&pools)].concat();
    all.sort_unstable();
    assert_eq!(all, (start + 1..=end).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_watch_resumes_where_it_ended() {
    let world = World::new().await;
    let start = world.head().await;
    for name in ["a", "b", "c"] {
        let cluster = world.cluster(name).await;
        world.nodepool(&cluster, "np").await;
    }
    let end = world.head().await;
    let whole = events_until(&mut world.watched("clusters", start).await, end).await;
    assert_eq!(whole.len(), 3);
    for after in start..=end {
        let rest = events_until(&mut world.watched("clusters", after).await, end).await;
        let expected: Vec<_> = whole.iter().filter(|event| event.entry.revision > after).cloned().collect();
        assert_eq!(rest, expected, "after {after}");
    }
}

#[tokio::test]
async fn the_first_batch_comes_at_once_and_quiet_kinds_hear_how_far_the_log_is() {
    let world = World::new().await;
    let start = world.head().await;
    let mut quiet = world.watched("nodepools", start).await;
    let first = next(&mut quiet).await;
    assert_eq!((first.events.len(), first.upto), (0, start));
    let cluster = world.cluster("a").await;
    assert_eq!(events_until(&mut quiet, cluster.revision).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_joins_a_watch() {
    let world = World::new().await;
    let start = world.head().await;
    let writer = async {
        for step in 0..60 {
            world.cluster(&format!("c{step}")).await;
        }
    };
    let reader = async {
        let mut seen = Vec::new();
        for _ in 0..6 {
            let (revision, entries) = world.listed("clusters", ListOptions::default()).await.expect("a list");
            seen.push((entries, world.watched("clusters", revision).await));
        }
        seen
    };
    let (_, seen) = futures::join!(writer, reader);
    let end = world.head().await;
    for (entries, mut watch) in seen {
        let mut all: Vec<_> = entries.iter().map(|entry| entry.revision).collect();
        all.extend(revisions(&events_until(&mut watch, end).await));
        all.sort_unstable();
        assert_eq!(all, (start + 1..=end).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn what_is_not_yet_is_refused() {
    let world = World::new().await;
    let current = world.cluster("a").await.revision;
    let requested = current + 9;
    let refused = Error::Future { requested, current };
    assert_eq!(refusal(world.view.watch(&scope("clusters"), WatchOptions { after: requested }).await), refused);
    let options = ListOptions { at: At::NotOlderThan(requested), ..ListOptions::default() };
    assert_eq!(refusal(world.listed("clusters", options).await), refused);
    assert_eq!(refusal(world.view.get(&cluster_key("a"), At::NotOlderThan(requested)).await), refused);
}

#[tokio::test]
async fn what_is_compacted_cannot_be_listed_or_watched_and_what_is_there_stays() {
    let world = World::forgetful().await;
    let cluster = world.cluster("a").await;
    world.cluster("b").await;
    let before = world.head().await;
    world.patch(&cluster, json!({ "region": "us-west1" })).await;
    let end = world.head().await;
    let mut current = world.watched("clusters", end).await;
    next(&mut current).await;
    world.forgotten(end).await;
    for requested in [0, before] {
        let refused = Error::Compacted { requested, oldest: end };
        assert_eq!(refusal(world.view.watch(&scope("clusters"), WatchOptions { after: requested }).await), refused);
        let options = ListOptions { at: At::Exact(requested), ..ListOptions::default() };
        assert_eq!(refusal(world.listed("clusters", options).await), refused);
    }
    let options = ListOptions { at: At::Exact(end), ..ListOptions::default() };
    assert_eq!(world.names("clusters", options).await, ["a", "b"]);
    let after = world.cluster("c").await.revision;
    assert_eq!(revisions(&events_until(&mut current, after).await), [after], "it needs nothing of what is gone");
}

#[tokio::test]
async fn a_write_is_refused_when_its_object_is_not_as_expected() {
    let world = World::new().await;
    let cluster = world.cluster("a").await;
    let content = changed(&world, "a", "us-west1").await;
    let stale = Expect { revision: Some(cluster.revision), uid: None };
    let other = Expect { revision: None, uid: Some("another".to_owned()) };
    let right = Expect { revision: Some(cluster.revision), uid: Some(cluster.id.clone()) };

    let missing = write(&world, "none", Op::Update(content.clone(), Expect::default())).await;
    assert_eq!(refusal(missing), Error::NotFound { key: cluster_key("none") });
    let taken = write(&world, "a", Op::Create(content.clone())).await;
    assert_eq!(refusal(taken), Error::AlreadyExists { key: cluster_key("a"), revision: cluster.revision });
    let wrong = refusal(write(&world, "a", Op::Update(content.clone(), other.clone())).await);
    assert!(matches!(wrong, Error::Conflict { .. }), "{wrong:?}");
    let revision = write(&world, "a", Op::Update(content.clone(), right)).await.expect("a write");
    assert!(revision > cluster.revision);
    for op in [Op::Update(content, stale.clone()), Op::Delete(stale), Op::Delete(other)] {
        let refused = refusal(write(&world, "a", op).await);
        let Error::Conflict { uid, revision: found, .. } = refused else { panic!("{refused:?}") };
        assert_eq!((uid, found), (cluster.id.clone(), revision));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_concurrent_updates_at_one_revision_one_wins() {
    let world = World::new().await;
    let cluster = world.cluster("a").await;
    let mut ops = Vec::new();
    for number in 0..8 {
        let expect = Expect { revision: Some(cluster.revision), uid: None };
        ops.push(Op::Update(changed(&world, "a", &format!("region-{number}")).await, expect));
    }
    let outcomes = join_all(ops.into_iter().map(|op| write(&world, "a", op))).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for outcome in lost {
        let refused = refusal(outcome);
        assert!(matches!(refused, Error::Conflict { .. }), "{refused:?}");
    }
    assert_eq!(world.records.get(&key_of(&cluster)).await.expect("a record").generation, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_concurrent_creations_one_wins() {
    let world = World::new().await;
    world.cluster("other").await;
    let content = changed(&world, "other", "x").await;
    let ops = (0..6).map(|number| Op::Create(Content { uid: format!("uid-{number}"), ..content.clone() }));
    let outcomes = join_all(ops.map(|op| write(&world, "a", op))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    for outcome in outcomes.into_iter().filter(Result::is_err) {
        let refused = refusal(outcome);
        assert!(matches!(refused, Error::AlreadyExists { .. }), "{refused:?}");
    }
    assert_eq!(world.names("clusters", ListOptions::default()).await, ["a", "other"]);
}

#[tokio::test]
async fn what_is_nothing_here_is_nothing() {
    let world = World::new().await;
    world.cluster("a").await;
    let mut key = cluster_key("a");
    key.group = "example.com".to_owned();
    assert_eq!(world.view.get(&key, At::Latest).await.expect("a read"), None);
    key = proto::store::Key { namespace: "default".to_owned(), ..cluster_key("a") };
    assert_eq!(world.view.get(&key, At::Latest).await.expect("a read"), None);
    assert_eq!(world.names("gadgets", ListOptions::default()).await, [""; 0]);
    let refused = refusal(world.view.write(Write { key, op: Op::Delete(Expect::default()) }).await);
    assert!(matches!(refused, Error::Invalid { .. }), "{refused:?}");
}
