//! `ApplyConfiguration`: an object that an expression makes is merged into the one that is written.

use machinery::{managed_fields, meta};
use schema::{
    Schema,
    cel::{Made, Val},
};
use serde_json::Value;

/// The configuration that an expression made.
pub(super) fn read(value: &Val<'_>) -> Result<Value, String> {
    let Val::Made(made) = value else {
        return Err(format!("unsupported return type from ApplyConfiguration expression: {}", value.type_name()));
    };
    let wrong = misnamed(made);
    if !wrong.is_empty() {
        return Err(format!("type mismatch: {}", wrong.join("\n")));
    }
    value.to_json().map_err(|why| format!("invalid return type: {why}"))
}

/// Objects whose types are not called as the fields in which they stand.
pub(super) fn misnamed(made: &Made<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    check(made, made.name, &mut wrong);
    wrong
}

fn check(made: &Made<'_>, path: &str, wrong: &mut Vec<String>) {
    if made.name != path {
        wrong.push(format!(
            "unexpected type name {:?}, expected {path:?}, which matches field name path from root Object type",
            made.name
        ));
    }
    for (field, value) in &made.fields {
        check_value(value, &format!("{path}.{field}"), wrong);
    }
}

fn check_value(value: &Val<'_>, path: &str, wrong: &mut Vec<String>) {
    match value {
        Val::Made(made) => check(made, path, wrong),
        Val::List(items) => items.iter().for_each(|item| check_value(item, path, wrong)),
        Val::Map(entries) => entries.iter().for_each(|(_, value)| check_value(value, path, wrong)),
        _ => {}
    }
}

/// `object` with everything that the configuration says.
pub(super) fn apply(object: &Value, mut config: Value, schema: &Schema) -> Result<Value, String> {
    merge(object, &mut config, schema).map_err(|why| format!("error applying patch: {why}"))
}

fn merge(object: &Value, config: &mut Value, schema: &Schema) -> Result<Value, String> {
    for field in ["apiVersion", "kind"] {
        config[field] = object[field].clone();
    }
    let untyped = |why: String| format!("failed to convert patch object to typed object: {why}");
    managed_fields::check(config, schema).map_err(untyped)?;
    let mut known = config.clone();
    let unknown = meta::coerce(&mut known).map_err(untyped)?;
    if let Some(path) = unknown.into_iter().chain(schema.prune(&mut known)).next() {
        return Err(untyped(format!(".{path}: field not declared in schema")));
    }
    let atomics = managed_fields::atomics(config, schema);
    if !atomics.is_empty() {
        let atomics = atomics.join(", ");
        return Err(format!("invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: {atomics}"));
    }
    Ok(managed_fields::merge(object, config, schema))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Schema {
        let text = json!({"type": "string"});
        let item = json!({"type": "object", "required": ["k"], "properties": {"k": text, "v": text}});
        Schema::parse(
            json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
                "a": text,
                "b": text,
                "list": {"type": "array", "items": text},
                "map": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": item},
            }}}}),
            "~",
        )
        .unwrap()
    }

    #[test]
    fn a_configuration_is_merged_by_field_and_by_item() {
        let object = json!({
            "apiVersion": "e/v1", "kind": "T", "metadata": {"name": "n", "labels": {"x": "y"}},
            "spec": {"a": "1", "map": [{"k": "1", "v": "old"}, {"k": "2"}]},
        });
        let config = json!({"metadata": {"labels": {"l": "m"}}, "spec": {"b": "2", "map": [{"k": "1", "v": "new"}, {"k": "3"}]}});
        let expected = json!({
            "apiVersion": "e/v1", "kind": "T", "metadata": {"name": "n", "labels": {"x": "y", "l": "m"}},
            "spec": {"a": "1", "b": "2", "map": [{"k": "1", "v": "new"}, {"k": "2"}, {"k": "3"}]},
        });
        let merged = apply(&object, config, &schema()).unwrap();
        assert_eq!(merged["metadata"], expected["metadata"]);
        assert_eq!(merged["spec"]["b"], "2");
        assert_eq!(merged["spec"]["map"].as_array().unwrap().len(), 3);
        assert_eq!(merged["spec"]["map"][0], json!({"k": "1", "v": "new"}));
    }

    #[test]
    fn what_cannot_be_merged_is_refused() {
        let object = json!({"apiVersion": "e/v1", "kind": "T", "spec": {}});
        for (config, why) in [
            (
                json!({"spec": {"list": ["x"]}}),
                "error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.list",
            ),
            (
                json!({"spec": {"nope": 1}}),
                "error applying patch: failed to convert patch object to typed object: .spec.nope: field not declared in schema",
            ),
        ] {
            assert_eq!(apply(&object, config, &schema()).unwrap_err(), why);
        }
    }
}
