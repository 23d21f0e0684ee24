//! Media types: what a client accepts and sends, and which representation that makes.
//!
//! The clauses of an Accept header are tried by quality and then by order; one that asks for a representation that
//! cannot be made is skipped, and only when none is left the answer is 406.

mod accept;
mod content;
mod discovery;

use crate::status::Status;

pub use self::{
    accept::{accept, choose, pretty, status, watch},
    content::{PatchType, content_type, patch_type},
    discovery::{Discovery, DiscoveryVersion, discovery},
};

/// How a representation is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Encoding {
    /// `application/json`
    #[default]
    Json,
    /// `application/yaml`
    Yaml,
    /// `application/vnd.kubernetes.protobuf`, for metadata and statuses only.
    Protobuf,
}

/// What is shown of an object or list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum View {
    /// All of it.
    #[default]
    Object,
    /// Rows and columns, as kubectl prints.
    Table(MetaVersion),
    /// An object's metadata.
    Partial(MetaVersion),
    /// The metadata of a list's objects.
    PartialList(MetaVersion),
}

/// The version of `meta.k8s.io` that a view is made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MetaVersion {
    /// `v1`
    #[default]
    V1,
    /// `v1beta1`, for old clients.
    V1Beta1,
}

/// How to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Output {
    /// How it is written.
    pub encoding: Encoding,
    /// What is shown.
    pub view: View,
    /// Whether JSON is indented.
    pub pretty: bool,
}

/// What an answer is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// One object.
    Object,
    /// A collection.
    List,
}

/// The media types of plain answers and bodies, as messages list them.
const MEDIA_TYPES: [&str; 3] =
    [Encoding::Json.media_type(), Encoding::Yaml.media_type(), Encoding::Protobuf.media_type()];
const STREAM_MEDIA_TYPES: [&str; 2] =
    ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];

// === impl Encoding ===

impl Encoding {
    /// The media type, without parameters.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Yaml => "application/yaml",
            Self::Protobuf => "application/vnd.kubernetes.protobuf",
        }
    }

    fn parse(subtype: &str) -> Option<Self> {
        match subtype {
            "json" => Some(Self::Json),
            "yaml" => Some(Self::Yaml),
            "vnd.kubernetes.protobuf" => Some(Self::Protobuf),
            _ => None,
        }
    }
}

// === impl View ===

impl View {
    /// Fails when the view cannot be made of what there is, with the text that names Go's type for it. Of one object Go
    /// tries all the same, and fails with 500 or an empty stream.
    pub fn check(self, shape: Shape) -> Result<(), Status> {
        let problem = match (self, shape) {
            (Self::Partial(_), Shape::List) => {
                "you requested PartialObjectMetadata, but the requested object is a list (*unstructured.UnstructuredList)"
            }
            (Self::PartialList(_), Shape::Object) => {
                "you requested PartialObjectMetadataList, but the requested object is not a list"
            }
            _ => return Ok(()),
        };
        Err(Status::new(406, Some(crate::status::Reason::NotAcceptable), problem))
    }
}

// === impl MetaVersion ===

impl MetaVersion {
    /// As `apiVersion` names it, without the group.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V1Beta1 => "v1beta1",
        }
    }
}
