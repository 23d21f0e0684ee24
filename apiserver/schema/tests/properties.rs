//! What holds for any object at all, however wrong.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::LazyLock;

use machinery::field::Error;
use proptest::prelude::*;
use schema::{Definition, Schema};
use serde_json::{Map, Value};

/// The names of fields of widgets and a few others, so that objects fit the schema now and then.
const NAMES: [&str; 24] = [
    "apiVersion",
    "kind",
    "metadata",
    "spec",
    "status",
    "size",
    "color",
    "tags",
    "ports",
    "port",
    "protocol",
    "name",
    "extra",
    "when",
    "mode",
    "phase",
    "nope",
    "*",
    "limit",
    "currency",
    "accounts",
    "balance",
    "hidden",
    "posted",
];

/// Pieces of rules, which make sense together now and then.
const PIECES: [&str; 24] = [
    "self",
    "oldSelf",
    ".limit",
    ".tags",
    ".note",
    "has(",
    "(",
    ")",
    "[",
    "]",
    "0",
    "'a'",
    " + ",
    " == ",
    " && ",
    " ? ",
    " : ",
    ".all(x, ",
    ".map(x, ",
    "x",
    ".size()",
    ".?",
    "{",
    "optional.none()",
];

static SCHEMAS: LazyLock<Vec<Schema>> = LazyLock::new(|| {
    let widgets = include_bytes!("../../../tests/examples/crds/widgets.yaml");
    let fleet = include_bytes!("../../src/kinds/bundle_deployment.yaml");
    let ledgers = include_bytes!("../../../tests/examples/crds/rules.yaml");
    let documents: [&[u8]; 3] = [widgets, fleet, ledgers];
    let definitions = documents.map(|document| Definition::parse(document).unwrap()).concat();
    definitions.iter().map(|definition| Schema::clone(&definition.storage().schema)).collect()
});

fn any_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2_i64..70_000).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec!["red", "blue", "TCP", "", "2026-01-02T03:04:05Z", "x\u{0}ä"]).prop_map(Value::from),
    ];
    scalar.prop_recursive(5, 40, 5, |inner| {
        let name = prop::sample::select(NAMES.to_vec()).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::btree_map(name, inner, 0..6).prop_map(|fields| Value::Object(Map::from_iter(fields))),
        ]
    })
}

/// A schema with this rule.
fn ruled(rule: &str) -> Value {
    let tags = serde_json::json!({"type": "array", "items": {"type": "string"}});
    let fields = serde_json::json!({"limit": {"type": "integer"}, "note": {"type": "string"}, "tags": tags});
    let spec =
        serde_json::json!({"type": "object", "properties": fields, "x-kubernetes-validations": [{"rule": rule}]});
    serde_json::json!({"type": "object", "properties": {"spec": spec}})
}

/// Values that look like widgets.
fn any_object() -> impl Strategy<Value = Value> {
    (any_value(), any_value())
        .prop_map(|(spec, status)| serde_json::json!({"kind": "Widget", "spec": spec, "status": status}))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pruning_and_defaulting_twice_is_doing_it_once(object in any_object()) {
        for schema in SCHEMAS.iter() {
            let mut once = object.clone();
            schema.prune(&mut once);
            let mut twice = once.clone();
            prop_assert!(schema.prune(&mut twice).is_empty());
            prop_assert_eq!(&twice, &once);

            schema.default(&mut once);
            let mut twice = once.clone();
            schema.default(&mut twice);
            prop_assert_eq!(&twice, &once);
            prop_assert!(schema.prune(&mut twice).is_empty(), "defaults are known fields");
        }
    }

    #[test]
    fn a_valid_object_stays_valid_and_an_update_to_the_same_is_tolerated(object in any_object()) {
        for schema in SCHEMAS.iter() {
            let mut object = object.clone();
            schema.prune(&mut object);
            schema.default(&mut object);
            let errors = schema.validate(&object, None);
            let mut again = object.clone();
            schema.prune(&mut again);
            schema.default(&mut again);
            prop_assert_eq!(schema.validate(&again, None), errors);
            // A rule that cannot be evaluated is never tolerated.
            let not_tolerated = |errors: Vec<Error>| -> Vec<Error> {
                errors.into_iter().filter(|error| !error.detail.contains(" rule: ")).collect()
            };
            prop_assert_eq!(not_tolerated(schema.validate(&object, Some(&object))), vec![]);
            prop_assert_eq!(not_tolerated(schema.validate_status(&object, &object)), vec![]);
        }
    }

    #[test]
    fn any_rule_is_refused_or_evaluated(
        pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..12), noise in ".{0,6}", object in any_object(),
    ) {
        for rule in [pieces.concat(), format!("{}{noise}", pieces.concat()), format!("self{} == self", pieces.concat())] {
            if let Ok(schema) = Schema::parse(ruled(&rule), "schema") {
                schema.validate(&object, None);
                schema.validate(&object, Some(&object));
            }
        }
    }
}
