//! HyperFleet's records: clusters, nodepools and what adapters report of them, in PostgreSQL or SQLite.
//!
//! ```text
//!   REST ──▶ Records ──▶ one transaction: the row (locked) · its labels · its statuses · its aggregate · one log entry
//!   kubectl ─▶ view ─┘                                                                                │ revision
//!                                                                       changes after a revision ◀────┘
//! ```
//!
//! What always holds:
//!
//! * A write is durable when it returns, and whole or not at all.
//! * Each write makes one revision for each record that it changes, in commit order, never reused; nobody sees one
//!   before all below it.
//! * What a client sent is an [`Error`] that says so, never [`Error::Internal`].

mod aggregate;
mod backend;
mod check;
mod compact;
mod database;
mod error;
mod filter;
mod metrics;
mod migrate;
mod model;
mod query;
mod records;
mod report;
mod rows;
mod sql;
mod transaction;
mod tsl;
mod write;

pub use error::{Error, Result};
pub use model::{
    AdapterStatus, Condition, Json, Key, Kind, New, Owner, Patch, Phase, Put, Report, ReportedCondition, Resource,
    Status, ZERO_TIME,
};
pub use query::{Order, Page, Query, Search};
pub use records::{Bounds, Change, Changed, Database, Options, Records, Reported};
