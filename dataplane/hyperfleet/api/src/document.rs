//! The OpenAPI document: ours, with the provider's specs in it.

use std::collections::BTreeSet;

use bytes::Bytes;
use serde_json::{Map, Value};

/// Our own words on every endpoint.
const OWN: &str = include_str!("../openapi.yaml");

/// What a provider decides.
const SPECS: [&str; 2] = ["ClusterSpec", "NodePoolSpec"];

/// The OpenAPI document as JSON.
#[derive(Debug, Clone)]
pub(crate) struct Document(pub(crate) Bytes);

// === impl Document ===

impl Document {
    /// Without a provider's schemas: a spec is any object.
    pub(crate) fn own() -> Self {
        Self::of(&own())
    }

    /// With the specs of a provider's document, and what they refer to.
    pub(crate) fn with(provider: &Value) -> Self {
        let mut document = own();
        let schemas = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
        if let (Some(schemas), Some(theirs)) =
            (schemas, provider.pointer("/components/schemas").and_then(Value::as_object))
        {
            for name in reachable(theirs) {
                if SPECS.contains(&name.as_str()) || !schemas.contains_key(&name) {
                    schemas.insert(name.clone(), theirs[&name].clone());
                }
            }
        }
        Self::of(&document)
    }

    fn of(document: &Value) -> Self {
        Self(document.to_string().into())
    }
}

fn own() -> Value {
    let mut document = machinery::yaml::decode(OWN.as_bytes()).expect("our own document is YAML").value;
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    document
}

/// The specs, and what is referred to from them.
fn reachable(schemas: &Map<String, Value>) -> BTreeSet<String> {
    let (mut found, mut queue) = (BTreeSet::new(), SPECS.map(str::to_owned).to_vec());
    while let Some(name) = queue.pop() {
        if let Some(schema) = schemas.get(&name).filter(|_| found.insert(name)) {
            references(schema, &mut queue);
        }
    }
    found.retain(|name| schemas.contains_key(name));
    found
}

fn references(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            let reference = object.get("$ref").and_then(Value::as_str);
            names.extend(reference.and_then(|it| it.strip_prefix("#/components/schemas/")).map(str::to_owned));
            object.values().for_each(|value| references(value, names));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, names)),
        _ => {}
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(document: &Document) -> Value {
        serde_json::from_slice(&document.0).unwrap()
    }

    #[test]
    fn every_reference_of_our_document_leads_somewhere() {
        fn check(value: &Value, document: &Value) {
            match value {
                Value::Object(object) => {
                    if let Some(pointer) = object.get("$ref").and_then(Value::as_str) {
                        assert!(document.pointer(&pointer[1..]).is_some(), "{pointer}");
                    }
                    object.values().for_each(|value| check(value, document));
                }
                Value::Array(items) => items.iter().for_each(|value| check(value, document)),
                _ => {}
            }
        }
        let document = parsed(&Document::own());
        check(&document, &document);
        assert_eq!(document["openapi"], "3.0.3");
    }

    #[test]
    fn every_path_of_the_document_is_served_with_its_methods_and_no_others() {
        let document = parsed(&Document::own());
        for (path, operations) in document["paths"].as_object().unwrap() {
            let target = crate::route::target(&path.replace(['{', '}'], "")).unwrap_or_else(|| panic!("{path}"));
            let documented: BTreeSet<String> = operations
                .as_object()
                .unwrap()
                .keys()
                .filter(|key| *key != "parameters")
                .map(|key| key.to_uppercase())
                .collect();
            let allowed: BTreeSet<String> = target.allowed().split(", ").map(str::to_owned).collect();
            assert_eq!(documented, allowed, "{path}");
        }
    }

    #[test]
    fn a_providers_specs_come_with_what_they_refer_to() {
        let provider = json!({ "components": { "schemas": {
            "ClusterSpec": { "properties": { "gcp": { "$ref": "#/components/schemas/Gcp" } } },
            "NodePoolSpec": { "type": "object" },
            "Gcp": { "properties": { "again": { "$ref": "#/components/schemas/Gcp" } } },
            "Cluster": { "description": "theirs" },
            "Unused": {},
        }}});
        let schemas = parsed(&Document::with(&provider))["components"]["schemas"].clone();
        assert_eq!(schemas["ClusterSpec"], provider["components"]["schemas"]["ClusterSpec"]);
        assert!(schemas.get("Gcp").is_some() && schemas.get("Unused").is_none());
        assert_ne!(schemas["Cluster"]["description"], "theirs");
    }
}
