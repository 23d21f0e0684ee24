//! Lists.

use std::cmp::Ordering;

use super::{
    Call, Function,
    Kind::{Bool, Inner, Int, List},
    method,
};
use crate::cel::{budget::Fault, value::Val};

type Found<'a> = Result<Val<'a>, Fault>;

pub(super) const FUNCTIONS: &[Function] = &[
    method("isSorted", &[List], Bool, is_sorted),
    method("sum", &[List], Inner, sum),
    method("min", &[List], Inner, |call| extreme(call, "min", Ordering::is_lt)),
    method("max", &[List], Inner, |call| extreme(call, "max", Ordering::is_gt)),
    method("indexOf", &[List, Inner], Int, |call| position(call, false)),
    method("lastIndexOf", &[List, Inner], Int, |call| position(call, true)),
];

fn is_sorted<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    for pair in call.items(0)?.windows(2) {
        if pair[0].compare(&pair[1]).ok_or_else(Fault::overload)?.is_gt() {
            return Ok(Val::Bool(false));
        }
    }
    Ok(Val::Bool(true))
}

fn sum<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let mut sum = None;
    for item in call.items(0)? {
        sum = Some(match (sum, item) {
            (None, item @ (Val::Int(_) | Val::Double(_))) => item,
            (Some(Val::Int(sum)), Val::Int(item)) => {
                Val::Int(i64::checked_add(sum, item).ok_or_else(|| Fault::error("integer overflow"))?)
            }
            (Some(Val::Double(sum)), Val::Double(item)) => Val::Double(sum + item),
            _ => return Err(Fault::overload()),
        });
    }
    Ok(sum.unwrap_or(Val::Int(0)))
}

fn extreme<'a>(mut call: Call<'a, '_>, name: &str, beats: fn(Ordering) -> bool) -> Found<'a> {
    let mut items = call.items(0)?.into_iter();
    let mut best = items.next().ok_or_else(|| Fault::error(format!("{name} called on empty list")))?;
    for item in items {
        if beats(item.compare(&best).ok_or_else(Fault::overload)?) {
            best = item;
        }
    }
    Ok(best)
}

fn position<'a>(mut call: Call<'a, '_>, last: bool) -> Found<'a> {
    if call.arg(0)?.as_text().is_some() {
        return super::strings::position(call, last);
    }
    let items = call.items(0)?;
    let wanted = &call.args[1];
    let mut found = -1;
    for (index, item) in items.iter().enumerate() {
        if item.equals(wanted, call.budget)? {
            found = i64::try_from(index).unwrap_or(i64::MAX);
            if !last {
                break;
            }
        }
    }
    Ok(Val::Int(found))
}
