//! One HTTP exchange with a provider, and how sure one can be of what became of it.
//!
//! ```text
//! connect ──▶ TLS ──▶ │ request ──▶ answer
//!     Unreachable     │     Ambiguous
//! ```
//! Every exchange has a connection of its own. An idle one may be closed by the other end while a request is on its way,
//! and then nobody knows whether the request was read; restarts are too rare for a handshake to matter.
//!
//! Redirects are not followed: a provider's address is configuration, and credentials go nowhere else.

mod client;
mod endpoint;
mod trust;

pub use client::{Client, Limits};
pub use endpoint::{Endpoint, EndpointError};
pub use trust::{Trust, TrustError};
