//! One step of a field's path, and its notation in FieldsV1: `f:name`, `k:{"name":"a"}`, `v:"a"`, `i:0`.

use std::{cmp::Ordering, fmt};

use serde_json::{Map, Value};

use super::set::InvalidFields;
use crate::{go, json};

/// One step from an object or list to what it contains.
///
/// Elements are ordered fields first, then keys, values and indices, as Go orders them.
#[derive(Debug, Clone)]
pub enum PathElement {
    /// The field of an object, or the key of a map.
    Field(String),
    /// The item of a list whose key fields have these values.
    Key(Map<String, Value>),
    /// The item of a set that has this value.
    Value(Value),
    /// The item of a list at this place.
    Index(i64),
}

// === impl PathElement ===

impl PathElement {
    /// The field of an object, or the key of a map.
    pub fn field(name: impl Into<String>) -> Self {
        Self::Field(name.into())
    }

    /// Reads FieldsV1's notation. `None` is an element of a kind that nobody knows yet.
    pub fn parse(text: &str) -> Result<Option<Self>, InvalidFields> {
        let invalid = || InvalidFields::element(text);
        let (kind, rest) = text.split_at_checked(2).filter(|(kind, _)| kind.ends_with(':')).ok_or_else(invalid)?;
        let value = || json::decode(rest.as_bytes()).map(|decoded| decoded.value).map_err(|_| invalid());
        Ok(Some(match kind {
            "f:" => Self::field(rest),
            "k:" => match value()? {
                Value::Object(key) => Self::Key(key),
                _ => return Err(invalid()),
            },
            "v:" => Self::Value(value()?),
            "i:" => Self::Index(rest.parse().map_err(|_| invalid())?),
            _ => return Ok(None),
        }))
    }

    /// The step as [`FieldTypes`](super::FieldTypes) is told it.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Field(name) => name,
            _ => "*",
        }
    }

    /// The step as errors show it: `.name`, `[name="a"]`, `[="a"]`, `[0]`.
    pub(super) fn step(&self) -> String {
        match self {
            Self::Field(name) => format!(".{name}"),
            Self::Key(key) => {
                let fields: Vec<String> = key.iter().map(|(name, value)| format!("{name}={}", shown(value))).collect();
                format!("[{}]", fields.join(","))
            }
            Self::Value(value) => format!("[={}]", shown(value)),
            Self::Index(index) => format!("[{index}]"),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Field(_) => 0,
            Self::Key(_) => 1,
            Self::Value(_) => 2,
            Self::Index(_) => 3,
        }
    }
}

impl fmt::Display for PathElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Value| String::from_utf8(json::encode(value)).expect("JSON is UTF-8");
        match self {
            Self::Field(name) => write!(f, "f:{name}"),
            Self::Key(key) => write!(f, "k:{}", text(&Value::Object(key.clone()))),
            Self::Value(value) => write!(f, "v:{}", text(value)),
            Self::Index(index) => write!(f, "i:{index}"),
        }
    }
}

impl Ord for PathElement {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Field(a), Self::Field(b)) => a.cmp(b),
            (Self::Key(a), Self::Key(b)) => compare_maps(a, b),
            (Self::Value(a), Self::Value(b)) => compare_values(a, b),
            (Self::Index(a), Self::Index(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for PathElement {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for PathElement {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for PathElement {}

/// A value as Go prints it in a path.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => go::Quoted(text).to_string(),
        other => other.to_string(),
    }
}

fn compare_values(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            // Integers that are one float stay apart, and that float follows them: a total order.
            let (x, y) = (a.as_f64().unwrap_or_default(), b.as_f64().unwrap_or_default());
            x.total_cmp(&y).then(a.is_f64().cmp(&b.is_f64())).then(a.as_i64().cmp(&b.as_i64()))
        }
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Array(a), Value::Array(b)) => compare_all(a.iter().zip(b), a.len().cmp(&b.len())),
        (Value::Object(a), Value::Object(b)) => compare_maps(a, b),
        _ => kind(a).cmp(&kind(b)),
    }
}

fn compare_all<'a>(pairs: impl Iterator<Item = (&'a Value, &'a Value)>, otherwise: Ordering) -> Ordering {
    pairs.map(|(a, b)| compare_values(a, b)).find(|order| order.is_ne()).unwrap_or(otherwise)
}

fn compare_maps(a: &Map<String, Value>, b: &Map<String, Value>) -> Ordering {
    a.iter()
        .zip(b)
        .map(|((a_name, a), (b_name, b))| a_name.cmp(b_name).then_with(|| compare_values(a, b)))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| a.len().cmp(&b.len()))
}

fn kind(value: &Value) -> u8 {
    match value {
        Value::Number(_) => 0,
        Value::String(_) => 1,
        Value::Bool(_) => 2,
        Value::Array(_) => 3,
        Value::Object(_) => 4,
        Value::Null => 5,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn elements_are_printed_as_they_are_read() {
        for text in [
            "f:spec",
            "f:",
            "f:a:b/c.d",
            r#"k:{"name":"a","port":80}"#,
            "k:{}",
            r#"v:"a""#,
            "v:1.5",
            "v:true",
            "v:null",
            r#"v:"\u003c\u0026""#,
            "i:0",
            "i:-3",
        ] {
            assert_eq!(PathElement::parse(text).unwrap().unwrap().to_string(), text);
        }
        let key = PathElement::parse(r#"k:{ "port":80, "name":"a" }"#).unwrap().unwrap();
        assert_eq!(key.to_string(), r#"k:{"name":"a","port":80}"#);
    }

    #[test]
    fn what_is_no_element_is_refused_and_what_is_unknown_is_left_out() {
        for text in ["", "f", "spec", "fx", "é", "k:[]", "k:5", "k:", "v:", "v:{", "i:", "i:x", "i:1.5"] {
            assert!(PathElement::parse(text).is_err(), "{text}");
        }
        assert_eq!(PathElement::parse("x:new").unwrap(), None);
    }

    #[test]
    fn elements_are_ordered_by_kind_and_then_by_value() {
        let key = |value: Value| PathElement::Key(value.as_object().unwrap().clone());
        let ordered = [
            PathElement::field("a"),
            PathElement::field("b"),
            key(json!({})),
            key(json!({ "a": 1 })),
            key(json!({ "a": 1, "b": 0 })),
            key(json!({ "a": 2 })),
            key(json!({ "b": 0 })),
            PathElement::Value(json!(-1)),
            PathElement::Value(json!(1)),
            PathElement::Value(json!(1.5)),
            PathElement::Value(json!(i64::MAX - 1)),
            PathElement::Value(json!(i64::MAX)),
            PathElement::Value(json!(9_223_372_036_854_775_807.0)),
            PathElement::Value(json!("a")),
            PathElement::Value(json!(false)),
            PathElement::Value(json!([1])),
            PathElement::Value(json!([1, 2])),
            PathElement::Value(json!({})),
            PathElement::Value(json!(null)),
            PathElement::Index(-1),
            PathElement::Index(2),
        ];
        for (i, a) in ordered.iter().enumerate() {
            for (j, b) in ordered.iter().enumerate() {
                assert_eq!(a.cmp(b), i.cmp(&j), "{a} {b}");
            }
        }
    }
}
