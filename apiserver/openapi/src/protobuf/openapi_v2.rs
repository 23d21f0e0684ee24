//! `openapi.v2.Document` of gnostic: those of its messages that our documents use.

use serde_json::Value;

use super::{
    Message,
    Shape::{self, Any, Double, Flag, Integer, Map, Message as Of, OneOf, Text, Whole},
};

pub(super) static DOCUMENT: Message = Message {
    fields: &[
        ("swagger", 1, Text),
        ("info", 2, Of(&INFO)),
        ("paths", 8, Map(2, &Of(&PATH_ITEM))),
        ("definitions", 9, Map(1, &Of(&SCHEMA))),
        ("parameters", 10, Map(1, &OneOf(parameter))),
    ],
    extensions: Some(16),
};

static INFO: Message = Message { fields: &[("title", 1, Text), ("version", 2, Text)], extensions: Some(7) };

static PATH_ITEM: Message = Message {
    fields: &[
        ("get", 2, Of(&OPERATION)),
        ("put", 3, Of(&OPERATION)),
        ("post", 4, Of(&OPERATION)),
        ("delete", 5, Of(&OPERATION)),
        ("patch", 8, Of(&OPERATION)),
        ("parameters", 9, OneOf(parameter_or_reference)),
    ],
    extensions: Some(10),
};

static OPERATION: Message = Message {
    fields: &[
        ("tags", 1, Text),
        ("description", 3, Text),
        ("operationId", 5, Text),
        ("produces", 6, Text),
        ("consumes", 7, Text),
        ("parameters", 8, OneOf(parameter_or_reference)),
        ("responses", 9, Map(1, &RESPONSE_VALUE)),
        ("schemes", 10, Text),
    ],
    extensions: Some(13),
};

static REFERENCE: Message = Message { fields: &[("$ref", 1, Text)], extensions: None };

/// A parameter in the body, or elsewhere.
fn parameter(value: &Value) -> Option<(u32, Shape)> {
    if value["in"] == "body" { Some((1, Of(&BODY_PARAMETER))) } else { Some((2, OneOf(other_parameter))) }
}

fn parameter_or_reference(value: &Value) -> Option<(u32, Shape)> {
    if value.get("$ref").is_some() { Some((2, Of(&REFERENCE))) } else { Some((1, OneOf(parameter))) }
}

fn other_parameter(value: &Value) -> Option<(u32, Shape)> {
    if value["in"] == "query" { Some((3, Of(&QUERY_PARAMETER))) } else { Some((4, Of(&PATH_PARAMETER))) }
}

static BODY_PARAMETER: Message = Message {
    fields: &[
        ("description", 1, Text),
        ("name", 2, Text),
        ("in", 3, Text),
        ("required", 4, Flag),
        ("schema", 5, Of(&SCHEMA)),
    ],
    extensions: Some(6),
};

static QUERY_PARAMETER: Message = Message {
    fields: &[
        ("required", 1, Flag),
        ("in", 2, Text),
        ("description", 3, Text),
        ("name", 4, Text),
        ("type", 6, Text),
        ("uniqueItems", 20, Flag),
    ],
    extensions: Some(23),
};

static PATH_PARAMETER: Message = Message {
    fields: &[
        ("required", 1, Flag),
        ("in", 2, Text),
        ("description", 3, Text),
        ("name", 4, Text),
        ("type", 5, Text),
        ("uniqueItems", 19, Flag),
    ],
    extensions: Some(22),
};

/// A response, in the message that could also hold a reference.
static RESPONSE_VALUE: Shape = Whole(1, &Of(&RESPONSE));

/// The schema stands in the message that could also hold a file's.
static RESPONSE: Message =
    Message { fields: &[("description", 1, Text), ("schema", 2, Whole(1, &Of(&SCHEMA)))], extensions: Some(5) };

static SCHEMA: Message = Message {
    fields: &[
        ("$ref", 1, Text),
        ("format", 2, Text),
        ("title", 3, Text),
        ("description", 4, Text),
        ("default", 5, Any),
        ("multipleOf", 6, Double),
        ("maximum", 7, Double),
        ("exclusiveMaximum", 8, Flag),
        ("minimum", 9, Double),
        ("exclusiveMinimum", 10, Flag),
        ("maxLength", 11, Integer),
        ("minLength", 12, Integer),
        ("pattern", 13, Text),
        ("maxItems", 14, Integer),
        ("minItems", 15, Integer),
        ("uniqueItems", 16, Flag),
        ("maxProperties", 17, Integer),
        ("minProperties", 18, Integer),
        ("required", 19, Text),
        ("enum", 20, Any),
        ("additionalProperties", 21, OneOf(additional)),
        ("type", 22, Whole(1, &Text)),
        ("items", 23, Whole(1, &Of(&SCHEMA))),
        ("properties", 25, Map(1, &Of(&SCHEMA))),
        ("externalDocs", 29, Of(&EXTERNAL_DOCS)),
        ("example", 30, Any),
    ],
    extensions: Some(31),
};

fn additional(value: &Value) -> Option<(u32, Shape)> {
    if value.is_boolean() { Some((2, Flag)) } else { Some((1, Of(&SCHEMA))) }
}

static EXTERNAL_DOCS: Message = Message { fields: &[("description", 1, Text), ("url", 2, Text)], extensions: Some(3) };
