//! The published schema of a kind: what its definition declares, and what Kubernetes adds to every object.
//!
//! A definition's schema is not published as it stands: only keywords that Kubernetes knows, and none that says
//! nothing. Where a value may be an integer or a string, that is spelled out for those who do not know the extension.

pub(crate) mod v2;

use serde_json::{Map, Value, json};

use crate::{
    Resource,
    shared::{self, LIST_META, OBJECT_META},
};

/// Which OpenAPI a schema is written for: they differ in where definitions are and how a reference is described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    V2,
    V3,
}

/// A definition of the same kind in the same cluster, left from before it was served here, must not differ from ours.
const CONVENTIONS: &str = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md";

const EMBEDDED: &str = "x-kubernetes-embedded-resource";
const INT_OR_STRING: &str = "x-kubernetes-int-or-string";
const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";

/// The name of a kind's definition: the group's domain reversed, as in `com.example.gold.v1.Widget`.
pub(crate) fn name(resource: &Resource, kind: &str) -> String {
    let group: Vec<_> = resource.group.rsplit('.').collect();
    format!("{}.{}.{kind}", group.join("."), resource.version)
}

/// The definitions of a resource's object and list kind, and of what else is sent to it.
pub(crate) fn definitions(resource: &Resource, dialect: Dialect) -> Vec<(String, Value)> {
    let own = [(&*resource.kind, &resource.schema)].into_iter();
    let sent = resource.bodies.iter().map(|body| (body.kind, &body.schema));
    let objects = own.chain(sent).map(|(kind, schema)| (name(resource, kind), object(resource, kind, schema, dialect)));
    objects.chain([(name(resource, &resource.list_kind), list(resource, dialect))]).collect()
}

fn object(resource: &Resource, kind: &str, schema: &Value, dialect: Dialect) -> Value {
    let declared = match schema {
        Value::Object(_) => published(schema),
        _ => json!({"type": "object"}),
    };
    // In v2 kubectl takes properties for all that there are, and would refuse what the kind keeps unknown.
    let anything = dialect == Dialect::V2 && declared[PRESERVE] == true;
    let mut schema = match dialect {
        _ if anything => json!({"type": "object"}),
        Dialect::V2 => v2::converted(declared),
        Dialect::V3 => declared,
    };
    if !anything {
        let metadata = dialect.described(OBJECT_META, shared::object_description("metadata"));
        properties(&mut schema).insert("metadata".to_owned(), metadata);
        properties(&mut schema).extend(type_meta());
        embed(&mut schema, dialect);
    }
    mark(&mut schema, resource, kind);
    schema
}

fn list(resource: &Resource, dialect: Dialect) -> Value {
    let description = format!("List of {}. More info: {CONVENTIONS}", resource.plural);
    let mut items = json!({"type": "array", "description": description});
    items["items"] = dialect.reference(&name(resource, &resource.kind));
    let mut schema = json!({
        "type": "object",
        "description": format!("{} is a list of {}", resource.list_kind, resource.kind),
        "required": ["items"],
        "properties": {
            "items": items,
            "metadata": dialect.described(LIST_META, shared::list_description("metadata")),
        },
    });
    properties(&mut schema).extend(type_meta());
    mark(&mut schema, resource, &resource.list_kind);
    schema
}

/// Says which kind a definition is of.
fn mark(schema: &mut Value, resource: &Resource, kind: &str) {
    schema["x-kubernetes-group-version-kind"] =
        json!([{"group": resource.group, "version": resource.version, "kind": kind}]);
    if !resource.selectable_fields.is_empty() {
        let path = |field: &String| json!({ "fieldPath": field });
        schema["x-kubernetes-selectable-fields"] = resource.selectable_fields.iter().map(path).collect();
    }
}

