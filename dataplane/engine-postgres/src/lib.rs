//! The log's engine on PostgreSQL, for any number of logs on one database at once.
//!
//! ```text
//!   turn ─────▶ writer connection ─▶ lock the head ─▶ append ─▶ NOTIFY ─▶ COMMIT
//!   reads ────▶ a pool, each read one statement                   │
//!   others ◀─── LISTEN ◀──────────────────────────────────────────┘  a wake-up, never the truth: that is the history
//! ```
//!
//! What always holds:
//!
//! * **The order is a lock.** Whoever appends holds the row of `head` until its commit is visible, so nobody sees a revision
//!   before all below it. A sequence would give revisions in another order than that of the commits.
//! * **A commit is on the disk**, and on the synchronous standby where there is one, before it is acknowledged: whatever the
//!   server's default is, an append asks for it.
//! * **A connection on which anything failed is not used again** for writing.
//! * **Another timeline is another server.** One that was promoted is written to only if no acknowledged write can be
//!   missing from it, or after [`recover`].

mod admin;
mod error;
mod events;
mod names;
mod notices;
mod open;
mod page;
mod postgres;
mod query;
mod rows;
mod server;
mod sql;
mod turn;

pub use admin::{Answer, check, query, recover};
pub use open::{OpenError, Options};
pub use postgres::Postgres;
pub use server::Server;
