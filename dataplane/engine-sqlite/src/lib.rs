//! The log's engine on one SQLite file.
//!
//! ```text
//!   turn ─────▶ writer connection ──▶ WAL, synchronous=FULL ──▶ checkpoints ──▶ database file
//!   reads ────▶ a few readers, each read its own snapshot
//! ```
//!
//! One process writes, behind a lock file; any number may read with plain `sqlite3` meanwhile. The rule: a connection on
//! which a commit failed is not used again, for what it believes may not be what is on the disk.

mod builder;
mod checkpoint;
mod error;
mod file;
mod maintenance;
mod names;
mod open;
mod page;
mod readers;
mod rows;
mod sql;
mod sqlite;
mod turn;

pub use maintenance::{Answer, backup, check, query};
pub use open::{OpenError, Options};
pub use sqlite::Sqlite;
