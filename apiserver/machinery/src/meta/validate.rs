//! What is wrong with metadata that is well-formed.
//!
//! Go validates an update's metadata twice and then says some things twice; here each thing is said once. Managed fields
//! are not validated: only the server writes them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{owners, view::ObjectMeta};
use crate::{
    field::{Error, ErrorList, Path},
    go, name,
};

const ANNOTATIONS_MAX: usize = 256 * 1024;
const IMMUTABLE: &str = "field is immutable";

/// What is wrong with the metadata of a new object.
pub fn validate(object: &Value, namespaced: bool) -> ErrorList {
    let (meta, path) = (ObjectMeta::of(object), Path::new("metadata"));
    let mut errors = ErrorList::new();
    let invalid = |field: &str, value: &str, problems: Vec<String>| {
        let path = path.child(field);
        problems.into_iter().map(move |problem| Error::invalid(&path, value, &problem)).collect::<Vec<_>>()
    };
    if !meta.generate_name().is_empty() {
        let problems = name::prefix(meta.generate_name(), name::dns1123_subdomain);
        errors.extend(invalid("generateName", meta.generate_name(), problems));
    }
    match meta.name() {
        "" => errors.push(Error::required(path.child("name"), "name or generateName is required")),
        name => errors.extend(invalid("name", name, name::dns1123_subdomain(name))),
    }
    match (namespaced, meta.namespace()) {
        (true, "") => errors.push(Error::required(path.child("namespace"), "")),
        (true, namespace) => errors.extend(invalid("namespace", namespace, name::dns1123_label(namespace))),
        (false, "") => {}
        (false, _) => errors.push(Error::forbidden(path.child("namespace"), "not allowed on this type")),
    }
    errors.extend(common(&meta, &path));
    errors
}

/// What is wrong with the metadata of `new`, which shall replace `old` and has gone through
/// [`prepare_update`](super::prepare_update).
pub fn validate_update(new: &Value, old: &Value) -> ErrorList {
    let (new, old, path) = (ObjectMeta::of(new), ObjectMeta::of(old), Path::new("metadata"));
    let mut errors = common(&new, &path);
    if old.is_deleting() {
        errors.extend(no_new_finalizers(&new, &old, &path.child("finalizers")));
    }
    if new.resource_version().is_empty() {
        errors.push(Error::invalid(path.child("resourceVersion"), "", "must be specified for an update"));
    }
    let immutable =
        ["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"];
    for field in immutable {
        if new.get(field) != old.get(field) {
            let value = new.get(field).unwrap_or(&Value::Null);
            errors.push(Error::invalid(path.child(field), value, IMMUTABLE));
        }
    }
    errors
}

/// The rules that hold for any object at any time.
fn common(meta: &ObjectMeta<'_>, path: &Path) -> ErrorList {
    let mut errors = labels(&meta.labels(), &path.child("labels"));
    errors.extend(annotations(&meta.annotations(), &path.child("annotations")));
    errors.extend(owners::validate(meta.items("ownerReferences"), &path.child("ownerReferences")));
    errors.extend(finalizers(&meta.finalizers(), &path.child("finalizers")));
    errors
}

fn labels(labels: &BTreeMap<String, String>, path: &Path) -> ErrorList {
    let mut errors = ErrorList::new();
    for (key, value) in labels {
        errors.extend(name::qualified(key).iter().map(|problem| Error::invalid(path, key.as_str(), problem)));
        errors.extend(name::label_value(value).iter().map(|problem| Error::invalid(path, value.as_str(), problem)));
    }
    errors
}

fn annotations(annotations: &BTreeMap<String, String>, path: &Path) -> ErrorList {
    let mut errors = ErrorList::new();
    for key in annotations.keys() {
        let problems = name::qualified(&key.to_lowercase());
        errors.extend(problems.iter().map(|problem| Error::invalid(path, key.as_str(), problem)));
    }
    let size: usize = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
    if size > ANNOTATIONS_MAX {
        errors.push(Error::too_long(path, ANNOTATIONS_MAX));
    }
    errors
}

