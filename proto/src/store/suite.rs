//! The cases that every implementation of [`Store`] passes.
//!
//! To run them: implement [`Subject`] for what the tests set up, and write
//! `proto::store_suite!(async { … })` in a test file, with an expression whose future makes one. Each case gets a new
//! and empty store of its own.

pub mod compaction;
pub mod get;
pub mod list;
pub mod replicas;
pub mod watch;
pub mod write;

use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use tokio::time::timeout;

use super::{
    Batch, Content, Entry, Error, Event, Expect, Key, Labels, ListOptions, Op, Result, Revision, Scope, Store, Value,
    WatchOptions, Write,
};

/// What the suite runs on: a store, and the hand that compacts it.
#[async_trait]
pub trait Subject: Send + Sync {
    /// A store that was empty at first.
    fn store(&self) -> &dyn Store;

    /// Forgets what only reads below `upto` need.
    async fn compact(&self, upto: Revision);
}

/// Makes a test of every case; `$make` is a future of a [`Subject`].
#[macro_export]
macro_rules! store_suite {
    ($make:expr) => {
        $crate::store_suite!(@common $make);
        // Other replicas do not know who lists here: there such a list ends with an error.
        $crate::store_suite!(@subject $make; compaction { a_running_list_is_complete_though_history_is_compacted });
    };
    (@common $make:expr) => {
        $crate::store_suite!(@store $make;
            write {
                a_created_object_can_be_read
                everything_of_an_object_comes_back
                creating_what_is_there_says_so
                an_update_replaces_everything
                updating_or_deleting_nothing_is_not_found
                update_with_stale_revision_conflicts
                update_with_another_uid_conflicts
                delete_with_stale_revision_conflicts
                delete_with_another_uid_conflicts
                expectations_that_hold_let_a_write_pass
                revisions_grow_by_one_for_each_write_of_any_kind
                a_refused_write_takes_no_revision
                an_object_can_be_deleted_and_made_again
                of_concurrent_updates_at_one_revision_one_wins
                of_concurrent_creations_one_wins
                a_counter_loses_no_increment
                concurrent_writes_have_revisions_without_gaps
                large_values_come_back
                odd_keys_are_kept_apart
                keys_without_a_name_or_with_zero_bytes_are_invalid
                a_splice_outside_of_the_object_is_invalid
                an_object_too_large_to_be_answered_with_is_invalid
                status_says_where_the_store_stands
            }
            get {
                nothing_is_none
                exact_revisions_are_invalid
                a_read_is_not_older_than_asked
                a_read_waits_for_a_revision_that_comes
                a_revision_that_never_comes_is_refused
            }
            list {
                an_empty_scope_has_a_revision
                entries_are_ordered_by_namespace_and_name
                a_namespace_has_its_own
                scopes_do_not_overlap
                a_limit_and_a_start_make_pages
                pages_of_one_namespace_stay_in_it
                a_count_ignores_limit_and_selectors
                label_selectors_of_every_operator
                field_selectors_by_name_namespace_and_fields
                an_old_revision_is_listed_as_it_was
                selectors_look_at_what_was
                revision_zero_is_before_everything
                pages_of_one_snapshot_are_not_disturbed_by_writes
                a_list_is_what_the_events_up_to_it_make
                many_objects_come_in_chunks
                selective_lists_pass_over_many_objects
                large_objects_can_be_listed
                a_list_is_not_older_than_asked
                a_list_of_the_future_is_refused
            }
            watch {
                the_first_batch_comes_at_once
                events_say_what_happened
                events_after_a_revision_come_once_and_in_order
                watchers_see_the_same
                a_watch_resumes_where_it_ended
                a_namespace_is_watched_alone
                another_resource_is_not_seen
                quiet_scopes_hear_how_far_the_log_is
                a_list_joins_a_watch
                a_watch_from_the_beginning_sees_everything
                a_deletion_and_a_recreation_are_two_events
                large_events_come_through
                a_watch_of_the_future_is_refused
                many_watchers_come_and_go
            }
        );
        $crate::store_suite!(@subject $make;
            compaction {
                what_is_compacted_cannot_be_watched
                what_is_compacted_cannot_be_listed
                the_oldest_kept_revision_can_be_listed_and_watched
                objects_outlive_compaction
                a_deleted_name_can_be_used_after_compaction
                revisions_go_on_after_compaction
                a_watch_that_is_up_to_date_outlives_compaction
            }
        );
    };
    (@store $make:expr; $($module:ident { $($case:ident)* })*) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let subject = $make.await;
                $crate::store::suite::$module::$case($crate::store::suite::Subject::store(&subject)).await;
            }
        )*)*
    };
    (@subject $make:expr; $($module:ident { $($case:ident)* })*) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let subject = $make.await;
                $crate::store::suite::$module::$case(&subject).await;
            }
        )*)*
    };
}

