//! The storage service: a [`Store`](proto::store::Store) on a database.
//!
//! [`open()`] gives the all-in-one process its store; [`serve()`] puts the same store behind gRPC for the split deployment.
//! Both take the same [`Config`], and neither knows what the objects are.

mod admin;
mod config;
mod open;
mod serve;
mod traced;

pub use admin::{Answer, backup, check, recover, sql};
pub use config::{Config, Database, PostgresArgs};
pub use open::open;
pub use serve::serve;
pub use traced::Traced;
