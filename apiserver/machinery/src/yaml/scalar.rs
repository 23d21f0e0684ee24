//! What a plain scalar means in YAML 1.1, as far as Go goes along with it.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{go, json};

/// A scalar's meaning.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer beyond an `i64`.
    Uint(u64),
    Float(f64),
    Text(String),
}

/// What a plain scalar without a tag means.
pub(super) fn resolve(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Scalar::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Scalar::Bool(false),
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        text => number(text).unwrap_or_else(|| Scalar::Text(text.to_owned())),
    }
}

/// What a scalar of the tag `tag:yaml.org,2002:TAG` means; tags of others are strings.
pub(super) fn resolve_tagged(tag: &str, text: &str) -> Result<Scalar, String> {
    let wrong = || format!("cannot decode !!str `{text}` as a !!{tag}");
    match (tag, resolve(text)) {
        ("null", scalar @ Scalar::Null)
        | ("bool", scalar @ Scalar::Bool(_))
        | ("int", scalar @ (Scalar::Int(_) | Scalar::Uint(_)))
        | ("float", scalar @ Scalar::Float(_)) => Ok(scalar),
        #[expect(clippy::cast_precision_loss, reason = "that is what the tag asks for")]
        ("float", Scalar::Int(number)) => Ok(Scalar::Float(number as f64)),
        ("null" | "bool" | "int" | "float", _) => Err(wrong()),
        ("binary", _) => {
            let bytes = STANDARD.decode(text.split_ascii_whitespace().collect::<String>());
            let bytes = bytes.map_err(|_| "!!binary value contains invalid base64 data".to_owned())?;
            Ok(Scalar::Text(String::from_utf8_lossy(&bytes).into_owned()))
        }
        _ => Ok(Scalar::Text(text.to_owned())),
    }
}

/// Whether a string must be quoted, because it would mean something else unquoted.
pub(super) fn is_ambiguous(text: &str) -> bool {
    !matches!(resolve(text), Scalar::Text(_)) || is_timestamp(text) || is_base60(text)
}

// === impl Scalar ===

impl Scalar {
    /// The JSON value; there is none for infinities and what is no number.
    pub(super) fn into_value(self) -> Result<Value, String> {
        match self {
            Self::Null => Ok(Value::Null),
            Self::Bool(value) => Ok(Value::Bool(value)),
            Self::Int(number) => Ok(Value::from(number)),
            #[expect(clippy::cast_precision_loss, reason = "as a JSON number beyond an i64 is read")]
            Self::Uint(number) => Ok(json::float(number as f64)),
            Self::Float(number) if number.is_finite() => Ok(json::float(number)),
            Self::Float(number) => Err(format!("json: unsupported value: {}", special(number, "+Inf", "-Inf", "NaN"))),
            Self::Text(text) => Ok(Value::String(text)),
        }
    }

    /// The scalar as the key of a JSON object.
    pub(super) fn into_key(self) -> Result<String, String> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Bool(value) => Ok(value.to_string()),
            Self::Int(number) => Ok(number.to_string()),
            #[expect(clippy::cast_possible_truncation, reason = "Go prints such keys with 32 bits")]
            Self::Float(number) if number.is_finite() => Ok(go::float32_g(number as f32)),
            Self::Float(number) => Ok(special(number, ".inf", "-.inf", ".nan").to_owned()),
            Self::Null | Self::Uint(_) => Err("unsupported map key".to_owned()),
        }
    }
}

fn special<'a>(number: f64, inf: &'a str, negative: &'a str, nan: &'a str) -> &'a str {
    match number {
        number if number.is_nan() => nan,
        number if number > 0.0 => inf,
        _ => negative,
    }
}

fn number(text: &str) -> Option<Scalar> {
    match text.as_bytes().first()? {
        b'.' => text.parse().ok().filter(|float: &f64| float.is_finite()).map(Scalar::Float),
        b'+' | b'-' | b'0'..=b'9' if !is_timestamp(text) => {
            let plain = text.replace('_', "");
            integer(&plain).or_else(|| float(&plain))
        }
        _ => None,
    }
}

/// Digits with a sign and a base's prefix; a leading 0 is base 8.
fn integer(text: &str) -> Option<Scalar> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (base, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if !digits.bytes().all(|byte| char::from(byte).is_digit(base)) {
        return None;
    }
    let size = i128::from(u64::from_str_radix(digits, base).ok()?);
    let number = if negative { -size } else { size };
    let unsigned = || u64::try_from(number).ok().filter(|_| !text.starts_with('+')).map(Scalar::Uint);
    i64::try_from(number).ok().map(Scalar::Int).or_else(unsigned)
}

/// `1.5`, `1.`, `.5`, `1e3`; not `1e400`.
fn float(text: &str) -> Option<Scalar> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let number = unsigned.split_once(['e', 'E']).map_or(unsigned, |(number, _)| number);
    let plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && number != ".";
    text.parse().ok().filter(|float: &f64| plain && float.is_finite()).map(Scalar::Float)
}

