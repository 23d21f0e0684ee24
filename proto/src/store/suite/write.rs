//! Writes: what they make, what they refuse, and who wins.

use futures::future::join_all;

use super::*;
use crate::store::{At, OBJECT_LIMIT, Status};

/// What is created can be read as it was written.
pub async fn a_created_object_can_be_read(store: &dyn Store) {
    let key = widget("default", "a");
    let revision = ok(create(store, &key, content("u", "x")).await);
    let entry = ok(store.get(&key, At::Latest).await);
    assert_eq!(entry, Some(Entry { key, revision, content: content("u", "x") }));
}

/// Labels, fields, the splice and the schema belong to an object as its bytes do.
pub async fn everything_of_an_object_comes_back(store: &dyn Store) {
    let value = Value { json: Bytes::from_static(b"{\"a\": \"\\u00e4 \xc3\xa4\"}"), splice: 7, schema: "v2/ä".into() };
    let content = Content {
        uid: "0f0d8dbb-ff0f-4b2f-9c0a-000000000000".into(),
        labels: labels([("app.kubernetes.io/name", "x"), ("empty", ""), ("ü\"\\'", "\u{1F980}")]),
        fields: labels([("spec.node", "n1"), ("status.phase", "")]),
        value,
    };
    let key = widget("default", "a");
    ok(create(store, &key, content.clone()).await);
    assert_eq!(ok(store.get(&key, At::Latest).await).map(|entry| entry.content), Some(content));
}

/// A creation of what is there names the revision of what is there.
pub async fn creating_what_is_there_says_so(store: &dyn Store) {
    let key = widget("default", "a");
    let revision = made(store, "a").await;
    let refused = error(create(store, &key, content("v", "y")).await);
    assert_eq!(refused, Error::AlreadyExists { key: key.clone(), revision });
    let entry = ok(store.get(&key, At::Latest).await);
    assert_eq!(entry.map(|entry| entry.revision), Some(revision));
}

/// Nothing of the old content is left.
pub async fn an_update_replaces_everything(store: &dyn Store) {
    let key = widget("default", "a");
    ok(create(store, &key, labelled("x", [("a", "1"), ("b", "2")])).await);
    let new = labelled("y", [("b", "3")]);
    let revision = ok(update(store, &key, new.clone(), Expect::default()).await);
    assert_eq!(ok(store.get(&key, At::Latest).await), Some(Entry { key, revision, content: new }));
}

/// Only what is there can be changed.
pub async fn updating_or_deleting_nothing_is_not_found(store: &dyn Store) {
    let key = widget("default", "a");
    let not_found = Error::NotFound { key: key.clone() };
    assert_eq!(error(update(store, &key, content("u", "x"), Expect::default()).await), not_found);
    assert_eq!(error(update(store, &key, content("u", "x"), at(1)).await), not_found);
    assert_eq!(error(delete(store, &key, Expect::default()).await), not_found);
}

/// Whoever has not seen the newest revision does not overwrite it.
pub async fn update_with_stale_revision_conflicts(store: &dyn Store) {
    let key = widget("default", "a");
    let first = made(store, "a").await;
    let second = ok(update(store, &key, content("u", "y"), at(first)).await);
    let refused = error(update(store, &key, content("u", "z"), at(first)).await);
    let expected = Error::Conflict { key: key.clone(), expected: at(first), uid: "u".into(), revision: second };
    assert_eq!(refused, expected);
    let entry = ok(store.get(&key, At::Latest).await);
    assert_eq!(entry.map(|entry| entry.content), Some(content("u", "y")));
}

/// An object of the same name is not the same object.
pub async fn update_with_another_uid_conflicts(store: &dyn Store) {
    let key = widget("default", "a");
    let revision = made(store, "a").await;
    let refused = error(update(store, &key, content("u", "z"), with_uid("v")).await);
    assert_eq!(refused, Error::Conflict { key, expected: with_uid("v"), uid: "u".into(), revision });
}

/// As for updates.
pub async fn delete_with_stale_revision_conflicts(store: &dyn Store) {
    let key = widget("default", "a");
    let first = made(store, "a").await;
    let second = ok(update(store, &key, content("u", "y"), at(first)).await);
    let refused = error(delete(store, &key, at(first)).await);
    let expected = Error::Conflict { key: key.clone(), expected: at(first), uid: "u".into(), revision: second };
    assert_eq!(refused, expected);
    assert!(ok(store.get(&key, At::Latest).await).is_some());
}

/// As for updates.
pub async fn delete_with_another_uid_conflicts(store: &dyn Store) {
    let key = widget("default", "a");
    let revision = made(store, "a").await;
    let both = Expect { revision: Some(revision), uid: Some("v".into()) };
    let refused = error(delete(store, &key, both.clone()).await);
    assert_eq!(refused, Error::Conflict { key, expected: both, uid: "u".into(), revision });
}

