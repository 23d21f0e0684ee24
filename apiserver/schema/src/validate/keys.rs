//! Lists that are sets or maps: no two items may be the same, or have the same keys.

use std::collections::HashMap;

use machinery::field::Error;
use serde_json::{Map, Value};

use super::outcome::LIMIT;
use crate::{
    path::Path,
    structural::node::{Additional, List, Node},
};

/// The duplicates anywhere in an object.
pub(super) fn check(root: &Node, object: &Value) -> Vec<Error> {
    let mut errors = Vec::new();
    value(root, object, &Path::Root, &mut errors);
    errors.truncate(LIMIT);
    errors
}

fn value(node: &Node, value: &Value, path: &Path<'_>, errors: &mut Vec<Error>) {
    match value {
        Value::Object(fields) => object(node, fields, path, errors),
        Value::Array(items) => array(node, items, path, errors),
        _ => {}
    }
}

fn object(node: &Node, fields: &Map<String, Value>, path: &Path<'_>, errors: &mut Vec<Error>) {
    for (name, field) in fields {
        match (node.properties.get(name), &node.additional) {
            (Some(property), _) => value(property, field, &path.field(name), errors),
            (None, Some(Additional::Like(entry))) => value(entry, field, &path.key(name), errors),
            _ => {}
        }
    }
}

fn array(node: &Node, items: &[Value], path: &Path<'_>, errors: &mut Vec<Error>) {
    match &node.list {
        List::Atomic => {}
        List::Set => duplicates(items.iter().cloned(), path, errors),
        List::Map(keys) => map(items, keys, path, errors),
    }
    if let Some(item) = &node.items {
        for (index, one) in items.iter().enumerate() {
            value(item, one, &path.index(index), errors);
        }
    }
}

fn map(items: &[Value], keys: &[String], path: &Path<'_>, errors: &mut Vec<Error>) {
    let wrong = items.iter().position(|item| !item.is_object() && !item.is_null());
    if let Some(index) = wrong {
        let detail = "must be an object for an array of list-type map";
        errors.push(Error::invalid(path.index(index), items[index].clone(), detail));
        return;
    }
    let key_of = |item: &Value| {
        let value = |key: &String| Some((key.clone(), item.get(key)?.clone()));
        Value::Object(keys.iter().filter_map(value).collect())
    };
    duplicates(items.iter().map(key_of), path, errors);
}

/// Reports the second of several same values, and none of the others.
fn duplicates(values: impl Iterator<Item = Value>, path: &Path<'_>, errors: &mut Vec<Error>) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (index, value) in values.enumerate() {
        let times = seen.entry(value.to_string()).or_default();
        *times += 1;
        if *times == 2 && errors.len() < LIMIT {
            errors.push(Error::duplicate(path.index(index), value));
        }
    }
}
