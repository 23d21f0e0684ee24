//! The texts of a kube-apiserver v1.36, as recorded or as its source composes them.

use serde_json::{Value, json};

use crate::Schema;

/// What is wrong with a `spec` of this schema.
fn errors(spec: Value, value: Value) -> Vec<String> {
    let schema = schema(spec);
    texts(&schema.validate(&json!({"spec": value}), None))
}

/// What is wrong with a changed `spec` of this schema.
fn update_errors(spec: &Value, old: &Value, new: &Value) -> Vec<String> {
    let schema = schema(spec.clone());
    texts(&schema.validate(&json!({"spec": new}), Some(&json!({"spec": old}))))
}

fn schema(spec: Value) -> Schema {
    Schema::parse(json!({"type": "object", "properties": {"spec": spec}}), "schema").unwrap()
}

fn texts(errors: &[machinery::field::Error]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}

fn object(properties: Value) -> Value {
    json!({"type": "object", "properties": properties})
}

#[test]
fn a_value_of_another_type_is_named_with_the_type_it_has() {
    let wrong = |must: &str, found: &str| {
        vec![format!("spec: Invalid value: {found:?}: spec in body must be of type {must}: {found:?}")]
    };
    for (schema, value, expected) in [
        (json!({"type": "integer"}), json!("x"), wrong("integer", "string")),
        (json!({"type": "integer"}), json!(true), wrong("integer", "boolean")),
        (json!({"type": "integer"}), json!(null), wrong("integer", "null")),
        (json!({"type": "integer"}), json!(1.0), vec![]),
        (json!({"type": "number"}), json!(1), vec![]),
        (json!({"type": "number"}), json!("1"), wrong("number", "string")),
        (json!({"type": "string"}), json!(5), wrong("string", "integer")),
        (json!({"type": "string"}), json!(5.5), wrong("string", "number")),
        (json!({"type": "string"}), json!({}), wrong("string", "object")),
        (json!({"type": "string"}), json!([]), wrong("string", "array")),
        (json!({"type": "object"}), json!([]), wrong("object", "array")),
        (json!({"type": "array", "items": {"type": "string"}}), json!({}), wrong("array", "object")),
        (json!({"type": "boolean"}), json!("true"), wrong("boolean", "string")),
        (json!({"type": "string", "nullable": true}), json!(null), vec![]),
        (json!({"x-kubernetes-int-or-string": true}), json!("50%"), vec![]),
        (json!({"x-kubernetes-int-or-string": true}), json!(5), vec![]),
        (json!({"x-kubernetes-int-or-string": true}), json!(true), wrong("integer,string", "boolean")),
        (json!({"x-kubernetes-preserve-unknown-fields": true}), json!([1, null]), vec![]),
        // A format is compared with that of what was found.
        (json!({"type": "integer", "format": "int32"}), json!(true), wrong("int32", "")),
        (json!({"type": "string", "format": "date"}), json!(5), wrong("date", "int64")),
        (json!({"type": "string", "format": "date"}), json!(["x"]), wrong("string", "array")),
        (json!({"type": "integer", "format": "int32"}), json!("5"), wrong("integer", "string")),
    ] {
        assert_eq!(errors(schema.clone(), value.clone()), expected, "{value} for {schema}");
    }
}

#[test]
fn a_fraction_is_no_integer_and_outside_its_range() {
    assert_eq!(
        errors(json!({"type": "integer"}), json!(1.5)),
        [
            "spec: Invalid value: \"number\": spec in body must be of type integer: \"number\"",
            "<nil>: Invalid value: \"\": Checked value must be of type integer (default format) in spec",
        ]
    );
    assert_eq!(
        errors(json!({"type": "integer", "format": "int32"}), json!(3_000_000_000_i64)),
        ["<nil>: Invalid value: \"\": Checked value must be of type integer with format int32 in spec"]
    );
    assert_eq!(
        errors(json!({"type": "number", "format": "float"}), json!(1e300)),
        ["<nil>: Invalid value: \"\": Checked value must be of type number with format float in spec"]
    );
    assert_eq!(errors(json!({"type": "integer", "format": "int64"}), json!(i64::MAX)), [""; 0]);
    assert_eq!(errors(json!({"type": "integer"}), json!(u64::MAX)).len(), 2, "more than 64 bits is no integer");
}

