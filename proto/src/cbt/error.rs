//! The ways in which blocks cannot be had, each something that a caller acts on.

/// The result of a method of the seam.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why blocks cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such snapshot.
    #[error("{0}")]
    NotFound(String),
    /// The snapshot is there, and cannot be read yet.
    #[error("{0}")]
    NotReady(String),
    /// What changed between the two cannot be told: take all allocated blocks.
    #[error("{0}")]
    NoDelta(String),
    /// The start is beyond the volume's end.
    #[error("{0}")]
    OutOfRange(String),
    /// The request makes no sense; a fault of the caller.
    #[error("{0}")]
    Invalid(String),
    /// The caller, or the driver on the caller's behalf, may not.
    #[error("{0}")]
    Forbidden(String),
    /// A token has expired: list the blocks again.
    #[error("{0}")]
    Expired(String),
    /// Too many requests.
    #[error("{message}")]
    Throttled {
        /// Who says so.
        message: String,
        /// Seconds after which the same may succeed; 0 is unknown.
        retry_after: u32,
    },
    /// Whoever knows cannot answer now. The same request may succeed later.
    #[error("{0}")]
    Unavailable(String),
    /// The driver broke the contract: what came before is good, and what comes after cannot be trusted.
    #[error("{0}")]
    Broken(String),
    /// A fault of ours.
    #[error("{0}")]
    Internal(String),
}
