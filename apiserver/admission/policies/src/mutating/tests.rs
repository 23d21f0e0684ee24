//! What mutating policies change, without a cluster.

use serde_json::{Value, json};

use super::*;
use crate::{
    params::{ParamKind, Source as ParamSource},
    testing::{MayGet, binding, creation, namespaces, policy},
};

fn stage(policies: &[Value]) -> MutatingPolicies {
    let bindings: Vec<_> = policies
        .iter()
        .map(|policy| {
            let name = policy["metadata"]["name"].as_str().unwrap();
            binding(&format!("{name}-b"), name, &json!({}))
        })
        .collect();
    let kind = ParamKind { api_version: "v1".to_owned(), kind: "ConfigMap".to_owned() };
    MutatingPolicies {
        source: Source::fixed(policies, &bindings, ParamSource::fixed(kind, true, [])),
        namespaces: Box::new(namespaces()),
        authorizer: Arc::new(MayGet),
    }
}

fn applying(expression: &str) -> Value {
    json!({"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}})
}

fn patching(expression: &str) -> Value {
    json!({"patchType": "JSONPatch", "jsonPatch": {"expression": expression}})
}

/// The spec after one round, or why there is none.
async fn mutated(mutation: Value) -> Result<Value, String> {
    let stage = stage(&[policy("p", &json!({"mutations": [mutation]}))]);
    let mut attributes = creation(json!({"metadata": {"name": "a"}, "spec": {"text": "old", "tags": ["x"]}}));
    let mut notes = Notes::default();
    let changed = stage.mutate(&mut attributes, false, &mut notes).await.map_err(|status| status.message.clone())?;
    assert!(changed);
    Ok(attributes.object.unwrap()["spec"].take())
}

#[tokio::test]
async fn objects_are_changed_and_defaulted() {
    for (mutation, expected) in [
        (applying("Object{spec: Object.spec{text: object.metadata.name}}"), json!({"text": "a", "tags": ["x"]})),
        (applying("Object{spec: Object.spec{tags: ['y', 'x']}}"), json!({"text": "old", "tags": ["x", "y"]})),
        (applying("Object{spec: Object.spec{?text: object.spec.?nope}}"), json!({"text": "old", "tags": ["x"]})),
        (
            patching(
                "[JSONPatch{op: 'add', path: '/spec/tags/-', value: 'z'}, JSONPatch{op: 'remove', path: '/spec/text'}]",
            ),
            json!({"tags": ["x", "z"]}),
        ),
        (patching("[JSONPatch{op: 'test', path: '/spec/text', value: 'no'}]"), json!({"text": "old", "tags": ["x"]})),
    ] {
        let mut spec = mutated(mutation.clone()).await.unwrap();
        assert_eq!(spec["given"].take(), "by the schema");
        spec.as_object_mut().unwrap().remove("given");
        let mut tags: Vec<_> = spec["tags"].as_array().unwrap().iter().map(Value::to_string).collect();
        tags.sort();
        let mut wanted: Vec<_> = expected["tags"].as_array().unwrap().iter().map(Value::to_string).collect();
        wanted.sort();
        assert_eq!((tags, spec.get("text")), (wanted, expected.get("text")), "{mutation}");
    }
}

#[tokio::test]
async fn what_cannot_be_changed_says_why() {
    for (mutation, why) in [
        (
            applying("Object{spec: Object.other{text: 'x'}}"),
            "type mismatch: unexpected type name \"Object.other\", expected \"Object.spec\", which matches field name path from root Object type",
        ),
        (
            applying("Object{nope: 1}"),
            "error applying patch: failed to convert patch object to typed object: .nope: field not declared in schema",
        ),
        (applying("{'spec': 1}"), "compilation failed"),
        (
            applying("Object{spec: object.nope}"),
            "expression 'Object{spec: object.nope}' resulted in error: no such key: nope",
        ),
        (
            patching("[JSONPatch{op: 'add', path: '/x/y', value: 1}]"),
            "JSON Patch: add operation does not apply: doc is missing path: \"/x/y\": missing value",
        ),
        (patching("[1]"), "must evaluate to list(JSONPatch) but got list(int)"),
    ] {
        let message = mutated(mutation.clone()).await.unwrap_err();
        let said = message.strip_prefix("policy 'p' with binding 'p-b' denied request: ").unwrap();
        if why != "compilation failed" {
            assert_eq!(said, why, "{mutation}");
        }
    }
}

#[tokio::test]
async fn a_policy_acts_again_when_a_later_one_changed_the_object() {
    let append = |name: &str, reinvocation: &str| {
        let expression = format!("Object{{spec: Object.spec{{text: object.spec.text + '{name}'}}}}");
        policy(name, &json!({"reinvocationPolicy": reinvocation, "mutations": [applying(&expression)]}))
    };
    for (first, expected) in [("IfNeeded", "-aba"), ("Never", "-ab")] {
        let stage = stage(&[append("a", first), append("b", "Never")]);
        let mut attributes = creation(json!({"metadata": {"name": "n"}, "spec": {"text": "-"}}));
        let mut notes = Notes::default();
        assert!(stage.mutate(&mut attributes, false, &mut notes).await.unwrap());
        stage.mutate(&mut attributes, true, &mut notes).await.unwrap();
        assert_eq!(attributes.object.unwrap()["spec"]["text"], expected, "{first}");
    }
}