#[test]
fn limits_of_numbers() {
    let min = |min: Value, exclusive: bool| json!({"type": "number", "minimum": min, "exclusiveMinimum": exclusive});
    let max = |max: Value, exclusive: bool| json!({"type": "number", "maximum": max, "exclusiveMaximum": exclusive});
    for (schema, value, expected) in [
        (min(json!(0), false), json!(-1), "-1: spec in body should be greater than or equal to 0"),
        (min(json!(0), false), json!(0), ""),
        (min(json!(0), true), json!(0), "0: spec in body should be greater than 0"),
        (min(json!(0.5), false), json!(0), "0: spec in body should be greater than or equal to 0.5"),
        (max(json!(1.5), false), json!(2), "2: spec in body should be less than or equal to 1.5"),
        (max(json!(1.5), false), json!(1), ""),
        (max(json!(10), false), json!(10.5), "10.5: spec in body should be less than or equal to 10"),
        (max(json!(10), true), json!(10), "10: spec in body should be less than 10"),
        (max(json!(1e21), false), json!(1e22), "1e+22: spec in body should be less than or equal to 1e+21"),
        (json!({"type": "integer", "multipleOf": 5}), json!(12), "12: spec in body should be a multiple of 5"),
        (json!({"type": "integer", "multipleOf": 5}), json!(15), ""),
        (json!({"type": "number", "multipleOf": 0.1}), json!(0.3), ""),
        (json!({"type": "number", "multipleOf": 0.5}), json!(3), ""),
        (json!({"type": "number", "multipleOf": 0.5}), json!(0.75), "0.75: spec in body should be a multiple of 0.5"),
        (
            json!({"type": "number", "multipleOf": 0}),
            json!(1),
            "0: factor MultipleOf declared for spec must be positive: 0",
        ),
        // Beyond what a float can tell apart.
        (
            max(json!(9_007_199_254_740_992_i64), false),
            json!(9_007_199_254_740_993_i64),
            "9007199254740993: spec in body should be less than or equal to 9007199254740992",
        ),
    ] {
        let expected: Vec<_> = Some(expected)
            .filter(|text| !text.is_empty())
            .map(|text| format!("spec: Invalid value: {text}"))
            .into_iter()
            .collect();
        assert_eq!(errors(schema.clone(), value.clone()), expected, "{value} for {schema}");
    }
}

#[test]
fn limits_of_texts_stop_at_the_first_that_is_broken() {
    let schema = json!({"type": "string", "maxLength": 3, "minLength": 2, "pattern": "^[a-z]+$"});
    for (value, expected) in [
        ("abc", None),
        ("ABCD", Some("spec: Too long: may not be more than 3 bytes")),
        ("A", Some("spec: Invalid value: \"A\": spec in body should be at least 2 chars long")),
        ("AB", Some("spec: Invalid value: \"AB\": spec in body should match '^[a-z]+$'")),
        ("äöü", Some("spec: Invalid value: \"äöü\": spec in body should match '^[a-z]+$'")),
    ] {
        assert_eq!(errors(schema.clone(), json!(value)), expected.into_iter().collect::<Vec<_>>(), "{value}");
    }
}

#[test]
fn formats_are_named_with_the_text_at_fault() {
    let schema = json!({"type": "string", "format": "date-time"});
    let expected = "spec: Invalid value: \"soon\": spec in body must be of type date-time: \"soon\"";
    assert_eq!(errors(schema.clone(), json!("soon")), [expected]);
    assert_eq!(errors(schema, json!("2026-01-02T03:04:05Z")), [""; 0]);
    assert_eq!(errors(json!({"type": "string", "format": "made-up"}), json!("x")), [""; 0]);
}

