//! What a server says about itself: discovery documents and OpenAPI v2 and v3 of the kinds that it serves.
//!
//! Data in, bytes out: [`Documents::build`] takes [`Resource`]s and knows neither HTTP nor storage, so discovery
//! answers while the store is down. The same resources give the same bytes on every replica and after every restart,
//! because clients cache by hash and never ask again.
//!
//! ```
//! let widget = openapi::Resource {
//!     group: "gold.example.com".into(),
//!     version: "v1".into(),
//!     storage_version_hash: None,
//!     plural: "widgets".into(),
//!     singular: "widget".into(),
//!     kind: "Widget".into(),
//!     list_kind: "WidgetList".into(),
//!     short_names: vec![],
//!     categories: vec![],
//!     namespaced: true,
//!     verbs: openapi::Verb::ALL.to_vec(),
//!     subresources: vec![openapi::Subresource::status()],
//!     selectable_fields: vec![],
//!     parameters: vec![],
//!     bodies: vec![],
//!     schema: serde_json::json!({"type": "object"}),
//! };
//! let documents = openapi::Documents::build(&[widget]);
//! assert!(documents.resource_list("gold.example.com", "v1").is_some());
//! assert!(documents.v3("apis/gold.example.com/v1").is_some());
//! ```

mod catalog;
mod discovery;
mod documents;
mod operation;
mod parameter;
mod protobuf;
mod published;
mod resource;
mod shared;
mod v2;
mod v3;

pub use discovery::aggregated::Version as Aggregated;
pub use documents::{Document, Documents};
pub use resource::{QueryParameter, RequestBody, Resource, Subresource, SubresourceKind, Verb};

/// The media type of [`Documents::v2`] as protobuf; clients also ask for it as [`V2_PROTOBUF_ALIAS`].
pub const V2_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
/// What kubectl calls [`V2_PROTOBUF`]; the answer carries the other name.
pub const V2_PROTOBUF_ALIAS: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
/// The media type of [`Documents::v3`] as protobuf; clients also ask for it as [`V3_PROTOBUF_ALIAS`].
pub const V3_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";
/// The older name of [`V3_PROTOBUF`]; the answer carries the other one.
pub const V3_PROTOBUF_ALIAS: &str = "application/com.github.proto-openapi.spec.v3@v1.0+protobuf";
