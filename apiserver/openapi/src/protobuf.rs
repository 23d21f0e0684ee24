//! JSON documents as protobuf, by tables.
//!
//! A table says for each message which JSON key is which field, so a message that is only ever written needs no type.
//! Keys that are not in a message's table are not written, except vendor extensions; a test reads everything back.

mod discovery;
mod openapi_v2;
mod openapi_v3;
#[cfg(test)]
mod tests;

use serde_json::Value;

/// How a document is encoded.
#[derive(Debug)]
pub(crate) enum Encoding {
    /// As this message.
    Bare(&'static Message),
    /// As this message inside the envelope of Kubernetes objects.
    Enveloped(&'static Message),
    /// As JSON, whatever is asked for.
    None,
}

/// A message type.
#[derive(Debug)]
pub(crate) struct Message {
    fields: &'static [Field],
    /// The field of vendor extensions, `x-…`: an entry each, with the value as YAML.
    extensions: Option<u32>,
}

/// JSON key, field number, type.
type Field = (&'static str, u32, Shape);

/// The type of a field. A JSON list is a repeated field, except in [`Shape::Whole`].
#[derive(Debug)]
enum Shape {
    Text,
    Flag,
    Integer,
    Double,
    /// Any JSON, kept as YAML in a message.
    Any,
    Message(&'static Message),
    /// A message with one field, which holds the value, or all of a list.
    Whole(u32, &'static Shape),
    /// A message with one field of entries, which have a name and a value.
    Map(u32, &'static Shape),
    /// A message with one field of several, chosen by the value; none, if no field can hold it.
    OneOf(fn(&Value) -> Option<(u32, Shape)>),
}

pub(crate) static API_VERSIONS: Encoding = Encoding::Enveloped(&discovery::API_VERSIONS);
pub(crate) static GROUP_LIST: Encoding = Encoding::Enveloped(&discovery::GROUP_LIST);
pub(crate) static GROUP: Encoding = Encoding::Enveloped(&discovery::GROUP);
pub(crate) static RESOURCE_LIST: Encoding = Encoding::Enveloped(&discovery::RESOURCE_LIST);
pub(crate) static AGGREGATED: Encoding = Encoding::Enveloped(&discovery::AGGREGATED);
pub(crate) static OPENAPI_V2: Encoding = Encoding::Bare(&openapi_v2::DOCUMENT);
pub(crate) static OPENAPI_V3: Encoding = Encoding::Bare(&openapi_v3::DOCUMENT);
pub(crate) static NONE: Encoding = Encoding::None;

// === impl Encoding ===

impl Encoding {
    /// Whether the document is an API object, whose JSON ends its line.
    pub(crate) fn is_object(&self) -> bool {
        matches!(self, Encoding::Enveloped(_))
    }

    /// The bytes of a document.
    pub(crate) fn encode(&self, document: &Value) -> Vec<u8> {
        match self {
            Encoding::Bare(message) => message.bytes(document),
            Encoding::Enveloped(message) => discovery::envelope(document, &message.bytes(document)),
            Encoding::None => document.to_string().into_bytes(),
        }
    }
}

// === impl Message ===

impl Message {
    fn bytes(&self, value: &Value) -> Vec<u8> {
        let mut wire = Vec::new();
        for (key, number, shape) in self.fields {
            match value.get(key) {
                Some(Value::Array(items)) if !matches!(shape, Shape::Whole(..)) => {
                    items.iter().for_each(|item| shape.write(*number, item, &mut wire));
                }
                Some(value) if !shape.is_zero(value) => shape.write(*number, value, &mut wire),
                _ => {}
            }
        }
        let extensions = self.extensions.zip(value.as_object());
        for (number, (key, value)) in
            extensions.into_iter().flat_map(|(number, object)| object.iter().map(move |entry| (number, entry)))
        {
            if key.starts_with("x-") {
                write_bytes(number, &named(key, &Shape::Any, value), &mut wire);
            }
        }
        wire
    }
}

// === impl Shape ===

impl Shape {
    /// Whether a plain field is left out: readers take an absent scalar for its zero.
    fn is_zero(&self, value: &Value) -> bool {
        match self {
            Shape::Text => value == "",
            Shape::Flag => value == false,
            Shape::Integer => value.as_i64() == Some(0),
            Shape::Double => value.as_f64() == Some(0.0),
            _ => false,
        }
    }

    fn write(&self, number: u32, value: &Value, wire: &mut Vec<u8>) {
        match self {
            Shape::Text => write_bytes(number, value.as_str().unwrap_or_default().as_bytes(), wire),
            Shape::Flag => write_varint(number, u64::from(value == true), wire),
            Shape::Integer => write_varint(number, integer(value).cast_unsigned(), wire),
            Shape::Double => {
                write_key(number, 1, wire);
                wire.extend(value.as_f64().unwrap_or_default().to_le_bytes());
            }
            Shape::Any => write_bytes(number, &any(value), wire),
            Shape::Message(message) => write_bytes(number, &message.bytes(value), wire),
            Shape::Whole(inner, shape) => write_bytes(number, &whole(*inner, shape, value), wire),
            Shape::Map(inner, shape) => write_bytes(number, &map(*inner, shape, value), wire),
            Shape::OneOf(choose) => {
                let mut chosen = Vec::new();
                if let Some((inner, shape)) = choose(value) {
                    shape.write(inner, value, &mut chosen);
                }
                write_bytes(number, &chosen, wire);
            }
        }
    }
}

/// A whole number, also where it was written with a fraction of zero.
#[expect(clippy::cast_possible_truncation, reason = "lengths and counts: what does not fit is as good as unlimited")]
fn integer(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_f64().map(|number| number as i64)).unwrap_or_default()
}

fn whole(number: u32, shape: &Shape, value: &Value) -> Vec<u8> {
    let mut wire = Vec::new();
    match value {
        Value::Array(items) => items.iter().for_each(|item| shape.write(number, item, &mut wire)),
        value => shape.write(number, value, &mut wire),
    }
    wire
}

fn map(number: u32, shape: &Shape, value: &Value) -> Vec<u8> {
    let mut wire = Vec::new();
    for (key, value) in value.as_object().into_iter().flatten() {
        write_bytes(number, &named(key, shape, value), &mut wire);
    }
    wire
}

/// An entry of a map: name and value.
fn named(name: &str, shape: &Shape, value: &Value) -> Vec<u8> {
    let mut wire = Vec::new();
    write_bytes(1, name.as_bytes(), &mut wire);
    shape.write(2, value, &mut wire);
    wire
}

/// Any value: its YAML, in the second field.
fn any(value: &Value) -> Vec<u8> {
    let mut wire = Vec::new();
    write_bytes(2, yaml(value).as_bytes(), &mut wire);
    wire
}

/// JSON is YAML, but for characters that YAML wants escaped; in JSON those can only stand inside strings.
fn yaml(value: &Value) -> String {
    let json = value.to_string();
    let mut yaml = String::with_capacity(json.len());
    for letter in json.chars() {
        match letter {
            '\u{7F}'..='\u{9F}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}' => {
                yaml.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            letter => yaml.push(letter),
        }
    }
    yaml
}

// === the wire format ===

fn write_bytes(number: u32, bytes: &[u8], wire: &mut Vec<u8>) {
    write_key(number, 2, wire);
    write_raw_varint(bytes.len() as u64, wire);
    wire.extend(bytes);
}

fn write_varint(number: u32, value: u64, wire: &mut Vec<u8>) {
    write_key(number, 0, wire);
    write_raw_varint(value, wire);
}

fn write_key(number: u32, wire_type: u32, wire: &mut Vec<u8>) {
    write_raw_varint(u64::from(number << 3 | wire_type), wire);
}

fn write_raw_varint(mut value: u64, wire: &mut Vec<u8>) {
    while value >= 0x80 {
        wire.push(value as u8 | 0x80);
        value >>= 7;
    }
    wire.push(value as u8);
}
