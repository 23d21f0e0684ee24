//! Tokens: kept as hashes in Kubernetes Secrets, and verified.
//!
//! ```text
//!                        ┌─▶ Tokens ──▶ Secrets (kube-rs), or the SQL store
//!   apiserver ──Store────┘     ▲  ▲
//!                              │  └── expiry: deletes what has expired
//!   kube-apiserver ──TokenReview──▶ review ──▶ verify ──▶ used: when, now and then
//! ```
//!
//! The Secret *is* the token: same namespace, name, uid, revision and fate. What it holds is no secret: a salted hash of one
//! ([`proto::token`]), and a [seal](Key) without which it is nobody's token. The secret itself is known to its owner alone.
//!
//! [`in_cluster`] and [`standalone`] give a process its tokens, [`answer_reviews`] answers the kube-apiserver.

mod config;
mod data;
mod expiry;
mod kept;
mod limit;
mod open;
mod review;
mod seal;
mod secret_key;
mod secrets;
mod store;
mod used;
mod verify;

pub use config::Config;
pub use open::{Tags, answer_reviews, in_cluster, standalone};
pub use seal::{Key, Keyring};
pub use secrets::Secrets;
pub use store::Tokens;
pub use used::Used;
pub use verify::{Identity, Verdict, Verifier};
