//! The writes, one in each file: what is locked, checked and changed in the transaction.

mod create;
mod delete;
mod patch;
mod put;
mod report;

use crate::{
    Error, Json, Key, New, Options, Patch, Put, Report, Reported, Resource,
    database::Connection,
    transaction::{Failure, Transaction},
};

/// A write, as it waits for its turn. It may be tried more than once.
#[derive(Debug, Clone)]
pub(crate) enum Write {
    Create { new: New, id: String },
    Patch { key: Key, patch: Patch, by: String },
    Delete { key: Key, by: String },
    ForceDelete { key: Key },
    Report { key: Key, report: Report },
    Put(Put),
    Keep { key: Key, expected: u64, kubernetes: Json },
}

/// What became of a write.
#[derive(Debug, Clone)]
pub(crate) enum Done {
    Record(Box<Resource>),
    Reported(Box<Reported>),
}

/// What a write decided.
enum Decided {
    /// The change at this place answers.
    Change(usize),
    /// Nothing changes: the record is as it was.
    Same(Box<Resource>),
    /// A report was taken, or was not.
    Reported(Box<Reported>),
}

// === impl Write ===

impl Write {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Patch { .. } => "patch",
            Self::Delete { .. } => "delete",
            Self::ForceDelete { .. } => "force_delete",
            Self::Report { .. } => "report",
            Self::Put(_) => "put",
            Self::Keep { .. } => "keep",
        }
    }

    /// Does it, in the transaction that `connection` is in; what became of it, and the newest revision that it made.
    pub(crate) async fn apply(
        self,
        connection: &mut Connection,
        options: &Options,
        now: jiff::Timestamp,
    ) -> Result<(Done, Option<u64>), Failure> {
        let mut transaction = Transaction::new(connection, options, now);
        let decided = match self {
            Self::Create { new, id } => create::create(&mut transaction, new, id).await?,
            Self::Patch { key, patch, by } => patch::patch(&mut transaction, &key, patch, by).await?,
            Self::Delete { key, by } => delete::delete(&mut transaction, &key, by).await?,
            Self::ForceDelete { key } => delete::force(&mut transaction, &key).await?,
            Self::Report { key, report } => report::report(&mut transaction, &key, report).await?,
            Self::Put(put) => put::put(&mut transaction, put).await?,
            Self::Keep { key, expected, kubernetes } => put::keep(&mut transaction, &key, expected, kubernetes).await?,
        };
        let mut after = transaction.finish().await?;
        let revision = after.last().map(|resource| resource.revision);
        let done = match decided {
            Decided::Change(place) => Done::Record(Box::new(after.swap_remove(place))),
            Decided::Same(resource) => Done::Record(resource),
            Decided::Reported(reported) => Done::Reported(reported),
        };
        Ok((done, revision))
    }
}

/// A record whose deletion was asked for takes no changes.
fn deleting(resource: &Resource) -> Error {
    Error::Conflict(format!("{} '{}' is being deleted", resource.kind.as_str(), resource.id))
}

fn exists(kind: crate::Kind) -> Error {
    Error::Conflict(format!("This {} already exists", kind.as_str()))
}
