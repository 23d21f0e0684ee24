//! What a column prints of a value: the value itself where its type is the column's, nothing where it is not.

use machinery::{field::BadValue, json, time::Timestamp};
use serde_json::Value;

use super::Kind;
use crate::format;

/// The cell of a column of that type. There is a difference between no value and a null: a column of strings says so.
pub(super) fn print(kind: Kind, value: Option<&Value>, now: Timestamp) -> Value {
    let Some(value) = value else { return Value::Null };
    match (kind, value) {
        (Kind::String, value) => Value::from(text(value)),
        (Kind::Integer, Value::Number(number)) if !number.is_i64() => number.as_f64().map(truncated).into(),
        (Kind::Integer | Kind::Number, Value::Number(_)) | (Kind::Boolean, Value::Bool(_)) => value.clone(),
        (Kind::Date, Value::String(time)) => Value::from(age(time, now)),
        _ => Value::Null,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a column of integers cuts fractions off, and saturates")]
fn truncated(number: f64) -> i64 {
    number as i64
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "<no value>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => BadValue::from(value).to_string(),
        Value::Array(_) | Value::Object(_) => String::from_utf8_lossy(&json::encode(value)).into_owned(),
    }
}

fn age(time: &str, now: Timestamp) -> String {
    if matches!(time, "" | "null" | "0001-01-01T00:00:00Z") {
        return "<unknown>".to_owned();
    }
    let written_well = format::is_date_time(time) && !time.contains(['t', 'z']);
    match Timestamp::parse(time).filter(|_| written_well) {
        Some(time) => time.age(now),
        None => "<invalid>".to_owned(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cell_is_the_value_where_its_type_is_the_columns() {
        let now = Timestamp::parse("2026-11-20T23:27:44Z").unwrap();
        for (kind, value, cell) in [
            (Kind::String, json!("a"), json!("a")),
            (Kind::String, json!(5), json!("5")),
            (Kind::String, json!(1.5), json!("1.5")),
            (Kind::String, json!(true), json!("true")),
            (Kind::String, json!(null), json!("<no value>")),
            (Kind::String, json!({"b": [1], "a": "<"}), json!("{\"a\":\"\\u003c\",\"b\":[1]}")),
            (Kind::Integer, json!(5), json!(5)),
            (Kind::Integer, json!(5.9), json!(5)),
            (Kind::Integer, json!("5"), json!(null)),
            (Kind::Integer, json!(null), json!(null)),
            (Kind::Number, json!(5), json!(5)),
            (Kind::Number, json!(5.5), json!(5.5)),
            (Kind::Number, json!("5"), json!(null)),
            (Kind::Boolean, json!(false), json!(false)),
            (Kind::Boolean, json!("false"), json!(null)),
            (Kind::Date, json!("2026-11-20T23:27:40Z"), json!("4s")),
            (Kind::Date, json!("2026-11-21T00:22:44+01:00"), json!("5m")),
            (Kind::Date, json!(""), json!("<unknown>")),
            (Kind::Date, json!("yesterday"), json!("<invalid>")),
            (Kind::Date, json!("2026-11-20 23:27:40Z"), json!("<invalid>")),
            (Kind::Date, json!(5), json!(null)),
            (Kind::Date, json!(null), json!(null)),
        ] {
            assert_eq!(print(kind, Some(&value), now), cell, "{kind:?} of {value}");
        }
        assert_eq!(print(Kind::String, None, now), json!(null));
    }
}
