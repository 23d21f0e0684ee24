//! PartialObjectMetadata: an object's metadata and nothing else, with its fields in the order of Go's struct.

use bytes::{BufMut, BytesMut};
use serde_json::{Map, Value};

use crate::json;

/// The order of ObjectMeta's fields. What is not among them is not metadata.
const METADATA: [&str; 15] = [
    "name",
    "generateName",
    "namespace",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
];
const OWNER: [&str; 6] = ["apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion"];
const MANAGER: [&str; 7] = ["manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1", "subresource"];

/// The metadata of `object` as JSON; `version` of meta.k8s.io is `v1` or `v1beta1`.
///
/// ```
/// let object = serde_json::json!({ "kind": "Widget", "metadata": { "uid": "u", "name": "a" }, "spec": {} });
/// assert_eq!(
///     machinery::partial::json(&object, "v1"),
///     br#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"a","uid":"u"}}"#,
/// );
/// ```
pub fn json(object: &Value, version: &str) -> Vec<u8> {
    let mut out = BytesMut::with_capacity(512);
    out.put_slice(b"{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/");
    out.put_slice(version.as_bytes());
    out.put_slice(b"\",\"metadata\":");
    put_metadata(object, &mut out);
    out.put_u8(b'}');
    out.to_vec()
}

fn put_metadata(object: &Value, out: &mut BytesMut) {
    let empty = Map::new();
    let metadata = object.get("metadata").and_then(Value::as_object).unwrap_or(&empty);
    put(metadata, &METADATA, out, &|field, value, out| match field {
        "ownerReferences" => put_list(value, &OWNER, out),
        "managedFields" => put_list(value, &MANAGER, out),
        _ => out.put_slice(&json::encode(value)),
    });
}

fn put_list(list: &Value, order: &[&str], out: &mut BytesMut) {
    let empty = Map::new();
    out.put_u8(b'[');
    for (index, item) in list.as_array().map(Vec::as_slice).unwrap_or_default().iter().enumerate() {
        if index > 0 {
            out.put_u8(b',');
        }
        let item = item.as_object().unwrap_or(&empty);
        put(item, order, out, &|_, value, out| out.put_slice(&json::encode(value)));
    }
    out.put_u8(b']');
}

fn put(map: &Map<String, Value>, order: &[&str], out: &mut BytesMut, value: &dyn Fn(&str, &Value, &mut BytesMut)) {
    out.put_u8(b'{');
    let mut first = true;
    for field in order {
        let Some(found) = map.get(*field) else { continue };
        if !std::mem::replace(&mut first, false) {
            out.put_u8(b',');
        }
        out.put_u8(b'"');
        out.put_slice(field.as_bytes());
        out.put_slice(b"\":");
        value(field, found, out);
    }
    out.put_u8(b'}');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn fields_come_in_gos_order() {
        let object = json!({
            "spec": { "size": 1 },
            "metadata": {
                "annotations": { "a": "<" },
                "labels": { "x": "1" },
                "managedFields": [{ "apiVersion": "g/v1", "fieldsType": "FieldsV1", "fieldsV1": {}, "manager": "m", "operation": "Update", "time": "t" }],
                "name": "a",
                "ownerReferences": [{ "uid": "u", "name": "o", "kind": "K", "apiVersion": "v1", "controller": true }],
                "resourceVersion": "5",
                "uid": "u",
            },
        });
        let text = String::from_utf8(super::json(&object, "v1beta1")).unwrap_or_default();
        assert_eq!(
            text,
            r#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1beta1","metadata":{"name":"a","uid":"u","resourceVersion":"5","labels":{"x":"1"},"annotations":{"a":"\u003c"},"ownerReferences":[{"apiVersion":"v1","kind":"K","name":"o","uid":"u","controller":true}],"managedFields":[{"manager":"m","operation":"Update","apiVersion":"g/v1","time":"t","fieldsType":"FieldsV1","fieldsV1":{}}]}}"#
        );
    }
}
