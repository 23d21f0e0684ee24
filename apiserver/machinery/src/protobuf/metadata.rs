//! An object's metadata, from a value to the message. What is missing or of the wrong type is empty.

use serde_json::Value;

use super::message::{FieldsV1, ManagedFieldsEntry, ObjectMeta, OwnerReference, PartialObjectMetadata, Text, Time};
use crate::{json, time::Timestamp};

/// The seconds of 0001-01-01T00:00:00Z, which Go takes for no time at all.
const NEVER: i64 = -62_135_596_800;

impl PartialObjectMetadata {
    /// The metadata of `object`.
    pub fn of(object: &Value) -> Self {
        Self { metadata: object.get("metadata").map(ObjectMeta::from).unwrap_or_default() }
    }
}

impl From<&Value> for ObjectMeta {
    fn from(metadata: &Value) -> Self {
        Self {
            name: text(metadata, "name"),
            generate_name: text(metadata, "generateName"),
            namespace: text(metadata, "namespace"),
            self_link: text(metadata, "selfLink"),
            uid: text(metadata, "uid"),
            resource_version: text(metadata, "resourceVersion"),
            generation: integer(metadata, "generation").unwrap_or_default(),
            creation_timestamp: time(metadata, "creationTimestamp").unwrap_or_default(),
            deletion_timestamp: time(metadata, "deletionTimestamp"),
            deletion_grace_period_seconds: integer(metadata, "deletionGracePeriodSeconds"),
            labels: texts(metadata, "labels"),
            annotations: texts(metadata, "annotations"),
            owner_references: list(metadata, "ownerReferences", OwnerReference::from),
            finalizers: list(metadata, "finalizers", |name| name.as_str().unwrap_or_default().to_owned()),
            managed_fields: list(metadata, "managedFields", ManagedFieldsEntry::from),
        }
    }
}

impl From<&Value> for OwnerReference {
    fn from(owner: &Value) -> Self {
        Self {
            kind: text(owner, "kind"),
            name: text(owner, "name"),
            uid: text(owner, "uid"),
            api_version: text(owner, "apiVersion"),
            controller: flag(owner, "controller"),
            block_owner_deletion: flag(owner, "blockOwnerDeletion"),
        }
    }
}

impl From<&Value> for ManagedFieldsEntry {
    fn from(entry: &Value) -> Self {
        let fields = entry.get("fieldsV1").filter(|fields| !fields.is_null());
        Self {
            manager: text(entry, "manager"),
            operation: text(entry, "operation"),
            api_version: text(entry, "apiVersion"),
            time: time(entry, "time"),
            fields_type: text(entry, "fieldsType"),
            fields_v1: fields.map(|fields| FieldsV1 { raw: json::encode(fields) }),
            subresource: text(entry, "subresource"),
        }
    }
}

impl From<Timestamp> for Time {
    fn from(time: Timestamp) -> Self {
        match time.as_unix() {
            NEVER => Self::default(),
            seconds => Self { seconds: Some(seconds), nanos: Some(0) },
        }
    }
}

fn text(value: &Value, field: &str) -> String {
    value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn integer(value: &Value, field: &str) -> Option<i64> {
    value.get(field)?.as_i64()
}

fn flag(value: &Value, field: &str) -> Option<bool> {
    value.get(field)?.as_bool()
}

fn time(value: &Value, field: &str) -> Option<Time> {
    Timestamp::parse(value.get(field)?.as_str()?).map(Time::from)
}

/// A value's keys are sorted, as Go sorts those of a map.
fn texts(value: &Value, field: &str) -> Vec<Text> {
    let entries = value.get(field).and_then(Value::as_object).into_iter().flatten();
    entries
        .map(|(key, value)| Text { key: key.clone(), value: value.as_str().unwrap_or_default().to_owned() })
        .collect()
}

fn list<'a, T>(value: &'a Value, field: &str, item: impl Fn(&'a Value) -> T) -> Vec<T> {
    value.get(field).and_then(Value::as_array).into_iter().flatten().map(item).collect()
}
