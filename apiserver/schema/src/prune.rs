//! Dropping what a schema does not know, as the kube-apiserver drops it, and saying what was dropped.
//!
//! The three fields that every object has (`apiVersion`, `kind`, `metadata`) are kept at the root and in embedded
//! resources whatever the schema says of them.

use machinery::meta;
use serde_json::Value;

use crate::{
    path::Path,
    structural::{
        Schema,
        node::{Additional, Node},
    },
};

const META: [&str; 3] = ["apiVersion", "kind", "metadata"];

// === impl Schema ===

impl Schema {
    /// Drops the fields of `object` that the schema does not know and returns their paths in order, as strict decoding
    /// names them: `spec.nope`, `spec.items[0].x`. The root's own metadata is the business of `machinery::meta`.
    pub fn prune(&self, object: &mut Value) -> Vec<String> {
        let mut pruner = Pruner { unknown: Vec::new() };
        pruner.described(object, &self.root, Mode::Root, &Path::Root);
        pruner.unknown.sort_unstable();
        pruner.unknown
    }
}

/// Drops what the schema of a part does not know.
pub(crate) fn part(value: &mut Value, node: &Node) {
    Pruner { unknown: Vec::new() }.described(value, node, Mode::Part, &Path::Root);
}

struct Pruner {
    unknown: Vec<String>,
}

/// What a described value is.
#[derive(Clone, Copy, PartialEq)]
enum Mode {
    /// A whole object.
    Root,
    /// A part of one.
    Part,
    /// An item of a list that preserves unknown fields: its own are preserved too.
    Preserved,
}

// === impl Pruner ===

impl Pruner {
    /// A value with a schema.
    fn described(&mut self, value: &mut Value, node: &Node, mode: Mode, path: &Path<'_>) {
        let resource = mode == Mode::Root || node.embedded;
        let preserve = mode == Mode::Preserved || node.preserve_unknown;
        match value {
            Value::Object(object) => object.retain(|key, value| {
                if resource && META.contains(&key.as_str()) {
                    return true;
                }
                let at = path.field(key);
                match (node.properties.get(key), &node.additional) {
                    (Some(property), _) => self.described(value, property, Mode::Part, &at),
                    (None, Some(Additional::Like(entry))) => self.described(value, entry, Mode::Part, &at),
                    (None, Some(_)) => self.unknown(value, &at),
                    (None, None) if preserve => {}
                    (None, None) => {
                        self.unknown.push(at.to_string());
                        return false;
                    }
                }
                true
            }),
            Value::Array(items) => self.items(items, node.items.as_deref(), preserve, path),
            _ => {}
        }
        if node.embedded && mode != Mode::Root {
            self.metadata(value, path);
        }
    }

    fn items(&mut self, items: &mut [Value], node: Option<&Node>, preserve: bool, path: &Path<'_>) {
        let mode = if preserve { Mode::Preserved } else { Mode::Part };
        for (index, value) in items.iter_mut().enumerate() {
            let at = path.index(index);
            match node {
                Some(item) => self.described(value, item, mode, &at),
                None if preserve => {}
                None => self.unknown(value, &at),
            }
        }
    }

    /// A value that nothing is known of: scalars and lists stay, objects lose their fields.
    fn unknown(&mut self, value: &mut Value, path: &Path<'_>) {
        match value {
            Value::Object(object) => {
                self.unknown.extend(object.keys().map(|key| path.field(key).to_string()));
                object.clear();
            }
            Value::Array(items) => {
                for (index, value) in items.iter_mut().enumerate() {
                    self.unknown(value, &path.index(index));
                }
            }
            _ => {}
        }
    }

