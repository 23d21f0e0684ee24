//! The object around its blocks: what comes before them and what follows.

use machinery::{json, yaml};
use serde_json::{Value, json};

use super::representation::Representation;

/// The text around the list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) before: Vec<u8>,
    pub(super) after: Vec<u8>,
}

/// Stands where the list will.
const PLACE: &str = "null";

// === impl Envelope ===

impl Envelope {
    /// The object, of a volume of `capacity` bytes if that is known; nothing where blocks come without it.
    pub(super) fn new(representation: Representation, mut object: Value, capacity: u64) -> Self {
        let status = &mut object["status"];
        if !status.is_object() {
            *status = json!({});
        }
        status["changedBlockDeltas"] = Value::Null;
        if capacity > 0 {
            status["volumeSizeBytes"] = capacity.into();
        }
        // A field of the object that says the same would be escaped, or deeper.
        match representation {
            Representation::Json => {
                let mut text = json::encode(&object);
                text.push(b'\n');
                Self::split(text, r#""changedBlockDeltas":"#)
            }
            Representation::Pretty => {
                Self::split(json::pretty(&json::encode(&object)), "\n    \"changedBlockDeltas\": ")
            }
            Representation::Yaml => {
                let mut envelope = Self::split(yaml::encode(&object), "\n  changedBlockDeltas: ");
                // What follows the colon is the list's to say.
                envelope.before.pop();
                envelope
            }
            Representation::Lines | Representation::Messages => Self::default(),
        }
    }

    fn split(text: Vec<u8>, key: &str) -> Self {
        let place = [key, PLACE].concat();
        let at = text.windows(place.len()).rposition(|window| window == place.as_bytes());
        let (before, after) = text.split_at(at.expect("the field was just put there") + key.len());
        Self { before: before.to_vec(), after: after[PLACE.len()..].to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object() -> Value {
        let trap = "\"changedBlockDeltas\":null\n  changedBlockDeltas: null\n\n    \"changedBlockDeltas\": null";
        json!({
            "apiVersion": "v1", "kind": "K",
            "metadata": { "annotations": { "changedBlockDeltas": "null", "a": trap } },
            "spec": { "mode": "block" },
            "status": { "blocks": 3, "error": trap, "changedBlockDeltas": [1] },
        })
    }

    fn filled(representation: Representation, list: &str) -> String {
        let Envelope { before, after } = Envelope::new(representation, object(), 4096);
        String::from_utf8_lossy(&[&before, list.as_bytes(), &after].concat()).into_owned()
    }

    #[test]
    fn the_list_is_put_in_its_place() {
        let mut expected = object();
        expected["status"]["changedBlockDeltas"] = json!([]);
        expected["status"]["volumeSizeBytes"] = json!(4096);
        let compact = filled(Representation::Json, "[]");
        assert_eq!(compact.as_bytes(), [json::encode(&expected), b"\n".to_vec()].concat());
        assert_eq!(filled(Representation::Pretty, "[]").as_bytes(), json::pretty(&json::encode(&expected)));
        assert_eq!(filled(Representation::Yaml, " []").as_bytes(), yaml::encode(&expected));
    }

    #[test]
    fn an_object_without_status_gets_one() {
        let Envelope { before, after } = Envelope::new(Representation::Json, json!({ "kind": "K" }), 0);
        let whole = [&before[..], b"[]", &after].concat();
        assert_eq!(String::from_utf8_lossy(&whole), "{\"kind\":\"K\",\"status\":{\"changedBlockDeltas\":[]}}\n");
    }

    #[test]
    fn blocks_alone_have_none() {
        assert_eq!(Envelope::new(Representation::Lines, object(), 1), Envelope::default());
        assert_eq!(Envelope::new(Representation::Messages, object(), 1), Envelope::default());
    }
}
