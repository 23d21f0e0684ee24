//! A JSON reader with Go's leniency, Go's complaints, and the duplicates that strict decoding reports.

use serde_json::{Map, Number, Value};

use super::{MAX_DEPTH, trail::Trail};
use crate::go;

/// What a document says.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The value; of fields that come twice the last one.
    pub value: Value,
    /// The paths of fields that come twice, such as `spec.tags[0].name`, each once, in the order of the document.
    pub duplicates: Vec<String>,
}

/// A document that is not JSON, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    message: String,
    offset: usize,
    document: Option<Box<Value>>,
}

/// Reads a document. Integers that fit an `i64` stay integers, other numbers become floats, and floats that are whole
/// become integers, as they would be when Go reads them back. What is not UTF-8 becomes U+FFFD.
pub fn decode(json: &[u8]) -> Result<Decoded, SyntaxError> {
    let mut reader = Reader { json, at: 0, trail: Trail::default(), overflow: None };
    let value = reader.value(0)?;
    reader.space();
    if let Some(byte) = reader.peek() {
        return Err(reader.unexpected(byte, "after top-level value"));
    }
    match reader.overflow {
        Some(error) => Err(SyntaxError { document: Some(Box::new(value)), ..error }),
        None => Ok(Decoded { value, duplicates: reader.trail.into_duplicates() }),
    }
}

struct Reader<'a> {
    json: &'a [u8],
    at: usize,
    trail: Trail,
    /// A number too large for a float. Go finds it only after the whole document has proven to be JSON.
    overflow: Option<SyntaxError>,
}

// === impl SyntaxError ===

impl SyntaxError {
    pub(crate) fn new(message: impl Into<String>, offset: usize) -> Self {
        Self { message: message.into(), offset, document: None }
    }

    /// What the document says all the same, if only a number in it is too large: there is null in its place.
    pub fn document(&self) -> Option<&Value> {
        self.document.as_deref()
    }

