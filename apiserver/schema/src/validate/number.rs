//! Limits and ranges of numbers. An integer is compared as one wherever the limit is whole, so that no precision is
//! lost.

use machinery::field::BadValue;
use serde_json::{Number, Value};

use super::outcome::{Cause, Outcome};
use crate::{
    format::Check,
    path::Path,
    structural::node::{Node, Type, Types},
};

/// The greatest integer up to which every integer is a float, and a float that is one counts as an integer.
const SAFE: f64 = 9_007_199_254_740_991.0;

/// A limit beside the value that it limits, in a common type.
enum Compared {
    Whole { value: i64, limit: i64 },
    Fraction { value: f64, limit: f64 },
}

/// Whether a float counts as an integer.
pub(super) fn is_whole(value: f64) -> bool {
    value.abs() <= SAFE && value.fract() == 0.0
}

/// Whether two values are the same; numbers whether or not they are written with a fraction.
pub(super) fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) if one.is_i64() != other.is_i64() => one.as_f64() == other.as_f64(),
        _ => one == other,
    }
}

/// Checks the range that type and format allow, then the limits.
pub(super) fn check(node: &Node, number: &Number, path: &Path<'_>, outcome: &mut Outcome) {
    range(node, float(number), number.as_i64(), "Checked", path, outcome);
    multiple(node, number, path, outcome);
    bounds(node, number, path, outcome);
    outcome.matches += 1;
}

/// A limit may be outside the range of what it limits: that is said for each value, as the kube-apiserver says it.
fn range(node: &Node, float: f64, whole: Option<i64>, what: &str, path: &Path<'_>, outcome: &mut Outcome) {
    let integer = whole.or_else(|| as_integer(float));
    let check = node.checks.format.as_ref().map(|format| format.check);
    let fits = match (node.types, check) {
        (Types::One(Type::Integer), Some(Check::Int32)) => integer.is_some_and(|value| i32::try_from(value).is_ok()),
        (Types::One(Type::Integer), _) => integer.is_some(),
        (Types::One(Type::Number), Some(Check::Float)) => float.abs() <= f64::from(f32::MAX),
        _ => true,
    };
    if fits {
        return;
    }
    let of = match &node.checks.format {
        Some(format) => format!("with format {}", format.name),
        None => "(default format)".to_owned(),
    };
    let message = format!("{what} value must be of type {} {of} in {path}", node.types.text());
    outcome.add(path, message, Cause::Unplaced);
}

fn multiple(node: &Node, number: &Number, path: &Path<'_>, outcome: &mut Outcome) {
    let Some(factor) = node.checks.multiple_of else { return };
    range(node, factor, None, "MultipleOf", path, outcome);
    if factor <= 0.0 {
        let message = format!("factor MultipleOf declared for {path} must be positive: {}", shown(number, factor));
        outcome.add(path, message, Cause::Invalid { value: Value::from(factor) });
        return;
    }
    let fits = match compare(number, factor) {
        Compared::Whole { value, limit } => value % limit == 0,
        Compared::Fraction { value, limit } => {
            is_near_integer(if limit < 1.0 { 1.0 / limit * value } else { value / limit })
        }
    };
    if !fits {
        outcome.invalid(path, number.clone(), &format!("should be a multiple of {}", shown(number, factor)));
    }
}

fn bounds(node: &Node, number: &Number, path: &Path<'_>, outcome: &mut Outcome) {
    let (minimum, maximum) = (node.checks.minimum, node.checks.maximum);
    if let Some(minimum) = minimum {
        range(node, minimum.value, None, "Minimum boundary", path, outcome);
        let (less, equal) = order(number, minimum.value);
        if less || minimum.exclusive && equal {
            let or_equal = if minimum.exclusive { "" } else { " or equal to" };
            let must = format!("should be greater than{or_equal} {}", shown(number, minimum.value));
            outcome.invalid(path, number.clone(), &must);
        }
    }
    if let Some(maximum) = maximum {
        range(node, maximum.value, None, "Maximum boundary", path, outcome);
        let (less, equal) = order(number, maximum.value);
        if !less && !equal || maximum.exclusive && equal {
            let or_equal = if maximum.exclusive { "" } else { " or equal to" };
            let must = format!("should be less than{or_equal} {}", shown(number, maximum.value));
            outcome.invalid(path, number.clone(), &must);
        }
    }
}

/// Whether the number is less than the limit, and whether it is equal.
fn order(number: &Number, limit: f64) -> (bool, bool) {
    match compare(number, limit) {
        Compared::Whole { value, limit } => (value < limit, value == limit),
        Compared::Fraction { value, limit } => (value < limit, value == limit),
    }
}

fn compare(number: &Number, limit: f64) -> Compared {
    match (number.as_i64(), as_integer(limit)) {
        (Some(value), Some(limit)) => Compared::Whole { value, limit },
        _ => Compared::Fraction { value: float(number), limit },
    }
}

fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or(f64::NAN)
}

/// The integer that a float is, if it is one of 64 bits.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn as_integer(value: f64) -> Option<i64> {
    let limit = -(i64::MIN as f64);
    (value.fract() == 0.0 && value >= -limit && value < limit).then_some(value as i64)
}

/// Whether a quotient is an integer but for what dividing floats loses.
fn is_near_integer(value: f64) -> bool {
    value.abs() <= SAFE && (value - value.round()).abs() <= 1e-9 * value.abs().max(1.0)
}

/// A limit as messages print it: of what the number was compared as.
fn shown(number: &Number, limit: f64) -> String {
    match compare(number, limit) {
        Compared::Whole { limit, .. } => limit.to_string(),
        Compared::Fraction { limit, .. } => BadValue::from(Value::from(limit)).to_string(),
    }
}