fn type_meta() -> [(String, Value); 2] {
    ["apiVersion", "kind"].map(|field| (field.to_owned(), text(shared::object_description(field))))
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

/// Gives embedded objects, below the root, what every object has.
fn embed(schema: &mut Value, dialect: Dialect) {
    for child in children(schema) {
        embed(child, dialect);
    }
    if schema[EMBEDDED] != true || (dialect == Dialect::V2 && schema[PRESERVE] == true) {
        return;
    }
    let properties = properties(schema);
    properties.insert("apiVersion".to_owned(), text("The group and version of this object, such as apps/v1."));
    properties.insert("kind".to_owned(), text("The kind of this object, such as Deployment."));
    properties.insert("metadata".to_owned(), dialect.described(OBJECT_META, shared::object_description("metadata")));
    require(schema, &["kind", "apiVersion"]);
}

fn require(schema: &mut Value, fields: &[&str]) {
    let mut required = schema["required"].as_array().cloned().unwrap_or_default();
    for &field in fields {
        if !required.iter().any(|one| one == field) {
            required.push(json!(field));
        }
    }
    schema["required"] = required.into();
}

/// The properties of a schema, made if there are none.
fn properties(schema: &mut Value) -> &mut Map<String, Value> {
    let properties = &mut schema["properties"];
    if !properties.is_object() {
        *properties = json!({});
    }
    properties.as_object_mut().expect("made an object just above")
}

/// The schemas directly below one: of fields, entries and items, not those nested in validations.
fn children(schema: &mut Value) -> Vec<&mut Value> {
    let Some(schema) = schema.as_object_mut() else { return Vec::new() };
    let mut children = Vec::new();
    for (keyword, value) in schema {
        match keyword.as_str() {
            "items" | "additionalProperties" if value.is_object() => children.push(value),
            "properties" => children.extend(value.as_object_mut().into_iter().flat_map(Map::values_mut)),
            _ => {}
        }
    }
    children
}

// === impl Dialect ===

impl Dialect {
    /// A reference to a definition.
    pub(crate) fn reference(self, name: &str) -> Value {
        let place = match self {
            Dialect::V2 => "definitions",
            Dialect::V3 => "components/schemas",
        };
        json!({"$ref": format!("#/{place}/{name}")})
    }

    /// A reference with a description of its own: OpenAPI 3.0 ignores what stands beside a `$ref`, so it wraps it.
    pub(crate) fn described(self, name: &str, description: &str) -> Value {
        let mut schema = match self {
            Dialect::V2 => self.reference(name),
            Dialect::V3 => json!({"allOf": [self.reference(name)]}),
        };
        schema["description"] = json!(description);
        schema
    }
}

// === what is published of a declared schema ===

/// How the value of a keyword is published.
enum Content {
    /// As it is.
    Any,
    /// As it is, unless it is what its absence means: false, empty, or null.
    Telling,
    /// A schema, or a bool.
    Schema,
    /// A list of schemas.
    Schemas,
    /// Schemas by field.
    Fields,
}

fn content(keyword: &str) -> Option<Content> {
    Some(match keyword {
        "default" | "example" => Content::Any,
        "maximum" | "minimum" | "multipleOf" | "maxLength" | "minLength" | "maxItems" | "minItems"
        | "maxProperties" | "minProperties" => Content::Any,
        "type" | "format" | "title" | "description" | "pattern" | "enum" | "required" | "nullable" | "uniqueItems"
        | "exclusiveMaximum" | "exclusiveMinimum" | "externalDocs" => Content::Telling,
        EMBEDDED
        | INT_OR_STRING
        | PRESERVE
        | "x-kubernetes-list-map-keys"
        | "x-kubernetes-list-type"
        | "x-kubernetes-map-type"
        | "x-kubernetes-validations" => Content::Telling,
        "items" | "additionalProperties" | "not" => Content::Schema,
        "allOf" | "anyOf" | "oneOf" => Content::Schemas,
        "properties" => Content::Fields,
        _ => return None,
    })
}

/// A declared schema as OpenAPI v3 publishes it.
fn published(declared: &Value) -> Value {
    let Value::Object(declared) = declared else { return declared.clone() };
    let mut schema = Map::new();
    for (keyword, value) in declared {
        let Some(content) = content(keyword) else { continue };
        let value = match (content, value) {
            (Content::Any, _) if value.is_null() => continue,
            (Content::Telling, _) if says_nothing(value) => continue,
            (Content::Schema, Value::Object(_) | Value::Bool(_)) => published(value),
            (Content::Schemas, Value::Array(schemas)) if !schemas.is_empty() => schemas.iter().map(published).collect(),
            (Content::Fields, Value::Object(fields)) if !fields.is_empty() => {
                fields.iter().map(|(field, schema)| (field.clone(), published(schema))).collect()
            }
            (Content::Any | Content::Telling, value) => value.clone(),
            _ => continue,
        };
        schema.insert(keyword.clone(), value);
    }
    if schema.get(INT_OR_STRING) == Some(&json!(true)) {
        unfold(&mut schema);
    }
    schema.into()
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

/// Spells out "integer or string", unless the declaration does already.
fn unfold(schema: &mut Map<String, Value>) {
    let either = json!([{"type": "integer"}, {"type": "string"}]);
    if schema.get("anyOf") == Some(&either) || schema.get("allOf").is_some_and(|all| all[0]["anyOf"] == either) {
        return;
    }
    if !schema.contains_key("anyOf") {
        schema.insert("anyOf".to_owned(), either);
        return;
    }
    let mut all = vec![json!({ "anyOf": either })];
    if let Some(Value::Array(others)) = schema.remove("allOf") {
        all.extend(others);
    }
    schema.insert("allOf".to_owned(), all.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_that_say_nothing_are_not_published() {
        let cases = [
            (
                json!({"type": "string", "nullable": false, "description": "", "x-kubernetes-int-or-string": false}),
                json!({"type": "string"}),
            ),
            (
                json!({"type": "array", "required": [], "enum": null, "items": {"type": "string", "pattern": ""}}),
                json!({"type": "array", "items": {"type": "string"}}),
            ),
            (json!({"type": "object", "properties": {}, "allOf": [], "externalDocs": {}}), json!({"type": "object"})),
            (json!({"id": "x", "$schema": "y", "definitions": {}, "x-other": 1}), json!({})),
        ];
        for (declared, expected) in cases {
            assert_eq!(published(&declared), expected, "{declared}");
        }
    }

    #[test]
    fn what_says_something_is_published_as_it_stands() {
        let cases = [
            json!({"type": "integer", "minimum": 0, "default": 0, "maximum": -1.5, "exclusiveMinimum": true}),
            json!({"type": "boolean", "default": false}),
            json!({"type": "object", "default": {}, "additionalProperties": true}),
            json!({"type": "string", "default": "", "example": "", "enum": [""]}),
            json!({"oneOf": [{"required": ["a"]}], "not": {"properties": {"a": {"enum": [1]}}}}),
        ];
        for declared in cases {
            assert_eq!(published(&declared), declared);
        }
    }

    #[test]
    fn integer_or_string_is_spelled_out_once() {
        let either = || json!([{"type": "integer"}, {"type": "string"}]);
        let cases = [
            (json!({}), json!({"anyOf": either()})),
            (json!({"anyOf": either()}), json!({"anyOf": either()})),
            (json!({"allOf": [{"anyOf": either()}]}), json!({"allOf": [{"anyOf": either()}]})),
            (json!({"anyOf": [{"minimum": 1}]}), json!({"anyOf": [{"minimum": 1}], "allOf": [{"anyOf": either()}]})),
            (
                json!({"anyOf": [{"minimum": 1}], "allOf": [{"maximum": 9}]}),
                json!({"anyOf": [{"minimum": 1}], "allOf": [{"anyOf": either()}, {"maximum": 9}]}),
            ),
        ];
        for (mut declared, mut expected) in cases {
            declared[INT_OR_STRING] = json!(true);
            expected[INT_OR_STRING] = json!(true);
            assert_eq!(published(&declared), expected, "{declared}");
        }
    }

    #[test]
    fn embedded_objects_have_what_every_object_has() {
        let mut schema = json!({"properties": {
            "list": {"items": {EMBEDDED: true, "required": ["kind"]}},
            "map": {"additionalProperties": {EMBEDDED: true, PRESERVE: true}},
        }});
        embed(&mut schema, Dialect::V2);
        let item = &schema["properties"]["list"]["items"];
        assert_eq!(item["required"], json!(["kind", "apiVersion"]));
        assert_eq!(item["properties"]["metadata"]["$ref"], format!("#/definitions/{OBJECT_META}"));
        assert_eq!(schema["properties"]["map"]["additionalProperties"], json!({EMBEDDED: true, PRESERVE: true}));
        embed(&mut schema, Dialect::V3);
        let entry = &schema["properties"]["map"]["additionalProperties"];
        assert_eq!(entry["properties"]["metadata"]["allOf"][0]["$ref"], format!("#/components/schemas/{OBJECT_META}"));
    }
}
