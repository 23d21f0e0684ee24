//! What a schema says of one value and of those in it.

use serde_json::{Map, Value};

use super::{
    compose, number,
    outcome::{Cause, Outcome},
    ratchet::Pair,
};
use crate::{
    format::{Check, Format},
    path::Path,
    structural::node::{Additional, Checks, Node, Type, Types},
};

/// Checks a value; what is wrong is tolerated if the pair has not changed.
pub(super) fn tolerant(node: &Node, value: &Value, pair: Option<Pair<'_>>, path: &Path<'_>) -> Outcome {
    let outcome = strict(node, value, pair, path);
    match pair {
        Some(pair) if !outcome.is_valid() && pair.unchanged() => outcome.tolerated(),
        _ => outcome,
    }
}

/// Checks a value; only what is in it may be tolerated.
pub(super) fn strict(node: &Node, value: &Value, pair: Option<Pair<'_>>, path: &Path<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    if value.is_null() {
        null(node, path, &mut outcome);
        one_of_values(&node.checks, value, path, &mut outcome);
        return outcome;
    }
    if node.types != Types::Any || node.checks.format.is_some() {
        outcome.matches += 1;
        types(node, value, path, &mut outcome);
    }
    compose::check(&node.checks, value, path, &mut outcome);
    match value {
        Value::String(text) => string(&node.checks, text, path, &mut outcome),
        Value::Number(number) => number::check(node, number, path, &mut outcome),
        Value::Array(items) => array(node, items, pair, path, &mut outcome),
        _ => {}
    }
    one_of_values(&node.checks, value, path, &mut outcome);
    if let Value::Object(fields) = value {
        object(node, fields, pair, path, &mut outcome);
    }
    // Once for each kind of check that applies (composition, the value's own, enum) and once for the whole.
    outcome.matches += 3 + usize::from(!value.is_boolean());
    outcome
}

fn null(node: &Node, path: &Path<'_>, outcome: &mut Outcome) {
    match node.types {
        Types::Any => outcome.matches += 1,
        _ if node.nullable => outcome.matches += 1,
        types => wrong_type(types.text(), "null", path, outcome),
    }
}

fn types(node: &Node, value: &Value, path: &Path<'_>, outcome: &mut Outcome) {
    let Some(found) = Type::of(value) else { return };
    let (types, format) = (node.types, &node.checks.format);
    let whole = found == Type::Number && value.as_f64().is_some_and(number::is_whole);
    let fits = types.contain(found)
        || whole && types.contain(Type::Integer)
        || found == Type::Integer && types.contain(Type::Number);
    match (found, format) {
        _ if fits => outcome.matches += 1,
        (Type::String | Type::Array, Some(_)) if types == Types::Any => outcome.matches += 1,
        (Type::String | Type::Array, _) | (_, None) => wrong_type(types.text(), found.text(), path, outcome),
        // Of other types the kube-apiserver compares formats, and names what it found by the format it would have.
        (_, Some(format)) => wrong_type(&format.name, format_of(found), path, outcome),
    }
}

fn format_of(found: Type) -> &'static str {
    match found {
        Type::Integer => "int64",
        Type::Number => "float64",
        _ => "",
    }
}

fn wrong_type(expected: &str, found: &str, path: &Path<'_>, outcome: &mut Outcome) {
    let message = format!("{path} in body must be of type {expected}: {}", quoted(found));
    outcome.add(path, message, Cause::WrongType { value: Value::from(found) });
}

fn string(checks: &Checks, text: &str, path: &Path<'_>, outcome: &mut Outcome) {
    limits(checks, text, path, outcome);
    if let Some(Format { name, check: Check::Text(check) }) = &checks.format {
        outcome.matches += 1;
        if !check(text) {
            let message = format!("{path} in body must be of type {name}: {}", quoted(text));
            outcome.add(path, message, Cause::WrongType { value: Value::from(text) });
        }
    }
}

/// The first of the limits that the text breaks.
fn limits(checks: &Checks, text: &str, path: &Path<'_>, outcome: &mut Outcome) {
    let counted = checks.max_length.is_some() || checks.min_length.is_some();
    let length = if counted { i64::try_from(text.chars().count()).unwrap_or(i64::MAX) } else { 0 };
    if let Some(max) = checks.max_length.filter(|max| length > *max) {
        let message = format!("{path} in body should be at most {max} chars long");
        outcome.add(path, message, Cause::TooLong { max });
    } else if let Some(min) = checks.min_length.filter(|min| length < *min) {
        outcome.invalid(path, text, &format!("should be at least {min} chars long"));
    } else if let Some(pattern) = checks.pattern.as_ref().filter(|pattern| !pattern.occurs_in(text)) {
        outcome.invalid(path, text, &format!("should match '{}'", pattern.source));
    }
}

