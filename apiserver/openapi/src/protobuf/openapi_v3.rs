//! `openapi.v3.Document` of gnostic: those of its messages that our documents use.

use serde_json::Value;

use super::{
    Message,
    Shape::{self, Any, Double, Flag, Integer, Map, Message as Of, OneOf, Text, Whole},
};

pub(super) static DOCUMENT: Message = Message {
    fields: &[
        ("openapi", 1, Text),
        ("info", 2, Of(&INFO)),
        ("paths", 4, Map(1, &Of(&PATH_ITEM))),
        ("components", 5, Of(&COMPONENTS)),
    ],
    extensions: Some(9),
};

static INFO: Message = Message { fields: &[("title", 1, Text), ("version", 6, Text)], extensions: Some(7) };

static COMPONENTS: Message =
    Message { fields: &[("schemas", 1, Map(1, &OneOf(schema_or_reference)))], extensions: Some(10) };

static PATH_ITEM: Message = Message {
    fields: &[
        ("get", 4, Of(&OPERATION)),
        ("put", 5, Of(&OPERATION)),
        ("post", 6, Of(&OPERATION)),
        ("delete", 7, Of(&OPERATION)),
        ("patch", 10, Of(&OPERATION)),
        ("parameters", 13, PARAMETER_OR_REFERENCE),
    ],
    extensions: Some(14),
};

static OPERATION: Message = Message {
    fields: &[
        ("tags", 1, Text),
        ("description", 3, Text),
        ("operationId", 5, Text),
        ("parameters", 6, PARAMETER_OR_REFERENCE),
        ("requestBody", 7, Whole(1, &Of(&REQUEST_BODY))),
        ("responses", 8, Map(2, &Whole(1, &Of(&RESPONSE)))),
    ],
    extensions: Some(13),
};

/// Parameters are never referred to in v3 documents, but stand in the message that could hold a reference.
const PARAMETER_OR_REFERENCE: Shape = OneOf(|_| Some((1, Of(&PARAMETER))));

static PARAMETER: Message = Message {
    fields: &[
        ("name", 1, Text),
        ("in", 2, Text),
        ("description", 3, Text),
        ("required", 4, Flag),
        ("schema", 10, OneOf(schema_or_reference)),
    ],
    extensions: Some(14),
};

static REQUEST_BODY: Message = Message {
    fields: &[("description", 1, Text), ("content", 2, Map(1, &Of(&MEDIA_TYPE))), ("required", 3, Flag)],
    extensions: Some(4),
};

static RESPONSE: Message =
    Message { fields: &[("description", 1, Text), ("content", 3, Map(1, &Of(&MEDIA_TYPE)))], extensions: Some(5) };

static MEDIA_TYPE: Message = Message { fields: &[("schema", 1, OneOf(schema_or_reference))], extensions: Some(5) };

static REFERENCE: Message = Message { fields: &[("$ref", 1, Text)], extensions: None };

fn schema_or_reference(value: &Value) -> Option<(u32, Shape)> {
    if value.get("$ref").is_some() { Some((2, Of(&REFERENCE))) } else { Some((1, Of(&SCHEMA))) }
}

static SCHEMA: Message = Message {
    fields: &[
        ("nullable", 1, Flag),
        ("externalDocs", 6, Of(&EXTERNAL_DOCS)),
        ("example", 7, Any),
        ("title", 9, Text),
        ("multipleOf", 10, Double),
        ("maximum", 11, Double),
        ("exclusiveMaximum", 12, Flag),
        ("minimum", 13, Double),
        ("exclusiveMinimum", 14, Flag),
        ("maxLength", 15, Integer),
        ("minLength", 16, Integer),
        ("pattern", 17, Text),
        ("maxItems", 18, Integer),
        ("minItems", 19, Integer),
        ("uniqueItems", 20, Flag),
        ("maxProperties", 21, Integer),
        ("minProperties", 22, Integer),
        ("required", 23, Text),
        ("enum", 24, Any),
        ("type", 25, Text),
        ("allOf", 26, OneOf(schema_or_reference)),
        ("oneOf", 27, OneOf(schema_or_reference)),
        ("anyOf", 28, OneOf(schema_or_reference)),
        ("not", 29, Of(&SCHEMA)),
        ("items", 30, Whole(1, &OneOf(schema_or_reference))),
        ("properties", 31, Map(1, &OneOf(schema_or_reference))),
        ("additionalProperties", 32, OneOf(additional)),
        ("default", 33, OneOf(default)),
        ("description", 34, Text),
        ("format", 35, Text),
    ],
    extensions: Some(36),
};

fn additional(value: &Value) -> Option<(u32, Shape)> {
    if value.is_boolean() { Some((2, Flag)) } else { Some((1, OneOf(schema_or_reference))) }
}

/// Only scalars: the format has no place for a default that is a list or an object.
fn default(value: &Value) -> Option<(u32, Shape)> {
    match value {
        Value::Number(_) => Some((1, Double)),
        Value::Bool(_) => Some((2, Flag)),
        Value::String(_) => Some((3, Text)),
        _ => None,
    }
}

static EXTERNAL_DOCS: Message = Message { fields: &[("description", 1, Text), ("url", 2, Text)], extensions: Some(3) };
