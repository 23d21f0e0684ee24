//! Lists: order, pages, selectors, and one revision whatever happens meanwhile.

use std::collections::BTreeMap;

use futures::{future::join_all, join};
use machinery::selector::{FieldRequirement, FieldSelector, LabelSelector, Operator, Requirement};
use tokio::time::sleep;

use super::*;
use crate::store::{At, Change};

fn as_of(revision: Revision) -> ListOptions {
    ListOptions { at: At::Exact(revision), ..ListOptions::default() }
}

fn everything() -> ListOptions {
    ListOptions::default()
}

fn by_label(key: &str, operator: Operator, values: &[&str]) -> ListOptions {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    let labels = LabelSelector { requirements: vec![Requirement { key: key.into(), operator, values }] };
    ListOptions { labels, ..ListOptions::default() }
}

fn by_field(field: &str, equal: bool, value: &str) -> ListOptions {
    let requirement = FieldRequirement { field: field.into(), equal, value: value.into() };
    ListOptions { fields: FieldSelector { requirements: vec![requirement] }, ..ListOptions::default() }
}

/// All entries as of one revision, in pages of `limit`.
async fn in_pages(store: &dyn Store, scope: &Scope, revision: Revision, limit: u64) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let after = entries.last().map(|Entry { key, .. }| (key.namespace.clone(), key.name.clone()));
        let options = ListOptions { after, limit: Some(limit), ..as_of(revision) };
        let (at, page) = ok(listed(store, scope, options).await);
        assert_eq!(at, revision);
        assert!(page.len() as u64 <= limit);
        if page.is_empty() {
            return entries;
        }
        entries.extend(page);
    }
}

/// Nothing is a truthful answer too.
pub async fn an_empty_scope_has_a_revision(store: &dyn Store) {
    let revision = made(store, "a").await;
    let nothing = scope("example.com", "gadgets", None);
    assert_eq!(ok(listed(store, &nothing, everything()).await), (revision, vec![]));
    assert_eq!(listed_names(store, &scope("example.com", "widgets", Some("other")), everything()).await, [""; 0]);
}

/// By bytes, the namespace first.
pub async fn entries_are_ordered_by_namespace_and_name(store: &dyn Store) {
    for (namespace, name) in [("b", "a"), ("a", "c"), ("a-b", "a"), ("a", "B"), ("a", "b"), ("", "z"), ("a", "a.b")] {
        ok(create(store, &widget(namespace, name), content("u", name)).await);
    }
    let expected = ["/z", "a/B", "a/a.b", "a/b", "a/c", "a-b/a", "b/a"];
    assert_eq!(listed_names(store, &widgets(), everything()).await, expected);
}

/// Not those of one whose name begins alike.
pub async fn a_namespace_has_its_own(store: &dyn Store) {
    for namespace in ["a", "a-b", "aa", "", "b"] {
        ok(create(store, &widget(namespace, "x"), content("u", "x")).await);
    }
    let namespace = |namespace| scope("example.com", "widgets", Some(namespace));
    assert_eq!(listed_names(store, &namespace("a"), everything()).await, ["a/x"]);
    assert_eq!(listed_names(store, &namespace(""), everything()).await, ["/x"]);
    assert_eq!(listed_names(store, &namespace("c"), everything()).await, [""; 0]);
}

/// Groups and resources whose names begin alike are as different as any.
pub async fn scopes_do_not_overlap(store: &dyn Store) {
    let places = [("a", "foo"), ("a", "foos"), ("a.b", "foo"), ("", "foo"), ("aa", "fo")];
    for (group, resource) in places {
        let name = format!("{group}-{resource}");
        let key = Key { group: group.into(), resource: resource.into(), namespace: "n".into(), name };
        ok(create(store, &key, content("u", "x")).await);
    }
    for (group, resource) in places {
        let names = listed_names(store, &scope(group, resource, None), everything()).await;
        assert_eq!(names, [format!("n/{group}-{resource}")]);
    }
}

