//! The ways in which a provider refuses. All but one are sure: nothing was done.

/// The result of a method of the seam.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a provider did not do it, or why nobody knows whether it did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The node's providerID is not one of this provider's, or names no machine that can be restarted.
    #[error("{0}")]
    Invalid(String),
    /// There is no such instance.
    #[error("{0}")]
    NotFound(String),
    /// The driver's credentials do not allow it, or are missing.
    #[error("{0}")]
    Forbidden(String),
    /// The instance is in a state in which it cannot be done.
    #[error("{0}")]
    Conflict(String),
    /// The provider knows no such thing, or the driver's configuration does not allow it.
    #[error("{0}")]
    Unsupported(String),
    /// Too many requests: refused before anything was done.
    #[error("{message}")]
    Throttled {
        /// Who says so.
        message: String,
        /// Seconds after which the same may succeed; 0 is unknown.
        retry_after: u32,
    },
    /// The provider could not be connected to: nothing was sent.
    #[error("{0}")]
    Unreachable(String),
    /// The request was sent, and what became of it is not known.
    #[error("{0}")]
    Ambiguous(String),
}
