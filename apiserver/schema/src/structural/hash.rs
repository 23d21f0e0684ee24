//! The identity of a schema's shape: of what pruning and defaulting depend on, and of nothing else.
//!
//! Stored bytes pass through unread while the shape they were stored under is the one that is asked for. A changed
//! description, pattern or limit therefore costs nothing; a changed default or a new field does.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The keywords of a schema that decide what is dropped and what is filled in.
const SHAPE: [&str; 5] =
    ["default", "nullable", "type", "x-kubernetes-embedded-resource", "x-kubernetes-preserve-unknown-fields"];

/// A short text that changes with the shape of the schema.
pub(super) fn shape(schema: &Value) -> String {
    let digest = Sha256::digest(of(schema).to_string());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn of(schema: &Value) -> Value {
    let Value::Object(schema) = schema else { return schema.clone() };
    let mut shape = Map::new();
    for (key, value) in schema {
        match (key.as_str(), value) {
            ("items" | "additionalProperties", value) => shape.insert(key.clone(), of(value)),
            ("properties", Value::Object(properties)) => {
                let properties = properties.iter().map(|(name, value)| (name.clone(), of(value))).collect();
                shape.insert(key.clone(), Value::Object(properties))
            }
            (name, value) if SHAPE.contains(&name) => shape.insert(key.clone(), value.clone()),
            _ => None,
        };
    }
    Value::Object(shape)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn hash_of(field: Value) -> String {
        shape(&json!({"type": "object", "properties": {"spec": field}}))
    }

    #[test]
    fn the_hash_changes_with_what_changes_stored_objects_and_only_then() {
        let plain = hash_of(json!({"type": "integer"}));
        assert_eq!(plain.len(), 16);
        assert_eq!(plain, hash_of(json!({"type": "integer", "description": "how many", "minimum": 0})));
        for other in [
            json!({"type": "integer", "default": 1}),
            json!({"type": "integer", "nullable": true}),
            json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
            json!({"type": "object", "properties": {"default": {"type": "string"}}}),
            json!({"type": "array", "items": {"type": "string"}}),
        ] {
            assert_ne!(plain, hash_of(other.clone()), "{other}");
        }
        let described = json!({"type": "object", "properties": {"description": {"type": "string"}}});
        assert_ne!(hash_of(json!({"type": "object"})), hash_of(described), "a field may be called description");
    }
}
