//! Optional values.

use super::{
    Call, Function,
    Kind::{Any, Bool, Inner, Optional, OptionalOfFirst, Same},
    global, method,
};
use crate::cel::{budget::Fault, value::Val};

pub(super) const FUNCTIONS: &[Function] = &[
    global("optional.of", &[Any], OptionalOfFirst, |mut call| Ok(Val::optional(Some(call.args.remove(0))))),
    global("optional.ofNonZeroValue", &[Any], OptionalOfFirst, |mut call| {
        let value = call.args.remove(0);
        Ok(Val::optional(Some(value).filter(|value| !is_zero(value))))
    }),
    global("optional.none", &[], OptionalOfFirst, |_| Ok(Val::Optional(None))),
    method("hasValue", &[Optional], Bool, |call| Ok(Val::Bool(inner(&call)?.is_some()))),
    method("value", &[Optional], Inner, |call| {
        inner(&call)?.ok_or_else(|| Fault::error("optional.none() dereference"))
    }),
    method("orValue", &[Optional, Inner], Inner, |mut call| match inner(&call)? {
        Some(value) => Ok(value),
        None => Ok(call.args.remove(1)),
    }),
    method("or", &[Optional, Same], Same, |mut call| match inner(&call)? {
        Some(_) => Ok(call.args.remove(0)),
        None => Ok(call.args.remove(1)),
    }),
];

/// Whether it is what values of its type are when nothing is said.
fn is_zero(value: &Val<'_>) -> bool {
    match value {
        Val::Null | Val::Bool(false) | Val::Int(0) | Val::Uint(0) => true,
        Val::Double(number) => *number == 0.0,
        Val::Duration(span) => span.0 == 0,
        value => value.size() == Some(0),
    }
}

fn inner<'a>(call: &Call<'a, '_>) -> Result<Option<Val<'a>>, Fault> {
    match call.arg(0)? {
        Val::Optional(inner) => Ok(inner.as_ref().map(|inner| inner.as_ref().clone())),
        _ => Err(Fault::overload()),
    }
}
