//! Resources embedded in an object (`x-kubernetes-embedded-resource`): each needs a type, and its metadata is validated
//! like any object's, except that a name need only fit in a path.

use machinery::{GroupVersion, field::Error, meta, name::path_segment};
use serde_json::Value;

use super::outcome::LIMIT;
use crate::{
    name::dns1035_label,
    path::Path,
    structural::node::{Additional, Node},
};

/// What is wrong with the resources embedded anywhere in an object.
pub(super) fn check(root: &Node, object: &Value) -> Vec<Error> {
    let mut errors = Vec::new();
    value(root, object, &Path::Root, &mut errors);
    errors.truncate(LIMIT);
    errors
}

fn value(node: &Node, value: &Value, path: &Path<'_>, errors: &mut Vec<Error>) {
    match value {
        Value::Object(fields) => {
            if node.embedded && errors.len() < LIMIT {
                resource(value, path, errors);
            }
            for (name, field) in fields {
                match (node.properties.get(name), &node.additional) {
                    (Some(property), _) => self::value(property, field, &path.field(name), errors),
                    (None, Some(Additional::Like(entry))) => self::value(entry, field, &path.key(name), errors),
                    _ => {}
                }
            }
        }
        Value::Array(items) => {
            let Some(node) = &node.items else { return };
            for (index, item) in items.iter().enumerate() {
                self::value(node, item, &path.index(index), errors);
            }
        }
        _ => {}
    }
}

fn resource(value: &Value, path: &Path<'_>, errors: &mut Vec<Error>) {
    for name in ["apiVersion", "kind"] {
        if value.get(name).is_none() {
            errors.push(Error::required(path.field(name), ""));
        }
    }
    text(value, "apiVersion", path, errors, |version| {
        GroupVersion::parse(version).err().map(|error| error.to_string())
    });
    text(value, "kind", path, errors, |kind| {
        let problems = dns1035_label(&kind.to_lowercase());
        let must = "may have mixed case, but should otherwise match: ";
        (!problems.is_empty()).then(|| format!("{must}{}", problems.join(",")))
    });
    if value.get("metadata").is_some() {
        metadata(value, path, errors);
    }
}

/// Checks a field that has to be a text, unless it is absent.
fn text(
    value: &Value,
    name: &str,
    path: &Path<'_>,
    errors: &mut Vec<Error>,
    problem: impl FnOnce(&str) -> Option<String>,
) {
    let detail = match value.get(name) {
        None => return,
        Some(Value::String(text)) if text.is_empty() => Some("must not be empty".to_owned()),
        Some(Value::String(text)) => problem(text),
        Some(_) => Some("must be a string".to_owned()),
    };
    if let Some(detail) = detail {
        errors.push(Error::invalid(path.field(name), &value[name], &detail));
    }
}

fn metadata(value: &Value, path: &Path<'_>, errors: &mut Vec<Error>) {
    let mut probe = serde_json::json!({"metadata": value["metadata"]});
    if let Err(why) = meta::coerce(&mut probe) {
        errors.push(Error::invalid(path.field("metadata"), &value["metadata"], &why));
        return;
    }
    let metadata = path.field("metadata");
    for key in ["name", "generateName"] {
        let name = probe["metadata"][key].take();
        if let Some(problem) = name.as_str().and_then(path_segment) {
            errors.push(Error::invalid(metadata.field(key), &name, &problem));
        }
    }
    // The names are checked; what else there is, is that of an object with a name.
    probe["metadata"]["name"] = Value::from("name");
    if let Some(fields) = probe["metadata"].as_object_mut() {
        fields.remove("generateName");
    }
    let namespaced = probe["metadata"]["namespace"].as_str().is_some_and(|namespace| !namespace.is_empty());
    for mut error in meta::validate(&probe, namespaced) {
        error.field = path.field(&error.field).to_string();
        errors.push(error);
    }
}
