//! What is wrong with a field of an object, in Kubernetes' words.
//!
//! An [`Error`] prints as `path: problem: value: detail`. The reasons are part of the API: clients read them in a
//! Status' causes.

use std::fmt;

use serde_json::Value;

use crate::{go, json};

/// Problems of one object, in the order in which they were found.
pub type ErrorList = Vec<Error>;

/// One problem of one field.
#[derive(Debug, Clone, PartialEq)]
pub struct Error {
    /// What kind of problem.
    pub kind: ErrorKind,
    /// Where.
    pub field: String,
    /// The value at fault, for the kinds that print it.
    pub value: BadValue,
    /// What would be right; may be empty.
    pub detail: String,
}

/// The kinds of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "Kubernetes' names, which the reasons repeat")]
pub enum ErrorKind {
    NotFound,
    Required,
    Duplicate,
    Invalid,
    NotSupported,
    Forbidden,
    TooLong,
    TooShort,
    TooMany,
    TooFew,
    Internal,
    TypeInvalid,
}

/// A value as an error shows it.
#[derive(Debug, Clone, PartialEq)]
pub enum BadValue {
    /// It is not shown.
    Omitted,
    /// Strings are quoted, numbers and booleans plain, anything else JSON.
    Value(Value),
    /// Shown as it is. For what JSON with sorted keys would show otherwise than Go does.
    Text(String),
}

/// Where in an object a field is: `spec.ports[0].name`, `metadata.labels[app]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Path(String);

// === impl Error ===

impl Error {
    /// A value that refers to something that is not there.
    pub fn not_found(field: impl Into<String>, value: impl Into<BadValue>) -> Self {
        Self::new(ErrorKind::NotFound, field, value, "")
    }

    /// A value that is missing.
    pub fn required(field: impl Into<String>, detail: &str) -> Self {
        Self::new(ErrorKind::Required, field, BadValue::Omitted, detail)
    }

    /// A value that another place has already.
    pub fn duplicate(field: impl Into<String>, value: impl Into<BadValue>) -> Self {
        Self::new(ErrorKind::Duplicate, field, value, "")
    }

    /// A value that is malformed or out of range.
    pub fn invalid(field: impl Into<String>, value: impl Into<BadValue>, detail: &str) -> Self {
        Self::new(ErrorKind::Invalid, field, value, detail)
    }

    /// A value of the wrong type.
    pub fn type_invalid(field: impl Into<String>, value: impl Into<BadValue>, detail: &str) -> Self {
        Self::new(ErrorKind::TypeInvalid, field, value, detail)
    }

    /// A value that is not one of a few.
    pub fn not_supported<S: AsRef<str>>(
        field: impl Into<String>,
        value: impl Into<BadValue>,
        supported: impl IntoIterator<Item = S>,
    ) -> Self {
        let supported: Vec<_> = supported.into_iter().map(|value| go::quote(value.as_ref())).collect();
        let detail = match supported.is_empty() {
            true => String::new(),
            false => format!("supported values: {}", supported.join(", ")),
        };
        Self::new(ErrorKind::NotSupported, field, value, &detail)
    }

    /// A value that may not be given here.
    pub fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        Self::new(ErrorKind::Forbidden, field, BadValue::Omitted, detail)
    }

    /// A value of more than `max` bytes.
    pub fn too_long(field: impl Into<String>, max: usize) -> Self {
        let detail = format!("may not be more than {max} {}", plural(max, "byte"));
        Self::new(ErrorKind::TooLong, field, BadValue::Omitted, &detail)
    }

    /// A value of more than `max` characters.
    pub fn too_long_characters(field: impl Into<String>, max: usize) -> Self {
        let detail = format!("may not be more than {max} {}", plural(max, "character"));
        Self::new(ErrorKind::TooLong, field, BadValue::Omitted, &detail)
    }

    /// A value of less than `min` characters.
    pub fn too_short(field: impl Into<String>, min: usize) -> Self {
        let detail = format!("must be at least {min} {}", plural(min, "character"));
        Self::new(ErrorKind::TooShort, field, BadValue::Omitted, &detail)
    }

    /// A list or map with more than `max` items.
    pub fn too_many(field: impl Into<String>, actual: usize, max: usize) -> Self {
        let detail = format!("must have at most {max} {}", plural(max, "item"));
        Self::new(ErrorKind::TooMany, field, Value::from(actual), &detail)
    }

    /// A list or map with less than `min` items.
    pub fn too_few(field: impl Into<String>, actual: usize, min: usize) -> Self {
        let detail = format!("must have at least {min} {}", plural(min, "item"));
        Self::new(ErrorKind::TooFew, field, Value::from(actual), &detail)
    }

    /// A fault of the server.
    pub fn internal(field: impl Into<String>, detail: &str) -> Self {
        Self::new(ErrorKind::Internal, field, BadValue::Omitted, detail)
    }

    /// An error of any kind.
    pub fn new(kind: ErrorKind, field: impl Into<String>, value: impl Into<BadValue>, detail: &str) -> Self {
        Self { kind, field: field.into(), value: value.into(), detail: detail.to_owned() }
    }

    /// The error without its field: a cause's message.
    pub fn body(&self) -> String {
        let mut body = self.kind.text().to_owned();
        if self.kind.shows_value() && self.value != BadValue::Omitted {
            body = format!("{body}: {}", self.value);
        }
        if !self.detail.is_empty() {
            body = format!("{body}: {}", self.detail);
        }
        body
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}

impl std::error::Error for Error {}

