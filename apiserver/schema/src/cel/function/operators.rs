//! Operators.

use std::{cmp::Ordering, rc::Rc};

use super::{
    Call, Function,
    Kind::{Any, Bool, Bytes, Double, Duration, Int, List, Map, Null, Number, Same, Sized, Text, Timestamp, Uint},
    global, method,
};
use crate::cel::{
    budget::Fault,
    eval, moment,
    value::{Val, contains},
};

type Found<'a> = Result<Val<'a>, Fault>;

pub(super) const FUNCTIONS: &[Function] = &[
    global("!_", &[Bool], Bool, not),
    global("-_", &[Int], Int, negate),
    global("-_", &[Double], Double, negate),
    global("_==_", &[Any, Same], Bool, |call| equal(call, true)),
    global("_!=_", &[Any, Same], Bool, |call| equal(call, false)),
    global("_==_", &[Any, Null], Bool, |call| equal(call, true)),
    global("_==_", &[Null, Any], Bool, |call| equal(call, true)),
    global("_!=_", &[Any, Null], Bool, |call| equal(call, false)),
    global("_!=_", &[Null, Any], Bool, |call| equal(call, false)),
    global("_==_", &[Number, Number], Bool, |call| equal(call, true)),
    global("_!=_", &[Number, Number], Bool, |call| equal(call, false)),
    global("_<_", &[Any, Same], Bool, |call| order(call, Ordering::is_lt)),
    global("_<=_", &[Any, Same], Bool, |call| order(call, Ordering::is_le)),
    global("_>_", &[Any, Same], Bool, |call| order(call, Ordering::is_gt)),
    global("_>=_", &[Any, Same], Bool, |call| order(call, Ordering::is_ge)),
    global("_<_", &[Number, Number], Bool, |call| order(call, Ordering::is_lt)),
    global("_<=_", &[Number, Number], Bool, |call| order(call, Ordering::is_le)),
    global("_>_", &[Number, Number], Bool, |call| order(call, Ordering::is_gt)),
    global("_>=_", &[Number, Number], Bool, |call| order(call, Ordering::is_ge)),
    global("_+_", &[Int, Int], Int, add),
    global("_+_", &[Uint, Uint], Uint, add),
    global("_+_", &[Bytes, Bytes], Bytes, add),
    global("_+_", &[Timestamp, Duration], Timestamp, add),
    global("_+_", &[Duration, Timestamp], Timestamp, add),
    global("_+_", &[Duration, Duration], Duration, add),
    global("_+_", &[Double, Double], Double, add),
    global("_+_", &[Text, Text], Text, add),
    global("_+_", &[List, List], Same, add),
    global("_-_", &[Int, Int], Int, subtract),
    global("_-_", &[Uint, Uint], Uint, subtract),
    global("_-_", &[Double, Double], Double, subtract),
    global("_-_", &[Timestamp, Timestamp], Duration, subtract),
    global("_-_", &[Timestamp, Duration], Timestamp, subtract),
    global("_-_", &[Duration, Duration], Duration, subtract),
    global("_*_", &[Int, Int], Int, multiply),
    global("_*_", &[Uint, Uint], Uint, multiply),
    global("_*_", &[Double, Double], Double, multiply),
    global("_/_", &[Int, Int], Int, divide),
    global("_/_", &[Uint, Uint], Uint, divide),
    global("_/_", &[Double, Double], Double, divide),
    global("_%_", &[Int, Int], Int, modulo),
    global("_%_", &[Uint, Uint], Uint, modulo),
    global("@in", &[Any, List], Bool, is_in),
    global("@in", &[Any, Map], Bool, is_in),
    global("size", &[Sized], Int, size),
    method("size", &[Sized], Int, size),
    global("@insert", &[Any, Any], Same, insert_all),
    global("@insert", &[Any, Any, Any], Same, insert),
    global("dyn", &[Any], Any, |mut call| Ok(call.args.remove(0))),
];

fn not<'a>(call: Call<'a, '_>) -> Found<'a> {
    if let Val::Bool(value) = call.arg(0)? { Ok(Val::Bool(!value)) } else { Err(Fault::overload()) }
}

