//! What the log stands on: a database that can append in one order, and read as of a revision.

use std::{collections::HashMap, fmt, sync::Arc};

use async_trait::async_trait;
use machinery::selector::{FieldSelector, LabelSelector};
use proto::store::{Batch, Change, Content, Entry, Error, Event, Key, Result, Revision, Scope};

use crate::codec::Stored;

/// A database under a [`Log`](crate::Log).
///
/// To add one: a crate `dataplane/engine-NAME` with a type that implements this trait and keeps two tables: `history`,
/// one row for each revision and the only place where bytes live, and `objects`, for each key where its newest row is
/// (a deletion stays there until it is compacted, so that reads as of an older revision find the way back). Run
/// `proto::store::suite!` over a `Log` of it, and offer it in `storage::Config`. Nothing else changes.
///
/// ```text
///   objects   a ─────────────────────────┐     b ─────────────┐
///   history   a@1 ◀── a@4 ◀────────── a@9      b@2 ◀── b@7 deleted        each row knows the one before it
///                                              as of 8: a@4, no b; as of 5: a@4, b@2
/// ```
///
/// * **One turn at a time.** Between [`begin`](Engine::begin) and [`Turn::commit`] nobody else appends, in this process
///   or another. A log asks for the next turn only after the last one; an engine that is shared by many logs takes a
///   lock in `begin`, and reads the head under it.
/// * **A commit is durable** when it returns, and is all or nothing.
/// * **Reads run beside turns** and beside each other, each a short transaction of its own. They are asked as of
///   revisions that are committed. What compaction took away is [`Error::Compacted`], never a shorter answer.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// A turn to append.
    type Turn<'a>: Turn
    where
        Self: 'a;

    /// Where the log begins and ends.
    async fn bounds(&self) -> Result<Bounds>;

    /// Takes the next turn to append, and reads what `keys` are now.
    async fn begin(&self, keys: &[Key]) -> Result<Self::Turn<'_>>;

    /// Whether `last`, the last record of a commit that ended [`CommitError::Unsure`], is in the log after all.
    async fn committed(&self, last: &Record) -> Result<bool>;

    /// The object at `key` as of `at`, which is [`Revision::MAX`] for what it is at this moment.
    async fn get(&self, key: &Key, at: Revision) -> Result<Option<Entry>>;

    /// Some objects of a range.
    async fn page(&self, range: &Range<'_>) -> Result<Page>;

    /// How many objects `scope` holds after a namespace and name; now, not as of a revision.
    async fn count(&self, scope: &Scope, after: Option<(&str, &str)>) -> Result<u64>;

    /// Events of `scope` after `after` and up to `upto`, oldest first: as many as one short read yields. The batch
    /// says how far it is complete; it always gets further than `after`.
    async fn events(&self, scope: &Scope, after: Revision, upto: Revision) -> Result<Batch>;

    /// Takes one short step of forgetting what only reads below `upto` need, and returns how far that came.
    async fn compact(&self, upto: Revision) -> Result<Revision>;

    /// Does what the engine needs done beside all this. Never returns.
    async fn maintain(&self);

    /// Bytes on disk, 0 where that means nothing.
    async fn bytes(&self) -> Result<u64>;

    /// Leaves everything tidy. Nothing is asked after this.
    async fn close(&self);

    /// Those who append beside this log; `None` when nobody can.
    fn others(&self) -> Option<&dyn Others> {
        None
    }
}

/// The other logs on the same database.
///
/// With others, what this process remembers is not the newest: a log asks for the head before it reads, reads in its turn
/// what it is about to change, and learns from here what to show to its watchers.
#[async_trait]
pub trait Others: Send + Sync {
    /// Completes when something may have been appended after `after`, by whomever. May complete for nothing.
    async fn appended(&self, after: Revision);

    /// Events of every resource after `after`, oldest first and without a gap: as many as one short read yields.
    async fn events(&self, after: Revision) -> Result<Vec<Event>>;
}

/// A turn to append: the log as nobody else can change it until this is over.
#[async_trait]
pub trait Turn: Send + Sized {
    /// The newest revision.
    fn head(&self) -> Revision;

    /// What the keys are. Those that have never been, or whose deletion is compacted, are missing. Asked once.
    fn current(&mut self) -> HashMap<Key, Current>;

    /// Appends `records`, the first at `head + 1` and each one further, and makes them durable. No records: gives the
    /// turn up.
    async fn commit(self, records: &[Arc<Record>]) -> Result<(), CommitError>;
}

/// The ends of a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The newest revision.
    pub head: Revision,
    /// What is only needed below this revision is gone.
    pub compacted: Revision,
}

/// What a key is in a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Current {
    /// Its newest record.
    pub revision: Revision,
    /// The object; `None` when that record deleted it.
    pub content: Option<Arc<Content>>,
}

/// One revision of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Which object.
    pub key: Key,
    /// Which revision.
    pub revision: Revision,
    /// What happened.
    pub change: Change,
    /// The record before this one of the same key, deletions included; 0 when there is none.
    pub previous: Revision,
    /// What the object is now, or was last when this deletes it.
    pub content: Arc<Content>,
    /// How `content.value.json` is kept; `None` for a deletion, whose last bytes are at `previous`.
    pub stored: Option<Stored>,
}

/// Which objects a page is read from.
#[derive(Debug, Clone, Copy)]
pub struct Range<'a> {
    /// Of this scope,
    pub scope: &'a Scope,
    /// as of this revision,
    pub at: Revision,
    /// behind this namespace and name.
    pub after: Option<(&'a str, &'a str)>,
    /// At most so many objects,
    pub rows: usize,
    /// and no more once their JSON has so many bytes.
    pub bytes: usize,
    /// Objects that do not match may be left out, or not: the log looks again.
    pub labels: &'a LabelSelector,
    /// As `labels`.
    pub fields: &'a FieldSelector,
}

/// Some objects of a range, ordered by namespace and name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The objects.
    pub entries: Vec<Entry>,
    /// Where to go on, exclusive; `None` at the end of the range. May be given with no entries.
    pub next: Option<(String, String)>,
}

/// Why a commit did not return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitError {
    /// Nothing of it happened, and nothing will.
    Refused(Error),
    /// It may have happened.
    Unsure(Error),
}

// === impl CommitError ===

impl CommitError {
    /// Whatever came of it.
    pub(crate) fn into_error(self) -> Error {
        match self {
            CommitError::Refused(error) | CommitError::Unsure(error) => error,
        }
    }
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CommitError::Refused(error) => write!(f, "refused: {error}"),
            CommitError::Unsure(error) => write!(f, "unsure: {error}"),
        }
    }
}
