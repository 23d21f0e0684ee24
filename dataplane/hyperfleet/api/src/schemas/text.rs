//! Violations in the words of the first version, which are those of Go's kin-openapi.

use jsonschema::{
    JsonType, ValidationError,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::Value;

use crate::error::Detail;

/// Longest text of one violation, in characters: a schema may hold long lists.
const LONGEST: usize = 500;

/// What a violation says, and of which field. It may be several: one for each property that should not be there.
pub(super) fn details(error: &ValidationError<'_>) -> Vec<Detail> {
    let field = field(error.instance_path().as_str());
    match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![detail(format!("{field}.{name}"), format!("property {property} is missing"), Some("required"))]
        }
        Kind::AdditionalProperties { unexpected } => unexpected
            .iter()
            .map(|name| detail(field.clone(), format!("property {} is unsupported", Value::from(name.as_str())), None))
            .collect(),
        kind => {
            let (message, constraint) = message(kind, error);
            vec![detail(field, message, constraint)]
        }
    }
}

fn detail(field: String, message: String, constraint: Option<&'static str>) -> Detail {
    let message = match message.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message,
    };
    Detail { field, message, constraint }
}

#[rustfmt::skip]
fn message(kind: &Kind, error: &ValidationError<'_>) -> (String, Option<&'static str>) {
    match kind {
        Kind::Enum { options } => (format!("value is not one of the allowed values {}", listed(options)), Some("enum")),
        Kind::MaxLength { limit } => (format!("maximum string length is {limit}"), Some("max_length")),
        Kind::MinLength { limit } => (format!("minimum string length is {limit}"), Some("min_length")),
        Kind::Minimum { limit } => (format!("number must be at least {limit}"), Some("min")),
        Kind::Maximum { limit } => (format!("number must be at most {limit}"), Some("max")),
        Kind::ExclusiveMinimum { limit } => (format!("number must be more than {limit}"), Some("min")),
        Kind::ExclusiveMaximum { limit } => (format!("number must be less than {limit}"), Some("max")),
        Kind::Type { kind } => (typed(kind), None),
        Kind::MinItems { limit } => (format!("minimum number of items is {limit}"), Some("min")),
        Kind::MaxItems { limit } => (format!("maximum number of items is {limit}"), Some("max")),
        Kind::UniqueItems => ("duplicate items found".to_owned(), Some("unique")),
        Kind::MinProperties { limit } => (format!("there must be at least {limit} properties"), Some("min")),
        Kind::MaxProperties { limit } => (format!("there must be at most {limit} properties"), Some("max")),
        Kind::Pattern { pattern } => (format!("string doesn't match the regular expression \"{pattern}\""), Some("pattern")),
        Kind::Format { format } => (format!("string doesn't match the format \"{format}\""), Some("format")),
        Kind::MultipleOf { multiple_of } => (format!("number must be a multiple of {multiple_of}"), None),
        Kind::OneOfNotValid { .. } => ("value doesn't match any schema from \"oneOf\"".to_owned(), None),
        Kind::OneOfMultipleValid { .. } => ("value matches more than one schema from \"oneOf\"".to_owned(), None),
        Kind::AnyOf { .. } => ("doesn't match any schema from \"anyOf\"".to_owned(), None),
        Kind::Not { .. } => ("value matches the schema of \"not\"".to_owned(), None),
        _ => (error.to_string(), None),
    }
}

/// `null` is there for nullable values; the first version does not name it.
fn listed(options: &Value) -> String {
    match options {
        Value::Array(options) => {
            Value::from(options.iter().filter(|option| !option.is_null()).cloned().collect::<Vec<_>>())
        }
        other => other.clone(),
    }
    .to_string()
}

fn typed(kind: &TypeKind) -> String {
    let kinds: Vec<JsonType> = match kind {
        TypeKind::Single(kind) => vec![*kind],
        TypeKind::Multiple(kinds) => kinds.into_iter().filter(|kind| *kind != JsonType::Null).collect(),
    };
    let words: Vec<String> = kinds
        .iter()
        .map(|kind| match kind {
            JsonType::Integer => "an integer".to_owned(),
            JsonType::Object => "an object".to_owned(),
            JsonType::Array => "an array".to_owned(),
            kind => format!("a {kind}"),
        })
        .collect();
    format!("value must be {}", words.join(" or "))
}

/// A JSON pointer within the spec, as a path.
fn field(pointer: &str) -> String {
    let names = pointer.split('/').skip(1).map(|name| name.replace("~1", "/").replace("~0", "~"));
    std::iter::once("spec".to_owned()).chain(names).collect::<Vec<_>>().join(".")
}
