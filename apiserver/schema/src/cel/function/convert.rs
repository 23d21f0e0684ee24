//! Conversions between types.

use super::{
    Call, Function,
    Kind::{Any, Bool, Bytes, Double, Duration, Int, Library, Text, Timestamp, Type, Uint},
    global,
};
use crate::cel::{
    budget::Fault,
    library::{self, CIDR, IP},
    moment,
    value::Val,
};

type Found<'a> = Result<Val<'a>, Fault>;

pub(super) const FUNCTIONS: &[Function] = &[
    global("int", &[Int], Int, int),
    global("int", &[Uint], Int, int),
    global("int", &[Double], Int, int),
    global("int", &[Text], Int, int),
    global("int", &[Timestamp], Int, int),
    global("int", &[Duration], Int, int),
    global("uint", &[Uint], Uint, uint),
    global("uint", &[Int], Uint, uint),
    global("uint", &[Double], Uint, uint),
    global("uint", &[Text], Uint, uint),
    global("double", &[Double], Double, double),
    global("double", &[Int], Double, double),
    global("double", &[Uint], Double, double),
    global("double", &[Text], Double, double),
    global("string", &[Text], Text, string),
    global("string", &[Bool], Text, string),
    global("string", &[Bytes], Text, string),
    global("string", &[Double], Text, string),
    global("string", &[Duration], Text, string),
    global("string", &[Int], Text, string),
    global("string", &[Timestamp], Text, string),
    global("string", &[Uint], Text, string),
    global("string", &[Library(IP)], Text, string),
    global("string", &[Library(CIDR)], Text, string),
    global("bytes", &[Bytes], Bytes, bytes),
    global("bytes", &[Text], Bytes, bytes),
    global("bool", &[Bool], Bool, bool),
    global("bool", &[Text], Bool, bool),
    global("timestamp", &[Timestamp], Timestamp, timestamp),
    global("timestamp", &[Int], Timestamp, timestamp),
    global("timestamp", &[Text], Timestamp, timestamp),
    global("duration", &[Duration], Duration, duration),
    global("duration", &[Int], Duration, duration),
    global("duration", &[Text], Duration, duration),
    global("type", &[Any], Type, |call| Ok(Val::Type(call.arg(0)?.type_name().into()))),
];

fn int<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    match call.arg(0)? {
        Val::Int(value) => Ok(Val::Int(*value)),
        Val::Uint(value) => i64::try_from(*value).map(Val::Int).map_err(|_| Fault::error("integer overflow")),
        // Both ends are excluded, as in cel-go.
        Val::Double(value) if *value > -9_223_372_036_854_775_808.0 && *value < 9_223_372_036_854_775_808.0 =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "that is what it is for, and the range was checked")]
            Ok(Val::Int(*value as i64))
        }
        Val::Double(_) => Err(Fault::error("integer overflow")),
        Val::Timestamp(time) => Ok(Val::Int(time.time.as_second())),
        Val::Duration(duration) => Ok(Val::Int(duration.0)),
        Val::Text(_) => {
            let text = call.text(0)?;
            let invalid = |_| unreadable("int");
            text.parse().map(Val::Int).map_err(invalid)
        }
        _ => Err(Fault::overload()),
    }
}

fn uint<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let overflow = || Fault::error("unsigned integer overflow");
    match call.arg(0)? {
        Val::Uint(value) => Ok(Val::Uint(*value)),
        Val::Int(value) => u64::try_from(*value).map(Val::Uint).map_err(|_| overflow()),
        Val::Double(value) if *value >= 0.0 && *value < 18_446_744_073_709_551_616.0 =>
        {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "that is what it is for, and the range was checked"
            )]
            Ok(Val::Uint(*value as u64))
        }
        Val::Double(_) => Err(overflow()),
        Val::Text(_) => {
            let text = call.text(0)?;
            let invalid = |_| unreadable("uint");
            text.parse().map(Val::Uint).map_err(invalid)
        }
        _ => Err(Fault::overload()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "that is what it is for")]
