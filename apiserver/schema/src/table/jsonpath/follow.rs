//! Following a path. Where a field is missing the path leads nowhere; a step that the value does not have, such as an
//! index of what is no list, is an error.

use serde_json::Value;

use super::{End, Filter, Operand, Slice, Step, compare::Incomparable};

/// A step that cannot be made.
#[derive(Debug)]
pub(super) struct Impossible;

impl From<Incomparable> for Impossible {
    fn from(_: Incomparable) -> Self {
        Self
    }
}

type Values<'a> = Vec<&'a Value>;

/// Where the steps lead from these values.
pub(super) fn steps<'a>(steps: &[Step], from: Values<'a>) -> Result<Values<'a>, Impossible> {
    steps.iter().try_fold(from, |values, step| self::step(step, values))
}

fn step<'a>(step: &Step, values: Values<'a>) -> Result<Values<'a>, Impossible> {
    Ok(match step {
        Step::Field(name) => values.iter().filter_map(|value| value.as_object()?.get(name)).collect(),
        Step::All => values.into_iter().flat_map(within).collect(),
        Step::Descend => descend(values),
        Step::Slice(slice) => each_list(values, |items| slice.of(items))?,
        Step::Filter(filter) => each_list_or_fail(values, |items| filter.pass(items))?,
        Step::Union(paths) => {
            let mut all = Vec::new();
            for path in paths {
                all.extend(self::steps(path, values.clone())?);
            }
            all
        }
    })
}

/// What is directly in a value.
fn within(value: &Value) -> Values<'_> {
    match value {
        Value::Object(fields) => fields.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    }
}

/// The values that hold others, each followed by those in it.
fn descend(values: Values<'_>) -> Values<'_> {
    let mut all = Vec::new();
    for value in values {
        let inner = within(value);
        if !inner.is_empty() {
            all.push(value);
            all.extend(descend(inner));
        }
    }
    all
}

/// Nulls have no items; anything else that is no list is an error.
fn each_list<'a>(
    values: Values<'a>,
    of: impl Fn(&'a [Value]) -> Result<Values<'a>, Impossible>,
) -> Result<Values<'a>, Impossible> {
    each_list_or_fail(values.into_iter().filter(|value| !value.is_null()).collect(), of)
}

fn each_list_or_fail<'a>(
    values: Values<'a>,
    of: impl Fn(&'a [Value]) -> Result<Values<'a>, Impossible>,
) -> Result<Values<'a>, Impossible> {
    let mut all = Vec::new();
    for value in values {
        all.extend(of(value.as_array().ok_or(Impossible)?)?);
    }
    Ok(all)
}

// === impl Slice ===

impl Slice {
    fn of<'a>(&self, items: &'a [Value]) -> Result<Values<'a>, Impossible> {
        let length = i64::try_from(items.len()).map_err(|_| Impossible)?;
        let start = from_end(self.start.unwrap_or(0), length);
        let end = match self.end {
            End::Single => start.saturating_add(1),
            End::Open => length,
            End::At(end) => from_end(end, length),
        };
        let step = usize::try_from(self.step.unwrap_or(1)).ok().filter(|step| *step > 0);
        if start == end {
            return Ok(Vec::new());
        }
        let (Ok(start), Ok(end), Some(step)) = (usize::try_from(start), usize::try_from(end), step) else {
            return Err(Impossible);
        };
        Ok(items.get(start..end).ok_or(Impossible)?.iter().step_by(step).collect())
    }
}

fn from_end(position: i64, length: i64) -> i64 {
    if position < 0 { position + length } else { position }
}

// === impl Filter ===

impl Filter {
    fn pass<'a>(&self, items: &'a [Value]) -> Result<Values<'a>, Impossible> {
        let mut passing = Vec::new();
        for item in items {
            if self.passes(item)? {
                passing.push(item);
            }
        }
        Ok(passing)
    }

    fn passes(&self, item: &Value) -> Result<bool, Impossible> {
        match self {
            Filter::Has(path) => Ok(steps(path, vec![item]).is_ok_and(|values| !values.is_empty())),
            Filter::Holds(left, operator, right) => match (left.of(item)?, right.of(item)?) {
                (Some(left), Some(right)) => Ok(operator.holds(left, right)?),
                _ => Ok(false),
            },
        }
    }
}

// === impl Operand ===

impl Operand {
    /// The one value that is compared.
    fn of<'a>(&'a self, item: &'a Value) -> Result<Option<&'a Value>, Impossible> {
        let path = match self {
            Operand::Literal(value) => return Ok(Some(value)),
            Operand::Path(path) => path,
        };
        match steps(path, vec![item])?.as_slice() {
            [] => Ok(None),
            [value] => Ok(Some(value)),
            _ => Err(Impossible),
        }
    }
}
