//! What a record may not have, whichever database it goes to. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, value::to_raw_value};

use crate::{Error, Json, Kind, Report, Result};

/// Characters of a cluster's name at most.
const CLUSTER_NAME: usize = 63;
/// Characters of a node pool's name at most.
const NODE_POOL_NAME: usize = 255;
/// Bytes of a label's key at most: a prefix, a slash and a name.
const LABEL_KEY: usize = 317;
/// Bytes of a label's value at most. Kubernetes allows 63 characters.
const LABEL_VALUE: usize = 1024;
/// Characters of an adapter's name at most.
const ADAPTER: usize = 253;

fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Error {
    Error::Invalid { field: field.into(), reason: reason.into() }
}

pub(crate) fn name(kind: Kind, name: &str) -> Result<()> {
    let longest = match kind {
        Kind::Cluster => CLUSTER_NAME,
        Kind::NodePool => NODE_POOL_NAME,
    };
    text("name", name, longest)
}

/// A text of no more than so many characters, and without NUL, which PostgreSQL cannot keep.
pub(crate) fn text(field: &str, text: &str, longest: usize) -> Result<()> {
    if text.contains('\0') {
        return Err(invalid(field, "must not have a NUL character"));
    }
    match text.chars().nth(longest) {
        Some(_) => Err(invalid(field, format!("must be no longer than {longest} characters"))),
        None => Ok(()),
    }
}

pub(crate) fn labels(labels: &BTreeMap<String, String>) -> Result<()> {
    for (key, value) in labels {
        let field = || format!("labels.{}", key.chars().take(LABEL_KEY).collect::<String>().replace('\0', "\u{fffd}"));
        if key.is_empty() {
            return Err(invalid("labels", "a key must not be empty"));
        }
        if key.contains('\0') || value.contains('\0') {
            return Err(invalid(field(), "must not have a NUL character"));
        }
        if key.len() > LABEL_KEY {
            return Err(invalid(field(), format!("the key must be no longer than {LABEL_KEY} bytes")));
        }
        if value.len() > LABEL_VALUE {
            return Err(invalid(field(), format!("must be no longer than {LABEL_VALUE} bytes")));
        }
    }
    Ok(())
}

/// An object, written one way: keys in order, each once, without spaces. So equal objects are equal texts.
pub(crate) fn object(field: &str, json: &Json) -> Result<Json> {
    let value: Value = serde_json::from_str(json.get()).map_err(|error| invalid(field, error.to_string()))?;
    if !value.is_object() {
        return Err(invalid(field, "must be an object"));
    }
    no_nul(field, &value)?;
    to_raw_value(&value).map_err(|error| invalid(field, error.to_string()))
}

/// Neither database can search in a text that has a NUL.
fn no_nul(field: &str, value: &Value) -> Result<()> {
    let refuse = |field: &str| Err(invalid(field, "must not have a NUL character"));
    match value {
        Value::String(text) if text.contains('\0') => refuse(field),
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(index, item)| no_nul(&format!("{field}.{index}"), item))
        }
        Value::Object(members) => members.iter().try_for_each(|(key, member)| match key.contains('\0') {
            true => refuse(field),
            false => no_nul(&format!("{field}.{key}"), member),
        }),
        _ => Ok(()),
    }
}

pub(crate) fn report(report: &Report) -> Result<()> {
    if report.adapter.is_empty() {
        return Err(invalid("adapter", "must not be empty"));
    }
    text("adapter", &report.adapter, ADAPTER)?;
    for (index, condition) in report.conditions.iter().enumerate() {
        let field = |name| format!("conditions.{index}.{name}");
        text(&field("type"), &condition.r#type, usize::MAX)?;
        text(&field("status"), &condition.status, usize::MAX)?;
        text(&field("reason"), condition.reason.as_deref().unwrap_or_default(), usize::MAX)?;
        text(&field("message"), condition.message.as_deref().unwrap_or_default(), usize::MAX)?;
        no_nul(&format!("conditions.{index}"), &Value::Object(condition.others.clone()))?;
    }
    no_nul("data", &Value::Object(report.data.clone()))?;
    no_nul("metadata", report.metadata.as_ref().unwrap_or(&Value::Null))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        serde_json::from_str(text).unwrap()
    }

    fn field_of(result: Result<impl std::fmt::Debug>) -> String {
        match result {
            Err(Error::Invalid { field, .. }) => field,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_are_bounded_in_characters() {
        for (kind, longest) in [(Kind::Cluster, 63), (Kind::NodePool, 255)] {
            assert!(name(kind, &"ä".repeat(longest)).is_ok());
            assert_eq!(field_of(name(kind, &"ä".repeat(longest + 1))), "name");
        }
        assert_eq!(field_of(name(Kind::Cluster, "a\0")), "name");
    }

    #[test]
    fn an_object_is_written_one_way() {
        let written = object("spec", &json("{ \"b\" : 1.50, \"a\": [1, {\"y\":0,\"x\":\"\\u00e4\"}] }")).unwrap();
        assert_eq!(written.get(), "{\"a\":[1,{\"x\":\"ä\",\"y\":0}],\"b\":1.5}");
    }

    #[test]
    fn a_spec_that_cannot_be_kept_is_refused_with_its_field() {
        for (text, field) in [
            ("[]", "spec"),
            ("null", "spec"),
            ("{\"a\":[{\"b\":\"\\u0000\"}]}", "spec.a.0.b"),
            ("{\"a\":{\"\\u0000\":1}}", "spec.a"),
            ("{\"a\":\"\\ud800\"}", "spec"),
            ("{\"a\":1e999}", "spec"),
        ] {
            assert_eq!(field_of(object("spec", &json(text))), field, "{text}");
        }
    }

    #[test]
    fn labels_fit_into_their_index() {
        let one = |key: &str, value: &str| labels(&BTreeMap::from([(key.to_owned(), value.to_owned())]));
        assert!(one(&"k".repeat(LABEL_KEY), &"v".repeat(LABEL_VALUE)).is_ok());
        for (key, value) in [
            ("", "v"),
            ("k\0", "v"),
            ("k", "\0"),
            (&*"k".repeat(LABEL_KEY + 1), "v"),
            ("k", &*"v".repeat(LABEL_VALUE + 1)),
        ] {
            assert!(field_of(one(key, value)).starts_with("labels"));
        }
    }
}
