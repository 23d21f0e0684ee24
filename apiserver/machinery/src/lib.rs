//! Kubernetes semantics as pure functions on values.
//!
//! No I/O, no clock, no randomness: what is not a value is a parameter. Texts that clients or people read are those of
//! the kube-apiserver.
//!
//! | module | |
//! |---|---|
//! | [`negotiate`] | which media type and which view of an object a client wants |
//! | [`options`] | the options of requests, from query and body |
//! | [`selector`] | label and field selectors |
//! | [`continue_token`] | where a list goes on |
//! | [`json`], [`yaml`] | values from and to bytes, as Go reads and writes them |
//! | [`meta`], [`name`] | what every object has: its metadata, and what its names may look like |
//! | [`patch`] | JSON patches and merge patches |
//! | [`managed_fields`] | who wrote which field |
//! | [`partial`], [`protobuf`], [`watch`] | metadata alone, its protobuf, and watch events on the wire |
//! | [`status`], [`field`] | how the API says that something failed, and which field was wrong |
//! | [`time`] | clocks, times and ages |

pub mod continue_token;
pub mod field;
mod go;
mod group;
pub mod json;
pub mod managed_fields;
pub mod meta;
pub mod name;
pub mod negotiate;
pub mod options;
pub mod partial;
pub mod patch;
pub mod protobuf;
pub mod selector;
pub mod status;
pub mod time;
pub mod watch;
pub mod yaml;

pub use go::quote;
pub use group::{GroupKind, GroupResource, GroupVersion, GroupVersionKind, ParseError};
