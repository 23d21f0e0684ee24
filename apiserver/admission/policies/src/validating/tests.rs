//! What validating policies say, without a cluster.

use serde_json::{Value, json};

use super::*;
use crate::{
    params::{ParamKind, Source as ParamSource},
    testing::{MayGet, binding, creation, namespaces, policy},
};

fn stage(spec: &Value, bound: &Value) -> ValidatingPolicies {
    let kind = ParamKind { api_version: "v1".to_owned(), kind: "ConfigMap".to_owned() };
    let object = |name: &str, data: Value| json!({"metadata": {"name": name, "namespace": "here", "labels": {"of": name}}, "data": data});
    let objects = [object("one", json!({"max": "3"})), object("two", json!({"max": "4"}))];
    let params = ParamSource::fixed(kind, true, objects);
    ValidatingPolicies {
        source: Source::fixed(&[policy("p", spec)], &[binding("b", "p", bound)], params),
        namespaces: Box::new(namespaces()),
        authorizer: Arc::new(MayGet),
    }
}

async fn ask(spec: &Value, bound: &Value) -> (Result<(), Refusal>, Notes) {
    let mut notes = Notes::default();
    let attributes = creation(json!({"metadata": {"name": "a"}, "spec": {"text": "long"}}));
    let stage = stage(spec, bound);
    assert!(stage.handles(&attributes));
    let result = stage.validate(&attributes, &mut notes).await;
    (result, notes)
}

async fn outcome(spec: Value) -> String {
    match ask(&spec, &json!({"validationActions": ["Deny"]})).await.0 {
        Ok(()) => "admitted".to_owned(),
        Err(status) => {
            let begin = "things.example.com \"a\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ";
            status.message.strip_prefix(begin).unwrap_or(&status.message).to_owned()
        }
    }
}

fn validation(expression: &str) -> Value {
    json!({"validations": [{"expression": expression}]})
}

#[tokio::test]
async fn what_does_not_hold_is_denied_with_its_reason() {
    let spec =
        json!({"validations": [{"expression": "object.spec.text == ''", "message": "no text", "reason": "Forbidden"}]});
    let (result, _) = ask(&spec, &json!({"validationActions": ["Deny"]})).await;
    let status = result.unwrap_err();
    assert_eq!((status.code, status.reason.clone()), (403, Some(Reason::Forbidden)));
    let causes = &status.details.unwrap().causes;
    assert_eq!(causes[0].message, "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no text");
}

#[tokio::test]
async fn expressions_see_the_request() {
    for expression in [
        "object.metadata.name == 'a' && oldObject == null",
        "request.operation == 'CREATE' && request.resource.resource == 'things' && request.kind.kind == 'Thing'",
        "request.userInfo.username == 'ann' && 'team' in request.userInfo.groups && !has(request.subResource)",
        "request.options.kind == 'CreateOptions' && request.dryRun == false && request.namespace == 'here'",
        "namespaceObject.metadata.name == 'here' && namespaceObject.status.phase == 'Active'",
        "authorizer.group('').resource('pods').check('get').allowed()",
        "!authorizer.path('/x').check('list').allowed() && authorizer.path('/x').check('list').reason() == 'nobody may'",
        "authorizer.requestResource.check('get').allowed() && !authorizer.requestResource.check('create').errored()",
        "authorizer.serviceAccount('ns', 'name').group('apps').resource('x').subresource('y').check('get').allowed()",
    ] {
        assert_eq!(outcome(validation(expression)).await, "admitted", "{expression}");
    }
}

#[tokio::test]
async fn variables_are_composed() {
    let spec = json!({
        "variables": [
            {"name": "size", "expression": "object.spec.text.size()"},
            {"name": "double", "expression": "variables.size * 2"},
            {"name": "bad", "expression": "object.nope"},
        ],
        "validations": [{"expression": "variables.double == 8 && (variables.bad == 1 || true)"}, {"expression": "variables.bad == 1"}],
    });
    assert_eq!(
        outcome(spec).await,
        "expression 'variables.bad == 1' resulted in error: composited variable \"bad\" fails to evaluate: no such key: nope"
    );
}

