//! Structural schemas: what is taken, and what is refused.

use serde_json::{Value, json};

use super::Schema;

/// What is wrong with a schema whose `spec` is this one, relative to it.
fn problems(spec: Value) -> Vec<String> {
    let document = json!({"type": "object", "properties": {"spec": spec}});
    let errors = Schema::parse(document, "s").err().unwrap_or_default();
    errors.iter().map(|error| error.to_string().replacen("s.properties[spec]", "~", 1)).collect()
}

/// What is wrong with a whole schema.
fn root_problems(document: Value) -> Vec<String> {
    Schema::parse(document, "s").err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

fn object(properties: Value) -> Value {
    json!({"type": "object", "properties": properties})
}

#[test]
fn structural_schemas_are_accepted() {
    let text = || json!({"type": "string"});
    for spec in [
        object(json!({"a": text(), "b": {"type": "array", "items": text()}})),
        json!({"type": "object", "additionalProperties": text()}),
        json!({"type": "object", "additionalProperties": true}),
        json!({"type": "object", "properties": {"a": text()}, "additionalProperties": true}),
        json!({"x-kubernetes-preserve-unknown-fields": true}),
        json!({"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}], "pattern": "^a$"}),
        json!({
            "x-kubernetes-int-or-string": true,
            "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"minimum": 1}],
        }),
        json!({"type": "object", "properties": {"a": text()}, "oneOf": [{"required": ["a"], "properties": {"a": {"minLength": 1}}}]}),
        json!({"type": "object", "properties": {"a": text()}, "not": {"required": ["a"]}, "nullable": true}),
        json!({"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true}),
        json!({"type": "array", "items": {"type": "object", "x-kubernetes-map-type": "atomic"}, "x-kubernetes-list-type": "set"}),
        json!({"type": "string", "default": null, "description": "about", "title": "T", "example": 5, "enum": ["a"]}),
    ] {
        assert_eq!(problems(spec.clone()), [""; 0], "{spec}");
    }
    let metadata = json!({"type": "object", "properties": {"name": {"type": "string", "maxLength": 5}}});
    let meta = json!({"kind": {"type": "string"}, "apiVersion": {"type": "string"}, "metadata": metadata});
    assert_eq!(root_problems(object(meta)), [""; 0]);
}

#[test]
fn what_is_not_structural_is_refused_where_it_stands() {
    let text = || json!({"type": "string"});
    for (spec, expected) in [
        (json!({}), "~.type: Required value: must not be empty for specified object fields"),
        (
            json!({"type": "array", "items": {}}),
            "~.items.type: Required value: must not be empty for specified array items",
        ),
        (json!({"type": "array"}), "~.items: Required value: must be specified"),
        (
            json!({"type": "array", "items": [text()]}),
            "~.items: Forbidden: items must be a schema object and not an array",
        ),
        (
            json!({"type": "text"}),
            "~.type: Unsupported value: \"text\": supported values: \"array\", \"boolean\", \"integer\", \"number\", \"object\", \"string\"",
        ),
        (json!({"type": "null"}), "~.type: Forbidden: type cannot be set to null, use nullable as an alternative"),
        (json!({"type": "string", "$ref": "#/x"}), "~.$ref: Forbidden: $ref is not supported"),
        (
            json!({"type": "object", "patternProperties": {"a": text()}}),
            "~.patternProperties: Forbidden: patternProperties is not supported",
        ),
        (
            json!({"type": "array", "items": text(), "uniqueItems": true}),
            "~.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        ),
        (
            json!({"type": "object", "properties": {"a": text()}, "additionalProperties": text()}),
            "~.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
        ),
        (
            json!({"type": "string", "pattern": "("}),
            "~.pattern: Invalid value: \"(\": must be a valid regular expression, but isn't: error: unclosed group",
        ),
        (json!({"type": "string", "maxLength": "5"}), "~.maxLength: Invalid value: \"5\": must be an integer"),
        (
            json!({"type": "string", "anyOf": [{"type": "string"}]}),
            "~.anyOf[0].type: Forbidden: must be empty to be structural",
        ),
        (
            json!({"type": "string", "not": {"default": 1}}),
            "~.not.default: Forbidden: must be undefined to be structural",
        ),
        (
            json!({"type": "string", "allOf": [{"nullable": true}]}),
            "~.allOf[0].nullable: Forbidden: must be false to be structural",
        ),
        (
            json!({"type": "object", "oneOf": [{"properties": {"a": {"minLength": 1}}}]}),
            "~.properties[a]: Required value: because it is defined in s.properties[spec].oneOf[0].properties[a]",
        ),
        (
            json!({"type": "string", "not": {"items": {"minLength": 1}}}),
            "~.items: Required value: because it is defined in s.properties[spec].not.items",
        ),
        (
            json!({"type": "string", "x-kubernetes-preserve-unknown-fields": false}),
            "~.x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined",
        ),
        (
            json!({"x-kubernetes-int-or-string": true, "x-kubernetes-preserve-unknown-fields": true}),
            "~.x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true",
        ),
        (
            json!({"type": "array", "items": text(), "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true}),
            "~.type: Invalid value: \"array\": must be object if x-kubernetes-embedded-resource is true",
        ),
        (
            json!({"type": "object", "x-kubernetes-embedded-resource": true}),
            "~.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without \
             x-kubernetes-preserve-unknown-fields",
        ),
        (
            json!({"type": "string", "x-kubernetes-list-type": "set"}),
            "~.type: Invalid value: \"string\": must be array if x-kubernetes-list-type is specified",
        ),
        (
            json!({"type": "array", "items": text(), "x-kubernetes-list-type": "bag"}),
            "~.x-kubernetes-list-type: Unsupported value: \"bag\": supported values: \"atomic\", \"set\", \"map\"",
        ),
        (
            json!({"type": "string", "x-kubernetes-map-type": "atomic"}),
            "~.type: Invalid value: \"string\": must be object if x-kubernetes-map-type is specified",
        ),
        (
            json!({"type": "array", "items": {"type": "object"}, "x-kubernetes-list-type": "set"}),
            "~.items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set",
        ),
        (
            json!({"type": "array", "items": {"type": "string", "nullable": true}, "x-kubernetes-list-type": "set"}),
            "~.items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is set",
        ),
        (
            json!({"type": "string", "x-kubernetes-validations": [{"message": "no rule"}]}),
            "~.x-kubernetes-validations[0].rule: Required value: rule is not specified",
        ),
    ] {
        assert_eq!(problems(spec.clone()), [expected], "{spec}");
    }
}

#[test]
fn the_keys_of_a_map_list_tell_its_items_apart() {
    let list = |keys: Value, key: Value| {
        let items = json!({"type": "object", "properties": {"k": key}});
        json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys, "items": items})
    };
    let text = || json!({"type": "string", "default": "x"});
    for (spec, expected) in [
        (list(json!(["k"]), text()), None),
        (
            list(json!([]), text()),
            Some("~.x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map"),
        ),
        (
            list(json!(["x"]), text()),
            Some("~.x-kubernetes-list-map-keys: Invalid value: [\"x\"]: entries must all be names of item properties"),
        ),
        (
            list(json!(["k", "k"]), text()),
            Some("~.x-kubernetes-list-map-keys: Invalid value: [\"k\",\"k\"]: must not contain duplicate entries"),
        ),
        (
            list(json!(["k"]), json!({"type": "string"})),
            Some(
                "~.items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must \
                 have a default or be a required property",
            ),
        ),
        (
            list(json!(["k"]), json!({"type": "object", "default": {}})),
            Some(
                "~.items.properties[k].type: Invalid value: \"object\": must be a scalar type if parent array's \
                 x-kubernetes-list-type is map",
            ),
        ),
        (
            list(json!(["k"]), json!({"type": "string", "default": "x", "nullable": true})),
            Some(
                "~.items.properties[k].nullable: Forbidden: this property is in x-kubernetes-list-map-keys, so it cannot be \
                 nullable",
            ),
        ),
        (
            json!({"type": "array", "x-kubernetes-list-map-keys": ["k"], "items": object(json!({"k": text()}))}),
            Some("~.x-kubernetes-list-type: Required value: must be map if x-kubernetes-list-map-keys is non-empty"),
        ),
        (
            json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"], "items": text()}),
            Some(
                "~.items.type: Invalid value: \"string\": must be object if parent array's x-kubernetes-list-type is map",
            ),
        ),
    ] {
        assert_eq!(problems(spec.clone()), expected.into_iter().collect::<Vec<_>>(), "{spec}");
    }
}

#[test]
fn the_root_is_an_object_whose_metadata_the_server_describes() {
    for (document, expected) in [
        (json!([]), "s: Invalid value: []: must be an object"),
        (json!({"type": "string"}), "s.type: Invalid value: \"string\": must be object at the root"),
        (json!({"type": "object", "nullable": true}), "s.nullable: Forbidden: nullable cannot be true at the root"),
        (
            json!({"type": "object", "additionalProperties": {"type": "string"}}),
            "s.additionalProperties: Forbidden: must not be used at the root",
        ),
        (
            object(json!({"metadata": object(json!({"labels": {"type": "object"}}))})),
            "s.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is \
             implicitly specified",
        ),
        (
            object(json!({"kind": {"type": "integer"}})),
            "s.properties[kind].type: Invalid value: \"integer\": must be string",
        ),
        (
            object(json!({"kind": {"type": "string", "default": "K"}})),
            "s.properties[kind].default: Forbidden: must not be set in top-level kind",
        ),
        (
            json!({"type": "object", "allOf": [{"properties": {"metadata": {}}}], "properties": {"metadata": {"type": "object"}}}),
            "s.allOf[0].properties[metadata]: Forbidden: must not be specified in a nested context",
        ),
    ] {
        let problems = root_problems(document.clone());
        assert!(problems.iter().any(|problem| problem == expected), "{document}: {problems:?}");
    }
}

#[test]
fn defaults_are_values_that_a_client_could_send() {
    for (spec, expected) in [
        (json!({"type": "string", "default": "x", "enum": ["x"]}), None),
        (
            json!({"type": "string", "default": "x", "enum": ["y"]}),
            Some("~.default: Unsupported value: \"x\": supported values: \"y\""),
        ),
        (
            json!({"type": "object", "default": {"a": 1}}),
            Some("~.default: Invalid value: {\"a\":1}: must not have unknown fields"),
        ),
        (
            json!({"type": "object", "default": {"a": "x"}, "properties": {"a": {"type": "integer"}}}),
            Some("~.default.a: Invalid value: \"string\": a in body must be of type integer: \"string\""),
        ),
        (
            json!({"type": "array", "items": {"type": "integer", "default": -1, "minimum": 0}}),
            Some("~.items.default: Invalid value: -1:  in body should be greater than or equal to 0"),
        ),
    ] {
        assert_eq!(problems(spec.clone()), expected.into_iter().collect::<Vec<_>>(), "{spec}");
    }
}
