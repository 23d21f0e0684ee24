//! `format`: a template with values.

use super::{
    Call, Function,
    Kind::{List, Text},
    convert, method,
};
use crate::cel::{budget::Fault, value::Val};

pub(super) const FUNCTIONS: &[Function] = &[method("format", &[Text, List], Text, |call| {
    format(call).map_err(|fault| match fault {
        Fault::Error(why) => Fault::Error(format!("error during formatting: {why}")),
        other => other,
    })
})];

/// Places after the point where a template does not say how many.
const PLACES: usize = 6;
/// The most places that a template may ask for.
const MOST_PLACES: usize = 1000;

/// A value for people, as `%s` writes it.
pub(in crate::cel) fn display(value: &Val<'_>) -> String {
    text(value).unwrap_or_else(|_| value.type_name().to_owned())
}

fn format<'a>(mut call: Call<'a, '_>) -> Result<Val<'a>, Fault> {
    let (template, values) = (call.text(0)?, call.items(1)?);
    let (mut values, mut index) = (values.into_iter(), 0);
    let (mut out, mut rest) = (String::new(), template.as_str());
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let value = values.next().ok_or_else(|| Fault::error(format!("index {index} out of range")))?;
        index += 1;
        let (clause, after) = Clause::read(after)?;
        let written = clause.write(&value)?;
        // Paid for as it grows, as the values may be far larger than the template.
        call.budget.take_text(written.len())?;
        out.push_str(&written);
        rest = after;
    }
    out.push_str(rest);
    call.made(out)
}

/// How a value is written.
struct Clause {
    verb: char,
    places: Option<usize>,
}

// === impl Clause ===

impl Clause {
    fn read(text: &str) -> Result<(Self, &str), Fault> {
        let (places, text) = match text.strip_prefix('.') {
            None => (None, text),
            Some(text) => {
                let end = text.find(|one: char| !one.is_ascii_digit());
                let end = end.ok_or_else(|| {
                    Fault::error("error while parsing precision: could not find end of precision specifier")
                })?;
                let places = text[..end].parse().unwrap_or(0);
                (Some(places).filter(|places| *places <= MOST_PLACES).or(Some(MOST_PLACES)), &text[end..])
            }
        };
        let verb = text.chars().next().ok_or_else(|| Fault::error("unexpected end of string"))?;
        if !"sdfexXbo".contains(verb) {
            return Err(Fault::error(format!("unrecognized formatting clause \"{verb}\"")));
        }
        Ok((Self { verb, places }, &text[verb.len_utf8()..]))
    }

    fn write(&self, value: &Val<'_>) -> Result<String, Fault> {
        let places = self.places.unwrap_or(PLACES);
        match (self.verb, value) {
            ('s', value) => text(value),
            ('d', Val::Int(value)) => Ok(value.to_string()),
            ('d', Val::Uint(value)) => Ok(value.to_string()),
            ('f', Val::Double(value)) => Ok(grouped(*value, places)),
            ('e', Val::Double(value)) => Ok(scientific(*value, places)),
            ('x', Val::Int(value)) => Ok(signed(*value, |size| format!("{size:x}"))),
            ('X', Val::Int(value)) => Ok(signed(*value, |size| format!("{size:X}"))),
            ('b', Val::Int(value)) => Ok(signed(*value, |size| format!("{size:b}"))),
            ('o', Val::Int(value)) => Ok(signed(*value, |size| format!("{size:o}"))),
            ('x', Val::Uint(value)) => Ok(format!("{value:x}")),
            ('X', Val::Uint(value)) => Ok(format!("{value:X}")),
            ('b', Val::Uint(value)) => Ok(format!("{value:b}")),
            ('o', Val::Uint(value)) => Ok(format!("{value:o}")),
            ('b', Val::Bool(value)) => Ok(if *value { "1" } else { "0" }.to_owned()),
            ('x', Val::Text(text)) => Ok(hex(text.as_str().as_bytes(), false)),
            ('X', Val::Text(text)) => Ok(hex(text.as_str().as_bytes(), true)),
            ('x', Val::Bytes(bytes)) => Ok(hex(bytes, false)),
            ('X', Val::Bytes(bytes)) => Ok(hex(bytes, true)),
            (verb, value) => Err(unfit(verb, value)),
        }
    }
}

