//! Comparing values in filters. Only values of one kind compare: an integer with a string is an error, which empties
//! the whole column, as it does for kubectl.

use std::cmp::Ordering;

use serde_json::Value;

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

/// Two values that do not compare.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Incomparable;

// === impl Operator ===

impl Operator {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "==" => Self::Equal,
            "!=" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterEqual,
            _ => return None,
        })
    }

    /// Whether the comparison holds.
    pub(super) fn holds(self, left: &Value, right: &Value) -> Result<bool, Incomparable> {
        if let (Value::Bool(left), Value::Bool(right)) = (left, right) {
            return match self {
                Self::Equal => Ok(left == right),
                Self::NotEqual => Ok(left != right),
                _ => Err(Incomparable),
            };
        }
        let order = order(left, right).ok_or(Incomparable)?;
        Ok(match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterEqual => order.is_ge(),
        })
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            (None, None) => left.as_f64()?.partial_cmp(&right.as_f64()?),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_of_one_kind_compare_and_no_others() {
        for (left, operator, right, holds) in [
            (json!("a"), "==", json!("a"), Ok(true)),
            (json!("a"), "!=", json!("a"), Ok(false)),
            (json!("a"), "<", json!("b"), Ok(true)),
            (json!(1), "<=", json!(1), Ok(true)),
            (json!(2), ">", json!(1), Ok(true)),
            (json!(1.5), ">=", json!(2.5), Ok(false)),
            (json!(true), "==", json!(true), Ok(true)),
            (json!(true), "<", json!(false), Err(Incomparable)),
            (json!(1), "==", json!("1"), Err(Incomparable)),
            (json!(1), "==", json!(1.0), Err(Incomparable)),
            (json!(null), "==", json!(null), Err(Incomparable)),
        ] {
            let operator = Operator::parse(operator).expect("it is an operator");
            assert_eq!(operator.holds(&left, &right), holds, "{left} {operator:?} {right}");
        }
        assert_eq!(Operator::parse("=~"), None);
    }
}
