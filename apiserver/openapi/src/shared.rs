//! The definitions that all kinds refer to: ObjectMeta, Status, DeleteOptions and what those refer to.
//!
//! They must be equal to upstream's. An aggregator merges the definitions of all servers and renames every one that
//! differs from its own, and with it whatever refers to it. So they come from `k8s-openapi`, which is generated from
//! upstream's documents; what it leaves out (list types, defaults) or adds (a required `metadata`) is set right here.
//!
//! One difference remains: upstream names every group of its scheme as a `DeleteOptions` kind, here it is the core one
//! alone. Aggregators compare definitions without that list.

use std::sync::LazyLock;

use k8s_openapi::{
    api::{autoscaling::v1::Scale, core::v1::ConfigMap},
    apimachinery::pkg::apis::meta::v1::{DeleteOptions, ListMeta, Patch, Status},
    schemars::{SchemaGenerator, generate::SchemaSettings},
};
use serde_json::{Map, Value, json};

pub(crate) const DELETE_OPTIONS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";
pub(crate) const LIST_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";
pub(crate) const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
pub(crate) const PATCH: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch";
pub(crate) const SCALE: &str = "io.k8s.api.autoscaling.v1.Scale";
pub(crate) const STATUS: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.Status";

/// Any kind will do: what is taken from it is how `metadata` is described.
const ANY_KIND: &str = "io.k8s.api.core.v1.ConfigMap";

/// Definitions by name.
pub(crate) type Definitions = Map<String, Value>;

/// As OpenAPI v2 has them.
pub(crate) fn v2() -> &'static Definitions {
    static V2: LazyLock<Definitions> = LazyLock::new(|| {
        let mut definitions = LIBRARY.clone();
        definitions.remove(ANY_KIND);
        definitions
    });
    &V2
}

/// As OpenAPI v3 has them: with defaults, and references wrapped where something is said about them.
pub(crate) fn v3() -> &'static Definitions {
    static V3: LazyLock<Definitions> = LazyLock::new(|| {
        let mut definitions = v2().clone();
        for definition in definitions.values_mut() {
            add_defaults(definition);
            wrap_references(definition);
        }
        // Not required, yet never absent.
        definitions["io.k8s.api.autoscaling.v1.ScaleSpec"]["properties"]["replicas"]["default"] = json!(0);
        definitions
    });
    &V3
}

/// How upstream describes `apiVersion`, `kind` and `metadata` of any object.
pub(crate) fn object_description(field: &str) -> &'static str {
    description(ANY_KIND, field)
}

/// How upstream describes `metadata` of any list.
pub(crate) fn list_description(field: &str) -> &'static str {
    description(STATUS, field)
}

fn description(definition: &str, field: &str) -> &'static str {
    LIBRARY[definition]["properties"][field]["description"].as_str().unwrap_or_default()
}

// === the definitions as upstream publishes them in v2 ===

static LIBRARY: LazyLock<Definitions> = LazyLock::new(|| {
    let mut definitions = generate();
    for definition in definitions.values_mut() {
        relax(definition);
    }
    for (definition, property, extensions) in extensions() {
        let definition = &mut definitions[definition];
        let schema = if property.is_empty() { definition } else { &mut definition["properties"][property] };
        for (extension, value) in extensions {
            schema[extension] = value;
        }
    }
    definitions
});

fn generate() -> Definitions {
    let settings = SchemaSettings::draft07().with(|settings| settings.transforms.clear());
    let mut generator: SchemaGenerator = settings.into_generator();
    generator.subschema_for::<ConfigMap>();
    generator.subschema_for::<DeleteOptions>();
    generator.subschema_for::<ListMeta>();
    generator.subschema_for::<Patch>();
    generator.subschema_for::<Scale>();
    generator.subschema_for::<Status>();
    generator.take_definitions(false)
}

/// The library requires the metadata of everything that has some, upstream of nothing.
fn relax(definition: &mut Value) {
    let Some(definition) = definition.as_object_mut() else { return };
    let Some(Value::Array(required)) = definition.get_mut("required") else { return };
    required.retain(|field| field != "metadata");
    if required.is_empty() {
        definition.remove("required");
    }
}