fn double<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    match call.arg(0)? {
        Val::Int(value) => Ok(Val::Double(*value as f64)),
        Val::Uint(value) => Ok(Val::Double(*value as f64)),
        Val::Double(value) => Ok(Val::Double(*value)),
        Val::Text(_) => {
            let text = call.text(0)?;
            let invalid = |_| unreadable("double");
            text.parse().map(Val::Double).map_err(invalid)
        }
        _ => Err(Fault::overload()),
    }
}

fn string<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let text = match call.arg(0)? {
        Val::Text(_) => return Ok(call.args.remove(0)),
        Val::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => text.to_owned(),
            Err(_) => return Err(Fault::error("invalid UTF-8 in bytes, cannot convert to string")),
        },
        Val::Library(value) => match value.get() {
            library::Library::Ip(address) => address.to_string(),
            library::Library::Cidr(network) => network.to_string(),
            _ => return Err(Fault::overload()),
        },
        value => text_of(value).ok_or_else(Fault::overload)?,
    };
    call.made(text)
}

/// What `string()` makes of a scalar.
pub(super) fn text_of(value: &Val<'_>) -> Option<String> {
    Some(match value {
        Val::Bool(value) => value.to_string(),
        Val::Int(value) => value.to_string(),
        Val::Uint(value) => value.to_string(),
        Val::Double(value) => in_go(*value),
        Val::Text(text) => text.as_str().to_owned(),
        Val::Bytes(bytes) => String::from_utf8(bytes.to_vec()).ok()?,
        Val::Timestamp(time) => moment::write_timestamp(*time),
        Val::Duration(duration) => moment::write_duration(*duration),
        Val::Type(name) => name.as_ref().to_owned(),
        _ => return None,
    })
}

/// A number as Go's `%g` writes it: with an exponent where that is shorter.
fn in_go(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let written = format!("{value:e}");
    let Some((digits, exponent)) = written.split_once('e') else { return written };
    let power: i32 = exponent.parse().unwrap_or_default();
    if (-4..21).contains(&power) {
        return value.to_string();
    }
    let sign = if power < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", power.abs())
}

/// A text that is no value of a type.
fn unreadable(name: &str) -> Fault {
    Fault::error(format!("type conversion error from 'string' to '{name}'"))
}

fn bytes<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    match call.arg(0)? {
        Val::Bytes(bytes) => Ok(Val::Bytes(bytes.clone())),
        Val::Text(_) => Ok(Val::Bytes(call.text(0)?.into_bytes().into())),
        _ => Err(Fault::overload()),
    }
}

fn bool<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    match call.arg(0)? {
        Val::Bool(value) => Ok(Val::Bool(*value)),
        Val::Text(_) => match call.text(0)?.as_str() {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(Val::Bool(true)),
            "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(Val::Bool(false)),
            _ => Err(unreadable("bool")),
        },
        _ => Err(Fault::overload()),
    }
}

fn timestamp<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    match call.arg(0)? {
        Val::Timestamp(time) => Ok(Val::Timestamp(*time)),
        Val::Int(seconds) => {
            moment::of_seconds(*seconds).map(Val::Timestamp).ok_or_else(|| Fault::error("timestamp overflow"))
        }
        Val::Text(_) => {
            let text = call.text(0)?;
            moment::read_timestamp(&text).map(Val::Timestamp).ok_or_else(|| unreadable("google.protobuf.Timestamp"))
        }
        _ => Err(Fault::overload()),
    }
}

fn duration<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    match call.arg(0)? {
        Val::Duration(duration) => Ok(Val::Duration(*duration)),
        Val::Int(nanoseconds) => Ok(Val::Duration(moment::Duration(*nanoseconds))),
        Val::Text(_) => {
            let text = call.text(0)?;
            moment::read_duration(&text).map(Val::Duration).ok_or_else(|| unreadable("google.protobuf.Duration"))
        }
        _ => Err(Fault::overload()),
    }
}