/// Together they are the whole list.
pub async fn a_limit_and_a_start_make_pages(store: &dyn Store) {
    for (namespace, name) in [("a", "1"), ("a", "2"), ("a-b", "0"), ("b", "1"), ("b", "2")] {
        ok(create(store, &widget(namespace, name), content("u", name)).await);
    }
    let (revision, whole) = ok(listed(store, &widgets(), everything()).await);
    for limit in 1..=6 {
        assert_eq!(in_pages(store, &widgets(), revision, limit).await, whole, "pages of {limit}");
    }
    let after = |namespace: &str, name: &str| ListOptions {
        after: Some((namespace.into(), name.into())),
        ..ListOptions::default()
    };
    assert_eq!(listed_names(store, &widgets(), after("a", "9")).await, ["a-b/0", "b/1", "b/2"]);
    assert_eq!(listed_names(store, &widgets(), after("zz", "")).await, [""; 0]);
    let none = ListOptions { limit: Some(0), ..everything() };
    assert_eq!(listed_names(store, &widgets(), none).await, [""; 0]);
}

/// Also when a page begins outside of it.
pub async fn pages_of_one_namespace_stay_in_it(store: &dyn Store) {
    for (namespace, name) in [("a", "1"), ("b", "1"), ("b", "2"), ("c", "1")] {
        ok(create(store, &widget(namespace, name), content("u", name)).await);
    }
    let b = scope("example.com", "widgets", Some("b"));
    for (after, expected) in [(("a", "1"), vec!["b/1", "b/2"]), (("b", "1"), vec!["b/2"]), (("c", "0"), vec![])] {
        let after = Some((after.0.to_owned(), after.1.to_owned()));
        assert_eq!(listed_names(store, &b, ListOptions { after, ..everything() }).await, expected);
    }
}

/// It is what a client is told remains.
pub async fn a_count_ignores_limit_and_selectors(store: &dyn Store) {
    for name in ["1", "2", "3", "4"] {
        made(store, name).await;
    }
    ok(delete(store, &widget("default", "4"), Expect::default()).await);
    let all = &widgets();
    let count =
        |options: ListOptions| async move { ok(store.list(all, ListOptions { count: true, ..options }).await).count };
    assert_eq!(count(everything()).await, Some(3));
    assert_eq!(count(ListOptions { limit: Some(1), ..everything() }).await, Some(3));
    assert_eq!(count(ListOptions { after: Some(("default".into(), "1".into())), ..everything() }).await, Some(2));
    assert_eq!(count(by_field("metadata.name", true, "2")).await, Some(3));
    assert_eq!(ok(store.list(&widgets(), everything()).await).count, None);
    let nothing = ListOptions { count: true, ..everything() };
    assert_eq!(ok(store.list(&scope("g", "r", None), nothing).await).count, Some(0));
}

/// As Kubernetes means them.
pub async fn label_selectors_of_every_operator(store: &dyn Store) {
    ok(create(store, &widget("n", "blue5"), labelled("x", [("color", "blue"), ("size", "5")])).await);
    ok(create(store, &widget("n", "green7"), labelled("x", [("color", "green"), ("size", "7")])).await);
    ok(create(store, &widget("n", "odd"), labelled("x", [("size", "big"), ("a.b/c", "")])).await);
    ok(create(store, &widget("n", "plain"), content("u", "x")).await);
    for (key, operator, values, expected) in [
        ("color", Operator::In, vec!["blue"], vec!["n/blue5"]),
        ("color", Operator::In, vec!["blue", "green", "red"], vec!["n/blue5", "n/green7"]),
        ("color", Operator::NotIn, vec!["blue", "red"], vec!["n/green7", "n/odd", "n/plain"]),
        ("color", Operator::Exists, vec![], vec!["n/blue5", "n/green7"]),
        ("color", Operator::DoesNotExist, vec![], vec!["n/odd", "n/plain"]),
        ("size", Operator::GreaterThan, vec!["5"], vec!["n/green7"]),
        ("size", Operator::LessThan, vec!["6"], vec!["n/blue5"]),
        ("a.b/c", Operator::Exists, vec![], vec!["n/odd"]),
        ("a.b/c", Operator::In, vec![""], vec!["n/odd"]),
        ("a", Operator::Exists, vec![], vec![]),
        ("quo\"te\\", Operator::DoesNotExist, vec![], vec!["n/blue5", "n/green7", "n/odd", "n/plain"]),
    ] {
        let names = listed_names(store, &widgets(), by_label(key, operator, &values)).await;
        assert_eq!(names, expected, "{key} {operator:?} {values:?}");
    }
    let limited = ListOptions { limit: Some(1), ..by_label("color", Operator::Exists, &[]) };
    assert_eq!(listed_names(store, &widgets(), limited).await, ["n/blue5"]);
}

