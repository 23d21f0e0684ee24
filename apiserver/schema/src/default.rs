//! Filling in defaults, after dropping the nulls that stand for "not set".
//!
//! A null where the schema is not nullable means an absent value: it becomes the default if there is one and goes if
//! there is none. Nulls in lists stay, since dropping one would move the others; validation refuses them.

use serde_json::Value;

use crate::structural::{
    Schema,
    node::{Additional, Node},
};

// === impl Schema ===

impl Schema {
    /// Fills in the defaults that `object`, which is pruned, leaves out, at every depth.
    pub fn default(&self, object: &mut Value) {
        drop_nulls(object, &self.root);
        self.fill(object);
    }

    /// As [`Schema::default`], but a null for which there is no default stays, to be refused.
    pub fn fill(&self, object: &mut Value) {
        fill(object, &self.root);
    }
}

fn drop_nulls(value: &mut Value, node: &Node) {
    match value {
        Value::Object(object) => object.retain(|key, value| {
            let Some(entry) = node.entry(key) else { return true };
            drop_nulls(value, entry);
            !entry.refuses(value) || entry.default.is_some()
        }),
        Value::Array(items) => {
            if let Some(item) = &node.items {
                items.iter_mut().for_each(|value| drop_nulls(value, item));
            }
        }
        _ => {}
    }
}

fn fill(value: &mut Value, node: &Node) {
    match value {
        Value::Object(object) => {
            for (name, property) in &node.properties {
                if let Some(default) = &property.default
                    && object.get(name).is_none_or(|value| property.refuses(value))
                {
                    object.insert(name.clone(), default.clone());
                }
            }
            for (key, value) in object.iter_mut() {
                match (node.properties.get(key), &node.additional) {
                    (Some(property), _) => fill(value, property),
                    (None, Some(Additional::Like(entry))) => replace_and_fill(value, entry),
                    _ => {}
                }
            }
        }
        Value::Array(items) => {
            if let Some(item) = &node.items {
                items.iter_mut().for_each(|value| replace_and_fill(value, item));
            }
        }
        _ => {}
    }
}

/// Entries and items have no name to be absent under: only a null takes the default.
fn replace_and_fill(value: &mut Value, node: &Node) {
    if node.refuses(value)
        && let Some(default) = &node.default
    {
        *value = default.clone();
    }
    fill(value, node);
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_are_filled_in_at_every_depth() {
        let color = json!({"type": "string", "default": "red"});
        let painted = json!({"type": "object", "properties": {"color": color}});
        let fallback = json!({"type": "object", "default": {"deep": {}}, "properties": {"deep": painted}});
        for (spec, value, expected) in [
            (painted.clone(), json!({}), json!({"color": "red"})),
            (painted.clone(), json!({"color": "blue"}), json!({"color": "blue"})),
            (painted.clone(), json!({"color": ""}), json!({"color": ""})),
            (painted.clone(), json!("text"), json!("text")),
            (
                json!({"type": "array", "items": painted}),
                json!([{}, {"color": "x"}]),
                json!([{"color": "red"}, {"color": "x"}]),
            ),
            (
                json!({"type": "object", "additionalProperties": painted}),
                json!({"a": {}}),
                json!({"a": {"color": "red"}}),
            ),
            // Defaults inside a default are filled in too.
            (
                json!({"type": "object", "properties": {"f": fallback}}),
                json!({}),
                json!({"f": {"deep": {"color": "red"}}}),
            ),
            // An absent object is not made up for the sake of defaults in it.
            (json!({"type": "object", "properties": {"a": painted}}), json!({}), json!({})),
        ] {
            assert_eq!(defaulted(spec.clone(), value), expected, "{spec}");
        }
    }

    #[test]
    fn a_null_that_is_not_nullable_is_an_absent_value() {
        let field = |field: Value| json!({"type": "object", "properties": {"a": field}});
        let map = |entry: Value| json!({"type": "object", "additionalProperties": entry});
        let list = |item: Value| json!({"type": "array", "items": item});
        let null = json!({"a": null});
        for (spec, value, expected) in [
            (field(json!({"type": "string"})), null.clone(), json!({})),
            (field(json!({"type": "string", "default": "x"})), null.clone(), json!({"a": "x"})),
            (field(json!({"type": "string", "nullable": true})), null.clone(), null.clone()),
            (field(json!({"type": "string", "nullable": true, "default": "x"})), null.clone(), null.clone()),
            (map(json!({"type": "string"})), null.clone(), json!({})),
            (map(json!({"type": "string", "default": "x"})), null.clone(), json!({"a": "x"})),
            (map(json!({"type": "string", "nullable": true})), null.clone(), null.clone()),
            (list(json!({"type": "string"})), json!([null]), json!([null])),
            (list(json!({"type": "string", "default": "x"})), json!([null]), json!(["x"])),
            (list(field(json!({"type": "string"}))), json!([{"a": null}]), json!([{}])),
            (json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}), null.clone(), null),
        ] {
            assert_eq!(defaulted(spec.clone(), value), expected, "{spec}");
        }
    }

    fn defaulted(spec: Value, value: Value) -> Value {
        let schema = Schema::parse(json!({"type": "object", "properties": {"spec": spec}}), "schema").unwrap();
        let mut object = json!({"spec": value});
        schema.default(&mut object);
        object["spec"].take()
    }
}
