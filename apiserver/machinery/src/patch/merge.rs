//! Merging a patch into an object.
//!
//! RFC 7386, but for nulls within lists' objects: they are dropped, as a kube-apiserver drops them, which keeps them only
//! where the list takes the place of an object.

use serde_json::{Map, Value};

/// What the patch makes of `object`; anything but an object counts as an empty one.
pub(super) fn merge(object: &Value, patch: &Map<String, Value>) -> Value {
    let mut fields = object.as_object().cloned().unwrap_or_default();
    merge_into(&mut fields, patch);
    Value::Object(fields)
}

fn merge_into(fields: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, value) in patch {
        match (fields.get_mut(name), value) {
            (_, Value::Null) => {
                fields.remove(name);
            }
            (Some(Value::Object(fields)), Value::Object(patch)) => merge_into(fields, patch),
            // An object's place is taken by the value as it was sent.
            (Some(field @ Value::Object(_)), value) => *field = value.clone(),
            (_, value) => {
                fields.insert(name.clone(), without_nulls(value));
            }
        }
    }
}

/// The value without its fields that are null; null items of lists stay.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name.clone(), without_nulls(value))).collect())
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        value => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn patches_are_merged_field_by_field() {
        let cases = [
            // The examples of RFC 7386 that are objects.
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
            (json!({"a": null}), json!({"a": {"b": null, "c": 1}}), json!({"a": {"c": 1}})),
            (json!([1]), json!({"a": 1}), json!({"a": 1})),
            // As a kube-apiserver has it.
            (json!({}), json!({"a": [{"b": null, "c": 1}, null]}), json!({"a": [{"c": 1}, null]})),
            (json!({"a": [0]}), json!({"a": [{"b": null}]}), json!({"a": [{}]})),
            (json!({"a": {}}), json!({"a": [{"b": null}]}), json!({"a": [{"b": null}]})),
        ];
        for (object, patch, merged) in cases {
            let fields = patch.as_object().cloned().unwrap_or_default();
            assert_eq!(merge(&object, &fields), merged, "{object} {patch}");
        }
    }
}
