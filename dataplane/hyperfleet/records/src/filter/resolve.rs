//! From the syntax tree to the filter: finds the fields, gives values their types, and pushes NOT down.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{Field, Filter, Number, Test, Text, Time, Value};
use crate::{
    Error, Kind, Result,
    tsl::{Comparison, Expression, Literal, Operand},
};

/// The filter that an expression is; the opposite if `negated`.
pub(crate) fn resolve(expression: &Expression, kind: Kind, negated: bool) -> Result<Filter> {
    let all = |parts: &[Expression]| parts.iter().map(|part| resolve(part, kind, negated)).collect::<Result<Vec<_>>>();
    match expression {
        Expression::Not(inner) => resolve(inner, kind, !negated),
        Expression::And(parts) if negated => all(parts).map(Filter::Any),
        Expression::And(parts) => all(parts).map(Filter::All),
        Expression::Or(parts) if negated => all(parts).map(Filter::All),
        Expression::Or(parts) => all(parts).map(Filter::Any),
        Expression::Compare(left, comparison, right) => {
            let comparison = if negated { comparison.negated() } else { *comparison };
            compare(&operand_of(left, kind)?, comparison, &operand_of(right, kind)?)
        }
        Expression::Like { operand: subject, pattern, any_case, negated: not } => {
            let text = operand_of(subject, kind)?.into_text()?;
            let (pattern, any_case) = (pattern.clone(), *any_case);
            Ok(Filter::Test(Test::Like { text, pattern, any_case, negated: not ^ negated }))
        }
        Expression::In { operand: subject, list, negated: not } => {
            one_of(&operand_of(subject, kind)?, list, not ^ negated)
        }
        Expression::Between { operand: subject, low, high, negated: not } => {
            between(&operand_of(subject, kind)?, low, high, not ^ negated)
        }
        Expression::IsNull { operand: subject, negated: not } => {
            let value = operand_of(subject, kind)?.into_value();
            Ok(Filter::Test(Test::Null { value, negated: not ^ negated }))
        }
        Expression::Is { operand: subject, literal, negated: not } => {
            is(&operand_of(subject, kind)?, literal, not ^ negated)
        }
    }
}

/// A value whose type may depend on what it is compared with.
#[derive(Debug, Clone)]
enum Loose {
    Typed(Value),
    Spec(Vec<String>),
    Literal(Literal),
}

fn operand_of(operand: &Operand, kind: Kind) -> Result<Loose> {
    match operand {
        Operand::Field(field) => Ok(match Field::find(field, kind)? {
            Field::Typed(value) => Loose::Typed(value),
            Field::Spec(path) => Loose::Spec(path),
        }),
        Operand::Literal(literal) => Ok(Loose::Literal(literal.clone())),
        Operand::Arithmetic(left, operator, right) => {
            let side = |side| operand_of(side, kind)?.into_number();
            let number = Number::Arithmetic(Box::new(side(left)?), *operator, Box::new(side(right)?));
            Ok(Loose::Typed(Value::Number(number)))
        }
    }
}

/// The type in which two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    Number,
    Time,
}

fn common(left: &Loose, right: &Loose) -> Type {
    use Loose::{Literal as Fixed, Spec, Typed};
    match (left, right) {
        (Typed(Value::Time(_)), _) | (_, Typed(Value::Time(_))) => Type::Time,
        (Typed(Value::Number(_)), _) | (_, Typed(Value::Number(_))) => Type::Number,
        (Spec(_) | Fixed(Literal::Number(..)), Fixed(Literal::Number(..))) => Type::Number,
        (Fixed(Literal::Number(..)), Spec(_)) => Type::Number,
        _ => Type::Text,
    }
}

fn compare(left: &Loose, comparison: Comparison, right: &Loose) -> Result<Filter> {
    let (one, other) = (left.clone(), right.clone());
    // Known already. And as a statement's text alone decides whether it is prepared anew, `$1 = $2` is one of texts
    // only.
    if let (Loose::Literal(Literal::Number(_, one)), Loose::Literal(Literal::Number(_, other))) = (left, right) {
        return Ok(if comparison.holds(*one, *other) { Filter::All(Vec::new()) } else { Filter::Any(Vec::new()) });
    }
    Ok(Filter::Test(match common(left, right) {
        Type::Text => Test::Texts(one.into_text()?, comparison, other.into_text()?),
        Type::Number => Test::Numbers(one.into_number()?, comparison, other.into_number()?),
        Type::Time => Test::Times(one.into_time()?, comparison, other.into_time()?),
    }))
}

fn one_of(subject: &Loose, list: &[Literal], negated: bool) -> Result<Filter> {
    let is_text = |literal: &Literal| common(subject, &Loose::Literal(literal.clone())) == Type::Text;
    if !list.is_empty() && list.iter().all(is_text) {
        let list = list.iter().map(|literal| literal.text().to_owned()).collect();
        return Ok(Filter::Test(Test::OneOf { text: subject.clone().into_text()?, list, negated }));
    }
    let comparison = if negated { Comparison::NotEqual } else { Comparison::Equal };
    let tests = list.iter().map(|literal| compare(subject, comparison, &Loose::Literal(literal.clone())));
    let tests = tests.collect::<Result<_>>()?;
    Ok(if negated { Filter::All(tests) } else { Filter::Any(tests) })
}

