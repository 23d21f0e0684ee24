//! The `SnapshotMetadata` service that Kubernetes defines for backup software, generated from its names and numbers.
//!
//! Its responses are [`super::Encoded`]: they have the encoding of [`super::Blocks`], which is forwarded as it is.

#[path = "../gen/snapshotmetadata.rs"]
#[rustfmt::skip]
#[expect(clippy::allow_attributes, missing_docs, reason = "generated")]
mod wire;

pub use wire::*;
