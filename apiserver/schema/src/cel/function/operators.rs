//! Operators.

use std::{cmp::Ordering, rc::Rc};

use super::{
    Call, Function,
    Kind::{Any, Bool, Double, Int, List, Map, Null, Number, Same, Sized, Text},
    global, method,
};
use crate::cel::{
    budget::Fault,
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
    global("_+_", &[Double, Double], Double, add),
    global("_+_", &[Text, Text], Text, add),
    global("_+_", &[List, List], Same, add),
    global("_-_", &[Int, Int], Int, |call| arithmetic(call, i64::checked_sub, |a, b| a - b)),
    global("_-_", &[Double, Double], Double, |call| arithmetic(call, i64::checked_sub, |a, b| a - b)),
    global("_*_", &[Int, Int], Int, |call| arithmetic(call, i64::checked_mul, |a, b| a * b)),
    global("_*_", &[Double, Double], Double, |call| arithmetic(call, i64::checked_mul, |a, b| a * b)),
    global("_/_", &[Int, Int], Int, divide),
    global("_/_", &[Double, Double], Double, divide),
    global("_%_", &[Int, Int], Int, modulo),
    global("@in", &[Any, List], Bool, is_in),
    global("@in", &[Any, Map], Bool, is_in),
    global("size", &[Sized], Int, size),
    method("size", &[Sized], Int, size),
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
        (Val::Double(one), Val::Double(two)) => Ok(Val::Double(one + two)),
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

fn arithmetic<'a>(call: Call<'a, '_>, ints: fn(i64, i64) -> Option<i64>, doubles: fn(f64, f64) -> f64) -> Found<'a> {
    match (&call.args[0], &call.args[1]) {
        (Val::Int(one), Val::Int(two)) => ints(*one, *two).map(Val::Int).ok_or_else(overflow),
        (Val::Double(one), Val::Double(two)) => Ok(Val::Double(doubles(*one, *two))),
        _ => Err(Fault::overload()),
    }
}

fn divide<'a>(call: Call<'a, '_>) -> Found<'a> {
    match (&call.args[0], &call.args[1]) {
        (Val::Int(_), Val::Int(0)) => Err(Fault::error("division by zero")),
        _ => arithmetic(call, i64::checked_div, |one, two| one / two),
    }
}

fn modulo<'a>(call: Call<'a, '_>) -> Found<'a> {
    match (&call.args[0], &call.args[1]) {
        (Val::Int(_), Val::Int(0)) => Err(Fault::error("modulus by zero")),
        (Val::Int(one), Val::Int(two)) => one.checked_rem(*two).map(Val::Int).ok_or_else(overflow),
        _ => Err(Fault::overload()),
    }
}

fn is_in<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    match &call.args[1] {
        map @ (Val::Object(..) | Val::Map(_)) => match call.args[0].as_text() {
            Some(name) => Ok(Val::Bool(map.field(name, call.budget)?.is_some())),
            None => Ok(Val::Bool(false)),
        },
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

fn overflow() -> Fault {
    Fault::error("integer overflow")
}