/// Name and namespace are fields of every object.
pub async fn field_selectors_by_name_namespace_and_fields(store: &dyn Store) {
    let on = |node: &str| Content { fields: labels([("spec.node", node)]), ..content("u", "x") };
    ok(create(store, &widget("n", "a"), on("one")).await);
    ok(create(store, &widget("n", "b"), on("two")).await);
    ok(create(store, &widget("m", "a"), on("")).await);
    for (field, equal, value, expected) in [
        ("metadata.name", true, "a", vec!["m/a", "n/a"]),
        ("metadata.name", false, "a", vec!["n/b"]),
        ("metadata.namespace", true, "n", vec!["n/a", "n/b"]),
        ("metadata.namespace", false, "n", vec!["m/a"]),
        ("spec.node", true, "one", vec!["n/a"]),
        ("spec.node", false, "one", vec!["m/a", "n/b"]),
        ("spec.node", true, "", vec!["m/a"]),
        ("spec.node", false, "", vec!["n/a", "n/b"]),
    ] {
        let names = listed_names(store, &widgets(), by_field(field, equal, value)).await;
        assert_eq!(names, expected, "{field} {equal} {value}");
    }
}

/// With what has been deleted since, and without what has been made since.
pub async fn an_old_revision_is_listed_as_it_was(store: &dyn Store) {
    let (a, b, c) = (widget("n", "a"), widget("n", "b"), widget("n", "c"));
    ok(create(store, &a, content("u", "a1")).await);
    ok(create(store, &b, content("u", "b1")).await);
    let first = head(store).await;
    ok(update(store, &a, content("u", "a2"), Expect::default()).await);
    ok(delete(store, &b, Expect::default()).await);
    ok(create(store, &c, content("u", "c1")).await);
    let second = head(store).await;
    ok(create(store, &b, content("w", "b2")).await);
    ok(update(store, &a, content("u", "a3"), Expect::default()).await);
    ok(update(store, &a, content("u", "a4"), Expect::default()).await);
    ok(delete(store, &c, Expect::default()).await);
    let texts = |entries: Vec<Entry>| -> Vec<Content> { entries.into_iter().map(|entry| entry.content).collect() };
    for (revision, expected) in [
        (first - 1, vec![content("u", "a1")]),
        (first, vec![content("u", "a1"), content("u", "b1")]),
        (first + 1, vec![content("u", "a2"), content("u", "b1")]),
        (first + 2, vec![content("u", "a2")]),
        (second, vec![content("u", "a2"), content("u", "c1")]),
        (second + 1, vec![content("u", "a2"), content("w", "b2"), content("u", "c1")]),
        (second + 4, vec![content("u", "a4"), content("w", "b2")]),
    ] {
        let (at, entries) = ok(listed(store, &widgets(), as_of(revision)).await);
        assert_eq!((at, texts(entries)), (revision, expected), "as of {revision}");
    }
}