fn negate<'a>(call: Call<'a, '_>) -> Found<'a> {
    match call.arg(0)? {
        Val::Int(value) => value.checked_neg().map(Val::Int).ok_or_else(overflow),
        Val::Double(value) => Ok(Val::Double(-value)),
        _ => Err(Fault::overload()),
    }
}

fn equal<'a>(call: Call<'a, '_>, wanted: bool) -> Found<'a> {
    let equal = call.args[0].equals(&call.args[1], call.budget)?;
    Ok(Val::Bool(equal == wanted))
}

fn order<'a>(call: Call<'a, '_>, holds: fn(Ordering) -> bool) -> Found<'a> {
    let (one, two) = (&call.args[0], &call.args[1]);
    let shorter = |text: &Val<'_>| text.as_text().map_or(0, str::len);
    call.budget.take_text(shorter(one).min(shorter(two)))?;
    let nan = |value: &Val<'_>| matches!(value, Val::Double(value) if value.is_nan());
    match one.compare(two) {
        Some(order) => Ok(Val::Bool(holds(order))),
        None if nan(one) || nan(two) => Ok(Val::Bool(false)),
        None => Err(Fault::overload()),
    }
}

fn add<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let (two, one) = (call.args.pop().ok_or_else(Fault::overload)?, call.args.pop().ok_or_else(Fault::overload)?);
    match (one, two) {
        (Val::Int(one), Val::Int(two)) => one.checked_add(two).map(Val::Int).ok_or_else(overflow),
        (Val::Uint(one), Val::Uint(two)) => one.checked_add(two).map(Val::Uint).ok_or_else(unsigned_overflow),
        (Val::Double(one), Val::Double(two)) => Ok(Val::Double(one + two)),
        (Val::Bytes(one), Val::Bytes(two)) => {
            call.budget.take_text(one.len() + two.len())?;
            Ok(Val::Bytes([one.as_ref(), two.as_ref()].concat().into()))
        }
        (Val::Timestamp(time), Val::Duration(span)) | (Val::Duration(span), Val::Timestamp(time)) => {
            later(time, i128::from(span.0))
        }
        (Val::Duration(one), Val::Duration(two)) => spanning(i128::from(one.0) + i128::from(two.0)),
        (Val::Text(one), Val::Text(two)) => {
            let text = [one.as_str(), two.as_str()].concat();
            call.made(text)
        }
        (one, two @ (Val::Array(..) | Val::List(_))) => concatenate(one, &two, call),
        _ => Err(Fault::overload()),
    }
}

/// Adds to a list. One that nobody else has is not copied, so that loops take time in proportion to their result.
fn concatenate<'a>(one: Val<'a>, two: &Val<'a>, call: Call<'a, '_>) -> Found<'a> {
    call.budget.take(two.size().unwrap_or_default())?;
    let mut items = match one {
        Val::List(items) => match Rc::try_unwrap(items) {
            Ok(items) => items,
            Err(shared) => {
                call.budget.take(shared.len())?;
                shared.as_ref().clone()
            }
        },
        list @ Val::Array(..) => {
            call.budget.take(list.size().unwrap_or_default())?;
            list.items().unwrap_or_default()
        }
        _ => return Err(Fault::overload()),
    };
    items.extend(two.items().unwrap_or_default());
    Ok(Val::list(items))
}

fn subtract<'a>(call: Call<'a, '_>) -> Found<'a> {
    match (&call.args[0], &call.args[1]) {
        (Val::Int(one), Val::Int(two)) => one.checked_sub(*two).map(Val::Int).ok_or_else(overflow),
        (Val::Uint(one), Val::Uint(two)) => one.checked_sub(*two).map(Val::Uint).ok_or_else(unsigned_overflow),
        (Val::Double(one), Val::Double(two)) => Ok(Val::Double(one - two)),
        (Val::Timestamp(one), Val::Timestamp(two)) => spanning(one.time.as_nanosecond() - two.time.as_nanosecond()),
        (Val::Timestamp(time), Val::Duration(span)) => later(*time, -i128::from(span.0)),
        (Val::Duration(one), Val::Duration(two)) => spanning(i128::from(one.0) - i128::from(two.0)),
        _ => Err(Fault::overload()),
    }
}