fn finalizers(finalizers: &[String], path: &Path) -> ErrorList {
    let mut errors = ErrorList::new();
    for finalizer in finalizers {
        let problems = name::qualified(finalizer);
        errors.extend(problems.iter().map(|problem| Error::invalid(path, finalizer.as_str(), problem)));
    }
    let has = |name: &str| finalizers.iter().any(|finalizer| finalizer == name);
    if has("orphan") && has("foregroundDeletion") {
        let detail = "finalizer orphan and foregroundDeletion cannot be both set";
        errors.push(Error::invalid(path, Value::from(finalizers), detail));
    }
    errors
}

fn no_new_finalizers(new: &ObjectMeta<'_>, old: &ObjectMeta<'_>, path: &Path) -> Option<Error> {
    let (new, old) = (BTreeSet::from_iter(new.finalizers()), BTreeSet::from_iter(old.finalizers()));
    let extra: Vec<_> = new.difference(&old).map(|finalizer| go::quote(finalizer)).collect();
    let detail = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        extra.join(", ")
    );
    (!extra.is_empty()).then(|| Error::forbidden(path, &detail))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn texts(errors: &[Error]) -> Vec<String> {
        errors.iter().map(Error::to_string).collect()
    }

    fn created(metadata: Value) -> Vec<String> {
        texts(&validate(&json!({"metadata": metadata}), true))
    }

    #[test]
    fn names_and_namespaces_are_checked_on_creation() {
        let subdomain = name::dns1123_subdomain("_").remove(0);
        assert!(created(json!({"name": "a", "namespace": "n", "generateName": "gen-"})).is_empty());
        assert_eq!(
            created(json!({"namespace": "n"})),
            ["metadata.name: Required value: name or generateName is required"]
        );
        assert_eq!(
            created(json!({"name": "Bad_Name", "namespace": "n"})),
            [format!("metadata.name: Invalid value: \"Bad_Name\": {subdomain}")]
        );
        assert_eq!(
            created(json!({"name": "a", "namespace": "a.b", "generateName": "_"})),
            [
                format!("metadata.generateName: Invalid value: \"_\": {subdomain}"),
                "metadata.namespace: Invalid value: \"a.b\": must not contain dots".to_owned()
            ]
        );
        assert_eq!(created(json!({"name": "a"})), ["metadata.namespace: Required value"]);
        assert_eq!(
            texts(&validate(&json!({"metadata": {"name": "a", "namespace": "n"}}), false)),
            ["metadata.namespace: Forbidden: not allowed on this type"]
        );
    }

    #[test]
    fn labels_and_annotations_have_a_syntax_and_annotations_a_size() {
        let key = name::qualified("a b").remove(0);
        let value = name::label_value("c d").remove(0);
        assert_eq!(
            created(
                json!({"name": "a", "namespace": "n", "labels": {"a b": "c d"}, "annotations": {"a b": "any thing", "Upper.Case/x": ""}})
            ),
            [
                format!("metadata.labels: Invalid value: \"a b\": {key}"),
                format!("metadata.labels: Invalid value: \"c d\": {value}"),
                format!("metadata.annotations: Invalid value: \"a b\": {key}"),
            ]
        );
        let big = |size: usize| created(json!({"name": "a", "namespace": "n", "annotations": {"a": "x".repeat(size)}}));
        assert!(big(262_143).is_empty());
        assert_eq!(big(262_144), ["metadata.annotations: Too long: may not be more than 262144 bytes"]);
    }

    #[test]
    fn owners_are_named_in_full_and_one_of_them_controls() {
        let owners = |references: Value| created(json!({"name": "a", "namespace": "n", "ownerReferences": references}));
        assert_eq!(
            owners(json!([{"apiVersion": "v1", "kind": "X", "name": "", "uid": ""}])),
            [
                "metadata.ownerReferences.name: Invalid value: \"\": must not be empty",
                "metadata.ownerReferences.uid: Invalid value: \"\": must not be empty"
            ]
        );
        assert_eq!(
            owners(json!([
                {"apiVersion": "v1", "kind": "X", "name": "a", "uid": "1", "controller": true},
                {"apiVersion": "v1", "kind": "X", "name": "b", "uid": "2", "controller": true},
            ])),
            [
                r#"metadata.ownerReferences: Invalid value: [{"apiVersion":"v1","kind":"X","name":"a","uid":"1","controller":true},{"apiVersion":"v1","kind":"X","name":"b","uid":"2","controller":true}]: Only one reference can have Controller set to true. Found "true" in references for X/a and X/b"#
            ]
        );
        assert_eq!(
            owners(json!([{"apiVersion": "g/", "kind": "", "name": "a", "uid": "1"}])),
            [
                "metadata.ownerReferences.apiVersion: Invalid value: \"g/\": version must not be empty",
                "metadata.ownerReferences.kind: Invalid value: \"\": must not be empty"
            ]
        );
        assert_eq!(
            owners(json!([{"apiVersion": "v1", "kind": "Event", "name": "a", "uid": "1"}])),
            [
                r#"metadata.ownerReferences: Invalid value: {"apiVersion":"v1","kind":"Event","name":"a","uid":"1"}: /v1, Kind=Event is disallowed from being an owner"#
            ]
        );
    }

    #[test]
    fn finalizers_are_qualified_and_do_not_contradict() {
        let finalizers = |names: &[&str]| created(json!({"name": "a", "namespace": "n", "finalizers": names}));
        assert!(finalizers(&["orphan", "x.example.com/y"]).is_empty());
        assert_eq!(finalizers(&["a b"]).len(), 1);
        assert_eq!(
            finalizers(&["foregroundDeletion", "orphan"]),
            [
                "metadata.finalizers: Invalid value: [\"foregroundDeletion\",\"orphan\"]: finalizer orphan and foregroundDeletion cannot be both set"
            ]
        );
    }

    #[test]
    fn an_update_changes_nothing_that_identifies_an_object() {
        let old = json!({"metadata": {"name": "a", "namespace": "n", "uid": "u", "resourceVersion": "7"}});
        assert!(validate_update(&old, &old).is_empty());
        let new = json!({"metadata": {"name": "b", "namespace": "n", "uid": "q", "resourceVersion": "7",
            "deletionTimestamp": "2020-01-01T00:00:00Z", "deletionGracePeriodSeconds": 5}});
        assert_eq!(
            texts(&validate_update(&new, &old)),
            [
                "metadata.name: Invalid value: \"b\": field is immutable",
                "metadata.uid: Invalid value: \"q\": field is immutable",
                "metadata.deletionTimestamp: Invalid value: \"2020-01-01T00:00:00Z\": field is immutable",
                "metadata.deletionGracePeriodSeconds: Invalid value: 5: field is immutable",
            ]
        );
    }

    #[test]
    fn an_object_that_is_being_deleted_gets_no_new_finalizers() {
        let object = |finalizers: Value| json!({"metadata": {"name": "d2", "resourceVersion": "7", "deletionTimestamp": "2020-01-01T00:00:00Z", "finalizers": finalizers}});
        let old = object(json!(["foregroundDeletion"]));
        assert!(validate_update(&object(json!([])), &old).is_empty());
        assert_eq!(
            texts(&validate_update(&object(json!(["foregroundDeletion", "x.example.com/y"])), &old)),
            [
                "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{\"x.example.com/y\"}"
            ]
        );
    }

    #[test]
    fn an_update_names_the_revision_that_it_changes() {
        let old = json!({"metadata": {"name": "a", "resourceVersion": "7"}});
        assert_eq!(
            texts(&validate_update(&json!({"metadata": {"name": "a"}}), &old)),
            ["metadata.resourceVersion: Invalid value: \"\": must be specified for an update"]
        );
    }
}
