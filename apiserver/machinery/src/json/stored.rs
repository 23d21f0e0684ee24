//! Objects as a store keeps them: without `metadata.resourceVersion`, which only the write that keeps them makes.
//!
//! ```text
//!   {"apiVersion":…,"metadata":{…,"namespace":"default","uid":"…"},…}
//!                                                       ▲ splice: "resourceVersion":"7", goes here
//! ```

use serde_json::{Map, Value};

use super::encode::to_vec;

const KEY: &str = "resourceVersion";

/// The object as JSON without `metadata.resourceVersion`, and the byte offset where [`with_revision`] puts it.
///
/// Metadata without a uid gets an empty one, so that a key follows that place.
pub fn encode_stored(object: &Value) -> (Vec<u8>, u32) {
    if object["metadata"]["uid"].is_string() {
        return encode_object(object);
    }
    let mut object = object.clone();
    if !object.is_object() {
        object = Value::Object(Map::new());
    }
    if !object["metadata"].is_object() {
        object["metadata"] = Value::Object(Map::new());
    }
    object["metadata"]["uid"] = Value::from("");
    encode_object(&object)
}

/// The JSON that [`encode_stored`] made, with `metadata.resourceVersion` in its place.
pub fn with_revision(json: &[u8], splice: u32, revision: u64) -> Vec<u8> {
    let at = (splice as usize).min(json.len());
    let mut out = Vec::with_capacity(json.len() + 44);
    out.extend_from_slice(&json[..at]);
    out.extend_from_slice(format!("\"{KEY}\":\"{revision}\",").as_bytes());
    out.extend_from_slice(&json[at..]);
    out
}

fn encode_object(object: &Value) -> (Vec<u8>, u32) {
    let mut json = Vec::with_capacity(1024);
    let mut splice = 0;
    let empty = Map::new();
    fields(&mut json, object.as_object().unwrap_or(&empty), |json, key, value| match value {
        Value::Object(metadata) if key == "metadata" => splice = encode_metadata(json, metadata),
        value => json.extend(to_vec(value)),
    });
    (json, u32::try_from(splice).expect("an object is far smaller than 4 GiB"))
}

/// Writes the metadata and returns the place of the first key that sorts after the revision's.
fn encode_metadata(json: &mut Vec<u8>, metadata: &Map<String, Value>) -> usize {
    let mut splice = None;
    let mut kept = metadata.clone();
    kept.remove(KEY);
    fields(json, &kept, |json, key, value| {
        if splice.is_none() && key > KEY {
            splice = Some(json.len() - to_vec(key).len() - 1);
        }
        json.extend(to_vec(value));
    });
    splice.expect("uid is there, and sorts after resourceVersion")
}

/// Writes `{"key":…,…}`, leaving the values to `write`, which finds its key and colon written.
fn fields(json: &mut Vec<u8>, map: &Map<String, Value>, mut write: impl FnMut(&mut Vec<u8>, &str, &Value)) {
    json.push(b'{');
    for (index, (key, value)) in map.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        json.extend(to_vec(key.as_str()));
        json.push(b':');
        write(json, key, value);
    }
    json.push(b'}');
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::json::{decode, encode};

    #[test]
    fn stored_objects_come_back_with_the_revision_in_its_place() {
        let cases = [
            json!({"apiVersion": "g/v1", "kind": "K", "metadata": {"name": "a", "uid": "u"}, "spec": {"uid": "x"}}),
            // Labels, annotations and names that look like the place.
            json!({"metadata": {"annotations": {"x": "\"uid\":\"", "uid": "\"uid\""}, "labels": {"uid": "uid"},
                   "name": "\"uid\":", "selfLink": "/x", "uid": "u"}, "spec": {"metadata": {"uid": "x"}}}),
            json!({"a": {"metadata": {"uid": "deep"}}, "metadata": {"uid": "u"}}),
            json!({"metadata": {"resourceVersion": "5", "uid": "u", "zone": 1}}),
        ];
        for object in cases {
            let (stored, splice) = encode_stored(&object);
            let mut expected = object.clone();
            expected["metadata"]["resourceVersion"] = json!("77");
            assert_eq!(with_revision(&stored, splice, 77), encode(&expected));
            assert!(decode(&stored).unwrap().value["metadata"].get("resourceVersion").is_none());
        }
    }

    #[test]
    fn objects_without_a_uid_or_metadata_are_spliced_too() {
        for object in [json!({"kind": "K"}), json!({"metadata": {"name": "a"}}), json!({"metadata": 5}), json!(5)] {
            let (stored, splice) = encode_stored(&object);
            let value = decode(&with_revision(&stored, splice, 3)).unwrap().value;
            assert_eq!(value["metadata"]["resourceVersion"], json!("3"), "{object}");
        }
    }
}
