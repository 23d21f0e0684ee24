//! Admission: what may change or refuse a write after it was authorised and before it is stored.
//!
//! ```text
//!   object as sent ─▶ mutate, in order, again where a later one changed it ─▶ defaults, schema ─▶ validate, all ─▶ stored
//! ```
//!
//! The kube-apiserver runs no admission for aggregated groups, so an aggregated server must. Each [`Plugin`] is one of its
//! stages; what it cannot evaluate counts as an error under the failure policy that somebody wrote, and is never skipped.

mod attributes;
mod chain;
pub mod conditions;
pub mod follow;
pub mod hook;
mod interfaces;
pub mod matching;
mod namespaces;
mod plugin;
pub mod quota;
pub mod webhooks;

pub use attributes::{Attributes, GroupVersionKind, GroupVersionResource, Operation};
pub use chain::{Chain, Handling};
pub use follow::Follow;
pub use interfaces::{Interfaces, Kind};
pub use namespaces::Namespaces;
pub use plugin::{Notes, Plugin, Refusal};