/// Vendor extensions by name.
type Extensions = Vec<(&'static str, Value)>;

/// Definition, property (none: the definition itself), and what is said of it.
fn extensions() -> [(&'static str, &'static str, Extensions); 9] {
    const LIST_TYPE: &str = "x-kubernetes-list-type";
    const STRATEGY: &str = "x-kubernetes-patch-strategy";
    let owners = vec![
        (LIST_TYPE, json!("map")),
        ("x-kubernetes-list-map-keys", json!(["uid"])),
        (STRATEGY, json!("merge")),
        ("x-kubernetes-patch-merge-key", json!("uid")),
    ];
    let kind = |group, version, kind| {
        vec![("x-kubernetes-group-version-kind", json!([{"group": group, "version": version, "kind": kind}]))]
    };
    [
        (OBJECT_META, "finalizers", vec![(LIST_TYPE, json!("set")), (STRATEGY, json!("merge"))]),
        (OBJECT_META, "managedFields", vec![(LIST_TYPE, json!("atomic"))]),
        (OBJECT_META, "ownerReferences", owners),
        ("io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference", "", vec![("x-kubernetes-map-type", json!("atomic"))]),
        ("io.k8s.apimachinery.pkg.apis.meta.v1.StatusDetails", "causes", vec![(LIST_TYPE, json!("atomic"))]),
        (DELETE_OPTIONS, "dryRun", vec![(LIST_TYPE, json!("atomic"))]),
        (DELETE_OPTIONS, "", kind("", "v1", "DeleteOptions")),
        (STATUS, "", kind("", "v1", "Status")),
        (SCALE, "", kind("autoscaling", "v1", "Scale")),
    ]
}

// === from v2 to v3 ===

/// Go's zero values, of what is never absent: required fields, entries of lists and maps, and structs held by value.
fn add_defaults(definition: &mut Value) {
    let required = definition["required"].as_array().cloned().unwrap_or_default();
    let Some(properties) = definition.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, property) in properties {
        for entries in ["items", "additionalProperties"] {
            if let Some(entry) = property.get_mut(entries) {
                add_default(entry);
            }
        }
        let held_by_value = property.get("$ref").is_some() && ["metadata", "spec", "status"].contains(&name.as_str());
        if held_by_value || required.iter().any(|field| field == name) {
            add_default(property);
        }
    }
}

fn add_default(schema: &mut Value) {
    let zero = match schema["type"].as_str() {
        Some("string") => json!(""),
        Some("integer") => json!(0),
        None => json!({}),
        Some(_) => return,
    };
    schema["default"] = zero;
}

fn wrap_references(schema: &mut Value) {
    match schema {
        Value::Object(keywords) => {
            keywords.values_mut().for_each(wrap_references);
            if let Some(Value::String(reference)) = keywords.get("$ref") {
                let reference = json!({"$ref": reference.replace("#/definitions/", "#/components/schemas/")});
                keywords.remove("$ref");
                if keywords.is_empty() {
                    *schema = reference;
                } else {
                    keywords.insert("allOf".to_owned(), json!([reference]));
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(wrap_references),
        _ => {}
    }
}

// === what documents are made with ===

/// `info` of both documents.
pub(crate) fn info() -> Value {
    json!({"title": "Outrigger", "version": "v1"})
}

/// The definitions of kinds and those of `shared` that they, or `paths`, refer to.
pub(crate) fn with_referenced(paths: &Value, kinds: Definitions, shared: &Definitions) -> Definitions {
    let mut definitions = kinds;
    let mut wanted = Vec::new();
    references(paths, &mut wanted);
    definitions.values().for_each(|kind| references(kind, &mut wanted));
    while let Some(name) = wanted.pop() {
        if let (false, Some(definition)) = (definitions.contains_key(&name), shared.get(&name)) {
            references(definition, &mut wanted);
            definitions.insert(name, definition.clone());
        }
    }
    definitions
}

/// The last segments of all `$ref`s in a value.
fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(reference) if key == "$ref" => {
                        found.extend(reference.rsplit('/').next().map(str::to_owned));
                    }
                    _ => references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_referred_to_is_there() {
        for definitions in [v2(), v3()] {
            let mut names = Vec::new();
            definitions.values().for_each(|definition| references(definition, &mut names));
            for name in names {
                assert!(definitions.contains_key(&name), "{name}");
            }
        }
    }

    #[test]
    fn metadata_is_not_required_but_an_owners_uid_is() {
        assert_eq!(v2()[STATUS].get("required"), None);
        let owner = &v2()["io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference"];
        assert_eq!(owner["required"], json!(["apiVersion", "kind", "name", "uid"]));
    }

    #[test]
    fn defaults_and_wrapped_references_are_only_in_v3() {
        let owners = |definitions: &Definitions| definitions[OBJECT_META]["properties"]["ownerReferences"].clone();
        let name = "io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference";
        assert_eq!(owners(v2())["items"], json!({"$ref": format!("#/definitions/{name}")}));
        let wrapped = json!({"default": {}, "allOf": [{"$ref": format!("#/components/schemas/{name}")}]});
        assert_eq!(owners(v3())["items"], wrapped);
        assert_eq!(owners(v3())["x-kubernetes-list-map-keys"], json!(["uid"]));
    }

    #[test]
    fn only_what_is_referred_to_is_taken_along() {
        let paths = json!([{"$ref": format!("#/definitions/{DELETE_OPTIONS}")}]);
        let kinds = Map::from_iter([("Own".to_owned(), json!({"$ref": "#/definitions/Own"}))]);
        let definitions = with_referenced(&paths, kinds, v2());
        let names: Vec<_> = definitions.keys().map(|name| name.rsplit('.').next().unwrap_or_default()).collect();
        assert_eq!(names, ["Own", "DeleteOptions", "Preconditions"]);
    }
}