#[test]
fn sizes_of_lists_and_objects() {
    let list = json!({"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2});
    assert_eq!(errors(list.clone(), json!([])), ["spec: Invalid value: 0: spec in body should have at least 1 items"]);
    assert_eq!(errors(list.clone(), json!([1, 2, 3])), ["spec: Too many: 3: must have at most 2 items"]);
    assert_eq!(errors(list, json!([1])), [""; 0]);
    let map =
        json!({"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 1, "maxProperties": 1});
    assert_eq!(
        errors(map.clone(), json!({})),
        ["spec: Invalid value: 0: spec in body should have at least 1 properties"]
    );
    assert_eq!(errors(map, json!({"a": 1, "b": 2})), ["spec: Too many: 2: must have at most 1 item"]);
}

#[test]
fn values_that_are_not_in_the_enum_are_told_which_are() {
    let words = json!({"type": "string", "enum": ["a", "b"]});
    assert_eq!(errors(words.clone(), json!("x")), ["spec: Unsupported value: \"x\": supported values: \"a\", \"b\""]);
    assert_eq!(errors(words, json!("a")), [""; 0]);
    let numbers = json!({"type": "number", "enum": [1, 2.5]});
    assert_eq!(errors(numbers.clone(), json!(3)), ["spec: Unsupported value: 3: supported values: \"1\", \"2.5\""]);
    assert_eq!(errors(numbers.clone(), json!(1.0)), [""; 0]);
    assert_eq!(errors(numbers, json!(1.5)), ["spec: Unsupported value: 1.5: supported values: \"1\", \"2.5\""]);
    let nullable = json!({"type": "string", "nullable": true, "enum": ["a"]});
    assert_eq!(errors(nullable, json!(null)), ["spec: Unsupported value: null: supported values: \"a\""]);
}

#[test]
fn a_wrong_type_hides_no_enum_and_a_missing_field_comes_after_wrong_ones() {
    let schema = json!({
        "type": "object",
        "required": ["z", "a"],
        "properties": {"b": {"type": "string", "enum": ["x"]}, "a": {"type": "string"}, "z": {"type": "string"}},
    });
    assert_eq!(
        errors(schema, json!({"b": 5})),
        [
            "spec.b: Invalid value: \"integer\": spec.b in body must be of type string: \"integer\"",
            "spec.b: Unsupported value: 5: supported values: \"x\"",
            "spec.z: Required value",
            "spec.a: Required value",
        ]
    );
    let at_the_root = json!({"type": "object", "required": ["spec"], "properties": {"spec": {"type": "object"}}});
    let schema = Schema::parse(at_the_root, "schema").unwrap();
    assert_eq!(texts(&schema.validate(&json!({}), None)), ["spec: Required value"]);
}

#[test]
fn positions_are_written_with_fields_items_and_entries() {
    let leaf = object(json!({"n": {"type": "integer"}}));
    let at = |path: &str| {
        vec![format!("{path}: Invalid value: \"string\": {path} in body must be of type integer: \"string\"")]
    };
    let list = json!({"type": "array", "items": leaf});
    assert_eq!(errors(list, json!([{"n": 1}, {"n": "x"}])), at("spec[1].n"));
    let map = json!({"type": "object", "additionalProperties": leaf});
    assert_eq!(errors(map, json!({"a/b": {"n": "x"}})), at("spec.a/b.n"));
}

#[test]
fn fields_that_are_forbidden_are_named() {
    let none = json!({"type": "object", "additionalProperties": false});
    assert_eq!(errors(none, json!({"a": 1})), ["spec: Invalid value: \"a\": spec.a in body is a forbidden property"]);
}

#[test]
fn alternatives_are_explained_by_the_one_that_fitted_best() {
    let properties = json!({"a": {"type": "integer"}, "b": {"type": "integer"}});
    let schema = |word: &str| {
        let one = json!({"required": ["a"], "properties": {"a": {"minimum": 5}}});
        let two = json!({"required": ["b"]});
        json!({"type": "object", "properties": properties, word: [one, two]})
    };
    assert_eq!(
        errors(schema("anyOf"), json!({"a": 1})),
        [
            "<nil>: Invalid value: \"\": \"spec\" must validate at least one schema (anyOf)",
            "spec.a: Invalid value: 1: spec.a in body should be greater than or equal to 5",
        ]
    );
    assert_eq!(errors(schema("anyOf"), json!({"a": 5, "b": 1})), [""; 0]);
    assert_eq!(
        errors(schema("oneOf"), json!({})),
        [
            "<nil>: Invalid value: \"\": \"spec\" must validate one and only one schema (oneOf). Found none valid",
            "spec.a: Required value",
        ]
    );
    assert_eq!(
        errors(schema("oneOf"), json!({"a": 5, "b": 1})),
        [
            "<nil>: Invalid value: \"\": \"spec\" must validate one and only one schema (oneOf). Found 2 valid alternatives"
        ]
    );
    assert_eq!(errors(schema("oneOf"), json!({"a": 5})), [""; 0]);
    assert_eq!(
        errors(schema("allOf"), json!({})),
        [
            "spec.a: Required value",
            "spec.b: Required value",
            "<nil>: Invalid value: \"\": \"spec\" must validate all the schemas (allOf). None validated",
        ]
    );
    assert_eq!(
        errors(schema("allOf"), json!({"b": 1})),
        ["spec.a: Required value", "<nil>: Invalid value: \"\": \"spec\" must validate all the schemas (allOf)"]
    );
    let not = json!({"type": "object", "properties": properties, "not": {"required": ["a"]}});
    assert_eq!(
        errors(not, json!({"a": 1})),
        ["<nil>: Invalid value: \"\": \"spec\" must not validate the schema (not)"]
    );
}

#[test]
fn int_or_string_spelled_out_says_both() {
    let schema = json!({"x-kubernetes-int-or-string": true, "anyOf": [{"type": "integer"}, {"type": "string"}]});
    assert_eq!(errors(schema.clone(), json!("x")), [""; 0]);
    assert_eq!(
        errors(schema, json!(true)),
        [
            "spec: Invalid value: \"boolean\": spec in body must be of type integer,string: \"boolean\"",
            "<nil>: Invalid value: \"\": \"spec\" must validate at least one schema (anyOf)",
            "spec: Invalid value: \"boolean\": spec in body must be of type integer: \"boolean\"",
        ]
    );
}

#[test]
fn sets_and_maps_hold_nothing_twice() {
    let set = json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}});
    assert_eq!(errors(set.clone(), json!(["a", "b", "a", "a"])), ["spec[2]: Duplicate value: \"a\""]);
    assert_eq!(errors(set, json!(["a", "b"])), [""; 0]);
    let port = json!({"type": "object", "required": ["port"], "properties": {
        "port": {"type": "integer"}, "protocol": {"type": "string", "default": "TCP"}, "name": {"type": "string"},
    }});
    let map = |keys: Value| json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys, "items": port});
    let ports = json!([{"port": 1, "protocol": "TCP"}, {"port": 1, "protocol": "UDP"}, {"port": 1, "protocol": "TCP", "name": "x"}]);
    assert_eq!(
        errors(map(json!(["port", "protocol"])), ports.clone()),
        ["spec[2]: Duplicate value: {\"port\":1,\"protocol\":\"TCP\"}"]
    );
    assert_eq!(errors(map(json!(["port"])), ports), ["spec[1]: Duplicate value: {\"port\":1}"]);
    assert_eq!(
        errors(map(json!(["port"])), json!(["x"])).last().map(String::as_str),
        Some("spec[0]: Invalid value: \"x\": must be an object for an array of list-type map")
    );
    let entries = json!({"type": "object", "additionalProperties": {
        "type": "array", "x-kubernetes-list-type": "set", "items": {"type": "integer"},
    }});
    assert_eq!(errors(entries, json!({"k": [1, 1]})), ["spec[k][1]: Duplicate value: 1"]);
}

