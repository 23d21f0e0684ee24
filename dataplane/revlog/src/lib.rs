//! The log of revisions: everything about a [`Store`](proto::store::Store) that does not depend on the database.
//!
//! ```text
//!   write ─▶ queue ─▶ writer ──── begin · plan · commit ────▶ engine        one transaction for all waiting writes
//!                        │                                       │
//!                        ├─▶ hub ─▶ ring ─▶ watchers             │          a cursor each; who lags reads history
//!                        └─▶ the writers are answered            ▼
//!   list, get ──────────────────────────────── as of R ◀── objects + history
//! ```
//!
//! The one rule: **what is published is durable, and what is read is published.** The hub learns of a write when its
//! transaction is on disk; every read is as of a revision that the hub knows. So nobody sees a revision before
//! everything at or below it is visible to everybody, though readers and the writer share no lock. Where other logs append
//! to the same database, "published" is what is on its disk: reads ask it for the head, and the hub follows ([`Others`]).
//!
//! [`Log`] is the store, [`Engine`] is what it stands on, [`Memory`] is the smallest engine.

mod batch;
mod codec;
mod compact;
mod engine;
mod hub;
mod list;
mod log;
mod memory;
mod metrics;
mod others;
mod pins;
mod watch;
mod writer;

pub use codec::{Encoding, Stored};
pub use engine::{Bounds, CommitError, Current, Engine, Others, Page, Range, Record, Turn};
pub use log::{Log, Options};
pub use memory::Memory;
pub use metrics::Metrics;
