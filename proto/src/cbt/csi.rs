//! What of the Container Storage Interface a client of a driver's SnapshotMetadata service needs, generated from its names
//! and numbers.
//!
//! Its responses are [`super::Encoded`]: they have the encoding of [`super::Blocks`], which is forwarded as it is.

#[path = "../gen/csi.v1.rs"]
#[rustfmt::skip]
#[expect(clippy::allow_attributes, missing_docs, reason = "generated")]
mod wire;

pub use wire::*;