#[test]
fn the_errors_of_the_recorded_request() {
    let spec = object(json!({
        "size": {"type": "integer", "minimum": 0},
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
    }));
    assert_eq!(
        errors(spec, json!({"size": -1, "tags": ["a", "a"]})),
        [
            "spec.size: Invalid value: -1: spec.size in body should be greater than or equal to 0",
            "spec.tags[1]: Duplicate value: \"a\"",
        ]
    );
}

#[test]
fn an_embedded_resource_is_a_resource() {
    let template =
        json!({"type": "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true});
    for (value, expected) in [
        (json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "system:x"}}), vec![]),
        (json!({"apiVersion": "v1", "kind": "Pod"}), vec![]),
        (json!({}), vec!["spec.apiVersion: Required value", "spec.kind: Required value"]),
        (
            json!({"apiVersion": "a/b/c", "kind": ""}),
            vec![
                "spec.apiVersion: Invalid value: \"a/b/c\": unexpected GroupVersion string: a/b/c",
                "spec.kind: Invalid value: \"\": must not be empty",
            ],
        ),
        (
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a/b"}}),
            vec!["spec.metadata.name: Invalid value: \"a/b\": may not contain '/'"],
        ),
    ] {
        assert_eq!(errors(template.clone(), value.clone()), expected, "{value}");
    }
    let labelled = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"a": "$$"}}});
    let text = errors(template, labelled).join(" ");
    assert!(text.starts_with("spec.metadata.labels: Invalid value: \"$$\": a valid label"), "{text}");
}

