//! `metadata`: what every object has, whatever its kind.
//!
//! Objects are plain values; [`ObjectMeta`] is a typed look at one, and the functions here are the rules that the server
//! keeps for all of them: [`coerce()`] makes metadata well-formed, [`prepare_create`] and [`prepare_update`] put in what
//! the server owns, [`validate()`] and [`validate_update`] say what is wrong with the rest.

mod coerce;
mod owners;
mod prepare;
mod validate;
mod view;
mod warnings;

use serde_json::{Map, Value};

pub use self::{
    coerce::coerce,
    prepare::{mark_deleted, prepare_create, prepare_sent, prepare_update},
    validate::{validate, validate_update},
    view::{ObjectMeta, OwnerReference},
    warnings::{Received, dedup_owner_references, finalizer_warnings},
};

/// Puts the revision of the write that made an object into it.
pub fn set_resource_version(object: &mut Value, revision: u64) {
    set(object, "resourceVersion", revision.to_string());
}

/// A selectable field's value, such as that of `spec.color` or `.spec.color`: a string, number or boolean as text.
pub fn field(object: &Value, path: &str) -> Option<String> {
    let path = path.strip_prefix('.').unwrap_or(path);
    let value = path.split('.').try_fold(object, |value, key| value.get(key))?;
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

/// Sets a field of the metadata, which it makes if the object has none.
fn set(object: &mut Value, field: &str, value: impl Into<Value>) {
    if let Some(metadata) = metadata_mut(object) {
        metadata.insert(field.to_owned(), value.into());
    }
}

fn remove(object: &mut Value, field: &str) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove(field);
    }
}

fn metadata_mut(object: &mut Value) -> Option<&mut Map<String, Value>> {
    let metadata = object.as_object_mut()?.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
    metadata.as_object_mut()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn selectable_fields_are_scalars_at_a_path() {
        let object = json!({"spec": {"color": "red", "size": 5, "on": true, "list": [], "none": null}});
        let cases = [
            (".spec.color", Some("red")),
            ("spec.size", Some("5")),
            ("spec.on", Some("true")),
            ("spec.list", None),
            ("spec.none", None),
            ("spec.missing.deep", None),
        ];
        for (path, value) in cases {
            assert_eq!(field(&object, path).as_deref(), value, "{path}");
        }
    }

    #[test]
    fn a_revision_is_put_into_any_object() {
        let mut object = json!({"kind": "K"});
        set_resource_version(&mut object, 7);
        assert_eq!(object, json!({"kind": "K", "metadata": {"resourceVersion": "7"}}));
    }
}
