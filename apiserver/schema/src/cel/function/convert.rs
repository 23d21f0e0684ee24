//! Conversions between types.

use super::{
    Call, Function,
    Kind::{Bool, Double, Int, Text},
    global,
};
use crate::cel::{budget::Fault, value::Val};

pub(super) const FUNCTIONS: &[Function] = &[
    global("int", &[Int], Int, int),
    global("int", &[Double], Int, int),
    global("int", &[Text], Int, int),
    global("double", &[Int], Double, double),
    global("double", &[Double], Double, double),
    global("string", &[Int], Text, string),
    global("string", &[Bool], Text, string),
    global("string", &[Text], Text, string),
];

fn int<'a>(mut call: Call<'a, '_>) -> Result<Val<'a>, Fault> {
    match call.arg(0)? {
        Val::Int(value) => Ok(Val::Int(*value)),
        // Both ends are excluded, as in cel-go.
        Val::Double(value) if *value > -9_223_372_036_854_775_808.0 && *value < 9_223_372_036_854_775_808.0 =>
        {
            #[expect(clippy::cast_possible_truncation, reason = "that is what it is for, and the range was checked")]
            Ok(Val::Int(*value as i64))
        }
        Val::Double(_) => Err(Fault::error("integer overflow")),
        Val::Text(_) => {
            let text = call.text(0)?;
            let invalid = |_| Fault::error(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"));
            text.parse().map(Val::Int).map_err(invalid)
        }
        _ => Err(Fault::overload()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "that is what it is for")]
fn double<'a>(call: Call<'a, '_>) -> Result<Val<'a>, Fault> {
    match call.arg(0)? {
        Val::Int(value) => Ok(Val::Double(*value as f64)),
        Val::Double(value) => Ok(Val::Double(*value)),
        _ => Err(Fault::overload()),
    }
}

fn string<'a>(mut call: Call<'a, '_>) -> Result<Val<'a>, Fault> {
    match call.arg(0)? {
        Val::Int(value) => Ok(Val::text(value.to_string())),
        Val::Bool(value) => Ok(Val::text(value.to_string())),
        Val::Text(_) => Ok(call.args.remove(0)),
        _ => Err(Fault::overload()),
    }
}