    /// The metadata of an embedded resource is pruned as that of any object; what is malformed is left to validation.
    fn metadata(&mut self, value: &mut Value, path: &Path<'_>) {
        if value.get("metadata").is_some() {
            let unknown = meta::coerce(value).unwrap_or_default();
            self.unknown.extend(unknown.iter().map(|field| path.field(field).to_string()));
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn pruned(spec: Value, value: Value) -> (Value, Vec<String>) {
        let document = json!({"type": "object", "properties": {"spec": spec}});
        let schema = Schema::parse(document, "schema").unwrap();
        let mut object = json!({"spec": value});
        let unknown = schema.prune(&mut object);
        (object["spec"].take(), unknown)
    }

    #[test]
    fn unknown_fields_go_and_are_named() {
        let size = json!({"type": "object", "properties": {"size": {"type": "integer"}}});
        for (spec, value, left, unknown) in [
            (
                size.clone(),
                json!({"size": 1, "nope": {"a": 1}, "also": 2}),
                json!({"size": 1}),
                vec!["spec.also", "spec.nope"],
            ),
            (
                json!({"type": "array", "items": size}),
                json!([{"size": 1, "x": 2}, {"y": 3}]),
                json!([{"size": 1}, {}]),
                vec!["spec[0].x", "spec[1].y"],
            ),
            (
                json!({"type": "object", "additionalProperties": size}),
                json!({"a": {"x": 1}, "b": {"size": 2}}),
                json!({"a": {}, "b": {"size": 2}}),
                vec!["spec.a.x"],
            ),
            (
                json!({"type": "object", "additionalProperties": true}),
                json!({"a": 1, "b": {"x": 1}, "c": [{"y": [2]}, 3]}),
                json!({"a": 1, "b": {}, "c": [{}, 3]}),
                vec!["spec.b.x", "spec.c[0].y"],
            ),
            // A value of another type than the schema's is for validation to refuse.
            (json!({"type": "string"}), json!({"x": 1}), json!({}), vec!["spec.x"]),
            (size.clone(), json!("text"), json!("text"), vec![]),
            (size, json!({"apiVersion": "v1"}), json!({}), vec!["spec.apiVersion"]),
        ] {
            assert_eq!(
                pruned(spec.clone(), value),
                (left, unknown.iter().map(|u| (*u).to_owned()).collect()),
                "{spec}"
            );
        }
    }

    #[test]
    fn preserved_fields_stay_and_what_is_described_among_them_is_still_pruned() {
        let known = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
        let spec = json!({
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": true,
            "properties": {"known": known},
        });
        let value = json!({"free": {"x": [1, {"y": null}]}, "known": {"a": 1, "b": 2}});
        let left = json!({"free": {"x": [1, {"y": null}]}, "known": {"a": 1}});
        assert_eq!(pruned(spec, value), (left, vec!["spec.known.b".to_owned()]));

        let list = json!({"type": "array", "x-kubernetes-preserve-unknown-fields": true, "items": known});
        assert_eq!(pruned(list, json!([{"a": 1, "b": 2}])), (json!([{"a": 1, "b": 2}]), vec![]));
    }

    #[test]
    fn what_every_object_has_stays_at_the_root() {
        let schema = Schema::parse(json!({"type": "object"}), "schema").unwrap();
        let mut object = json!({"apiVersion": "g/v1", "kind": "K", "metadata": {"name": "a", "x": 1}, "spec": {}});
        assert_eq!(schema.prune(&mut object), ["spec"]);
        assert_eq!(object, json!({"apiVersion": "g/v1", "kind": "K", "metadata": {"name": "a", "x": 1}}));
    }

    #[test]
    fn an_embedded_resource_keeps_its_type_and_its_metadata_without_what_no_metadata_has() {
        let template = json!({
            "type": "object",
            "x-kubernetes-embedded-resource": true,
            "properties": {"spec": {"type": "object"}},
        });
        let value = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "foo": 1}, "spec": {}, "x": 1});
        let (left, unknown) = pruned(template, value);
        assert_eq!(left, json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {}}));
        assert_eq!(unknown, ["spec.metadata.foo", "spec.x"]);
    }
}
