//! A rule of a schema, and an object that it is asked about.
#![no_main]

use fuzz::{parts, text, value};
use libfuzzer_sys::fuzz_target;
use schema::Schema;
use serde_json::json;

fuzz_target!(|data: &[u8]| {
    let [rule, message, object] = parts(data);
    let document = json!({
        "type": "object",
        "properties": {"spec": {
            "type": "object",
            "properties": {
                "size": {"type": "integer"},
                "name": {"type": "string", "maxLength": 20},
                "when": {"type": "string", "format": "date-time"},
                "tags": {"type": "array", "maxItems": 10, "items": {"type": "string", "maxLength": 10}},
                "limits": {"type": "object", "maxProperties": 5, "additionalProperties": {"x-kubernetes-int-or-string": true}},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            },
            "x-kubernetes-validations": [match text(message) {
                "" => json!({"rule": text(rule)}),
                message => json!({"rule": text(rule), "messageExpression": message}),
            }],
        }},
    });
    let Ok(schema) = Schema::parse(document, "openAPIV3Schema") else { return };
    let object = value(object).unwrap_or_else(|| json!({"spec": {"size": 1, "name": "a", "tags": ["a", "b"]}}));
    schema.validate(&object, None);
    schema.validate(&object, Some(&object));
});
