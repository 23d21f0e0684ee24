//! Why it cannot be said who asks, or whether they may. Each variant is one answer.

use std::sync::Arc;

use machinery::status::Status;

use crate::review;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing is known yet that identities could be judged by: 503.
    #[error("the certificate authorities of the cluster are not known yet")]
    NotReady,
    /// What was shown proves no identity: 401.
    #[error("{0}")]
    Refused(String),
    /// Who asks may not be whom they want to be: 403.
    #[error("{}", .0.message)]
    Forbidden(Box<Status>),
    /// The request contradicts itself: 400.
    #[error("{0}")]
    BadRequest(String),
    /// The cluster could not be asked whose token it is: 401, as the kube-apiserver does it.
    #[error("reviewing a token")]
    TokenReview(#[source] Arc<review::Error>),
    /// The cluster could not be asked whether it is allowed: 500, as the kube-apiserver does it.
    #[error("reviewing the access of a user")]
    AccessReview(#[source] Arc<review::Error>),
}

// === impl Error ===

impl Error {
    /// What the client is told.
    pub fn status(&self) -> Status {
        match self {
            Self::NotReady => Status::unavailable(&self.to_string(), 1),
            Self::Refused(_) | Self::TokenReview(_) => Status::unauthorized(),
            Self::Forbidden(status) => (**status).clone(),
            Self::BadRequest(text) => Status::bad_request(text),
            Self::AccessReview(_) => Status::internal("the cluster could not be asked whether this is allowed"),
        }
    }
}
