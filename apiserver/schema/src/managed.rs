//! How the lists and maps of a schema are owned, which managed fields need to know.

use machinery::managed_fields::{FieldTypes, ListType, MapType};
use serde_json::Value;

use crate::structural::{
    Schema,
    node::{List, Node},
};

/// Where a schema describes nothing, lists are owned as wholes and maps by field.
impl FieldTypes for Schema {
    fn list(&self, path: &[&str]) -> ListType {
        match self.at(path).map(|node| &node.list) {
            None | Some(List::Atomic) => ListType::Atomic,
            Some(List::Set) => ListType::Set,
            Some(List::Map(keys)) => ListType::Map(keys.clone()),
        }
    }

    fn map(&self, path: &[&str]) -> MapType {
        if self.at(path).is_some_and(|node| node.atomic_map) { MapType::Atomic } else { MapType::Granular }
    }

    fn is_declared(&self, path: &[&str]) -> bool {
        let Some((name, above)) = path.split_last() else { return false };
        self.at(above).is_some_and(|node| node.properties.contains_key(*name))
    }

    fn key_default(&self, path: &[&str], key: &str) -> Option<Value> {
        self.at(path)?.items.as_ref()?.properties.get(key)?.default.clone()
    }

    fn has_version(&self, api_version: &str) -> bool {
        self.api_versions.is_empty() || self.api_versions.iter().any(|served| served == api_version)
    }
}

impl Schema {
    /// The schema at a path of fields, keys of maps, and `*` for the items of lists.
    fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(&self.root, |node, step| match &node.items {
            Some(item) if *step == "*" => Some(item.as_ref()),
            _ => node.entry(step),
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_and_maps_are_owned_as_the_schema_says() {
        let port = json!({
            "type": "object",
            "required": ["port"],
            "properties": {"port": {"type": "integer"}, "protocol": {"type": "string", "default": "TCP"}, "names": {"type": "array", "items": {"type": "string"}}},
        });
        let document = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "ports": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port"], "items": port},
            "labels": {"type": "object", "additionalProperties": {"type": "object", "x-kubernetes-map-type": "atomic"}},
            "extra": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        }}}});
        let schema = Schema::parse(document, "schema").unwrap();
        assert_eq!(schema.list(&["spec", "tags"]), ListType::Set);
        assert_eq!(schema.list(&["spec", "ports"]), ListType::Map(vec!["port".to_owned()]));
        assert_eq!(schema.list(&["spec", "ports", "*", "names"]), ListType::Atomic);
        assert_eq!(schema.list(&["spec", "extra", "anything"]), ListType::Atomic);
        assert_eq!(schema.map(&["spec"]), MapType::Granular);
        assert_eq!(schema.map(&["spec", "labels"]), MapType::Granular);
        assert_eq!(schema.map(&["spec", "labels", "*"]), MapType::Atomic);
        assert_eq!(schema.map(&["spec", "extra", "anything"]), MapType::Granular);
        assert!(schema.is_declared(&["spec", "ports", "*", "port"]) && schema.is_declared(&["spec", "extra"]));
        assert!(!schema.is_declared(&["spec", "labels", "a"]) && !schema.is_declared(&["spec", "extra", "anything"]));
        assert_eq!(schema.key_default(&["spec", "ports"], "protocol"), Some(json!("TCP")));
        assert_eq!(schema.key_default(&["spec", "ports"], "port"), None);
        assert!(schema.has_version("any/v1"), "a schema on its own knows no versions");
    }
}
