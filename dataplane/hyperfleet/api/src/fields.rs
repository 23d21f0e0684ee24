//! `fields=id,status.conditions.type`: parts of records, as they are.
//!
//! A path goes through objects and into each element of arrays. Whether it exists is decided by what records have, not by what the ones at
//! hand have, so that the answer does not depend on the data; below `spec`, `labels` and `data` anything may be.

use std::collections::BTreeMap;

use hyperfleet_records::Kind;
use serde_json::value::RawValue;

use crate::error::{Error, Result};

/// Longest list of fields, in characters.
const LONGEST: usize = 4096;
/// A path is not deeper than JSON may be.
const DEEPEST: usize = 128;

/// Which parts to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    /// All that is below.
    whole: bool,
    below: BTreeMap<String, Fields>,
}

/// What a record has at a place.
enum Shape {
    Leaf,
    Anything,
    Object(&'static [(&'static str, Shape)]),
}

use Shape::{Anything, Leaf, Object};

const CONDITION: &[(&str, Shape)] = &[
    ("created_time", Leaf),
    ("last_transition_time", Leaf),
    ("last_updated_time", Leaf),
    ("message", Leaf),
    ("observed_generation", Leaf),
    ("reason", Leaf),
    ("status", Leaf),
    ("type", Leaf),
];

const ADAPTER: &[(&str, Shape)] = &[
    ("adapter", Leaf),
    ("conditions", Anything),
    ("created_time", Leaf),
    ("data", Anything),
    ("last_report_time", Leaf),
    ("metadata", Anything),
    ("observed_generation", Leaf),
];

const STATUS: &[(&str, Shape)] = &[
    ("adapters", Object(ADAPTER)),
    ("conditions", Object(CONDITION)),
    ("last_transition_time", Leaf),
    ("last_updated_time", Leaf),
    ("observed_generation", Leaf),
    ("phase", Leaf),
];

const RECORD: &[(&str, Shape)] = &[
    ("created_by", Leaf),
    ("created_time", Leaf),
    ("deleted_by", Leaf),
    ("deleted_time", Leaf),
    ("generation", Leaf),
    ("href", Leaf),
    ("id", Leaf),
    ("kind", Leaf),
    ("labels", Anything),
    ("name", Leaf),
    ("spec", Anything),
    ("status", Object(STATUS)),
    ("updated_by", Leaf),
    ("updated_time", Leaf),
];

const OWNER: &[(&str, Shape)] = &[("href", Leaf), ("id", Leaf), ("kind", Leaf)];

// === impl Fields ===

impl Fields {
    /// Reads a list of paths; `None` when there is none.
    pub(crate) fn read(text: Option<&str>, kind: Kind) -> Result<Option<Self>> {
        let Some(text) = text else { return Ok(None) };
        if text.len() > LONGEST {
            return Err(Error::bad_request(format!("fields is longer than {LONGEST} characters")));
        }
        let mut fields = Self::default();
        for path in text.split(',').map(str::trim).filter(|path| !path.is_empty()) {
            let names: Vec<&str> = path.strip_suffix(".*").unwrap_or(path).split('.').collect();
            if names.len() > DEEPEST || !exists(&names, kind) {
                return Err(Error::bad_request(format!("unknown field in fields: '{path}'")));
            }
            fields.add(&names);
        }
        Ok((!fields.below.is_empty()).then_some(fields))
    }

    fn add(&mut self, names: &[&str]) {
        match names {
            [] => self.whole = true,
            [first, rest @ ..] => self.below.entry((*first).to_owned()).or_default().add(rest),
        }
    }

    /// The parts of `json` that are asked for; values are copied as they are.
    pub(crate) fn project(&self, json: &RawValue) -> String {
        let mut projected = String::new();
        self.write(json, &mut projected);
        projected
    }

    fn write(&self, json: &RawValue, out: &mut String) {
        if self.whole {
            return out.push_str(json.get());
        }
        match json.get().as_bytes().first() {
            Some(b'{') => self.write_object(json, out),
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(json.get()).unwrap_or_default();
                separated(out, "[]", items, |item, out| {
                    self.write(item, out);
                });
            }
            // A path into a scalar leads nowhere, and says so.
            _ => out.push_str("null"),
        }
    }

    fn write_object(&self, json: &RawValue, out: &mut String) {
        let object: BTreeMap<String, &RawValue> = serde_json::from_str(json.get()).unwrap_or_default();
        let kept = self.below.iter().filter_map(|(name, below)| Some((name, below, *object.get(name)?)));
        separated(out, "{}", kept.collect(), |(name, below, value), out| {
            out.push_str(&serde_json::to_string(name).expect("a string is JSON"));
            out.push(':');
            below.write(value, out);
        });
    }
}

fn separated<T>(out: &mut String, brackets: &str, items: Vec<T>, write: impl Fn(T, &mut String)) {
    let (open, close) = brackets.split_at(1);
    out.push_str(open);
    for (place, item) in items.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push_str(close);
}

fn exists(names: &[&str], kind: Kind) -> bool {
    match names {
        ["owner_references", rest @ ..] => kind == Kind::NodePool && within(rest, &Object(OWNER)),
        names => within(names, &Object(RECORD)),
    }
}

fn within(names: &[&str], shape: &Shape) -> bool {
    match (names, shape) {
        ([], _) => true,
        (names, Anything) => names.iter().all(|name| !name.is_empty()),
        (_, Leaf) => false,
        ([first, rest @ ..], Object(shape)) => {
            shape.iter().find(|(name, _)| name == first).is_some_and(|(_, shape)| within(rest, shape))
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const RECORD: &str = r#"{"id":"a","labels":{"x.y":"1","z":"2"},"spec":{"big":12345678901234567890,"a":[{"b":1,"c":2},{"c":3}]},"status":{"conditions":[{"type":"Ready","status":"True"}],"phase":"Ready"}}"#;

    fn projected(fields: &str) -> String {
        let record = RawValue::from_string(RECORD.to_owned()).unwrap();
        Fields::read(Some(fields), Kind::Cluster).unwrap().unwrap().project(&record)
    }

    #[test]
    fn paths_lead_through_objects_and_into_arrays() {
        assert_eq!(projected("id"), r#"{"id":"a"}"#);
        assert_eq!(projected("status.conditions.type, id"), r#"{"id":"a","status":{"conditions":[{"type":"Ready"}]}}"#);
        assert_eq!(projected("spec.a.b"), r#"{"spec":{"a":[{"b":1},{}]}}"#);
        assert_eq!(projected("spec.big"), r#"{"spec":{"big":12345678901234567890}}"#);
        assert_eq!(projected("status.*,status.phase"), projected("status"));
        assert_eq!(projected("spec.nope"), r#"{"spec":{}}"#);
        assert_eq!(projected("spec.big.below"), r#"{"spec":{"big":null}}"#);
    }

    #[test]
    fn what_no_record_has_is_refused_whatever_the_data() {
        for unknown in ["nope", "id.nope", "status.nope", "status.conditions.nope", "owner_references", "spec..a", "."]
        {
            assert!(Fields::read(Some(unknown), Kind::Cluster).is_err(), "{unknown}");
        }
        assert!(Fields::read(Some("owner_references.id"), Kind::NodePool).is_ok());
        assert!(Fields::read(Some(&"a,".repeat(5000)), Kind::Cluster).is_err());
        assert_eq!(Fields::read(Some(" , "), Kind::Cluster).unwrap(), None);
        assert_eq!(Fields::read(None, Kind::Cluster).unwrap(), None);
    }
}
