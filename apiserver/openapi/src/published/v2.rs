//! Schemas in Swagger 2.0, which knows no alternatives, no nulls, and which kubectl reads more strictly than it says.
//!
//! What v2 cannot express is left out, so that a client that validates with it accepts at least what the server does.

use serde_json::{Map, Value};

use super::{PRESERVE, children};

/// A published schema without what v2 lacks.
pub(super) fn converted(mut schema: Value) -> Value {
    convert(&mut schema);
    drop_unprintable(&mut schema);
    schema
}

/// A kube-apiserver makes the cluster's v2 protobuf by way of YAML, and serves none to anybody if any text in it has a
/// character that YAML forbids: better to say less. What is dropped only ever described or restricted.
fn drop_unprintable(schema: &mut Value) {
    children(schema).into_iter().for_each(drop_unprintable);
    if let Value::Object(keywords) = schema {
        keywords.retain(|_, value| printable(value));
    }
}

fn printable(value: &Value) -> bool {
    let text = |text: &str| !text.contains(forbidden_in_yaml);
    match value {
        Value::String(string) => text(string),
        Value::Array(items) => items.iter().all(printable),
        Value::Object(fields) => fields.iter().all(|(key, value)| text(key) && printable(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Besides what JSON escapes anyway.
fn forbidden_in_yaml(letter: char) -> bool {
    matches!(letter, '\u{7F}'..='\u{84}' | '\u{86}'..='\u{9F}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
}

fn convert(schema: &mut Value) {
    if let Value::Object(keywords) = schema {
        drop_keywords(keywords);
        drop_nullable_requirements(keywords);
    }
    for child in children(schema) {
        convert(child);
    }
}

fn drop_keywords(schema: &mut Map<String, Value>) {
    // Defaults are not published in v2 for any kind: an aggregator compares definitions without them.
    for keyword in ["allOf", "oneOf", "anyOf", "not", "default"] {
        schema.remove(keyword);
    }
    let nullable = schema.remove("nullable").is_some();
    let preserves = schema.contains_key(PRESERVE);
    // kubectl refuses what is not listed once anything is, and null wherever a type is given.
    if nullable || preserves {
        schema.remove("items");
        schema.remove("properties");
    }
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or_default();
    let untyped = nullable || (kind == "array" && !schema.contains_key("items")) || (kind == "object" && preserves);
    if untyped {
        schema.remove("type");
    }
}

/// A field that may be null cannot be required: to a v2 reader null is absent.
fn drop_nullable_requirements(schema: &mut Map<String, Value>) {
    let nullable = |schema: &Value| schema["nullable"] == true;
    if schema.get("additionalProperties").is_some_and(nullable) {
        schema.remove("required");
    }
    let Some(Value::Array(mut required)) = schema.remove("required") else { return };
    required.retain(|field| {
        !field.as_str().is_some_and(|field| schema.get("properties").is_some_and(|all| nullable(&all[field])))
    });
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_v2_lacks_is_left_out() {
        let cases = [
            (json!({"type": "string", "default": "a", "oneOf": [{"pattern": "a"}]}), json!({"type": "string"})),
            (
                json!({"type": "object", "nullable": true, "properties": {"a": {}}, "maxProperties": 1}),
                json!({"maxProperties": 1}),
            ),
            (json!({"type": "array", "nullable": true, "items": {"type": "string"}}), json!({})),
            (json!({"type": "array", PRESERVE: true, "items": {}}), json!({PRESERVE: true})),
            (json!({"type": "array"}), json!({})),
            (json!({"type": "object", PRESERVE: true, "properties": {"a": {}}}), json!({PRESERVE: true})),
            (
                json!({"type": "object", "additionalProperties": true}),
                json!({"type": "object", "additionalProperties": true}),
            ),
        ];
        for (published, expected) in cases {
            assert_eq!(converted(published.clone()), expected, "{published}");
        }
    }

    #[test]
    fn a_field_that_may_be_null_is_not_required() {
        let published = json!({
            "required": ["a", "b"],
            "properties": {"a": {"nullable": true, "type": "string"}, "b": {"type": "string"}},
        });
        assert_eq!(converted(published), json!({"required": ["b"], "properties": {"a": {}, "b": {"type": "string"}}}));
        let only = json!({"required": ["a"], "properties": {"a": {"nullable": true, "type": "string"}}});
        assert_eq!(converted(only), json!({"properties": {"a": {}}}));
        let entries = json!({"required": ["a"], "additionalProperties": {"nullable": true, "type": "string"}});
        assert_eq!(converted(entries), json!({"additionalProperties": {}}));
    }

    #[test]
    fn texts_that_yaml_forbids_are_left_out_where_they_stand() {
        let published = json!({"properties": {
            "a": {"type": "string", "description": "\u{7F}", "pattern": "x"},
            "b": {"type": "string", "enum": ["\u{85}", "é", "\n"]},
            "c": {"type": "string", "enum": ["x", "\u{FEFF}"]},
        }});
        let expected = json!({"properties": {
            "a": {"type": "string", "pattern": "x"},
            "b": {"type": "string", "enum": ["\u{85}", "é", "\n"]},
            "c": {"type": "string"},
        }});
        assert_eq!(converted(published), expected);
    }
}