fn between(subject: &Loose, low: &Literal, high: &Literal, negated: bool) -> Result<Filter> {
    let side = |comparison, literal: &Literal| compare(subject, comparison, &Loose::Literal(literal.clone()));
    Ok(match negated {
        false => Filter::All(vec![side(Comparison::GreaterOrEqual, low)?, side(Comparison::LessOrEqual, high)?]),
        true => Filter::Any(vec![side(Comparison::Less, low)?, side(Comparison::Greater, high)?]),
    })
}

/// `IS` never is neither true nor false: nothing IS NOT any literal, and so is a text no number.
fn is(subject: &Loose, literal: &Literal, negated: bool) -> Result<Filter> {
    let literal = Loose::Literal(literal.clone());
    if !negated {
        return compare(subject, Comparison::Equal, &literal);
    }
    let different = compare(subject, Comparison::NotEqual, &literal)?;
    let value = match common(subject, &literal) {
        Type::Number => Value::Number(subject.clone().into_number()?),
        Type::Text | Type::Time => subject.clone().into_value(),
    };
    Ok(Filter::Any(vec![different, Filter::Test(Test::Null { value, negated: false })]))
}

// === impl Loose ===

impl Loose {
    fn into_value(self) -> Value {
        match self {
            Self::Typed(value) => value,
            Self::Spec(path) => Value::Text(Text::Spec(path)),
            Self::Literal(literal) => Value::Text(Text::Literal(literal.text().to_owned())),
        }
    }

    fn into_text(self) -> Result<Text> {
        match self.into_value() {
            Value::Text(text) => Ok(text),
            Value::Number(_) => Err(Error::BadRequest("a number is compared with a text".to_owned())),
            Value::Time(_) => Err(Error::BadRequest("a time is compared with a text, by LIKE or IN".to_owned())),
        }
    }

    fn into_number(self) -> Result<Number> {
        match self {
            Self::Typed(Value::Number(number)) => Ok(number),
            Self::Spec(path) => Ok(Number::Spec(path)),
            Self::Literal(Literal::Number(_, value)) => Ok(Number::Literal(value)),
            Self::Literal(literal) => match literal.text().parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(Number::Literal(value)),
                _ => Err(Error::BadRequest(format!("{:?} is no number", literal.text()))),
            },
            Self::Typed(_) => Err(Error::BadRequest("a text or a time stands where a number is needed".to_owned())),
        }
    }

    fn into_time(self) -> Result<Time> {
        match self {
            Self::Typed(Value::Time(time)) => Ok(time),
            Self::Literal(Literal::Text(text)) => time(&text).map(Time::Literal).ok_or_else(|| {
                Error::BadRequest(format!("{text:?} is no time: write 2026-01-31T12:00:00Z or 2026-01-31"))
            }),
            _ => Err(Error::BadRequest(
                "a time is compared with what is no time: write '2026-01-31T12:00:00Z'".to_owned(),
            )),
        }
    }
}

/// RFC 3339, or a day, which is its begin in UTC. To the microsecond, as times are kept.
fn time(text: &str) -> Option<Timestamp> {
    let time = text.parse().ok().or_else(|| Some(text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp()));
    time.map(crate::model::truncated)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::tsl;

    fn filter(text: &str) -> Result<Filter> {
        resolve(&tsl::parse(text).unwrap(), Kind::Cluster, false)
    }

    #[test]
    fn not_is_pushed_down_to_the_tests() {
        for (negated, plain) in [
            ("not (name = 'a' and not id < 'b')", "name <> 'a' or id < 'b'"),
            ("not (name in ('a') or name is null)", "name not in ('a') and name is not null"),
            ("not not generation between 1 and 2", "generation >= 1 and generation <= 2"),
            ("not generation between 1 and 2", "generation < 1 or generation > 2"),
            ("not name is 'a'", "name <> 'a' or name is null"),
            ("generation not in (1, 2)", "generation <> 1 and generation <> 2"),
        ] {
            assert_eq!(filter(negated).unwrap(), filter(plain).unwrap(), "{negated}");
        }
    }

    #[test]
    fn a_spec_takes_the_type_of_what_it_is_compared_with() {
        assert!(matches!(filter("spec.a > 5").unwrap(), Filter::Test(Test::Numbers(..))));
        assert!(matches!(filter("spec.a > '5'").unwrap(), Filter::Test(Test::Texts(..))));
        assert!(matches!(filter("spec.a = generation").unwrap(), Filter::Test(Test::Numbers(..))));
        assert!(matches!(filter("spec.a = spec.b").unwrap(), Filter::Test(Test::Texts(..))));
        assert!(matches!(filter("spec.a = true").unwrap(), Filter::Test(Test::Texts(..))));
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        for text in [
            "generation = 'x'",
            "generation like '1%'",
            "name + 1 > 2",
            "created_time > 5",
            "created_time > 'yesterday'",
            "created_time like '2026%'",
            "created_time = name",
            "generation = name",
            "nope = 1",
            "nope is null",
        ] {
            assert!(matches!(filter(text), Err(Error::BadRequest(_))), "{text}");
        }
        assert!(filter("created_time between '2026-01-01' and '2026-01-31T12:00:00+01:00'").is_ok());
    }

    #[test]
    fn an_empty_list_holds_nothing() {
        assert_eq!(filter("name in ()").unwrap(), Filter::Any(Vec::new()));
        assert_eq!(filter("name not in ()").unwrap(), Filter::All(Vec::new()));
    }
}
