//! What a body must be before anything is read from it.
//!
//! A body is JSON once: no key twice in an object, nothing deeper than serde_json reads (128), no NUL, no number that no database takes.
//! What is checked here needs no second look.

use std::{collections::BTreeSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::error::{Error, Result};

/// Digits of one number, and how far its exponent may go: what a double holds, and PostgreSQL's numeric too.
const DIGITS: usize = 400;

/// The top level of an object: its keys with their values, unread, in their order.
pub(crate) type Object<'a> = Vec<(String, &'a RawValue)>;

/// Reads the top level of a body, and checks all of it.
pub(crate) fn object(body: &[u8]) -> Result<Object<'_>> {
    let invalid = || Error::malformed("Invalid JSON in request body");
    let text = std::str::from_utf8(body).map_err(|_| invalid())?;
    check(text)?;
    if !text.trim_start().starts_with('{') {
        return Err(invalid());
    }
    let TopLevel(object) = serde_json::from_str(text).map_err(|_| invalid())?;
    Ok(object)
}

fn check(text: &str) -> Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let checked = Checked.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    checked.map_err(|error| match error.classify() {
        serde_json::error::Category::Data => Error::malformed(format!("Invalid request format: json: {error}")),
        _ => Error::malformed("Invalid JSON in request body"),
    })?;
    numbers(text)
}

/// A value as the type that it should have; the words are those of a client's mistake.
pub(crate) fn read<'a, T: Deserialize<'a>>(value: &'a RawValue, field: &str, what: &str) -> Result<T> {
    serde_json::from_str(value.get())
        .map_err(|_| Error::malformed(format!("Invalid request format: json: {field} must be {what}")))
}

/// Refuses numbers that are longer or further away than any use has.
fn numbers(text: &str) -> Result<()> {
    let refuse = || Error::malformed("Invalid request format: json: a number has too many digits");
    let (mut quoted, mut escaped) = (false, false);
    let (mut digits, mut exponent) = (0, None::<usize>);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'e' | b'E' if digits > 0 => exponent = Some(0),
            b'0'..=b'9' => {
                digits += 1;
                exponent = exponent.map(|sum| sum.saturating_mul(10).saturating_add(usize::from(byte - b'0')));
                if digits > DIGITS || exponent.is_some_and(|exponent| exponent > DIGITS) {
                    return Err(refuse());
                }
            }
            b'+' | b'-' | b'.' if digits > 0 => {}
            _ => (digits, exponent) = (0, None),
        }
    }
    Ok(())
}

/// The top level of an object.
struct TopLevel<'a>(Object<'a>);

/// Reads a value for nothing but its faults.
#[derive(Clone, Copy)]
struct Checked;

// === impl TopLevel ===

impl<'de: 'a, 'a> Deserialize<'de> for TopLevel<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = TopLevel<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut object = Vec::new();
                while let Some(entry) = map.next_entry::<String, &'de RawValue>()? {
                    object.push(entry);
                }
                Ok(TopLevel(object))
            }
        }

        deserializer.deserialize_map(Keys)
    }
}

// === impl Checked ===

impl<'de> DeserializeSeed<'de> for Checked {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Checked {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        if text.contains('\0') { Err(E::custom("a string holds a NUL")) } else { Ok(()) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            self.visit_str(&key)?;
            if seen.contains(&key) {
                let _: IgnoredAny = map.next_value()?;
                return Err(A::Error::custom(format_args!("duplicate key {key:?}")));
            }
            seen.insert(key);
            map.next_value_seed(self)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn refusal(body: &str) -> String {
        object(body.as_bytes()).unwrap_err().reason
    }

    #[test]
    fn values_are_the_clients_own_text() {
        let body = r#" { "spec" : {"big": 12345678901234567890, "one": 1.0} } "#;
        let object = object(body.as_bytes()).unwrap();
        assert_eq!((object[0].0.as_str(), object[0].1.get()), ("spec", r#"{"big": 12345678901234567890, "one": 1.0}"#));
    }

    #[test]
    fn what_is_no_object_is_refused_in_the_words_of_the_first_version() {
        for body in [
            "",
            "null",
            "[]",
            "\"a\"",
            "{",
            "{}x",
            "{\"a\":1,}",
            "{\"a\":\"\u{1}\"}",
            r#"{"a":"\ud800"}"#,
            r#"{"a":1e999}"#,
        ] {
            assert_eq!(refusal(body), "Invalid JSON in request body", "{body}");
        }
        assert_eq!(object(b"{\"a\":\"\xff\"}").unwrap_err().reason, "Invalid JSON in request body");
    }

    #[test]
    fn depth_duplicates_nul_and_monstrous_numbers_are_refused() {
        let deep = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(object(deep(100).as_bytes()).is_ok());
        assert_eq!(refusal(&deep(200)), "Invalid JSON in request body");
        assert!(refusal(r#"{"a":{"b":1,"b":2}}"#).contains("duplicate key \"b\""));
        assert!(refusal(r#"{"a":["\u0000"]}"#).contains("a string holds a NUL"));
        assert!(refusal(r#"{"\u0000":1}"#).contains("a string holds a NUL"));
        assert!(refusal(r#"{"a":1e-16384}"#).contains("too many digits"));
        assert!(refusal(&format!("{{\"a\":0.{}1}}", "0".repeat(500))).contains("too many digits"));
        assert!(object(br#"{"a":[1e300,-1.5E-7,10,"1e999"],"e9999":1}"#).is_ok());
    }
}
