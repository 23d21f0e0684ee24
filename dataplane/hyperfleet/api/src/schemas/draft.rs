//! From a schema of OpenAPI 3.0 to JSON Schema draft 4, of which it is a dialect.
//!
//! `exclusiveMinimum` is a boolean in both and `$ref` stands alone in both; only `nullable` is OpenAPI's own.

use anyhow::Context as _;
use serde_json::{Map, Value, json};

/// The schema of a name, with all that it may refer to.
pub(super) fn schema(document: &Value, name: &str) -> anyhow::Result<Value> {
    let schemas = document.pointer("/components/schemas").context("it has no components.schemas")?;
    schemas.get(name).with_context(|| format!("it has no components.schemas.{name}"))?;
    let mut components = schemas.clone();
    if let Value::Object(schemas) = &mut components {
        schemas.values_mut().for_each(translate);
    }
    Ok(json!({ "$ref": format!("#/components/schemas/{name}"), "components": { "schemas": components } }))
}

/// Translates a schema and those within it; what holds values (`enum`, `default`, `example`) is left alone.
fn translate(schema: &mut Value) {
    let Value::Object(schema) = schema else { return };
    if schema.remove("nullable") == Some(Value::Bool(true)) {
        allow_null(schema);
    }
    // Draft 4 would read them as something else: an id is a base of references there.
    schema.remove("id");
    schema.remove("$schema");
    for (keyword, value) in schema {
        match (keyword.as_str(), value) {
            ("properties", Value::Object(schemas)) => schemas.values_mut().for_each(translate),
            ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => schemas.iter_mut().for_each(translate),
            ("items" | "not" | "additionalProperties", schema) => translate(schema),
            _ => {}
        }
    }
}

fn allow_null(schema: &mut Map<String, Value>) {
    if let Some(kind @ Value::String(_)) = schema.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
}