#[test]
fn an_update_keeps_what_was_wrong_before() {
    let spec = object(json!({
        "size": {"type": "integer", "minimum": 5},
        "name": {"type": "string"},
        "atomic": {"type": "array", "items": {"type": "integer", "minimum": 5}},
        "keyed": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["k"],
            "items": {"type": "object", "required": ["k"], "properties": {
                "k": {"type": "string"}, "n": {"type": "integer", "minimum": 5}, "m": {"type": "integer"},
            }},
        },
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
        "either": {"type": "object", "properties": {"a": {"type": "integer"}}, "anyOf": [{"properties": {"a": {"minimum": 5}}}]},
    }));
    let cases = [
        ("the same wrong value", json!({"size": 1, "name": "a"}), json!({"size": 1, "name": "b"}), 0),
        ("another wrong value", json!({"size": 1}), json!({"size": 2}), 1),
        ("a wrong value that is new", json!({}), json!({"size": 1}), 1),
        ("a list as a whole", json!({"atomic": [1]}), json!({"atomic": [1], "name": "b"}), 0),
        ("a longer list", json!({"atomic": [1]}), json!({"atomic": [1, 9]}), 1),
        (
            "items by key",
            json!({"keyed": [{"k": "a", "n": 1}]}),
            json!({"keyed": [{"k": "b"}, {"k": "a", "n": 1, "m": 2}]}),
            0,
        ),
        ("another item", json!({"keyed": [{"k": "a", "n": 1}]}), json!({"keyed": [{"k": "b", "n": 1}]}), 1),
        ("duplicates that were there", json!({"tags": ["a", "a"]}), json!({"tags": ["b", "b"]}), 0),
        ("new duplicates", json!({"tags": ["a"]}), json!({"tags": ["a", "a"]}), 1),
        ("an alternative", json!({"either": {"a": 1}}), json!({"either": {"a": 1}, "name": "b"}), 0),
        ("nothing at all", json!({"size": 1}), json!({"size": 1}), 0),
    ];
    for (what, old, new, count) in cases {
        let errors = update_errors(&spec, &old, &new);
        assert_eq!(errors.len(), count, "{what}: {errors:?}");
    }
}

#[test]
fn a_status_is_validated_on_its_own_and_named_so() {
    let document = object(json!({
        "spec": object(json!({"size": {"type": "integer"}})),
        "status": object(json!({"phase": {"type": "string"}, "tags": {
            "type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"},
        }})),
    }));
    let schema = Schema::parse(document, "schema").unwrap();
    let old = json!({"spec": {"size": "wrong"}});
    let new = json!({"spec": {"size": "wrong"}, "status": {"phase": 5, "tags": ["a", "a"]}});
    assert_eq!(
        texts(&schema.validate_status(&new, &old)),
        [
            "status.phase: Invalid value: \"integer\": phase in body must be of type string: \"integer\"",
            "status.tags[1]: Duplicate value: \"a\"",
        ]
    );
    let kept = json!({"status": {"phase": 5}});
    assert_eq!(texts(&schema.validate_status(&json!({"status": {"phase": 5, "tags": ["a"]}}), &kept)), [""; 0]);
    assert_eq!(texts(&schema.validate_status(&json!({"status": []}), &old)).len(), 1);
    assert_eq!(texts(&schema.validate_status(&json!({}), &old)), [""; 0]);
}

#[test]
fn a_hostile_object_gets_a_bounded_answer() {
    let list = json!({"type": "array", "items": {"type": "integer"}});
    let value: Value = (0..5000).map(|_| json!("x")).collect();
    assert_eq!(errors(list, value).len(), super::outcome::LIMIT);
}
