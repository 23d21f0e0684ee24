//! The fields that searches and orders may name. To add one: a column and its row here.

use super::{Number, Text, Time, Value};
use crate::{Error, Kind, Result, tsl};

/// A field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Field {
    /// It has a type.
    Typed(Value),
    /// What it is compared with gives it a type.
    Spec(Vec<String>),
}

const TEXT: fn(&'static str) -> Value = |column| Value::Text(Text::Column(column));
const NUMBER: fn(&'static str) -> Value = |column| Value::Number(Number::Column(column));
const TIME: fn(&'static str) -> Value = |column| Value::Time(Time::Column(column));

/// A name, its type and its column.
type Column = (&'static str, fn(&'static str) -> Value, &'static str);

#[rustfmt::skip]
const COLUMNS: &[Column] = &[
    ("id",                          TEXT,   "id"),
    ("name",                        TEXT,   "name"),
    ("object_name",                 TEXT,   "object_name"),
    ("generation",                  NUMBER, "generation"),
    ("created_time",                TIME,   "created_time"),
    ("created_at",                  TIME,   "created_time"),
    ("created_by",                  TEXT,   "created_by"),
    ("updated_time",                TIME,   "updated_time"),
    ("updated_at",                  TIME,   "updated_time"),
    ("updated_by",                  TEXT,   "updated_by"),
    ("deleted_time",                TIME,   "deleted_time"),
    ("deleted_at",                  TIME,   "deleted_time"),
    ("deleted_by",                  TEXT,   "deleted_by"),
    ("status.phase",                TEXT,   "status_phase"),
    ("status_phase",                TEXT,   "status_phase"),
    ("status.observed_generation",  NUMBER, "status_observed_generation"),
    ("status_observed_generation",  NUMBER, "status_observed_generation"),
    ("status.last_transition_time", TIME,   "status_last_transition_time"),
    ("status_last_transition_time", TIME,   "status_last_transition_time"),
    ("status.last_updated_time",    TIME,   "status_last_updated_time"),
    ("status_last_updated_time",    TIME,   "status_last_updated_time"),
];

/// As [`COLUMNS`], of node pools only.
const OF_NODE_POOLS: &[Column] = &[("owner_id", TEXT, "owner_id"), ("owner_references.id", TEXT, "owner_id")];

/// The field with a name. An unknown one is an error that names the known.
pub(crate) fn field(name: &str, kind: Kind) -> Result<Field> {
    if let Some((_, typed, column)) = columns(kind).find(|(known, ..)| *known == name) {
        return Ok(Field::Typed(typed(column)));
    }
    let parts: Vec<&str> = name.split('.').collect();
    match parts.as_slice() {
        ["kind"] => Ok(Field::Typed(Value::Text(Text::Literal(kind.as_str().to_owned())))),
        ["labels", _, ..] => label(&name["labels.".len()..]),
        ["spec", path @ ..] if !path.is_empty() => spec(name, path),
        ["status", "conditions", condition] => Ok(Field::Typed(Value::Text(Text::Condition(member(name, condition)?)))),
        ["status", "conditions", condition, part] => {
            let condition = member(name, condition)?;
            Ok(Field::Typed(match *part {
                "status" => Value::Text(Text::Condition(condition)),
                "observed_generation" => Value::Number(Number::Condition(condition, "observed_generation")),
                "last_updated_time" => Value::Time(Time::Condition(condition, "last_updated_time")),
                "last_transition_time" => Value::Time(Time::Condition(condition, "last_transition_time")),
                _ => return Err(unknown(name, kind)),
            }))
        }
        _ => Err(unknown(name, kind)),
    }
}

fn columns(kind: Kind) -> impl Iterator<Item = &'static Column> {
    let of_kind = match kind {
        Kind::Cluster => &[],
        Kind::NodePool => OF_NODE_POOLS,
    };
    COLUMNS.iter().chain(of_kind)
}

fn label(key: &str) -> Result<Field> {
    match key.is_empty() {
        true => Err(Error::BadRequest("a label has no name: write labels.NAME".to_owned())),
        false => Ok(Field::Typed(Value::Text(Text::Label(key.to_owned())))),
    }
}

fn spec(name: &str, path: &[&str]) -> Result<Field> {
    let path = path.iter().map(|part| member(name, part)).collect::<Result<_>>()?;
    Ok(Field::Spec(path))
}

/// A member of a JSON object. Whatever a path in SQL might take for something else is refused.
fn member(name: &str, part: &str) -> Result<String> {
    let number = part.bytes().all(|byte| byte.is_ascii_digit());
    let plain = |character: char| !character.is_control() && !matches!(character, '"' | '\\');
    match number || !part.chars().all(plain) {
        true => Err(Error::BadRequest(format!(
            "{name:?} is no path: its parts are names, without quotes, and arrays are not searched"
        ))),
        false => Ok(part.to_owned()),
    }
}

fn unknown(name: &str, kind: Kind) -> Error {
    let known: Vec<&str> = columns(kind).map(|(name, ..)| *name).collect();
    Error::BadRequest(format!(
        "unknown field {name:?}: known are {}, kind, labels.NAME, spec.PATH, status.conditions.TYPE and its \
         .last_transition_time, .last_updated_time and .observed_generation",
        known.join(", ")
    ))
}

// === impl Field ===

impl Field {
    /// The field that stands in a search, or an error with its place.
    pub(super) fn find(found: &tsl::Field, kind: Kind) -> Result<Self> {
        field(&found.name, kind).map_err(|error| Error::BadRequest(format!("{error}, at character {}", found.at)))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_one_of_those_in_the_table() {
        for (name, expected) in [
            ("name", TEXT("name")),
            ("deleted_at", TIME("deleted_time")),
            ("labels.example.com/a-b", Value::Text(Text::Label("example.com/a-b".to_owned()))),
            ("status.conditions.Reconciled", Value::Text(Text::Condition("Reconciled".to_owned()))),
            (
                "status.conditions.X.observed_generation",
                Value::Number(Number::Condition("X".to_owned(), "observed_generation")),
            ),
        ] {
            assert_eq!(field(name, Kind::Cluster).unwrap(), Field::Typed(expected), "{name}");
        }
        assert_eq!(field("spec.a.b-c", Kind::Cluster).unwrap(), Field::Spec(vec!["a".to_owned(), "b-c".to_owned()]));
        assert!(field("owner_id", Kind::NodePool).is_ok());
    }

    #[test]
    fn any_other_is_refused_and_the_known_are_named() {
        for name in [
            "nope",
            "Name",
            "name; DROP TABLE clusters",
            "labels",
            "labels.",
            "spec",
            "spec.",
            "spec.a..b",
            "spec.a.0",
            "spec.\"",
            "status",
            "status.conditions.",
            "status.conditions.a.b",
            "owner_id",
            "properties.x",
        ] {
            let error = field(name, Kind::Cluster).unwrap_err();
            assert!(matches!(&error, Error::BadRequest(_)), "{name}: {error}");
        }
        assert!(field("nope", Kind::Cluster).unwrap_err().to_string().contains("status_phase"));
    }
}