/// `2001-01-01`, `2001-1-1 1:2:3.4`, `2001-1-1T1:2:3Z`: strings that YAML 1.1 takes for times.
fn is_timestamp(text: &str) -> bool {
    let Some((date, rest)) = text.split_at_checked(text.find(['T', 't', ' ']).unwrap_or(text.len())) else {
        return false;
    };
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    let (Some(year), Some(month), Some(day)) = (small(year, 4, 4), small(month, 1, 2), small(day, 1, 2)) else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (1..=12).contains(&month) && (1..=days).contains(&day) && (rest.is_empty() || is_time(rest))
}

/// ` 1:2:3.4` or `T1:2:3.4Z`.
fn is_time(text: &str) -> bool {
    let zoned = !text.starts_with(' ');
    let text = &text[1..];
    let (clock, zone) = match text.find(['Z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    if zoned != is_zone(zone) || (!zoned && !zone.is_empty()) {
        return false;
    }
    let (clock, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, "0"));
    let parts: Vec<_> = clock.split(':').map(|part| small(part, 1, 2)).collect();
    let within = |part: &Option<u32>, max: u32| part.is_some_and(|number| number <= max);
    let fits = match parts.as_slice() {
        [hour, minute, second] => within(hour, 23) && within(minute, 59) && within(second, 59),
        _ => false,
    };
    fits && !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_zone(zone: &str) -> bool {
    match zone.as_bytes() {
        [b'Z'] => true,
        [b'+' | b'-', _, _, b':', _, _] => {
            small(&zone[1..3], 2, 2).is_some_and(|hours| hours <= 24)
                && small(&zone[4..6], 2, 2).is_some_and(|m| m < 60)
        }
        _ => false,
    }
}

fn small(digits: &str, min: usize, max: usize) -> Option<u32> {
    let fits = (min..=max).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| fits)
}

/// `190:20:30`, a number in base 60 to other readers of YAML 1.1.
fn is_base60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (number, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let Some((first, rest)) = number.split_once(':') else { return false };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    first.starts_with(|char: char| char.is_ascii_digit())
        && digits(first)
        && digits(fraction)
        && rest.split(':').all(|part| small(part, 1, 2).is_some_and(|number| number < 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_mean_what_they_mean_to_go() {
        use Scalar::{Bool, Float, Int, Null, Uint};
        let text = |text: &str| Scalar::Text(text.to_owned());
        let cases = [
            ("", Null),
            ("~", Null),
            ("yes", Bool(true)),
            ("Off", Bool(false)),
            ("y", Bool(true)),
            ("yEs", text("yEs")),
            ("0", Int(0)),
            ("-0", Int(0)),
            ("010", Int(8)),
            ("08", Float(8.0)),
            ("0o17", Int(15)),
            ("0x1F", Int(31)),
            ("-0b11", Int(-3)),
            ("1_000", Int(1000)),
            ("+5", Int(5)),
            ("9223372036854775807", Int(i64::MAX)),
            ("-9223372036854775808", Int(i64::MIN)),
            ("9223372036854775808", Uint(9_223_372_036_854_775_808)),
            ("99999999999999999999", Float(1e20)),
            ("1.5", Float(1.5)),
            ("1.", Float(1.0)),
            (".5", Float(0.5)),
            ("1e3", Float(1000.0)),
            ("1e400", text("1e400")),
            ("-.inf", Float(f64::NEG_INFINITY)),
            (".", text(".")),
            ("-", text("-")),
            ("+", text("+")),
            ("0x", text("0x")),
            ("1.2.3", text("1.2.3")),
            ("2001-01-01", text("2001-01-01")),
            ("1:30", text("1:30")),
            ("infinity", text("infinity")),
            ("+inf", text("+inf")),
            ("<<", text("<<")),
        ];
        for (plain, scalar) in cases {
            assert_eq!(resolve(plain), scalar, "{plain}");
        }
    }

    #[test]
    fn tags_decide_when_they_are_yamls_own() {
        assert_eq!(resolve_tagged("str", "5"), Ok(Scalar::Text("5".to_owned())));
        assert_eq!(resolve_tagged("float", "5"), Ok(Scalar::Float(5.0)));
        assert_eq!(resolve_tagged("binary", "aGV s\nbG8="), Ok(Scalar::Text("hello".to_owned())));
        assert_eq!(resolve_tagged("int", "x"), Err("cannot decode !!str `x` as a !!int".to_owned()));
        assert!(resolve_tagged("binary", "?").is_err());
    }

    #[test]
    fn strings_that_mean_something_are_quoted() {
        for text in [
            "",
            "null",
            "true",
            "y",
            "No",
            "1",
            "1.5",
            "0x1",
            "~",
            ".inf",
            "2026-11-20",
            "2026-11-20T23:32:21Z",
            "2026-1-2 3:4:5.6",
            "2026-11-20t23:32:21+01:00",
            "190:20:30",
            "1:30",
            "12:30:45.5",
            "1_000",
        ] {
            assert!(is_ambiguous(text), "{text}");
        }
        for text in [
            "a",
            "v1",
            "1.2.3",
            "2026-13-01",
            "2026-02-30",
            "2026-11-20T23:32:21",
            "2026-11-20 1:2:3Z",
            "1:60",
            "a:1",
            "=",
            "<<",
            "nullx",
            "1e400",
            "20-1-1",
        ] {
            assert!(!is_ambiguous(text), "{text}");
        }
    }
}
