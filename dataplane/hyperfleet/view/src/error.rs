//! From what records refuse to what a store refuses.

use hyperfleet_records::Error as Records;
use proto::store::{Error, Key, Revision};

/// What `error` is for a read of nothing in particular. `requested` is the revision that the read was to be of or after.
pub(crate) fn of_read(error: Records, requested: Revision) -> Error {
    match error {
        Records::Compacted { oldest } => Error::Compacted { requested, oldest },
        Records::Unavailable(reason) => Error::Unavailable { reason },
        Records::NotFound(reason) | Records::Conflict(reason) | Records::BadRequest(reason) => {
            Error::Invalid { reason }
        }
        Records::Invalid { field, reason } => Error::Invalid { reason: format!("{field}: {reason}") },
        Records::Internal(reason) => Error::Internal { reason },
    }
}

/// What `error` is for a write of the object at `key`, which is not a lost race: see [`super::store`] for those.
pub(crate) fn of_write(error: Records, key: &Key) -> Error {
    match error {
        Records::Unavailable(reason) => Error::Unavailable { reason },
        Records::Internal(reason) => Error::Internal { reason },
        error => Error::Invalid { reason: format!("{key}: {error}") },
    }
}