/// Makes a test of every case about several stores on one database, and of every case of [`store_suite`] on all of them by
/// turns; `$make` is a future of [`Replicas`](replicas::Replicas).
#[macro_export]
macro_rules! store_replicas_suite {
    ($make:expr) => {
        $crate::store_suite!(@common $make);

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn writers_on_all_replicas_make_one_order_that_all_watchers_see() {
            let replicas = $make.await;
            $crate::store::suite::replicas::writers_on_all_replicas_make_one_order_that_all_watchers_see(&replicas).await;
        }
    };
}

// === what the cases say it with ===

/// What must happen happens within this time.
const SOON: Duration = Duration::from_secs(20);

/// Widgets in every namespace.
fn widgets() -> Scope {
    scope("example.com", "widgets", None)
}

fn scope(group: &str, resource: &str, namespace: Option<&str>) -> Scope {
    Scope { group: group.into(), resource: resource.into(), namespace: namespace.map(Into::into) }
}

/// A widget in a namespace.
fn widget(namespace: &str, name: &str) -> Key {
    Key { group: "example.com".into(), resource: "widgets".into(), namespace: namespace.into(), name: name.into() }
}

fn labels<const N: usize>(labels: [(&str, &str); N]) -> Labels {
    labels.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// An object whose JSON is about `text`.
fn content(uid: &str, text: impl Into<String>) -> Content {
    let json = format!(r#"{{"metadata":{{"uid":"{uid}"}},"text":"{}"}}"#, text.into());
    let value = Value { json: Bytes::from(json), splice: 13, schema: "v1/abc".into() };
    Content { uid: uid.into(), labels: Labels::new(), fields: Labels::new(), value }
}

fn labelled<const N: usize>(text: &str, pairs: [(&str, &str); N]) -> Content {
    Content { labels: labels(pairs), ..content("u", text) }
}

fn at(revision: Revision) -> Expect {
    Expect { revision: Some(revision), uid: None }
}

fn with_uid(uid: &str) -> Expect {
    Expect { revision: None, uid: Some(uid.into()) }
}

async fn create(store: &dyn Store, key: &Key, content: Content) -> Result<Revision> {
    store.write(Write { key: key.clone(), op: Op::Create(content) }).await.map(|written| written.revision)
}

async fn update(store: &dyn Store, key: &Key, content: Content, expect: Expect) -> Result<Revision> {
    store.write(Write { key: key.clone(), op: Op::Update(content, expect) }).await.map(|written| written.revision)
}

async fn delete(store: &dyn Store, key: &Key, expect: Expect) -> Result<Revision> {
    store.write(Write { key: key.clone(), op: Op::Delete(expect) }).await.map(|written| written.revision)
}

/// Creates a widget whose text is its name, in the namespace `default`.
async fn made(store: &dyn Store, name: &str) -> Revision {
    ok(create(store, &widget("default", name), content("u", name)).await)
}

async fn head(store: &dyn Store) -> Revision {
    ok(store.status().await).revision
}

/// A whole list: its revision and its entries.
async fn listed(store: &dyn Store, scope: &Scope, options: ListOptions) -> Result<(Revision, Vec<Entry>)> {
    let list = store.list(scope, options).await?;
    let chunks: Vec<_> = list.chunks.try_collect().await?;
    assert!(chunks.iter().all(|chunk| !chunk.is_empty()), "a chunk without entries");
    Ok((list.revision, chunks.concat()))
}

/// `namespace/name` of each entry.
fn names(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|Entry { key, .. }| format!("{}/{}", key.namespace, key.name)).collect()
}

/// The names that a list has.
async fn listed_names(store: &dyn Store, scope: &Scope, options: ListOptions) -> Vec<String> {
    names(&ok(listed(store, scope, options).await).1)
}

type Watch = BoxStream<'static, Result<Batch>>;

async fn watched(store: &dyn Store, scope: &Scope, after: Revision) -> Watch {
    ok(store.watch(scope, WatchOptions { after }).await)
}

/// The next batch, which comes soon.
async fn next(watch: &mut Watch) -> Batch {
    ok(timeout(SOON, watch.next()).await.expect("a batch comes soon").expect("the watch goes on"))
}

/// The events until the watch is complete up to `revision`.
async fn events_until(watch: &mut Watch, revision: Revision) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let batch = next(watch).await;
        assert!(batch.events.iter().all(|event| event.entry.revision <= batch.upto), "an event beyond its batch");
        events.extend(batch.events);
        if batch.upto >= revision {
            return events;
        }
    }
}

fn revisions(events: &[Event]) -> Vec<Revision> {
    events.iter().map(|event| event.entry.revision).collect()
}

#[track_caller]
fn ok<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{error:?}"))
}

#[track_caller]
fn error<T: Debug>(result: Result<T>) -> Error {
    match result {
        Ok(value) => panic!("no error but {value:?}"),
        Err(error) => error,
    }
}

/// The error of a list or a watch, which have no `Debug`.
fn refusal<T>(result: Result<T>) -> Error {
    error(result.map(|_| ()))
}
