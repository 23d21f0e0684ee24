//! The cases that every implementation of [`ChangedBlocks`] passes.
//!
//! To run them: implement [`Subject`] for two snapshots that the tests set up, and write
//! `proto::cbt_suite!(async { … })` in a test file, with an expression whose future makes one. Each case makes its own.
//! The snapshots should differ in several places that do not touch, one of them at the end of the volume.

pub mod lists;
pub mod reads;
pub mod refusals;
pub mod seeks;
pub mod streams;
mod synthetic;

use std::{collections::BTreeMap, fmt::Debug, ops::Range, time::Duration};

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use tokio::time::timeout;

use super::{Block, ChangedBlocks, Checker, Data, Error, Kind, Query, Read, Result, Shape, Snapshot};

pub use synthetic::Synthetic;

/// What the suite runs on: what answers, and what is true.
#[async_trait]
pub trait Subject: Send + Sync {
    /// What answers.
    fn blocks(&self) -> &dyn ChangedBlocks;

    /// What is true of the snapshots.
    fn truth(&self) -> &Truth;

    /// What the target has at `range`, which is within the volume. Only asked of what reads.
    async fn data(&self, range: Range<u64>) -> Vec<u8>;
}

/// Two snapshots of a volume, and what is known of them from elsewhere.
#[derive(Debug, Clone)]
pub struct Truth {
    /// The earlier one.
    pub base: Snapshot,
    /// The later one.
    pub target: Snapshot,
    /// One of another volume.
    pub foreign: Option<Snapshot>,
    /// One that is not there.
    pub unknown: Snapshot,
    /// Whether [`Snapshot::Named`] is resolved; a driver does not.
    pub resolves_names: bool,
    /// The size of the volume in bytes.
    pub capacity: u64,
    /// How coarse entries may be, in bytes: they cover the truth, and at most what surrounds it up to multiples of this.
    pub granularity: u64,
    /// What of the target is allocated, in order.
    pub allocated: Vec<Range<u64>>,
    /// What differs, in order.
    pub changed: Vec<Range<u64>>,
    /// What the driver needs to know.
    pub secrets: BTreeMap<String, String>,
}

/// Makes a test of every case; `$make` is a future of a [`Subject`].
///
/// `cbt_suite!(in turn $subject)` is all cases one after the other, for a test that sets much up once.
#[macro_export]
macro_rules! cbt_suite {
    (in turn $subject:expr) => {
        $crate::cbt_suite!(@all in_turn $subject)
    };
    ($make:expr) => {
        $crate::cbt_suite!(@all subject $make);
    };
    (@all $how:ident $what:expr) => {
        $crate::cbt_suite! { @$how $what;
            lists {
                allocated_blocks_cover_what_is_allocated
                a_delta_covers_what_changed
                a_snapshot_does_not_differ_from_itself
                blocks_are_the_ranges_cut
                a_limit_ends_a_list
                messages_are_as_small_as_asked_for
                a_list_is_the_same_each_time
                who_serves_says_what_it_is
            }
            seeks {
                a_list_starts_at_any_byte
                a_list_starts_at_any_block
                a_list_resumes_where_it_ended
                a_list_of_blocks_resumes_where_it_ended
                nothing_is_at_the_end
                a_start_past_the_end_is_out_of_range
            }
            reads {
                tokens_are_given_when_asked_for
                tokens_read_the_data
                data_comes_in_the_order_of_tokens
                tokens_that_were_never_good_are_invalid
                tokens_are_good_for_their_snapshot_only
                a_snapshot_that_is_not_there_has_no_data
            }
            refusals {
                a_snapshot_that_is_not_there_is_not_found
                a_base_that_is_not_there_is_refused
                names_are_for_those_who_resolve_them
                a_base_of_another_volume_is_refused
            }
            streams {
                dropped_streams_leave_nothing_behind
                concurrent_lists_are_the_same
            }
        }
    };
    (@in_turn $subject:expr; $($module:ident { $($case:ident)* })*) => {{
        $($($crate::cbt::suite::$module::$case($subject).await;)*)*
    }};
    (@subject $make:expr; $($module:ident { $($case:ident)* })*) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let subject = $make.await;
                $crate::cbt::suite::$module::$case(&subject).await;
            }
        )*)*
    };
}

// === impl Truth ===

impl Truth {
    /// Of a volume without known differences; no snapshot of another one, no secrets.
    pub fn new(base: Snapshot, target: Snapshot, capacity: u64, granularity: u64) -> Self {
        Self {
            base,
            target,
            foreign: None,
            unknown: Snapshot::Handle("no-such-snapshot".to_owned()),
            resolves_names: false,
            capacity,
            granularity,
            allocated: Vec::new(),
            changed: Vec::new(),
            secrets: BTreeMap::new(),
        }
    }

    /// A question about the target.
    pub fn allocated(&self) -> Query {
        self.query(None, &self.target)
    }

    /// A question about the difference.
    pub fn delta(&self) -> Query {
        self.query(Some(&self.base), &self.target)
    }

    fn query(&self, base: Option<&Snapshot>, target: &Snapshot) -> Query {
        Query { base: base.cloned(), secrets: self.secrets.clone(), ..Query::allocated(target.clone()) }
    }
}

// === what the cases say it with ===

/// What must happen happens within this time.
const SOON: Duration = Duration::from_secs(60);

/// An entry that outlives its message.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    offset: u64,
    size: u64,
    token: Vec<u8>,
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Listed {
    entries: Vec<Entry>,
    /// As the messages have them.
    messages: Vec<usize>,
    kind: Option<Kind>,
    capacity: u64,
    validity: (i64, i64),
}

impl Entry {
    fn end(&self) -> u64 {
        self.offset + self.size
    }
}

/// The whole answer to a query, which keeps the contract message by message.
async fn list(blocks: &dyn ChangedBlocks, query: Query) -> Result<Listed> {
    let mut checker = Checker::new(&query);
    let mut messages = timeout(SOON, blocks.blocks(query.clone())).await.expect("a list begins soon")?;
    let mut listed = Listed { entries: vec![], messages: vec![], kind: None, capacity: 0, validity: (0, 0) };
    while let Some(message) = timeout(SOON, messages.next()).await.expect("a message comes soon") {
        let message = message?;
        checker.check(&message)?;
        listed.capacity = message.capacity();
        listed.kind = Some(message.kind());
        listed.validity = message.validity();
        listed.messages.push(message.len());
        let owned = |Block { offset, size, token }: Block<'_>| Entry { offset, size, token: token.to_vec() };
        listed.entries.extend(message.iter().map(owned));
    }
    Ok(listed)
}

/// Both questions, both shapes.
fn queries(truth: &Truth) -> Vec<Query> {
    let shaped = |query: Query| [Shape::Ranges, Shape::Blocks].map(|shape| Query { shape, ..query.clone() });
    [truth.allocated(), truth.delta()].into_iter().flat_map(shaped).collect()
}

/// Some of `count` things: the first, the last, and some between.
fn some(count: usize) -> impl Iterator<Item = usize> {
    (0..count).filter(move |index| *index < 2 || index + 2 >= count || index % (count / 3).max(1) == 0)
}

/// All pieces of some blocks.
async fn read(subject: &dyn Subject, target: &Snapshot, tokens: &[&[u8]]) -> Result<Vec<Data>> {
    let tokens = tokens.iter().map(|token| token.to_vec().into()).collect();
    let read = Read { target: target.clone(), tokens, secrets: subject.truth().secrets.clone() };
    let pieces = async { subject.blocks().read(read).await?.try_collect().await };
    timeout(SOON, pieces).await.expect("data comes soon")
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