/// Several problems in one text: one as it is, more in brackets, each once.
pub fn aggregate(errors: &[Error]) -> String {
    let mut texts: Vec<String> = Vec::new();
    for text in errors.iter().map(Error::to_string) {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    match texts.as_slice() {
        [text] => text.clone(),
        texts => format!("[{}]", texts.join(", ")),
    }
}

// === impl ErrorKind ===

impl ErrorKind {
    /// The reason in a Status' cause.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotFound => "FieldValueNotFound",
            Self::Required => "FieldValueRequired",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Invalid => "FieldValueInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::TooShort => "FieldValueTooShort",
            Self::TooMany => "FieldValueTooMany",
            Self::TooFew => "FieldValueTooFew",
            Self::Internal => "InternalError",
            Self::TypeInvalid => "FieldValueTypeInvalid",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::Required => "Required value",
            Self::Duplicate => "Duplicate value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::TooShort => "Too short",
            Self::TooMany => "Too many",
            Self::TooFew => "Too few",
            Self::Internal => "Internal error",
        }
    }

    fn shows_value(self) -> bool {
        !matches!(self, Self::Required | Self::Forbidden | Self::TooLong | Self::TooShort | Self::Internal)
    }
}

// === impl BadValue ===

impl fmt::Display for BadValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Omitted => Ok(()),
            Self::Text(text) => f.write_str(text),
            Self::Value(Value::String(text)) => write!(f, "{}", go::Quoted(text)),
            Self::Value(Value::Number(number)) if number.is_f64() => {
                f.write_str(&go::float(number.as_f64().unwrap_or_default()))
            }
            Self::Value(value) => f.write_str(&String::from_utf8_lossy(&json::encode(value))),
        }
    }
}

impl From<Value> for BadValue {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl From<&Value> for BadValue {
    fn from(value: &Value) -> Self {
        Self::Value(value.clone())
    }
}

impl From<&str> for BadValue {
    fn from(text: &str) -> Self {
        Self::Value(Value::from(text))
    }
}

impl From<String> for BadValue {
    fn from(text: String) -> Self {
        Self::Value(Value::from(text))
    }
}

impl From<i64> for BadValue {
    fn from(number: i64) -> Self {
        Self::Value(Value::from(number))
    }
}

impl From<bool> for BadValue {
    fn from(value: bool) -> Self {
        Self::Value(Value::from(value))
    }
}

// === impl Path ===

impl Path {
    /// The path of a field of the object itself, or, when empty, of the object.
    pub fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// A field of what is here.
    #[must_use]
    pub fn child(&self, name: &str) -> Self {
        if self.0.is_empty() { Self::new(name) } else { Self(format!("{}.{name}", self.0)) }
    }

    /// An item of the list that is here.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    /// A value of the map that is here.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        Self(format!("{}[{key}]", self.0))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&Path> for String {
    fn from(path: &Path) -> Self {
        path.0.clone()
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.0
    }
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_print_as_kubernetes_prints_them() {
        let size = Path::new("spec").child("size");
        let cases = [
            (
                Error::invalid(&size, json!(-1), "spec.size in body should be greater than or equal to 0"),
                "spec.size: Invalid value: -1: spec.size in body should be greater than or equal to 0",
                "FieldValueInvalid",
            ),
            (
                Error::duplicate(Path::new("spec").child("tags").index(1), "a"),
                "spec.tags[1]: Duplicate value: \"a\"",
                "FieldValueDuplicate",
            ),
            (
                Error::required("metadata.name", "name or generateName is required"),
                "metadata.name: Required value: name or generateName is required",
                "FieldValueRequired",
            ),
            (Error::required("a", ""), "a: Required value", "FieldValueRequired"),
            (
                Error::not_supported("dryRun", json!(["true"]), ["All"]),
                "dryRun: Unsupported value: [\"true\"]: supported values: \"All\"",
                "FieldValueNotSupported",
            ),
            (
                Error::too_long("metadata.annotations", 262_144),
                "metadata.annotations: Too long: may not be more than 262144 bytes",
                "FieldValueTooLong",
            ),
            (Error::too_many("a", 3, 1), "a: Too many: 3: must have at most 1 item", "FieldValueTooMany"),
            (Error::forbidden("a", "no"), "a: Forbidden: no", "FieldValueForbidden"),
            (Error::not_found("a", "x"), "a: Not found: \"x\"", "FieldValueNotFound"),
            (
                Error::type_invalid("a", json!({"b": "<"}), "no"),
                "a: Invalid value: {\"b\":\"\\u003c\"}: no",
                "FieldValueTypeInvalid",
            ),
            (Error::invalid("a", json!(1e21), "no"), "a: Invalid value: 1e+21: no", "FieldValueInvalid"),
            (Error::invalid("a", json!(null), "no"), "a: Invalid value: null: no", "FieldValueInvalid"),
            (Error::internal("a", "oh"), "a: Internal error: oh", "InternalError"),
        ];
        for (error, text, reason) in cases {
            assert_eq!(error.to_string(), text);
            assert_eq!(error.kind.reason(), reason);
        }
    }

    #[test]
    fn several_errors_are_bracketed_and_each_is_said_once() {
        let (a, b) = (Error::required("a", ""), Error::forbidden("b", "no"));
        assert_eq!(aggregate(std::slice::from_ref(&a)), "a: Required value");
        assert_eq!(aggregate(&[a.clone(), a.clone()]), "a: Required value");
        assert_eq!(aggregate(&[a.clone(), b, a]), "[a: Required value, b: Forbidden: no]");
    }

    #[test]
    fn paths_have_children_items_and_keys() {
        let path = Path::new("metadata").child("labels").key("a/b").index(3).child("x");
        assert_eq!(path.as_str(), "metadata.labels[a/b][3].x");
        assert_eq!(Path::default().child("spec").as_str(), "spec");
    }
}
