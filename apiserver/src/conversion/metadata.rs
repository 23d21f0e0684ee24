//! What a webhook may do to an object's metadata: change its labels and annotations, and nothing else.

use machinery::meta::ObjectMeta;
use serde_json::Value;

/// A converted object with the metadata of the original; or what is wrong with it.
pub(super) fn restored(original: &Value, mut converted: Value, api_version: &str) -> Result<Value, String> {
    let text = |object: &Value, field: &str| object[field].as_str().unwrap_or_default().to_owned();
    let invalid = |what: &str, expected: &str, got: &str| {
        format!("invalid object at index 0: invalid {what} (expected {expected}, received {got})")
    };
    let (version, kind) = (text(&converted, "apiVersion"), text(&converted, "kind"));
    if version != api_version {
        return Err(invalid("groupVersion", api_version, &version));
    }
    if kind != text(original, "kind") {
        return Err(invalid("kind", &text(original, "kind"), &kind));
    }
    let (before, after) = (ObjectMeta::of(original), ObjectMeta::of(&converted));
    let same = [
        ("name", before.name(), after.name()),
        ("namespace", before.namespace(), after.namespace()),
        ("UID", before.uid(), after.uid()),
    ];
    if let Some((what, before, after)) = same.into_iter().find(|(_, before, after)| before != after) {
        return Err(format!("invalid object: must have the same {what}: {before} != {after}"));
    }
    let Some(given) = converted.get("metadata").and_then(Value::as_object) else {
        return Err("invalid metadata: missing metadata in converted object".to_owned());
    };
    let mut metadata = original["metadata"].clone();
    for field in ["labels", "annotations"] {
        match given.get(field).filter(|value| !value.is_null()) {
            Some(Value::Object(texts)) if texts.values().all(Value::is_string) => {
                metadata[field] = Value::Object(texts.clone());
            }
            Some(_) => return Err(format!("invalid metadata: invalid metadata.{field} in converted object")),
            None => {
                if let Some(metadata) = metadata.as_object_mut() {
                    metadata.remove(field);
                }
            }
        }
    }
    converted["metadata"] = metadata;
    Ok(converted)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(version: &str, metadata: Value) -> Value {
        json!({ "apiVersion": version, "kind": "K", "metadata": metadata })
    }

    #[test]
    fn labels_and_annotations_are_the_webhooks_and_the_rest_is_not() {
        let original = object("g/v1", json!({ "name": "a", "uid": "u", "labels": { "x": "1" }, "finalizers": ["f"] }));
        let given = object("g/v2", json!({ "name": "a", "uid": "u", "annotations": { "y": "2" }, "finalizers": [] }));
        let kept = object("g/v2", json!({ "name": "a", "uid": "u", "annotations": { "y": "2" }, "finalizers": ["f"] }));
        assert_eq!(restored(&original, given, "g/v2"), Ok(kept));
    }

    #[test]
    fn another_object_is_refused() {
        let original = object("g/v1", json!({ "name": "a" }));
        let cases = [
            (
                object("g/v3", json!({})),
                "invalid object at index 0: invalid groupVersion (expected g/v2, received g/v3)",
            ),
            (
                json!({ "apiVersion": "g/v2", "kind": "L" }),
                "invalid object at index 0: invalid kind (expected K, received L)",
            ),
            (object("g/v2", json!({ "name": "b" })), "invalid object: must have the same name: a != b"),
            (
                object("g/v2", json!({ "name": "a", "labels": { "x": 1 } })),
                "invalid metadata: invalid metadata.labels in converted object",
            ),
        ];
        for (given, problem) in cases {
            assert_eq!(restored(&original, given, "g/v2"), Err(problem.to_owned()));
        }
        let bare = json!({ "apiVersion": "g/v2", "kind": "K" });
        let problem = "invalid metadata: missing metadata in converted object";
        assert_eq!(restored(&object("g/v1", json!({})), bare, "g/v2"), Err(problem.to_owned()));
    }
}
