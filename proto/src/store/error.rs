//! The ways a store refuses, each something that a caller acts on.

use super::{Expect, Key, Revision};

/// The result of a store's method.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a store refused. `crate::status` says which gRPC status each becomes, `apiserver::error` which `metav1.Status`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An update or deletion of what is not there.
    #[error("{key} not found")]
    NotFound {
        /// Which object.
        key: Key,
    },
    /// A creation of what is there already.
    #[error("{key} already exists at revision {revision}")]
    AlreadyExists {
        /// Which object.
        key: Key,
        /// The revision of the one that is there.
        revision: Revision,
    },
    /// A precondition did not hold. Read the object again and decide anew.
    #[error("{key} is uid {uid} at revision {revision}, not as expected")]
    Conflict {
        /// Which object.
        key: Key,
        /// What the writer expected.
        expected: Expect,
        /// The uid that the object has.
        uid: String,
        /// The revision that the object has.
        revision: Revision,
    },
    /// The revision asked for is no longer in the history. Start again from a list.
    #[error("revision {requested} is compacted, the oldest is {oldest}")]
    Compacted {
        /// The revision asked for.
        requested: Revision,
        /// The oldest that can be asked for.
        oldest: Revision,
    },
    /// The revision asked for has not been reached, even after waiting for it.
    #[error("revision {requested} is not reached, the current is {current}")]
    Future {
        /// The revision asked for.
        requested: Revision,
        /// The newest there is.
        current: Revision,
    },
    /// The request makes no sense to a store; a fault of the caller.
    #[error("{reason}")]
    Invalid {
        /// What is wrong, and what to do instead.
        reason: String,
    },
    /// The disk or quota is full: reads go on, writes resume when there is space again.
    #[error("out of space: {reason}")]
    OutOfSpace {
        /// Where space is missing.
        reason: String,
    },
    /// The store cannot answer now. The same request may succeed later.
    #[error("{reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
    /// A fault of the store. A write that ends so may or may not have happened.
    #[error("{reason}")]
    Internal {
        /// What happened.
        reason: String,
    },
}
