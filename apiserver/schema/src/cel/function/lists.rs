//! Lists.

use std::cmp::Ordering;

use super::{
    Call, Function,
    Kind::{Any, Bool, Inner, Int, Ints, List, OptionalOfInner, Same},
    global, method,
};
use crate::cel::{
    budget::{Budget, Fault},
    value::{Val, contains},
};

type Found<'a> = Result<Val<'a>, Fault>;

pub(super) const FUNCTIONS: &[Function] = &[
    method("isSorted", &[List], Bool, is_sorted),
    method("sum", &[List], Inner, sum),
    method("min", &[List], Inner, |call| extreme(call, "min", Ordering::is_lt)),
    method("max", &[List], Inner, |call| extreme(call, "max", Ordering::is_gt)),
    method("indexOf", &[List, Inner], Int, |call| position(call, false)),
    method("lastIndexOf", &[List, Inner], Int, |call| position(call, true)),
    global("@sortByAssociatedKeys", &[List, List], Same, sort_by),
    method("sort", &[List], Same, |mut call| {
        call.args.push(call.arg(0)?.clone());
        sort_by(call)
    }),
    method("slice", &[List, Int, Int], Same, slice),
    method("flatten", &[List], Inner, flatten),
    method("flatten", &[List, Int], Any, flatten),
    method("reverse", &[List], Same, |mut call| {
        let mut items = call.items(0)?;
        items.reverse();
        Ok(Val::list(items))
    }),
    method("distinct", &[List], Same, distinct),
    method("first", &[List], OptionalOfInner, |mut call| Ok(Val::optional(call.items(0)?.into_iter().next()))),
    method("last", &[List], OptionalOfInner, |mut call| Ok(Val::optional(call.items(0)?.pop()))),
    global("lists.range", &[Int], Ints, range),
];

fn slice<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let (mut items, start, end) = (call.items(0)?, call.int(1)?, call.int(2)?);
    let cannot = |why: &str| Err(Fault::error(format!("cannot slice({start}, {end}), {why}")));
    let (Ok(from), Ok(to)) = (usize::try_from(start), usize::try_from(end)) else {
        return cannot("negative indexes not supported");
    };
    if from > to {
        return cannot("start index must be less than or equal to end index");
    }
    if to > items.len() {
        return cannot(&format!("list is length {}", items.len()));
    }
    items.truncate(to);
    items.drain(..from);
    Ok(Val::list(items))
}

fn flatten<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let depth = if call.args.len() == 2 { call.int(1)? } else { 1 };
    let depth = u32::try_from(depth).map_err(|_| Fault::error("level must be non-negative"))?;
    let mut flat = Vec::new();
    flatten_into(&mut flat, call.items(0)?, depth, call.budget)?;
    Ok(Val::list(flat))
}

fn flatten_into<'a>(
    flat: &mut Vec<Val<'a>>,
    items: Vec<Val<'a>>,
    depth: u32,
    budget: &mut Budget,
) -> Result<(), Fault> {
    budget.take(items.len())?;
    for item in items {
        match item.items().filter(|_| depth > 0) {
            Some(inner) => flatten_into(flat, inner, depth - 1, budget)?,
            None => flat.push(item),
        }
    }
    Ok(())
}

fn distinct<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let mut kept: Vec<Val<'a>> = Vec::new();
    for item in call.items(0)? {
        if !contains(&kept, &item, call.budget)? {
            kept.push(item);
        }
    }
    Ok(Val::list(kept))
}

fn range<'a>(call: Call<'a, '_>) -> Found<'a> {
    let end = call.int(0)?;
    call.budget.take(usize::try_from(end).unwrap_or_default())?;
    Ok(Val::list((0..end).map(Val::Int).collect()))
}

/// A list in the order of the keys of its items.
fn sort_by<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    let (items, keys) = (call.items(0)?, call.items(1)?);
    let rounds = usize::try_from(items.len().checked_ilog2().unwrap_or_default()).unwrap_or_default();
    call.budget.take(items.len().saturating_mul(rounds))?;
    if keys.windows(2).any(|pair| pair[0].type_name() != pair[1].type_name()) {
        return Err(Fault::error("list elements must have the same type"));
    }
    if keys.windows(2).any(|pair| pair[0].compare(&pair[1]).is_none()) {
        return Err(Fault::error("list elements must be comparable"));
    }
    let mut pairs: Vec<_> = keys.into_iter().zip(items).collect();
    pairs.sort_by(|(one, _), (two, _)| one.compare(two).unwrap_or(Ordering::Equal));
    Ok(Val::list(pairs.into_iter().map(|(_, item)| item).collect()))
}

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
