//! A typed look at an object's metadata. What is missing or of the wrong type reads as empty.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::time::Timestamp;

/// An object's metadata.
#[derive(Debug, Clone, Copy)]
pub struct ObjectMeta<'a>(Option<&'a Map<String, Value>>);

/// An owner of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnerReference<'a> {
    /// The owner's `apiVersion`.
    pub api_version: &'a str,
    /// Its kind.
    pub kind: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its uid.
    pub uid: &'a str,
    /// Whether it manages the object.
    pub controller: bool,
    /// Whether it waits for the object when it is deleted in the foreground.
    pub block_owner_deletion: bool,
}

// === impl ObjectMeta ===

impl<'a> ObjectMeta<'a> {
    /// The metadata of an object.
    pub fn of(object: &'a Value) -> Self {
        Self(object.get("metadata").and_then(Value::as_object))
    }

    /// `metadata.name`
    pub fn name(&self) -> &'a str {
        self.text("name")
    }

    /// `metadata.generateName`
    pub fn generate_name(&self) -> &'a str {
        self.text("generateName")
    }

    /// `metadata.namespace`
    pub fn namespace(&self) -> &'a str {
        self.text("namespace")
    }

    /// `metadata.uid`
    pub fn uid(&self) -> &'a str {
        self.text("uid")
    }

    /// `metadata.resourceVersion`
    pub fn resource_version(&self) -> &'a str {
        self.text("resourceVersion")
    }

    /// `metadata.generation`
    pub fn generation(&self) -> i64 {
        self.get("generation").and_then(Value::as_i64).unwrap_or_default()
    }

    /// `metadata.creationTimestamp`
    pub fn creation_timestamp(&self) -> Option<Timestamp> {
        Timestamp::parse(self.text("creationTimestamp"))
    }

    /// `metadata.deletionTimestamp`
    pub fn deletion_timestamp(&self) -> Option<Timestamp> {
        Timestamp::parse(self.text("deletionTimestamp"))
    }

    /// Whether the object is on its way out.
    pub fn is_deleting(&self) -> bool {
        self.get("deletionTimestamp").is_some_and(|time| !time.is_null())
    }

    /// `metadata.labels`
    pub fn labels(&self) -> BTreeMap<String, String> {
        self.texts("labels")
    }

    /// `metadata.annotations`
    pub fn annotations(&self) -> BTreeMap<String, String> {
        self.texts("annotations")
    }

    /// `metadata.finalizers`
    pub fn finalizers(&self) -> Vec<String> {
        self.items("finalizers").iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// `metadata.ownerReferences`
    pub fn owner_references(&self) -> Vec<OwnerReference<'a>> {
        self.items("ownerReferences").iter().map(OwnerReference::of).collect()
    }

    pub(super) fn get(&self, field: &str) -> Option<&'a Value> {
        self.0.and_then(|metadata| metadata.get(field))
    }

    pub(super) fn items(&self, field: &str) -> &'a [Value] {
        self.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    fn text(&self, field: &str) -> &'a str {
        self.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    fn texts(&self, field: &str) -> BTreeMap<String, String> {
        let map = self.get(field).and_then(Value::as_object).into_iter().flatten();
        map.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    }
}

// === impl OwnerReference ===

impl<'a> OwnerReference<'a> {
    /// The owner that an item of `metadata.ownerReferences` names.
    pub(super) fn of(reference: &'a Value) -> Self {
        let text = |field: &str| reference.get(field).and_then(Value::as_str).unwrap_or_default();
        let flag = |field: &str| reference.get(field).and_then(Value::as_bool).unwrap_or_default();
        Self {
            api_version: text("apiVersion"),
            kind: text("kind"),
            name: text("name"),
            uid: text("uid"),
            controller: flag("controller"),
            block_owner_deletion: flag("blockOwnerDeletion"),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn metadata_is_read_by_type() {
        let object = json!({"metadata": {
            "name": "a", "namespace": "n", "uid": "u", "resourceVersion": "7", "generation": 3,
            "creationTimestamp": "2026-11-20T23:27:40Z", "deletionTimestamp": "2026-11-20T23:27:41Z",
            "labels": {"x": "1"}, "annotations": {"y": "2"}, "finalizers": ["f"],
            "ownerReferences": [{"apiVersion": "v1", "kind": "K", "name": "o", "uid": "ou", "controller": true}],
        }});
        let meta = ObjectMeta::of(&object);
        assert_eq!((meta.name(), meta.namespace(), meta.uid(), meta.resource_version()), ("a", "n", "u", "7"));
        assert_eq!(meta.generation(), 3);
        assert_eq!(meta.creation_timestamp().unwrap().to_string(), "2026-11-20T23:27:40Z");
        assert!(meta.is_deleting() && meta.deletion_timestamp() > meta.creation_timestamp());
        assert_eq!((meta.labels()["x"].as_str(), meta.annotations()["y"].as_str()), ("1", "2"));
        assert_eq!(meta.finalizers(), ["f"]);
        let owner = meta.owner_references()[0];
        assert_eq!((owner.kind, owner.uid, owner.controller, owner.block_owner_deletion), ("K", "ou", true, false));
    }

    #[test]
    fn what_is_missing_or_wrong_reads_as_empty() {
        for object in [json!({}), json!(5), json!({"metadata": 5}), json!({"metadata": {"name": 5, "labels": []}})] {
            let meta = ObjectMeta::of(&object);
            assert_eq!((meta.name(), meta.generation(), meta.is_deleting()), ("", 0, false));
            assert!(meta.labels().is_empty() && meta.finalizers().is_empty() && meta.owner_references().is_empty());
        }
    }
}