/// Both expectations, each alone, or none.
pub async fn expectations_that_hold_let_a_write_pass(store: &dyn Store) {
    let key = widget("default", "a");
    let mut revision = made(store, "a").await;
    let both = |revision| Expect { revision: Some(revision), uid: Some("u".into()) };
    for expect in [Expect::default(), with_uid("u")] {
        revision = ok(update(store, &key, content("u", "y"), expect).await);
    }
    revision = ok(update(store, &key, content("u", "y"), at(revision)).await);
    revision = ok(update(store, &key, content("u", "y"), both(revision)).await);
    ok(delete(store, &key, both(revision)).await);
}

/// One order for all groups, resources and operations.
pub async fn revisions_grow_by_one_for_each_write_of_any_kind(store: &dyn Store) {
    let start = head(store).await;
    let a = widget("default", "a");
    let other = Key { group: "other.org".into(), resource: "things".into(), namespace: "".into(), name: "a".into() };
    let revisions = [
        ok(create(store, &a, content("u", "x")).await),
        ok(create(store, &other, content("v", "x")).await),
        ok(update(store, &a, content("u", "y"), Expect::default()).await),
        ok(delete(store, &other, Expect::default()).await),
        ok(delete(store, &a, Expect::default()).await),
    ];
    assert_eq!(revisions, [1, 2, 3, 4, 5].map(|step| start + step));
    assert_eq!(head(store).await, start + 5);
}

/// The order has no holes.
pub async fn a_refused_write_takes_no_revision(store: &dyn Store) {
    let first = made(store, "a").await;
    error(create(store, &widget("default", "a"), content("u", "x")).await);
    error(update(store, &widget("default", "a"), content("u", "x"), at(first + 1)).await);
    error(delete(store, &widget("default", "b"), Expect::default()).await);
    assert_eq!(head(store).await, first);
    assert_eq!(made(store, "b").await, first + 1);
}

/// The new one is another object.
pub async fn an_object_can_be_deleted_and_made_again(store: &dyn Store) {
    let key = widget("default", "a");
    let first = made(store, "a").await;
    ok(delete(store, &key, at(first)).await);
    assert_eq!(ok(store.get(&key, At::Latest).await), None);
    error(delete(store, &key, Expect::default()).await);
    let again = ok(create(store, &key, content("v", "again")).await);
    assert!(matches!(error(update(store, &key, content("u", "x"), at(first)).await), Error::Conflict { .. }));
    let entry = ok(store.get(&key, At::Latest).await);
    assert_eq!(entry, Some(Entry { key, revision: again, content: content("v", "again") }));
}

/// Exactly one, and what it wrote is what is there.
pub async fn of_concurrent_updates_at_one_revision_one_wins(store: &dyn Store) {
    let key = widget("default", "a");
    let mut revision = made(store, "a").await;
    for round in 0..10 {
        let text = |writer: usize| format!("{round}-{writer}");
        let writes = (0..16).map(|writer| update(store, &key, content("u", text(writer)), at(revision)));
        let outcomes = join_all(writes).await;
        let winners: Vec<_> = (0..16).filter(|writer| outcomes[*writer].is_ok()).collect();
        assert_eq!(winners.len(), 1, "winners of round {round}");
        assert!(
            outcomes
                .iter()
                .flat_map(|outcome| outcome.as_ref().err())
                .all(|error| matches!(error, Error::Conflict { .. }))
        );
        let entry = ok(store.get(&key, At::Latest).await).expect("it is there");
        assert_eq!(entry.content, content("u", text(winners[0])));
        assert_eq!(outcomes[winners[0]], Ok(revision + 1));
        revision = entry.revision;
    }
}

/// As for updates.
pub async fn of_concurrent_creations_one_wins(store: &dyn Store) {
    let key = widget("default", "a");
    let uids: Vec<_> = (0..16).map(|writer| format!("u{writer}")).collect();
    let outcomes = join_all(uids.iter().map(|uid| create(store, &key, content(uid, "x")))).await;
    let winners: Vec<_> = (0..16).filter(|writer| outcomes[*writer].is_ok()).collect();
    assert_eq!(winners.len(), 1);
    let entry = ok(store.get(&key, At::Latest).await).expect("it is there");
    assert_eq!(entry.content.uid, uids[winners[0]]);
}

/// Everybody reads, adds one and writes if nobody else has.
pub async fn a_counter_loses_no_increment(store: &dyn Store) {
    let key = widget("default", "a");
    ok(create(store, &key, labelled("x", [("count", "0")])).await);
    let increment = || async {
        loop {
            let entry = ok(store.get(&key, At::Latest).await).expect("it is there");
            let count: u32 = entry.content.labels["count"].parse().expect("a number");
            let next = (count + 1).to_string();
            match update(store, &key, labelled("x", [("count", &next)]), at(entry.revision)).await {
                Ok(_) => return,
                Err(Error::Conflict { .. }) => (),
                Err(error) => panic!("{error:?}"),
            }
        }
    };
    let worker = || async {
        for _ in 0..5 {
            increment().await;
        }
    };
    join_all((0..8).map(|_| worker())).await;
    let entry = ok(store.get(&key, At::Latest).await).expect("it is there");
    assert_eq!(entry.content.labels["count"], "40");
}

