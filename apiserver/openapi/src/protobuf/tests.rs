//! Against vectors of the wire format, and against the documents: whatever is in them has a field.

use serde_json::{Value, json};

use super::{Encoding, Message, OPENAPI_V2, OPENAPI_V3, Shape, discovery, yaml};
use crate::{Resource, Subresource, Verb, catalog, v2, v3};

static INNER: Message = Message { fields: &[("name", 1, Shape::Text), ("on", 2, Shape::Flag)], extensions: Some(9) };
static OUTER: Message = Message {
    fields: &[
        ("text", 1, Shape::Text),
        ("texts", 2, Shape::Text),
        ("number", 3, Shape::Integer),
        ("double", 4, Shape::Double),
        ("inner", 5, Shape::Message(&INNER)),
        ("whole", 6, Shape::Whole(1, &Shape::Text)),
        ("map", 7, Shape::Map(1, &Shape::Text)),
        ("one", 8, Shape::OneOf(one)),
        ("any", 16, Shape::Any),
    ],
    extensions: None,
};

fn one(value: &Value) -> Option<(u32, Shape)> {
    match value {
        Value::Bool(_) => Some((1, Shape::Flag)),
        Value::String(_) => Some((2, Shape::Text)),
        _ => None,
    }
}

#[test]
fn fields_are_written_as_the_wire_format_has_them() {
    let cases: [(Value, &[u8]); 17] = [
        (json!({}), b""),
        (json!({"text": "ab"}), b"\x0a\x02ab"),
        (json!({"text": ""}), b""),
        (json!({"texts": ["a", ""]}), b"\x12\x01a\x12\x00"),
        (json!({"number": 300}), b"\x18\xac\x02"),
        (json!({"number": 300.0}), b"\x18\xac\x02"),
        (json!({"number": -1}), b"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        (json!({"number": 0}), b""),
        (json!({"double": 1}), b"\x21\x00\x00\x00\x00\x00\x00\xf0\x3f"),
        (json!({"inner": {}}), b"\x2a\x00"),
        (json!({"inner": {"on": true, "x-a": [1], "y": 1}}), b"\x2a\x10\x10\x01\x4a\x0c\x0a\x03x-a\x12\x05\x12\x03[1]"),
        (json!({"whole": ["a", "b"]}), b"\x32\x06\x0a\x01a\x0a\x01b"),
        (json!({"map": {"k": "v"}}), b"\x3a\x08\x0a\x06\x0a\x01k\x12\x01v"),
        (json!({"one": false}), b"\x42\x02\x08\x00"),
        (json!({"one": ""}), b"\x42\x02\x12\x00"),
        (json!({"one": {}}), b"\x42\x00"),
        (json!({"any": null}), b"\x82\x01\x06\x12\x04null"),
    ];
    for (value, expected) in cases {
        assert_eq!(OUTER.bytes(&value), expected, "{value}");
    }
}

#[test]
fn long_values_have_lengths_of_several_bytes() {
    let bytes = OUTER.bytes(&json!({"text": "a".repeat(300)}));
    assert_eq!(bytes[..3], *b"\x0a\xac\x02");
    assert_eq!(bytes.len(), 303);
}

#[test]
fn objects_are_in_an_envelope_that_names_their_kind() {
    let document = json!({"kind": "APIGroup", "apiVersion": "v1", "name": "g"});
    let expected = b"k8s\0\x0a\x0e\x0a\x02v1\x12\x08APIGroup\x12\x03\x0a\x01g\x1a\x00\x22\x00";
    assert_eq!(Encoding::Enveloped(&discovery::GROUP).encode(&document), expected);
}

#[test]
fn yaml_escapes_what_it_may_not_hold() {
    let cases = [
        (json!({"a": ["b\"c", 1.5, null]}), r#"{"a":["b\"c",1.5,null]}"#),
        (json!("é\t\u{7F}\u{85}\u{2028}\u{FEFF}"), r#""é\t\u007f\u0085\u2028\ufeff""#),
    ];
    for (value, expected) in cases {
        assert_eq!(yaml(&value), expected);
    }
}

#[test]
fn every_key_of_the_documents_has_a_field() {
    let resources = [everything()];
    let groups = catalog::groups(&resources);
    for (encoding, document) in
        [(&OPENAPI_V2, v2::document(&groups)), (&OPENAPI_V3, v3::document(&groups[0].versions[0]))]
    {
        let Encoding::Bare(message) = encoding else { panic!("OpenAPI documents are bare") };
        let mut missing = Vec::new();
        missing_fields(message, &document, "", &mut missing);
        assert_eq!(missing, Vec::<String>::new());
    }
}

/// A resource whose schema uses every keyword.
fn everything() -> Resource {
    Resource {
        group: "gold.example.com".into(),
        version: "v1".into(),
        storage_version_hash: None,
        plural: "widgets".into(),
        singular: "widget".into(),
        kind: "Widget".into(),
        list_kind: "WidgetList".into(),
        short_names: vec![],
        categories: vec![],
        namespaced: true,
        verbs: Verb::ALL.to_vec(),
        subresources: vec![Subresource::status(), Subresource::scale()],
        selectable_fields: vec!["spec.a".into()],
        parameters: vec![],
        bodies: vec![],
        schema: json!({"type": "object", "properties": {
            "a": {"type": "string", "format": "f", "title": "t", "description": "d", "default": "x", "enum": ["x"],
                "minLength": 1, "maxLength": 2, "pattern": "p", "example": "e", "nullable": true},
            "b": {"type": "number", "minimum": 1, "maximum": 2, "multipleOf": 1, "exclusiveMinimum": true,
                "exclusiveMaximum": true, "externalDocs": {"url": "u", "description": "d"}},
            "c": {"type": "array", "minItems": 1, "maxItems": 2, "uniqueItems": true, "items": {"type": "string"},
                "x-kubernetes-list-type": "set"},
            "d": {"type": "object", "minProperties": 1, "maxProperties": 2, "additionalProperties": {"type": "string"},
                "required": ["e"], "allOf": [{}], "anyOf": [{}], "oneOf": [{}], "not": {}},
            "e": {"type": "object", "additionalProperties": true},
        }}),
    }
}

/// Follows a document along its tables.
fn missing_fields(message: &Message, value: &Value, path: &str, missing: &mut Vec<String>) {
    for (key, value) in value.as_object().expect("a message is written from an object") {
        match message.fields.iter().find(|(field, ..)| field == key) {
            Some((_, _, shape)) => missing_below(shape, value, &format!("{path}/{key}"), missing),
            None if message.extensions.is_some() && key.starts_with("x-") => {}
            None => missing.push(format!("{path}/{key}")),
        }
    }
}

fn missing_below(shape: &Shape, value: &Value, path: &str, missing: &mut Vec<String>) {
    match (shape, value) {
        (Shape::Any, _) => {}
        (shape, Value::Array(items)) => items.iter().for_each(|item| missing_below(shape, item, path, missing)),
        (Shape::Message(message), _) => missing_fields(message, value, path, missing),
        (Shape::Whole(_, shape), _) => missing_below(shape, value, path, missing),
        (Shape::Map(_, shape), Value::Object(entries)) => {
            entries.iter().for_each(|(key, value)| missing_below(shape, value, &format!("{path}/{key}"), missing));
        }
        (Shape::OneOf(choose), _) => {
            if let Some((_, shape)) = choose(value) {
                missing_below(&shape, value, path, missing);
            }
        }
        (Shape::Text, Value::String(_)) | (Shape::Flag, Value::Bool(_)) => {}
        (Shape::Integer | Shape::Double, Value::Number(_)) => {}
        (shape, value) => missing.push(format!("{path}: {value} is not {shape:?}")),
    }
}
