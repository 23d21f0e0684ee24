//! Why a record was not read or written.

/// The result of a method of [`Records`](crate::Records).
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a record was not read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such record, or not of that owner. The text is the one for the client.
    #[error("{0}")]
    NotFound(String),
    /// The name is taken, the record is being deleted, or it was changed meanwhile.
    #[error("{0}")]
    Conflict(String),
    /// A value that is not allowed, with the path of its field.
    #[error("{field}: {reason}")]
    Invalid {
        /// Such as `name` or `spec.region`.
        field: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A search, an order or a parameter that makes no sense; 400.
    #[error("{0}")]
    BadRequest(String),
    /// What is only needed below this revision is gone: read anew.
    #[error("changes up to revision {oldest} are forgotten")]
    Compacted {
        /// The oldest revision after which changes are known.
        oldest: u64,
    },
    /// The database does not answer, for now.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// A fault of ours.
    #[error("{0}")]
    Internal(String),
}
