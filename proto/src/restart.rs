//! The `Restarts` seam: between who answers the API and who restarts nodes.
//!
//! The restarts themselves are NodeRestart objects in the [`Store`](crate::store::Store) (group `infraops.michael.io`,
//! resource `noderestarts`), which whoever answers the API reads and watches there. Only the worker behind this seam
//! writes them. The contract that every implementation keeps, and that `suite` checks:
//!
//! * **Submitted is durable.** When [`Restarts::submit`] returns `Ok`, the NodeRestart is in the store, and the restart
//!   ends some day, whatever crashes.
//! * **One at a time.** A node has at most one restart that has not ended. A request with the idempotencyKey of an earlier
//!   one of the node is that one. While one has not ended, a request without any options, or with the same, is that
//!   one; any other is 409 and names it.
//! * **A plan touches nothing**, in the cluster, at the provider or in the store.
//! * **Refusals are the API's**: an [`Error`] is the `metav1.Status` to answer with.
//!
//! | code | when |
//! |---|---|
//! | 400 | the options are not JSON |
//! | 403 | a guard of the configuration: control plane, excluded, identity; the provider does not allow it |
//! | 404 | there is no such node, or nothing to cancel |
//! | 409 | a guard of the moment: another restart, too many in flight, too few healthy; the instance is not in a state for it; too late to cancel; the key is used with other options |
//! | 422 | the options are wrong; the providerID is missing or names nothing that can be restarted; the mode is unsupported |
//! | 429 | the user asks too often, or the provider throttles |
//! | 503 | there is no driver for the provider, or it cannot be reached; nothing can be stored now |
//!
//! A guard that refuses is named in `details.causes[].reason`, and the message says which flag or option lifts it.

pub mod client;
mod convert;
mod error;
pub mod server;
#[cfg(feature = "suite")]
pub mod suite;
#[path = "gen/outrigger.restart.v1.rs"]
#[rustfmt::skip]
#[expect(clippy::allow_attributes, unreachable_pub, reason = "generated")]
pub(crate) mod wire;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;

pub use error::{Error, Result};

/// Who restarts nodes. The module's documentation is the contract.
#[async_trait]
pub trait Restarts: Send + Sync + 'static {
    /// What a restart would do: a NodeRestart as JSON, without name and uid, with `status.plan`. What would be refused
    /// is refused, but for guards: the plan lists them all, and those that do not pass say so.
    async fn plan(&self, request: Request) -> Result<Bytes>;

    /// Takes a restart on.
    async fn submit(&self, request: Request) -> Result<Submitted>;

    /// Cancels a restart as long as the provider has not been asked: it takes back what it did, ends as `Cancelled`, and
    /// is removed. One that has ended is removed.
    async fn cancel(&self, cancel: Cancel) -> Result<()>;
}

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The node's name.
    pub node: String,
    /// A RestartOptions as JSON; empty is all defaults.
    pub options: Bytes,
    /// Who asks.
    pub user: User,
}

/// Who asks, and has been found to be allowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// The uid, or empty.
    pub uid: String,
    /// The groups.
    pub groups: Vec<String>,
    /// What else the authenticator says.
    pub extra: BTreeMap<String, Vec<String>>,
}

/// The answer to [`Restarts::submit`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The name of the NodeRestart.
    pub name: String,
    /// Whether it was there already.
    pub existing: bool,
}

/// What is to be cancelled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cancel {
    /// The name of the NodeRestart.
    pub name: String,
    /// Only if it has this uid (else 409); empty is any.
    pub uid: String,
    /// Who asks.
    pub user: User,
}

// === impl Restarts ===

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<R: Restarts + ?Sized> Restarts for Arc<R> {
    async fn plan(&self, request: Request) -> Result<Bytes> {
        R::plan(self, request).await
    }

    async fn submit(&self, request: Request) -> Result<Submitted> {
        R::submit(self, request).await
    }

    async fn cancel(&self, cancel: Cancel) -> Result<()> {
        R::cancel(self, cancel).await
    }
}
