//! A JSON writer whose bytes are those of Go's `encoding/json`.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Serializer, Value, ser::Formatter};

use crate::go;

/// The value as compact JSON. Keys are sorted, because a map is; the line feed that ends a document is the caller's.
pub fn encode(value: &Value) -> Vec<u8> {
    to_vec(value)
}

/// Anything as compact JSON, the fields of a struct in their order.
pub(crate) fn to_vec<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut json = Vec::with_capacity(256);
    let mut serializer = Serializer::with_formatter(&mut json, Go);
    value.serialize(&mut serializer).expect("memory takes every write, and our keys are strings");
    json
}

/// Compact JSON with line feeds and two spaces per level, the order kept. Empty objects and lists stay closed.
pub fn pretty(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() * 2);
    let (mut depth, mut text, mut escaped) = (0_usize, false, false);
    let mut last = 0;
    for &byte in json {
        if text {
            out.push(byte);
            text = byte != b'"' || escaped;
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        if matches!(last, b'{' | b'[') && !matches!(byte, b'}' | b']') {
            depth += 1;
            line(&mut out, depth);
        }
        match byte {
            b'}' | b']' if !matches!(last, b'{' | b'[') => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                line(&mut out, depth);
            }
            b':' => out.extend_from_slice(b": "),
            byte => out.push(byte),
        }
        text = byte == b'"';
        last = byte;
    }
    out
}

fn line(out: &mut Vec<u8>, depth: usize) {
    out.push(b'\n');
    out.extend(std::iter::repeat_n(b' ', 2 * depth));
}

/// Go's choices of escapes and of digits.
struct Go;

impl Formatter for Go {
    fn write_f64<W: Write + ?Sized>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(go::float_json(value).as_bytes())
    }

    fn write_string_fragment<W: Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, char, escape)) = first_escape(rest) {
            writer.write_all(&rest.as_bytes()[..at])?;
            writer.write_all(escape)?;
            rest = &rest[at + char..];
        }
        writer.write_all(rest.as_bytes())
    }
}

/// The first character that Go escapes and JSON does not ask for: where it is, its length and its escape.
fn first_escape(text: &str) -> Option<(usize, usize, &'static [u8])> {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().find_map(|(at, byte)| match byte {
        b'<' => Some((at, 1, br"\u003c".as_slice())),
        b'>' => Some((at, 1, br"\u003e")),
        b'&' => Some((at, 1, br"\u0026")),
        0xe2 if bytes[at..].starts_with(&[0xe2, 0x80, 0xa8]) => Some((at, 3, br"\u2028")),
        0xe2 if bytes[at..].starts_with(&[0xe2, 0x80, 0xa9]) => Some((at, 3, br"\u2029")),
        _ => None,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_written_as_go_writes_them() {
        let cases = [
            (json!({"b": 1, "a": [true, null, "x"]}), r#"{"a":[true,null,"x"],"b":1}"#),
            (
                json!("<a href='&'>\u{2028}\u{2029}\u{2027}é"),
                "\"\\u003ca href='\\u0026'\\u003e\\u2028\\u2029\u{2027}é\"",
            ),
            (json!("\"\\\n\r\t\u{8}\u{c}\u{1}\u{7f}/"), "\"\\\"\\\\\\n\\r\\t\\b\\f\\u0001\u{7f}/\""),
            (json!({"<": ">"}), r#"{"\u003c":"\u003e"}"#),
            (json!([1e21, 1e-7, 1.5, 2.0, -3]), "[1e+21,1e-7,1.5,2,-3]"),
            (json!({}), "{}"),
        ];
        for (value, text) in cases {
            assert_eq!(String::from_utf8(encode(&value)).unwrap(), text);
        }
    }

    #[test]
    fn pretty_json_is_indented_and_keeps_its_order() {
        let cases = [
            (
                r#"{"kind":"a","b":[],"c":{},"d":[1,{"x":"{,:\"\\"}]}"#,
                "{\n  \"kind\": \"a\",\n  \"b\": [],\n  \"c\": {},\n  \"d\": [\n    1,\n    {\n      \"x\": \"{,:\\\"\\\\\"\n    }\n  ]\n}",
            ),
            ("[]", "[]"),
            ("[[]]", "[\n  []\n]"),
            ("\"a\"", "\"a\""),
        ];
        for (compact, indented) in cases {
            assert_eq!(String::from_utf8(pretty(compact.as_bytes())).unwrap(), indented);
        }
    }
}
