//! Kubernetes' protobuf, `application/vnd.kubernetes.protobuf`: metadata, statuses and the events of watches.
//!
//! An object is a message in an envelope, which says its kind, behind four bytes of magic; the bytes are those that Go
//! writes. Custom resources have no messages of their own, so this is all that there is in protobuf.

mod message;
mod metadata;
#[cfg(test)]
mod tests;

use prost::Message;

use self::message::{Envelope, RawExtension, TypeMeta, WatchEvent};
use crate::{
    negotiate::MetaVersion,
    status::{Reason, Status},
};

pub use self::message::PartialObjectMetadata;

const MAGIC: &[u8] = b"k8s\0";

/// What a list says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListMeta {
    /// The revision that the list is as of.
    pub resource_version: String,
    /// The token of the next page.
    pub continue_: Option<String>,
    /// How many objects the next pages hold.
    pub remaining: Option<u64>,
}

/// The metadata of an object.
///
/// ```
/// use machinery::{negotiate::MetaVersion, protobuf};
///
/// let object = serde_json::json!({ "kind": "Widget", "metadata": { "name": "a" }, "spec": {} });
/// let bytes = protobuf::object(&object, MetaVersion::V1);
/// assert!(bytes.starts_with(b"k8s\0\x0a\x27\x0a\x0emeta.k8s.io/v1\x12\x15PartialObjectMetadata"));
/// ```
pub fn object(object: &serde_json::Value, version: MetaVersion) -> Vec<u8> {
    envelope(&meta_k8s_io(version), "PartialObjectMetadata", &PartialObjectMetadata::of(object))
}

/// The metadata of a list's objects.
pub fn list(items: Vec<PartialObjectMetadata>, metadata: ListMeta, version: MetaVersion) -> Vec<u8> {
    let (api_version, kind, metadata) = (meta_k8s_io(version), "PartialObjectMetadataList", metadata.into());
    match version {
        MetaVersion::V1 => envelope(&api_version, kind, &message::PartialObjectMetadataList { metadata, items }),
        MetaVersion::V1Beta1 => {
            envelope(&api_version, kind, &message::PartialObjectMetadataListV1Beta1 { items, metadata })
        }
    }
}

/// A status.
pub fn status(status: &Status) -> Vec<u8> {
    envelope("v1", "Status", &message::Status::from(status))
}

/// An event of a watch. `object` is one that this module encoded; its length comes first, in four bytes.
pub fn watch_frame(kind: &str, object: &[u8]) -> Vec<u8> {
    let event = WatchEvent { kind: kind.to_owned(), object: RawExtension { raw: object.to_vec() } };
    let length = u32::try_from(event.encoded_len()).expect("an object is a few megabytes at most");
    append(&event, length.to_be_bytes().to_vec())
}

fn meta_k8s_io(version: MetaVersion) -> String {
    format!("meta.k8s.io/{}", version.as_str())
}

fn envelope(api_version: &str, kind: &str, message: &impl Message) -> Vec<u8> {
    let envelope = Envelope {
        type_meta: TypeMeta { api_version: api_version.to_owned(), kind: kind.to_owned() },
        raw: message.encode_to_vec(),
        ..Envelope::default()
    };
    append(&envelope, MAGIC.to_vec())
}

fn append(message: &impl Message, mut to: Vec<u8>) -> Vec<u8> {
    to.reserve_exact(message.encoded_len());
    message.encode(&mut to).expect("a vector has room");
    to
}

// === impl ListMeta ===

impl From<ListMeta> for message::ListMeta {
    fn from(metadata: ListMeta) -> Self {
        Self {
            self_link: String::new(),
            resource_version: metadata.resource_version,
            continue_: metadata.continue_.unwrap_or_default(),
            remaining_item_count: metadata.remaining.map(|remaining| i64::try_from(remaining).unwrap_or(i64::MAX)),
        }
    }
}

// === impl Status ===

impl From<&Status> for message::Status {
    fn from(status: &Status) -> Self {
        let success = status.is_success();
        Self {
            metadata: ListMeta { continue_: status.continue_.clone(), ..ListMeta::default() }.into(),
            status: if success { "Success" } else { "Failure" }.to_owned(),
            message: status.message.clone(),
            reason: status.reason.as_ref().map(Reason::as_str).unwrap_or_default().to_owned(),
            details: status.details.as_deref().map(message::StatusDetails::from),
            // As in JSON, a success does not carry it.
            code: if success { 0 } else { status.code.into() },
        }
    }
}

impl From<&crate::status::Details> for message::StatusDetails {
    fn from(details: &crate::status::Details) -> Self {
        let causes = details.causes.iter().map(|cause| message::StatusCause {
            reason: cause.reason.clone(),
            message: cause.message.clone(),
            field: cause.field.clone(),
        });
        Self {
            name: details.name.clone(),
            group: details.group.clone(),
            kind: details.kind.clone(),
            causes: causes.collect(),
            retry_after_seconds: details.retry_after_seconds.try_into().unwrap_or(i32::MAX),
            uid: details.uid.clone(),
        }
    }
}
