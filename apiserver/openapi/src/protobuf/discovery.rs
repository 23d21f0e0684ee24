//! Discovery documents: `k8s.io/apimachinery/pkg/apis/meta/v1` and `k8s.io/api/apidiscovery/v2`, in their envelope.

use serde_json::Value;

use super::{
    Message,
    Shape::{Flag, Message as Of, Text, Whole},
    write_bytes,
};

/// What Kubernetes' protobuf begins with.
const MAGIC: &[u8] = b"k8s\0";

/// The envelope: `runtime.Unknown`, which says what the bytes in it are.
pub(super) fn envelope(document: &Value, message: &[u8]) -> Vec<u8> {
    let text = |key: &str| document[key].as_str().unwrap_or_default().as_bytes();
    let mut kind = Vec::new();
    write_bytes(1, text("apiVersion"), &mut kind);
    write_bytes(2, text("kind"), &mut kind);
    let mut wire = MAGIC.to_vec();
    write_bytes(1, &kind, &mut wire);
    write_bytes(2, message, &mut wire);
    write_bytes(3, b"", &mut wire);
    write_bytes(4, b"", &mut wire);
    wire
}

const fn message(fields: &'static [super::Field]) -> Message {
    Message { fields, extensions: None }
}

pub(super) static API_VERSIONS: Message = message(&[("versions", 1, Text)]);

pub(super) static GROUP_LIST: Message = message(&[("groups", 1, Of(&GROUP))]);

pub(super) static GROUP: Message =
    message(&[("name", 1, Text), ("versions", 2, Of(&GROUP_VERSION)), ("preferredVersion", 3, Of(&GROUP_VERSION))]);

static GROUP_VERSION: Message = message(&[("groupVersion", 1, Text), ("version", 2, Text)]);

pub(super) static RESOURCE_LIST: Message = message(&[("groupVersion", 1, Text), ("resources", 2, Of(&RESOURCE))]);

static RESOURCE: Message = message(&[
    ("name", 1, Text),
    ("namespaced", 2, Flag),
    ("kind", 3, Text),
    ("verbs", 4, Whole(1, &Text)),
    ("shortNames", 5, Text),
    ("singularName", 6, Text),
    ("categories", 7, Text),
    ("group", 8, Text),
    ("version", 9, Text),
    ("storageVersionHash", 10, Text),
]);

pub(super) static AGGREGATED: Message =
    message(&[("metadata", 1, Of(&LIST_META)), ("items", 2, Of(&AGGREGATED_GROUP))]);

static LIST_META: Message = message(&[]);

static OBJECT_META: Message = message(&[("name", 1, Text)]);

static AGGREGATED_GROUP: Message =
    message(&[("metadata", 1, Of(&OBJECT_META)), ("versions", 2, Of(&AGGREGATED_VERSION))]);

static AGGREGATED_VERSION: Message =
    message(&[("version", 1, Text), ("resources", 2, Of(&AGGREGATED_RESOURCE)), ("freshness", 3, Text)]);

static AGGREGATED_RESOURCE: Message = message(&[
    ("resource", 1, Text),
    ("responseKind", 2, Of(&KIND)),
    ("scope", 3, Text),
    ("singularResource", 4, Text),
    ("verbs", 5, Text),
    ("shortNames", 6, Text),
    ("categories", 7, Text),
    ("subresources", 8, Of(&AGGREGATED_SUBRESOURCE)),
]);

static AGGREGATED_SUBRESOURCE: Message =
    message(&[("subresource", 1, Text), ("responseKind", 2, Of(&KIND)), ("verbs", 4, Text)]);

static KIND: Message = message(&[("group", 1, Text), ("version", 2, Text), ("kind", 3, Text)]);