    /// How many bytes of the document had been read.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

// === impl Reader ===

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Value, SyntaxError> {
        self.space();
        match self.peek().ok_or_else(|| self.end())? {
            b'{' | b'[' if depth == MAX_DEPTH => Err(SyntaxError::new("exceeded max depth", self.at + 1)),
            b'{' => self.object(depth + 1),
            b'[' => self.list(depth + 1),
            b'"' => Ok(Value::String(self.string()?)),
            b't' => self.literal("true", Value::Bool(true)),
            b'f' => self.literal("false", Value::Bool(false)),
            b'n' => self.literal("null", Value::Null),
            b'-' | b'0'..=b'9' => self.number(),
            byte => Err(self.unexpected(byte, "looking for beginning of value")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, SyntaxError> {
        let mut map = Map::new();
        self.at += 1;
        if self.next_is(b'}') {
            return Ok(Value::Object(map));
        }
        loop {
            self.space();
            match self.peek().ok_or_else(|| self.end())? {
                b'"' => {}
                byte => return Err(self.unexpected(byte, "looking for beginning of object key string")),
            }
            let key = self.string()?;
            if map.contains_key(&key) {
                self.trail.duplicate(&key);
            }
            self.expect(b':', "after object key")?;
            self.trail.field(&key);
            let value = self.value(depth)?;
            self.trail.leave();
            map.insert(key, value);
            if self.next_is(b'}') {
                return Ok(Value::Object(map));
            }
            self.expect(b',', "after object key:value pair")?;
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, SyntaxError> {
        let mut items = Vec::new();
        self.at += 1;
        if self.next_is(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            self.trail.item(items.len());
            items.push(self.value(depth)?);
            self.trail.leave();
            if self.next_is(b']') {
                return Ok(Value::Array(items));
            }
            self.expect(b',', "after array element")?;
        }
    }

    /// A state machine over the string's bytes; runs without escapes are taken whole.
    fn string(&mut self) -> Result<String, SyntaxError> {
        self.at += 1;
        let mut text = Vec::new();
        loop {
            let run = self.json[self.at..].iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
            text.extend_from_slice(&self.json[self.at..self.at + run]);
            self.at += run;
            match self.peek().ok_or_else(|| self.end())? {
                b'"' => {
                    self.at += 1;
                    return Ok(utf8(text));
                }
                b'\\' => self.escape(&mut text)?,
                byte => return Err(self.unexpected(byte, "in string literal")),
            }
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), SyntaxError> {
        self.at += 1;
        let byte = self.peek_or_space();
        let char = match byte {
            b'"' | b'\\' | b'/' => byte,
            b'b' => 0x8,
            b'f' => 0xc,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let char = self.unicode()?;
                text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            byte => return Err(self.unexpected(byte, "in string escape code")),
        };
        text.push(char);
        self.at += 1;
        Ok(())
    }

    /// The character of `\uXXXX`, or of a surrogate pair of them; half a pair is U+FFFD.
    fn unicode(&mut self) -> Result<char, SyntaxError> {
        let first = self.hex()?;
        if let Some(char) = char::from_u32(first) {
            return Ok(char);
        }
        let (after_first, has_second) = (self.at, self.json[self.at..].starts_with(b"\\u"));
        if (0xd800..0xdc00).contains(&first) && has_second {
            self.at += 1;
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = after_first;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    /// Four hexadecimal digits after the `u` that the reader is at.
    fn hex(&mut self) -> Result<u32, SyntaxError> {
        let mut code = 0;
        for _ in 0..4 {
            self.at += 1;
            let byte = self.peek_or_space();
            let digit = char::from(byte).to_digit(16);
            code = code * 16 + digit.ok_or_else(|| self.unexpected(byte, "in \\u hexadecimal character escape"))?;
        }
        self.at += 1;
        Ok(code)
    }

    fn number(&mut self) -> Result<Value, SyntaxError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits("in numeric literal")?,
        }
        let mut whole = true;
        if self.peek() == Some(b'.') {
            whole = false;
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            whole = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        let text = std::str::from_utf8(&self.json[start..self.at]).expect("digits, signs and points are ASCII");
        Ok(self.number_of(text, whole))
    }

    fn number_of(&mut self, text: &str, whole: bool) -> Value {
        if let (true, Ok(number)) = (whole, text.parse::<i64>()) {
            return Value::from(number);
        }
        match text.parse::<f64>().ok().filter(|number| number.is_finite()) {
            Some(number) => float(number),
            None => {
                let message = format!("json: cannot unmarshal number {text} into Go value of type float64");
                self.overflow.get_or_insert(SyntaxError::new(message, self.at));
                Value::Null
            }
        }
    }

    fn digits(&mut self, context: &str) -> Result<(), SyntaxError> {
        match self.peek_or_space() {
            b'0'..=b'9' => {}
            byte => return Err(self.unexpected(byte, context)),
        }
        self.at += self.json[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        Ok(())
    }

    fn literal(&mut self, text: &str, value: Value) -> Result<Value, SyntaxError> {
        for expected in text.bytes() {
            match self.peek_or_space() {
                byte if byte == expected => self.at += 1,
                byte => {
                    let context = format!("in literal {text} (expecting {})", quoted(expected));
                    return Err(self.unexpected(byte, &context));
                }
            }
        }
        Ok(value)
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.json.get(self.at).copied()
    }

    /// Inside of a word Go takes the end for a space, and complains of that.
    fn peek_or_space(&self) -> u8 {
        self.peek().unwrap_or(b' ')
    }

    /// Takes `byte` if it comes next.
    fn next_is(&mut self, byte: u8) -> bool {
        self.space();
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, expected: u8, context: &str) -> Result<(), SyntaxError> {
        self.space();
        match self.peek().ok_or_else(|| self.end())? {
            byte if byte == expected => {
                self.at += 1;
                Ok(())
            }
            byte => Err(self.unexpected(byte, context)),
        }
    }

    fn end(&self) -> SyntaxError {
        SyntaxError::new("unexpected end of JSON input", self.at)
    }

    fn unexpected(&self, byte: u8, context: &str) -> SyntaxError {
        // Where the document ends, a space stands for what is missing, and has not been read.
        SyntaxError::new(format!("invalid character {} {context}", quoted(byte)), self.json.len().min(self.at + 1))
    }
}

/// The largest whole number up to which a float holds every one.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A float, or the integer that it is: Go prints `1.0` as `1` and reads an integer back.
pub(crate) fn float(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole, and within 53 bits")]
        return Value::from(number as i64);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

fn utf8(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| {
        let mut text = String::new();
        for chunk in error.as_bytes().utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
        }
        text
    })
}

/// A byte as Go shows it: as the Latin-1 character that it is, in single quotes.
fn quoted(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        byte => {
            let text = go::quote(&char::from(byte).to_string());
            format!("'{}'", text.trim_matches('"'))
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_become_values() {
        let cases = [
            ("null", json!(null)),
            (" [true , false] ", json!([true, false])),
            ("{\"a\":{\"b\":[1,\"x\",{}]},\"c\":[]}", json!({"a": {"b": [1, "x", {}]}, "c": []})),
            (r#""\"\\\/\b\f\n\r\té\u00e9\ud83c\udf88""#, json!("\"\\/\u{8}\u{c}\n\r\téé🎈")),
            (r#""\ud800x\udc00\ud800\u0041""#, json!("\u{fffd}x\u{fffd}\u{fffd}A")),
        ];
        for (text, value) in cases {
            assert_eq!(decode(text.as_bytes()).unwrap().value, value, "{text}");
        }
        assert_eq!(decode(b"\"a\xff\xe2\x82b\"").unwrap().value, json!("a\u{fffd}\u{fffd}\u{fffd}b"));
    }

    #[test]
    fn numbers_are_integers_where_they_can_be() {
        let cases = [
            ("0", json!(0)),
            ("-0", json!(0)),
            ("1.0", json!(1)),
            ("1e3", json!(1000)),
            ("1.5", json!(1.5)),
            ("9223372036854775807", json!(i64::MAX)),
            ("9223372036854775808", json!(9_223_372_036_854_775_808.0)),
            ("1e22", json!(1e22)),
            ("-1E-2", json!(-0.01)),
        ];
        for (text, value) in cases {
            assert_eq!(decode(text.as_bytes()).unwrap().value, value, "{text}");
        }
    }

    #[test]
    fn the_last_of_fields_that_come_twice_counts_and_all_are_named_once() {
        let decoded =
            decode(br#"{"a":1,"spec":{"size":1,"size":2,"size":3,"l":[{"x":1,"x":{"y":1}}]},"a":2}"#).unwrap();
        assert_eq!(decoded.value, json!({"a": 2, "spec": {"size": 3, "l": [{"x": {"y": 1}}]}}));
        assert_eq!(decoded.duplicates, ["spec.size", "spec.l[0].x", "a"]);
        let many: String = (0..300).map(|n| format!("\"{n}\":1,\"{n}\":1,")).collect();
        assert_eq!(decode(format!("{{{many}\"z\":1}}").as_bytes()).unwrap().duplicates.len(), 100);
    }

    #[test]
    fn complaints_are_gos() {
        let cases = [
            ("", "unexpected end of JSON input"),
            ("{\"apiVersion\":", "unexpected end of JSON input"),
            ("{\"spec\":", "unexpected end of JSON input"),
            ("\"a", "unexpected end of JSON input"),
            ("tru", "invalid character ' ' in literal true (expecting 'e')"),
            ("-", "invalid character ' ' in numeric literal"),
            ("1.", "invalid character ' ' after decimal point in numeric literal"),
            ("\"\\", "invalid character ' ' in string escape code"),
            ("\"\\u0", "invalid character ' ' in \\u hexadecimal character escape"),
            ("i", "invalid character 'i' looking for beginning of value"),
            ("[,", "invalid character ',' looking for beginning of value"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("{a", "invalid character 'a' looking for beginning of object key string"),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
            ("{\"a\" 1", "invalid character '1' after object key"),
            ("{\"a\":1 x", "invalid character 'x' after object key:value pair"),
            ("[1 2", "invalid character '2' after array element"),
            ("{} x", "invalid character 'x' after top-level value"),
            ("01", "invalid character '1' after top-level value"),
            ("\"\n\"", "invalid character '\\n' in string literal"),
            ("\"\\x\"", "invalid character 'x' in string escape code"),
            ("\"\\u00g0\"", "invalid character 'g' in \\u hexadecimal character escape"),
            ("-x", "invalid character 'x' in numeric literal"),
            ("1.x", "invalid character 'x' after decimal point in numeric literal"),
            ("1ex", "invalid character 'x' in exponent of numeric literal"),
            ("trx", "invalid character 'x' in literal true (expecting 'u')"),
            ("nul1", "invalid character '1' in literal null (expecting 'l')"),
            ("'", "invalid character '\\'' looking for beginning of value"),
            ("[1\"", "invalid character '\"' after array element"),
            ("é", "invalid character 'Ã' looking for beginning of value"),
            ("[1e400]", "json: cannot unmarshal number 1e400 into Go value of type float64"),
            ("[1e400", "unexpected end of JSON input"),
        ];
        for (text, message) in cases {
            assert_eq!(decode(text.as_bytes()).unwrap_err().to_string(), message, "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(super::super::depth(&decode(nested(MAX_DEPTH).as_bytes()).unwrap().value), MAX_DEPTH);
        let error = decode(nested(MAX_DEPTH + 1).as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "exceeded max depth");
        assert_eq!(error.offset(), MAX_DEPTH + 1);
        assert_eq!(decode(b"0e").unwrap_err().offset(), 2, "nothing behind the end was read");
        assert!(decode("[".repeat(10_000_000).as_bytes()).is_err());
        assert!(decode("{\"a\":".repeat(1_000_000).as_bytes()).is_err());
    }
}