fn unfit(verb: char, value: &Val<'_>) -> Fault {
    let (clause, fit) = match verb {
        'd' => ("decimal", "integers"),
        'f' => ("fixed-point", "doubles"),
        'e' => ("scientific", "doubles"),
        'x' | 'X' => ("hex", "integers, byte buffers, and strings"),
        'b' => ("binary", "integers and bools"),
        'o' => ("octal", "integers"),
        _ => ("string", "strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps"),
    };
    let name = value.type_name();
    Fault::error(format!("{clause} clause can only be used on {fit}, was given {name}"))
}

/// What `%s` makes of a value.
fn text(value: &Val<'_>) -> Result<String, Fault> {
    match value {
        Val::Null => Ok("null".to_owned()),
        Val::Array(..) | Val::List(_) => {
            let items = value.items().unwrap_or_default();
            let written: Result<Vec<_>, _> = items.iter().map(inner).collect();
            Ok(format!("[{}]", written?.join(", ")))
        }
        Val::Object(..) | Val::Map(_) => {
            let mut written = Vec::new();
            for (key, value) in value.pairs().unwrap_or_default() {
                written.push((inner(&key)?, inner(&value)?));
            }
            written.sort();
            let written: Vec<_> = written.into_iter().map(|(key, value)| format!("{key}:{value}")).collect();
            Ok(format!("{{{}}}", written.join(", ")))
        }
        scalar => convert::text_of(scalar).ok_or_else(|| unfit('s', scalar)),
    }
}

/// What `%s` makes of a value inside of another.
fn inner(value: &Val<'_>) -> Result<String, Fault> {
    Ok(match value {
        Val::Text(text) => format!("{:?}", text.as_str()),
        Val::Bytes(_) => format!("b{:?}", text(value)?),
        Val::Double(number) if number.is_finite() => format!("{number:.PLACES$}"),
        Val::Double(number) => format!("{:?}", convert::text_of(&Val::Double(*number)).unwrap_or_default()),
        Val::Timestamp(_) => format!("timestamp({:?})", text(value)?),
        Val::Duration(_) => format!("duration({:?})", text(value)?),
        Val::Type(name) => format!("type({name})"),
        other => text(other)?,
    })
}

/// A number in the English way, with its thousands apart.
fn grouped(value: f64, places: usize) -> String {
    if !value.is_finite() {
        return if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "∞"
        } else {
            "-∞"
        }
        .to_owned();
    }
    let written = format!("{:.places$}", value.abs());
    let (whole, fraction) = written.split_at(written.find('.').unwrap_or(written.len()));
    let mut out = String::from(if value.is_sign_negative() { "-" } else { "" });
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out + fraction
}

/// A number with its power of ten, as it is written in English.
fn scientific(value: f64, places: usize) -> String {
    if !value.is_finite() {
        return grouped(value, places);
    }
    let written = format!("{value:.places$e}");
    let (digits, power) = written.split_once('e').unwrap_or((&written, "0"));
    let (sign, power) = power.strip_prefix('-').map_or(("", power), |power| ("\u{207b}", power));
    let raised: String = format!("{power:0>2}")
        .chars()
        .map(|digit| match digit {
            '1' => '\u{b9}',
            '2' => '\u{b2}',
            '3' => '\u{b3}',
            digit => char::from_u32(0x2070 + digit.to_digit(10).unwrap_or_default()).unwrap_or(digit),
        })
        .collect();
    format!("{digits}\u{202f}×\u{202f}10{sign}{raised}")
}

fn signed(value: i64, write: impl Fn(u64) -> String) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", write(value.unsigned_abs()))
}

fn hex(bytes: &[u8], upper: bool) -> String {
    bytes.iter().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
}