/// Not at what the labels are now.
pub async fn selectors_look_at_what_was(store: &dyn Store) {
    let key = widget("n", "a");
    let blue = ok(create(store, &key, labelled("x", [("color", "blue")])).await);
    let green = ok(update(store, &key, labelled("x", [("color", "green")]), Expect::default()).await);
    ok(delete(store, &key, Expect::default()).await);
    for (revision, color, expected) in
        [(blue, "blue", 1), (blue, "green", 0), (green, "blue", 0), (green, "green", 1), (green + 1, "green", 0)]
    {
        let options = ListOptions { at: At::Exact(revision), ..by_label("color", Operator::In, &[color]) };
        let names = listed_names(store, &widgets(), options).await;
        assert_eq!(names.len(), expected, "{color} as of {revision}");
    }
}

/// As long as nothing is compacted.
pub async fn revision_zero_is_before_everything(store: &dyn Store) {
    made(store, "a").await;
    if ok(store.status().await).compacted == 0 {
        assert_eq!(ok(listed(store, &widgets(), as_of(0)).await), (0, vec![]));
    }
}

/// Each page is read much later than the first.
pub async fn pages_of_one_snapshot_are_not_disturbed_by_writes(store: &dyn Store) {
    for number in 0..40 {
        made(store, &format!("w{number:02}")).await;
    }
    let (revision, whole) = ok(listed(store, &widgets(), everything()).await);
    let mut entries: Vec<Entry> = Vec::new();
    for round in 0..10 {
        let after = entries.last().map(|Entry { key, .. }| (key.namespace.clone(), key.name.clone()));
        let options = ListOptions { after, limit: Some(4), ..as_of(revision) };
        entries.extend(ok(listed(store, &widgets(), options).await).1);
        disturb(store, round).await;
    }
    assert_eq!(entries, whole);
}

/// Updates, deletes, recreates and creates some widgets of 40.
async fn disturb(store: &dyn Store, round: usize) {
    for number in (round % 4..40).step_by(4) {
        let key = widget("default", &format!("w{number:02}"));
        ok(update(store, &key, content("u", format!("round {round}")), Expect::default()).await);
        if number % 3 == 0 {
            ok(delete(store, &key, Expect::default()).await);
            ok(create(store, &key, content("v", "again")).await);
        }
    }
    made(store, &format!("w{round:02}-later")).await;
}

/// The two views of the log are one, at every revision, while it is written.
pub async fn a_list_is_what_the_events_up_to_it_make(store: &dyn Store) {
    let start = head(store).await;
    let writer = |seed: u64| async move {
        for step in 0..60u64 {
            let number = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(step * 2_654_435_761) >> 7;
            let key = widget(["m", "n"][(number % 2) as usize], &format!("w{}", number % 13));
            let content = content("u", format!("{seed}-{step}"));
            let outcome = match number % 5 {
                0 => delete(store, &key, Expect::default()).await,
                1 | 2 => update(store, &key, content, Expect::default()).await,
                _ => create(store, &key, content).await,
            };
            assert!(
                matches!(outcome, Ok(_) | Err(Error::NotFound { .. } | Error::AlreadyExists { .. })),
                "{outcome:?}"
            );
        }
    };
    let reader = async {
        let mut lists = Vec::new();
        for _ in 0..30 {
            lists.push(ok(listed(store, &widgets(), everything()).await));
            sleep(Duration::from_millis(1)).await;
        }
        lists
    };
    let (_, lists) = join!(join_all((1..=8).map(writer)), reader);
    let end = head(store).await;
    let events = events_until(&mut watched(store, &widgets(), start).await, end).await;
    for (revision, entries) in lists {
        assert_eq!(entries, replayed(&events, revision), "the list as of {revision}");
    }
    for revision in (start..=end).step_by(7) {
        let (_, entries) = ok(listed(store, &widgets(), as_of(revision)).await);
        assert_eq!(entries, replayed(&events, revision), "as of {revision}, afterwards");
        let paged = in_pages(store, &widgets(), revision, 5).await;
        assert_eq!(paged, entries, "pages as of {revision}");
    }
}

