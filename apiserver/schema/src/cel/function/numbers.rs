//! Quantities and versions.

use std::cmp::Ordering;

use super::{
    Call, Function,
    Kind::{Bool, Double, Int, Library as Of, Text},
    global, method,
};
use crate::cel::{
    budget::Fault,
    library::{Library, QUANTITY, Quantity, SEMVER, Version},
    value::Val,
};

type Found<'a> = Result<Val<'a>, Fault>;

pub(super) const FUNCTIONS: &[Function] = &[
    global("quantity", &[Text], Of(QUANTITY), |mut call| {
        let text = call.text(0)?;
        Ok(Library::Quantity(Quantity::read(&text).map_err(Fault::error)?).into_val())
    }),
    global("isQuantity", &[Text], Bool, |mut call| Ok(Val::Bool(Quantity::read(&call.text(0)?).is_ok()))),
    global("sign", &[Of(QUANTITY)], Int, |call| Ok(Val::Int(quantity(&call, 0)?.sign()))),
    method("asInteger", &[Of(QUANTITY)], Int, |call| {
        let whole = quantity(&call, 0)?.as_integer();
        whole.map(Val::Int).ok_or_else(|| Fault::error("cannot convert value to integer"))
    }),
    method("isInteger", &[Of(QUANTITY)], Bool, |call| Ok(Val::Bool(quantity(&call, 0)?.as_integer().is_some()))),
    method("asApproximateFloat", &[Of(QUANTITY)], Double, |call| Ok(Val::Double(quantity(&call, 0)?.as_float()))),
    method("add", &[Of(QUANTITY), Of(QUANTITY)], Of(QUANTITY), |call| calculate(&call, Quantity::plus)),
    method("add", &[Of(QUANTITY), Int], Of(QUANTITY), |call| calculate(&call, Quantity::plus)),
    method("sub", &[Of(QUANTITY), Of(QUANTITY)], Of(QUANTITY), |call| calculate(&call, Quantity::minus)),
    method("sub", &[Of(QUANTITY), Int], Of(QUANTITY), |call| calculate(&call, Quantity::minus)),
    method("isGreaterThan", &[Of(QUANTITY), Of(QUANTITY)], Bool, |call| Ok(Val::Bool(compare(&call)?.is_gt()))),
    method("isGreaterThan", &[Of(SEMVER), Of(SEMVER)], Bool, |call| Ok(Val::Bool(compare(&call)?.is_gt()))),
    method("isLessThan", &[Of(QUANTITY), Of(QUANTITY)], Bool, |call| Ok(Val::Bool(compare(&call)?.is_lt()))),
    method("isLessThan", &[Of(SEMVER), Of(SEMVER)], Bool, |call| Ok(Val::Bool(compare(&call)?.is_lt()))),
    method("compareTo", &[Of(QUANTITY), Of(QUANTITY)], Int, |call| Ok(Val::Int(compare(&call)? as i64))),
    method("compareTo", &[Of(SEMVER), Of(SEMVER)], Int, |call| Ok(Val::Int(compare(&call)? as i64))),
    global("semver", &[Text], Of(SEMVER), semver),
    global("semver", &[Text, Bool], Of(SEMVER), semver),
    global("isSemver", &[Text], Bool, is_semver),
    global("isSemver", &[Text, Bool], Bool, is_semver),
    method("major", &[Of(SEMVER)], Int, |call| number(&call, |version| version.major)),
    method("minor", &[Of(SEMVER)], Int, |call| number(&call, |version| version.minor)),
    method("patch", &[Of(SEMVER)], Int, |call| number(&call, |version| version.patch)),
];

fn quantity(call: &Call<'_, '_>, index: usize) -> Result<Quantity, Fault> {
    match call.arg(index)? {
        Val::Int(whole) if index == 1 => Ok(Quantity::of(*whole)),
        Val::Library(value) => match value.get() {
            Library::Quantity(quantity) => Ok(*quantity),
            _ => Err(Fault::overload()),
        },
        _ => Err(Fault::overload()),
    }
}

fn calculate<'a>(call: &Call<'a, '_>, with: fn(Quantity, Quantity) -> Quantity) -> Found<'a> {
    Ok(Library::Quantity(with(quantity(call, 0)?, quantity(call, 1)?)).into_val())
}

fn compare(call: &Call<'_, '_>) -> Result<Ordering, Fault> {
    let (Val::Library(one), Val::Library(two)) = (call.arg(0)?, call.arg(1)?) else { return Err(Fault::overload()) };
    match (one.get(), two.get()) {
        (Library::Quantity(one), Library::Quantity(two)) => Ok(one.cmp(two)),
        (Library::Semver(one), Library::Semver(two)) => Ok(one.cmp(two)),
        _ => Err(Fault::overload()),
    }
}

fn version(call: &mut Call<'_, '_>) -> Result<Result<Version, String>, Fault> {
    let text = call.text(0)?;
    let loosely = match call.args.get(1) {
        None => false,
        Some(Val::Bool(loosely)) => *loosely,
        Some(_) => return Err(Fault::overload()),
    };
    Ok(if loosely { Version::read_loosely(&text) } else { Version::read(&text) })
}

fn semver<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    Ok(Library::Semver(version(&mut call)?.map_err(Fault::Error)?).into_val())
}

fn is_semver<'a>(mut call: Call<'a, '_>) -> Found<'a> {
    Ok(Val::Bool(version(&mut call)?.is_ok()))
}

fn number<'a>(call: &Call<'a, '_>, part: fn(&Version) -> u64) -> Found<'a> {
    let Val::Library(value) = call.arg(0)? else { return Err(Fault::overload()) };
    let Library::Semver(version) = value.get() else { return Err(Fault::overload()) };
    Ok(Val::Int(i64::try_from(part(version)).unwrap_or(i64::MAX)))
}