fn multiply<'a>(call: Call<'a, '_>) -> Found<'a> {
    match (&call.args[0], &call.args[1]) {
        (Val::Int(one), Val::Int(two)) => one.checked_mul(*two).map(Val::Int).ok_or_else(overflow),
        (Val::Uint(one), Val::Uint(two)) => one.checked_mul(*two).map(Val::Uint).ok_or_else(unsigned_overflow),
        (Val::Double(one), Val::Double(two)) => Ok(Val::Double(one * two)),
        _ => Err(Fault::overload()),
    }
}

fn divide<'a>(call: Call<'a, '_>) -> Found<'a> {
    match (&call.args[0], &call.args[1]) {
        (Val::Int(_), Val::Int(0)) | (Val::Uint(_), Val::Uint(0)) => Err(Fault::error("division by zero")),
        (Val::Int(one), Val::Int(two)) => one.checked_div(*two).map(Val::Int).ok_or_else(overflow),
        (Val::Uint(one), Val::Uint(two)) => Ok(Val::Uint(one / two)),
        (Val::Double(one), Val::Double(two)) => Ok(Val::Double(one / two)),
        _ => Err(Fault::overload()),
    }
}

fn modulo<'a>(call: Call<'a, '_>) -> Found<'a> {
    match (&call.args[0], &call.args[1]) {
        (Val::Int(_), Val::Int(0)) | (Val::Uint(_), Val::Uint(0)) => Err(Fault::error("modulus by zero")),
        (Val::Int(one), Val::Int(two)) => one.checked_rem(*two).map(Val::Int).ok_or_else(overflow),
        (Val::Uint(one), Val::Uint(two)) => Ok(Val::Uint(one % two)),
        _ => Err(Fault::overload()),
    }
}

/// The time so many nanoseconds after another.
fn later<'a>(time: moment::Timestamp, nanoseconds: i128) -> Found<'a> {
    time.later(nanoseconds).map(Val::Timestamp).ok_or_else(|| Fault::error("timestamp overflow"))
}

fn spanning<'a>(nanoseconds: i128) -> Found<'a> {
    moment::Duration::of(nanoseconds).map(Val::Duration).ok_or_else(|| Fault::error("duration overflow"))
}

fn unsigned_overflow() -> Fault {
    Fault::error("unsigned integer overflow")
}

fn is_in<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    match &call.args[1] {
        map @ (Val::Object(..) | Val::Map(_)) => Ok(Val::Bool(map.entry(&call.args[0], call.budget)?.is_some())),
        _ => {
            let items = call.items(1)?;
            Ok(Val::Bool(contains(&items, &call.args[0], call.budget)?))
        }
    }
}

fn size<'a>(call: Call<'a, '_>) -> Found<'a> {
    let value = &call.args[0];
    call.budget.take_text(value.as_text().map_or(0, str::len))?;
    let size = value.size().ok_or_else(Fault::overload)?;
    Ok(Val::Int(i64::try_from(size).unwrap_or(i64::MAX)))
}

/// Adds an entry to a map that is made.
fn insert<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let (value, key) = (call.args.remove(2), call.args.remove(1));
    let mut entries = entries(call.args.remove(0))?;
    eval::insert(&mut entries, key, value, call.budget)?;
    Ok(Val::Map(entries.into()))
}

/// Adds the entries of another map to a map that is made.
fn insert_all<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let more = call.args.remove(1).pairs().ok_or_else(Fault::overload)?;
    let mut entries = entries(call.args.remove(0))?;
    for (key, value) in more {
        eval::insert(&mut entries, key, value, call.budget)?;
    }
    Ok(Val::Map(entries.into()))
}

/// The entries of a map that is made. One that nobody else has is not copied.
fn entries(map: Val<'_>) -> Result<Vec<(Val<'_>, Val<'_>)>, Fault> {
    match map {
        Val::Map(entries) => Ok(Rc::try_unwrap(entries).unwrap_or_else(|shared| shared.as_ref().clone())),
        _ => Err(Fault::overload()),
    }
}

fn overflow() -> Fault {
    Fault::error("integer overflow")
}