/// What the events up to `revision` make of nothing.
fn replayed(events: &[Event], revision: Revision) -> Vec<Entry> {
    let mut objects = BTreeMap::new();
    for Event { change, entry, .. } in events.iter().filter(|event| event.entry.revision <= revision) {
        match change {
            Change::Created | Change::Updated => objects.insert(entry.key.clone(), entry.clone()),
            Change::Deleted => objects.remove(&entry.key),
        };
    }
    objects.into_values().collect()
}

/// Memory does not grow with the answer.
pub async fn many_objects_come_in_chunks(store: &dyn Store) {
    let keys: Vec<_> = (0..1500).map(|number| widget("n", &format!("w{number:04}"))).collect();
    for some in keys.chunks(250) {
        join_all(some.iter().map(|key| create(store, key, content("u", "x".repeat(500))))).await.into_iter().for_each(
            |created| {
                ok(created);
            },
        );
    }
    let list = ok(store.list(&widgets(), everything()).await);
    let chunks: Vec<Vec<Entry>> = list.chunks.map(ok).collect().await;
    assert!(chunks.len() > 1, "all in one");
    let listed: Vec<_> = chunks.concat().into_iter().map(|entry| entry.key).collect();
    assert_eq!(listed, keys);
}

/// What does not match takes no place in a page.
pub async fn selective_lists_pass_over_many_objects(store: &dyn Store) {
    let keys: Vec<_> = (0..1200).map(|number| widget("n", &format!("w{number:04}"))).collect();
    let rare = |number: usize| if number % 400 == 399 { "yes" } else { "no" };
    for (place, some) in keys.chunks(300).enumerate() {
        let writes = some
            .iter()
            .enumerate()
            .map(|(number, key)| create(store, key, labelled("x", [("rare", rare(place * 300 + number))])));
        join_all(writes).await.into_iter().for_each(|created| {
            ok(created);
        });
    }
    let all = listed_names(store, &widgets(), by_label("rare", Operator::In, &["yes"])).await;
    assert_eq!(all, ["n/w0399", "n/w0799", "n/w1199"]);
    let two = ListOptions { limit: Some(2), ..by_label("rare", Operator::In, &["yes"]) };
    assert_eq!(listed_names(store, &widgets(), two).await, ["n/w0399", "n/w0799"]);
}

/// A chunk is bounded in bytes, and holds one object at least.
pub async fn large_objects_can_be_listed(store: &dyn Store) {
    for number in 0..12 {
        let key = widget("n", &format!("w{number:02}"));
        ok(create(store, &key, content("u", "x".repeat(3 << 20))).await);
    }
    let list = ok(store.list(&widgets(), everything()).await);
    let sizes: Vec<_> = list.chunks.map(|chunk| ok(chunk).len()).collect().await;
    assert_eq!(sizes.iter().sum::<usize>(), 12);
    assert!(sizes.iter().all(|size| *size <= 2), "chunks of {sizes:?} large objects");
}

/// As a read is.
pub async fn a_list_is_not_older_than_asked(store: &dyn Store) {
    let first = made(store, "a").await;
    let not_older = |revision| ListOptions { at: At::NotOlderThan(revision), ..everything() };
    assert_eq!(ok(listed(store, &widgets(), not_older(first)).await).1.len(), 1);
    let write = async {
        sleep(Duration::from_millis(100)).await;
        made(store, "b").await
    };
    let all = widgets();
    let (list, second) = join!(listed(store, &all, not_older(first + 1)), write);
    let (revision, entries) = ok(list);
    assert_eq!((revision, names(&entries)), (second, vec!["default/a".to_owned(), "default/b".to_owned()]));
}

/// As a read is.
pub async fn a_list_of_the_future_is_refused(store: &dyn Store) {
    let current = made(store, "a").await;
    for at in [At::Exact(current + 1), At::NotOlderThan(current + 1)] {
        let refused = refusal(store.list(&widgets(), ListOptions { at, ..everything() }).await);
        assert_eq!(refused, Error::Future { requested: current + 1, current }, "{at:?}");
    }
}
