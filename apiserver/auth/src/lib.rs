//! Who asks, and whether they may.
//!
//! ```text
//!   request ──▶ front proxy? ──▶ client certificate? ──▶ bearer token? ──▶ 401
//!                    │                  │                     │ TokenReview
//!                    └──────────────────┴──────────┬──────────┘
//!                                                  ▼
//!                                impersonation ──▶ User ──▶ Authorizer ──▶ 403
//!                                                             system:masters, else SubjectAccessReview
//! ```
//!
//! What always holds:
//!
//! * Every request is identified by itself, from its headers and its connection's certificates. Nothing is remembered of
//!   the connection's earlier requests.
//! * A name in a header counts only from the front proxy: a TLS peer that shows it has the key of a certificate for client
//!   authentication, of the request-header CA, with an allowed name. From anybody else such a header is refused.
//! * Whatever cannot be decided is refused: before the CAs are known, while a review fails, when two headers disagree.
//! * Tokens are in no log, no error, and in no cache other than as a hash.

mod args;
mod attributes;
mod authenticate;
mod authorize;
mod cache;
mod certificate;
mod error;
mod headers;
mod impersonate;
mod request_header;
mod review;
mod source;
mod token;
mod trust;
mod user;

pub use args::TrustArgs;
pub use attributes::{Attributes, Requirement, forbidden};
pub use authenticate::{Authenticator, Delegated};
pub use authorize::{AccessReviews, Authorizer, Decision, Masters};
pub use error::{Error, Result};
pub use headers::strip_identity;
pub use source::Source;
pub use token::{Reviewed, TokenReviews};
pub use user::User;
