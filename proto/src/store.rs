//! The `Store` seam: objects by key, in one order of revisions.
//!
//! ```text
//!   revisions   1   2   3   4   5   6   7   8 ──▶
//!               │   │   │   │   │   │   │   │
//!               └───┴───┴─┬─┴───┴───┴───┴───┴─ current (every acknowledged write is at or below it)
//!                      compacted: nothing below can be listed or watched any more
//! ```
//!
//! The contract that every implementation keeps, and that `suite` checks:
//!
//! * **One order.** A write makes exactly one revision. Revisions grow by commit order, are never reused and never
//!   go back, across restarts too. Nobody sees revision N before everything at or below N is visible to everybody.
//! * **Durable before acknowledged.** When [`Store::write`] returns `Ok`, the write survives the loss of power.
//! * **Preconditions are atomic** with the write they guard. A failed one fails only its writer.
//! * **A list reads as of one revision**, whatever is written meanwhile, and holds no transaction open between chunks.
//!   When compaction overtakes it, it ends with [`Error::Compacted`]; it is never short.
//! * **A watch is the log**: every event after a revision, in order, once, or [`Error::Compacted`].
//! * **Unready is not empty**: what cannot be answered truthfully is [`Error::Unavailable`].
//!
//! The store knows no kinds. It may emulate anything else (indexes, caches, compression).

pub mod client;
mod convert;
mod entry;
mod error;
mod options;
pub mod server;
#[cfg(feature = "suite")]
pub mod suite;
#[path = "gen/outrigger.store.v1.rs"]
#[rustfmt::skip]
#[expect(clippy::allow_attributes, unreachable_pub, reason = "generated")]
pub(crate) mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;

pub use entry::{Batch, Change, Content, Entry, Event, Key, Labels, Previous, Revision, Scope, Value};
pub use error::{Error, Result};
pub use options::{At, Expect, ListOptions, OBJECT_LIMIT, Op, WatchOptions, Write, Written};

/// Objects by key, in one order of revisions. The module's documentation is the contract.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The object at `key`. `at` may be [`At::Latest`] or [`At::NotOlderThan`]; [`At::Exact`] is [`Error::Invalid`].
    async fn get(&self, key: &Key, at: At) -> Result<Option<Entry>>;

    /// The objects of `scope` as of one revision, ordered by namespace and name.
    async fn list(&self, scope: &Scope, options: ListOptions) -> Result<List>;

    /// The events of `scope` after `options.after`, as they are committed.
    ///
    /// Every [`Batch`] says up to which revision the stream is complete, also when nothing in it concerns `scope`.
    /// The first batch comes at once. The stream ends with an error, or cleanly when the store shuts down. A revision
    /// that is not reached is waited for as by a read, then refused with [`Error::Future`]: a store that was restored
    /// from a backup is in the past, and events would be missed.
    async fn watch(&self, scope: &Scope, options: WatchOptions) -> Result<BoxStream<'static, Result<Batch>>>;

    /// Creates, updates or deletes one object; returns once that is durable. What [`Write::check`] refuses is refused.
    ///
    /// A caller that goes away does not take its write back. One that ends with [`Error::Unavailable`] or
    /// [`Error::Internal`] may or may not have happened.
    async fn write(&self, write: Write) -> Result<Written>;

    /// Where the store stands. Answers [`Error::Unavailable`] when it could not serve.
    async fn status(&self) -> Result<Status>;
}

/// The answer to [`Store::list`].
pub struct List {
    /// The revision that the entries are read as of.
    pub revision: Revision,
    /// How many objects the range holds from its start, limit not counted; an estimate, given when it was asked for.
    pub count: Option<u64>,
    /// The entries, in chunks. Their number is at most `limit`.
    pub chunks: BoxStream<'static, Result<Vec<Entry>>>,
}

/// The answer to [`Store::status`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The newest revision that is visible to everybody.
    pub revision: Revision,
    /// Watches can start at this revision or above; lists can be as of it or above.
    pub compacted: Revision,
    /// Bytes on disk, 0 where that means nothing.
    pub bytes: u64,
}

// === impl Store ===

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: Store + ?Sized> Store for Arc<S> {
    async fn get(&self, key: &Key, at: At) -> Result<Option<Entry>> {
        S::get(self, key, at).await
    }

    async fn list(&self, scope: &Scope, options: ListOptions) -> Result<List> {
        S::list(self, scope, options).await
    }

    async fn watch(&self, scope: &Scope, options: WatchOptions) -> Result<BoxStream<'static, Result<Batch>>> {
        S::watch(self, scope, options).await
    }

    async fn write(&self, write: Write) -> Result<Written> {
        S::write(self, write).await
    }

    async fn status(&self) -> Result<Status> {
        S::status(self).await
    }
}