fn array(node: &Node, items: &[Value], pair: Option<Pair<'_>>, path: &Path<'_>, outcome: &mut Outcome) {
    if let Some(item) = &node.items {
        let old = pair.and_then(Pair::items);
        for (index, value) in items.iter().enumerate() {
            let pair = old.as_ref().and_then(|old| old.pair(value));
            outcome.merge(tolerant(item, value, pair, &path.index(index)));
        }
    }
    let (size, checks) = (items.len(), &node.checks);
    if let Some(min) = checks.min_items.filter(|min| below(size, *min)) {
        outcome.invalid(path, size, &format!("should have at least {min} items"));
    }
    if let Some(max) = checks.max_items.filter(|max| above(size, *max)) {
        let message = format!("{path} in body should have at most {max} items");
        outcome.add(path, message, Cause::TooMany { actual: size, max });
    }
    outcome.matches += 1;
}

fn object(node: &Node, fields: &Map<String, Value>, pair: Option<Pair<'_>>, path: &Path<'_>, outcome: &mut Outcome) {
    let (size, checks) = (fields.len(), &node.checks);
    if let Some(min) = checks.min_properties.filter(|min| below(size, *min)) {
        outcome.invalid(path, size, &format!("should have at least {min} properties"));
    }
    if let Some(max) = checks.max_properties.filter(|max| above(size, *max)) {
        let message = format!("{path} in body should have at most {max} properties");
        outcome.add(path, message, Cause::TooMany { actual: size, max });
    }
    entries(node, fields, pair, path, outcome);
    for (name, property) in &node.properties {
        if let Some(value) = fields.get(name) {
            // The version of the type does not show a change, so nothing about it is tolerated.
            let typed = path.is_root() && matches!(name.as_str(), "apiVersion" | "kind");
            let pair = pair.filter(|_| !typed).and_then(|pair| pair.field(name));
            outcome.merge(tolerant(property, value, pair, &path.field(name)));
        }
    }
    for name in checks.required.iter().filter(|name| !fields.contains_key(*name)) {
        let at = path.field(name);
        outcome.add(&at, format!("{path}.{name} in body is required"), Cause::Required);
    }
}

/// The fields that are no properties.
fn entries(node: &Node, fields: &Map<String, Value>, pair: Option<Pair<'_>>, path: &Path<'_>, outcome: &mut Outcome) {
    let Some(additional) = &node.additional else { return };
    let path = if path.is_root() { &Path::At("") } else { path };
    for (key, value) in fields.iter().filter(|(key, _)| !node.properties.contains_key(*key)) {
        match additional {
            Additional::Allowed => {}
            Additional::Like(entry) => {
                let pair = pair.and_then(|pair| pair.field(key));
                outcome.merge(tolerant(entry, value, pair, &path.field(key)));
            }
            Additional::Forbidden => {
                let message = format!("{path}.{key} in body is a forbidden property");
                outcome.add(path, message, Cause::Invalid { value: Value::from(key.as_str()) });
            }
        }
    }
}

fn one_of_values(checks: &Checks, value: &Value, path: &Path<'_>, outcome: &mut Outcome) {
    let allowed = &checks.one_of_values;
    if allowed.is_empty() || !value.is_null() && allowed.iter().any(|one| number::equal(one, value)) {
        return;
    }
    let plain = |one: &Value| one.as_str().map_or_else(|| one.to_string(), str::to_owned);
    let supported: Vec<String> = allowed.iter().map(plain).collect();
    let message = format!("{path} in body should be one of [{}]", supported.join(" "));
    outcome.add(path, message, Cause::NotSupported { value: value.clone(), supported });
}

/// Text as Go quotes it.
pub(super) fn quoted(text: &str) -> String {
    machinery::field::BadValue::from(text).to_string()
}

fn below(size: usize, min: i64) -> bool {
    i64::try_from(size).is_ok_and(|size| size < min)
}

fn above(size: usize, max: i64) -> bool {
    i64::try_from(size).map_or(true, |size| size > max)
}