/// Each write one revision, whoever writes beside it.
pub async fn concurrent_writes_have_revisions_without_gaps(store: &dyn Store) {
    let start = head(store).await;
    let keys: Vec<_> = (0..300).map(|number| widget("default", &format!("w{number}"))).collect();
    let mut revisions: Vec<_> =
        join_all(keys.iter().map(|key| create(store, key, content("u", "x")))).await.into_iter().map(ok).collect();
    revisions.sort_unstable();
    assert_eq!(revisions, (start + 1..=start + 300).collect::<Vec<_>>());
}

/// Up to what Kubernetes allows, whether they can be compressed or not.
pub async fn large_values_come_back(store: &dyn Store) {
    let noise = |size: u32| -> String {
        let letter = |i: u32| char::from(b'a' + (i.wrapping_mul(2_654_435_761) >> 24) as u8 % 26);
        (0..size).map(letter).collect()
    };
    let texts = ["x".repeat(10_000), noise(100_000), "x".repeat(2 << 20), noise(2 << 20), noise(3 << 20)];
    for (number, text) in texts.into_iter().enumerate() {
        let key = widget("default", &format!("large{number}"));
        let content = content("u", text);
        ok(create(store, &key, content.clone()).await);
        let entry = ok(store.get(&key, At::Latest).await).expect("it is there");
        assert!(entry.content == content, "value {number} came back different");
    }
}

/// Keys differ when any part of them does.
pub async fn odd_keys_are_kept_apart(store: &dyn Store) {
    let key = |group: &str, resource: &str, namespace: &str, name: &str| Key {
        group: group.into(),
        resource: resource.into(),
        namespace: namespace.into(),
        name: name.into(),
    };
    let keys = [
        key("", "widgets", "", "a"),
        key("", "widgets", "a", "a"),
        key("a", "widgets", "", "a"),
        key("a", "b.c", "", "a"),
        key("a.b", "c", "", "a"),
        key("", "widgets", "a", "b"),
        key("", "widgets", "", "a/b"),
        key("", "widgets", "a-b", "c"),
        key("", "widgets", "a", "b-c"),
        key("", "widgets", "a", "b/c"),
        key("", "widgets", "a", "A"),
        key("", "widgets", "a", "."),
        key("", "widgets", "a", "%"),
        key("", "widgets", "a", "%2F"),
        key("", "widgets", "a", "a%"),
        key("", "widgets", "a", "a_"),
        key("", "widgets", "a", "a'b\"c"),
        key("", "widgets", "a", "ä"),
        key("", "widgets", "a", " "),
        key("", "objects", "a", "a"),
        key("", "we\"ird; DROP TABLE history", "a", "a"),
        key("x.org", "widgets", "a", "a"),
        key("x.org", "Widgets", "a", "a"),
    ];
    for (number, key) in keys.iter().enumerate() {
        ok(create(store, key, content("u", number.to_string())).await);
    }
    for (number, key) in keys.iter().enumerate() {
        let entry = ok(store.get(key, At::Latest).await);
        assert_eq!(entry.map(|entry| entry.content), Some(content("u", number.to_string())), "{key:?}");
    }
}

/// A store may rely on what keys are made of.
pub async fn keys_without_a_name_or_with_zero_bytes_are_invalid(store: &dyn Store) {
    let nameless = widget("default", "");
    let zero = widget("default", "a\0b");
    let resourceless = Key { resource: String::new(), ..widget("default", "a") };
    for key in [nameless, zero, resourceless] {
        assert!(matches!(error(create(store, &key, content("u", "x")).await), Error::Invalid { .. }), "{key:?}");
    }
}

/// The place for the revision is within the bytes.
pub async fn a_splice_outside_of_the_object_is_invalid(store: &dyn Store) {
    let mut content = content("u", "x");
    content.value.splice = content.value.json.len() as u32 + 1;
    assert!(matches!(error(create(store, &widget("default", "a"), content).await), Error::Invalid { .. }));
}

/// Its events could not cross the wire.
pub async fn an_object_too_large_to_be_answered_with_is_invalid(store: &dyn Store) {
    let key = widget("default", "a");
    let refused = error(create(store, &key, content("u", "x".repeat(OBJECT_LIMIT))).await);
    assert!(matches!(refused, Error::Invalid { .. }), "{refused:?}");
    let largest = content("u", "x".repeat(OBJECT_LIMIT - 1000));
    ok(create(store, &key, largest.clone()).await);
    assert!(ok(store.get(&key, At::Latest).await).is_some_and(|entry| entry.content == largest));
}

/// The newest revision is that of the last write.
pub async fn status_says_where_the_store_stands(store: &dyn Store) {
    let revision = made(store, "a").await;
    let status = ok(store.status().await);
    assert_eq!(status, Status { revision, compacted: status.compacted, bytes: status.bytes });
    assert!(status.compacted <= revision);
}