#[tokio::test]
async fn errors_are_for_the_failure_policy() {
    for (expression, why) in [
        ("object.nope == 1", "expression 'object.nope == 1' resulted in error: no such key: nope"),
        ("object.nope(", "compilation error: compilation failed: ERROR: <input>"),
        ("nope == 1", "compilation error: compilation failed: undeclared reference to 'nope'"),
        ("1 + 1", "compilation error: must evaluate to bool but got int"),
    ] {
        let found = outcome(validation(expression)).await;
        assert!(found.starts_with(why), "{expression}: {found}");
        let mut ignoring = validation(expression);
        ignoring["failurePolicy"] = json!("Ignore");
        assert_eq!(outcome(ignoring).await, "admitted", "{expression}");
    }
}

#[tokio::test]
async fn conditions_come_first() {
    for (conditions, expected) in [
        (vec!["false", "object.nope == 1"], "admitted"),
        (vec!["true"], "failed expression: false"),
        (vec!["object.nope == 1"], "expression 'object.nope == 1' resulted in error: no such key: nope"),
        (vec!["namespaceObject == null"], "failed expression: false"),
    ] {
        let list: Vec<_> = conditions.iter().map(|text| json!({"name": "c", "expression": text})).collect();
        let spec = json!({"matchConditions": list, "validations": [{"expression": "false"}]});
        assert_eq!(outcome(spec).await, expected, "{conditions:?}");
    }
}

#[tokio::test]
async fn actions_warn_and_annotate() {
    let spec = json!({
        "validations": [{"expression": "true"}, {"expression": "false", "messageExpression": "'<' + object.metadata.name"}],
        "auditAnnotations": [{"key": "k", "valueExpression": "'name ' + object.metadata.name"}, {"key": "n", "valueExpression": "null"}],
    });
    let (result, notes) = ask(&spec, &json!({"validationActions": ["Warn", "Audit"]})).await;
    assert!(result.is_ok());
    assert_eq!(notes.warnings, ["Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': <a"]);
    let failure = r#"[{"message":"\u003ca","policy":"p","binding":"b","expressionIndex":1,"validationActions":["Warn","Audit"]}]"#;
    let expected = [
        ("validation.policy.admission.k8s.io/validation_failure".to_owned(), failure.to_owned()),
        ("p/k".to_owned(), "name a".to_owned()),
    ];
    assert_eq!(notes.audit, expected);
}

#[tokio::test]
async fn params_are_found_by_name_and_by_labels() {
    let spec = json!({
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "validations": [{"expression": "size(object.spec.text) <= int(params.data.max)", "messageExpression": "'max ' + params.data.max"}],
    });
    for (reference, expected) in [
        (json!({"name": "two", "parameterNotFoundAction": "Deny"}), None),
        (json!({"name": "one", "parameterNotFoundAction": "Deny"}), Some("max 3")),
        (json!({"selector": {}, "parameterNotFoundAction": "Deny"}), Some("max 3")),
        (json!({"selector": {"matchLabels": {"of": "two"}}, "parameterNotFoundAction": "Deny"}), None),
        (json!({"name": "three", "parameterNotFoundAction": "Allow"}), None),
        (
            json!({"name": "three", "parameterNotFoundAction": "Deny"}),
            Some("failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"),
        ),
    ] {
        let (result, _) = ask(&spec, &json!({"validationActions": ["Deny"], "paramRef": reference})).await;
        let found = result.err().map(|status| status.message);
        let said = found.as_deref().and_then(|message| message.split_once("denied request: ")).map(|(_, why)| why);
        assert_eq!(said, expected, "{reference}");
    }
}

#[tokio::test]
async fn a_kind_of_params_that_is_not_there_is_an_error_of_the_policy() {
    let spec = json!({"paramKind": {"apiVersion": "x.io/v1", "kind": "X"}, "validations": [{"expression": "true"}]});
    assert_eq!(
        outcome(spec).await,
        "things.example.com \"a\" is forbidden: ValidatingAdmissionPolicy 'p' denied request: failed to configure policy: \
         failed to find resource referenced by paramKind: 'x.io/v1, Kind=X'"
    );
}

#[tokio::test]
async fn a_policy_on_another_version_sees_the_object_in_it() {
    let rules = json!([{"operations": ["CREATE"], "apiGroups": ["example.com"], "apiVersions": ["v2"], "resources": ["things"]}]);
    let constraints = json!({"resourceRules": rules, "matchPolicy": "Equivalent"});
    let spec = json!({
        "matchConstraints": constraints,
        "validations": [{"expression": "object.apiVersion == 'example.com/v1' || request.kind.version != 'v2' || request.requestKind.version != 'v1'"}],
    });
    assert!(outcome(spec).await.starts_with("failed expression"));
}
