//! Owner references: their rules, and how Go shows them.

use serde_json::Value;

use super::view::OwnerReference;
use crate::{
    GroupVersion,
    field::{BadValue, Error, ErrorList, Path},
    go,
};

/// What is wrong with the owners of an object.
pub(super) fn validate(references: &[Value], path: &Path) -> ErrorList {
    let mut errors = ErrorList::new();
    let mut controller: Option<String> = None;
    for reference in references.iter().map(OwnerReference::of) {
        errors.extend(one(&reference, path));
        if !reference.controller {
            continue;
        }
        let current = format!("{}/{}", reference.kind, reference.name);
        match &controller {
            None => controller = Some(current),
            Some(first) => {
                let detail = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {current}"
                );
                errors.push(Error::invalid(path, BadValue::Text(list(references)), &detail));
            }
        }
    }
    errors
}

fn one(reference: &OwnerReference<'_>, path: &Path) -> ErrorList {
    let mut errors = ErrorList::new();
    let version = GroupVersion::parse(reference.api_version).unwrap_or_default();
    let mut empty = |field: &str, value: &str, detail: &str| {
        errors.push(Error::invalid(path.child(field), value, detail));
    };
    if version.version.is_empty() {
        empty("apiVersion", reference.api_version, "version must not be empty");
    }
    for (field, value) in [("kind", reference.kind), ("name", reference.name), ("uid", reference.uid)] {
        if value.is_empty() {
            empty(field, value, "must not be empty");
        }
    }
    if (version.group.as_str(), version.version.as_str(), reference.kind) == ("", "v1", "Event") {
        let detail = format!("{} is disallowed from being an owner", version.with_kind(reference.kind));
        errors.push(Error::invalid(path, BadValue::Text(show(reference, None)), &detail));
    }
    errors
}

/// References as JSON with the fields in the order of Go's struct.
fn list(references: &[Value]) -> String {
    let shown: Vec<_> = references.iter().map(|value| show(&OwnerReference::of(value), Some(value))).collect();
    format!("[{}]", shown.join(","))
}

fn show(reference: &OwnerReference<'_>, value: Option<&Value>) -> String {
    let quote = |text: &str| Value::from(text).to_string();
    let mut shown = format!(
        "{{\"apiVersion\":{},\"kind\":{},\"name\":{},\"uid\":{}",
        quote(reference.api_version),
        quote(reference.kind),
        quote(reference.name),
        quote(reference.uid)
    );
    for flag in ["controller", "blockOwnerDeletion"] {
        if let Some(Value::Bool(set)) = value.and_then(|value| value.get(flag)) {
            shown.push_str(&format!(",{}:{set}", go::quote(flag)));
        }
    }
    shown.push('}');
    shown
}
