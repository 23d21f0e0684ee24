//! Values as a Go struct would hold them.
//!
//! What goes through a struct in a kube-apiserver comes out different: unknown fields are dropped and named, a value of
//! the wrong type fails the request in the JSON decoder's words, times become UTC to the second, and what is empty is
//! left out. Callers write the struct down as a table.

use serde_json::{Map, Value};

use super::moment;
use crate::json;

/// What a field may hold.
#[derive(Clone, Copy)]
pub(crate) enum Type {
    /// A string; the name is that of its Go type.
    Text(&'static str),
    /// A string of which "" is a value.
    OptionalText(&'static str),
    TextMap,
    TextList,
    Int,
    /// An integer of which 0 is a value.
    OptionalInt,
    OptionalBool,
    Time,
    Raw,
    List(&'static Struct),
    One(&'static Struct),
}

/// A struct as its tags describe it.
pub(crate) struct Struct {
    /// As the decoder names it.
    pub(crate) name: &'static str,
    /// By their names in JSON.
    pub(crate) fields: &'static [(&'static str, Type)],
    /// Whether strings are written also when they are empty.
    pub(crate) keeps_empty: bool,
}

/// A string.
pub(crate) const STRING: Type = Type::Text("string");

// === impl Struct ===

impl Struct {
    /// The fields that the struct has, and the paths below `path` of those that it has not. `whole` is the name of its
    /// type.
    pub(crate) fn decode(
        &self,
        value: &Value,
        whole: &str,
        path: &str,
    ) -> Result<(Map<String, Value>, Vec<String>), String> {
        let mut unknown = Vec::new();
        let fields = match value {
            Value::Null => Map::new(),
            Value::Object(fields) => self.coerce(fields, "", path, &mut unknown)?,
            other => return Err(format!("json: cannot unmarshal {} into Go value of type {whole}", kind(other))),
        };
        Ok((fields, unknown))
    }

    /// `place` is where the struct is as the decoder's errors say it, `path` as unknown fields do.
    fn coerce(
        &self,
        fields: &Map<String, Value>,
        place: &str,
        path: &str,
        unknown: &mut Vec<String>,
    ) -> Result<Map<String, Value>, String> {
        let mut coerced = Map::new();
        if self.keeps_empty {
            let texts = self.fields.iter().filter(|(_, field)| matches!(field, Type::Text(_)));
            coerced.extend(texts.map(|(name, _)| ((*name).to_owned(), Value::from(""))));
        }
        for (name, value) in fields {
            let Some((_, field)) = self.fields.iter().find(|(known, _)| known == name) else {
                unknown.push(format!("{path}.{name}"));
                continue;
            };
            let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
            let place = Place { of: self.name, field: &place };
            if let Some(value) = field.coerce(value, &place, &format!("{path}.{name}"), unknown)? {
                coerced.insert(name.clone(), value);
            }
        }
        Ok(coerced)
    }
}

/// A field, as the decoder's errors name it.
struct Place<'a> {
    of: &'a str,
    field: &'a str,
}

// === impl Place ===

impl Place<'_> {
    fn mismatch(&self, value: &Value, wanted: &str) -> String {
        format!(
            "json: cannot unmarshal {} into Go struct field {}.{} of type {wanted}",
            kind(value),
            self.of,
            self.field
        )
    }

    fn text(&self, value: &Value, wanted: &str) -> Result<Value, String> {
        match value {
            Value::String(_) => Ok(value.clone()),
            Value::Null => Ok(Value::from("")),
            other => Err(self.mismatch(other, wanted)),
        }
    }
}

// === impl Type ===

impl Type {
    /// The value as the struct writes it; `None` when it leaves it out.
    fn coerce(
        self,
        value: &Value,
        place: &Place<'_>,
        path: &str,
        unknown: &mut Vec<String>,
    ) -> Result<Option<Value>, String> {
        if value.is_null() {
            return Ok(None);
        }
        match (self, value) {
            (Self::Text(name), value) => {
                let text = place.text(value, name)?;
                Ok((text != "").then_some(text))
            }
            (Self::OptionalText(name), value) => Ok(Some(place.text(value, name)?)),
            (Self::TextMap, Value::Object(map)) => {
                let texts = map.iter().map(|(key, value)| Ok((key.clone(), place.text(value, "string")?)));
                let texts = texts.collect::<Result<Map<_, _>, String>>()?;
                Ok((!texts.is_empty()).then_some(Value::Object(texts)))
            }
            (Self::TextList, Value::Array(items)) => {
                let texts = items.iter().map(|value| place.text(value, "string")).collect::<Result<Vec<_>, _>>()?;
                Ok((!texts.is_empty()).then_some(Value::Array(texts)))
            }
            (Self::Int, value) if value.is_i64() => Ok((value != 0).then(|| value.clone())),
            (Self::OptionalInt, value) if value.is_i64() => Ok(Some(value.clone())),
            (Self::Int | Self::OptionalInt, Value::Number(_)) => {
                let number = String::from_utf8_lossy(&json::encode(value)).into_owned();
                Err(place.mismatch(value, "int64").replacen("number", &format!("number {number}"), 1))
            }
            (Self::OptionalBool, Value::Bool(_)) => Ok(Some(value.clone())),
            (Self::Time, Value::String(text)) => Ok(Some(Value::from(moment::parse(text)?.to_string()))),
            (Self::Raw, value) => Ok(Some(value.clone())),
            (Self::List(of), Value::Array(items)) => {
                let items = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| of.item(item, place, &format!("{path}[{index}]"), unknown));
                let items = items.collect::<Result<Vec<_>, String>>()?;
                Ok((!items.is_empty()).then_some(Value::Array(items)))
            }
            (Self::One(of), value) => Ok(Some(of.item(value, place, path, unknown)?)),
            (wanted, value) => Err(place.mismatch(value, &wanted.name())),
        }
    }

    /// The name of the Go type.
    fn name(self) -> String {
        match self {
            Self::Text(name) | Self::OptionalText(name) => name.to_owned(),
            Self::TextMap => "map[string]string".to_owned(),
            Self::TextList => "[]string".to_owned(),
            Self::Int | Self::OptionalInt => "int64".to_owned(),
            Self::OptionalBool => "bool".to_owned(),
            Self::Time => "string".to_owned(),
            Self::Raw => "v1.FieldsV1".to_owned(),
            Self::List(of) => format!("[]v1.{}", of.name),
            Self::One(of) => format!("v1.{}", of.name),
        }
    }
}

impl Struct {
    fn item(&self, item: &Value, place: &Place<'_>, path: &str, unknown: &mut Vec<String>) -> Result<Value, String> {
        let empty = Map::new();
        let fields = match item {
            Value::Object(fields) => fields,
            Value::Null => &empty,
            other => return Err(place.mismatch(other, &format!("v1.{}", self.name))),
        };
        Ok(Value::Object(self.coerce(fields, place.field, path, unknown)?))
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
