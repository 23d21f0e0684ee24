//! Policies of the cluster, and what they do to a write.

use anyhow::{Context as _, Result};
use kit::Cluster;
use serde_json::{Value, json};

use crate::cx::{Cx, patch};
use crate::policy::{Policy, Sort, install, remove};

cases! {
    Namespaced: [
        a_policy_denies,
        a_policy_warns,
        reasons_have_their_codes,
        messages_are_made,
        a_denied_update_patch_and_apply,
        a_deletion_is_validated,
        variables_are_shared,
        the_request_is_seen,
        the_namespace_is_seen,
        the_authorizer_is_asked,
        conditions_select,
        conditions_that_fail,
        errors_are_for_the_failure_policy,
        rules_and_exclusions,
        objects_are_selected,
        bindings_narrow,
        params_by_name,
        params_by_selector,
        params_that_are_missing,
        params_of_an_unknown_kind,
        a_configuration_is_applied,
        a_json_patch_is_applied,
        mutations_that_fail,
        mutations_are_ordered_and_reinvoked,
        a_mutation_is_then_validated,
    ],
    WithStatus: [
        a_status_is_a_subresource_for_policies,
    ],
}

/// The values of expressions, as warnings show them.
pub(super) async fn values(cx: &mut Cx, expressions: &[&str]) -> Result<()> {
    let shown = |expression: &&str| {
        let (none, shown) = (format!("size([{expression}]) == 0"), format!("'%s'.format([[{expression}]])"));
        json!({"expression": none, "messageExpression": shown})
    };
    warned(cx, expressions, expressions.iter().map(shown).collect()).await
}

/// The errors of expressions, as warnings show them.
pub(super) async fn errors(cx: &mut Cx, expressions: &[&str]) -> Result<()> {
    let tried = |expression: &&str| json!({"expression": format!("size([{expression}]) == 0"), "message": "no error"});
    warned(cx, expressions, expressions.iter().map(tried).collect()).await
}

pub(super) async fn warned(cx: &mut Cx, expressions: &[&str], validations: Vec<Value>) -> Result<()> {
    // All warnings of an answer together have a limit.
    for (index, some) in validations.chunks(6).enumerate() {
        let policy = Policy::new(cx, Sort::Validating, &format!("v{index}"), &json!({"validations": some}));
        let policies = [policy.bound(&json!({"validationActions": ["Warn"]}))];
        install(cx, &policies).await?;
        let more = json!({"metadata": {"labels": {"l": "x"}}, "spec": cx.subject.spec(1)});
        let object = cx.object_with("a", &more);
        cx.say(&format!("{:?}", &expressions[index * 6..(index * 6 + some.len())])).post("{r}?dryRun=All", &object).await?;
        remove(&policies).await?;
    }
    Ok(())
}

/// Creates an object, dry, under policies.
pub(super) async fn try_under(cx: &mut Cx, what: &str, policies: &[Policy]) -> Result<()> {
    install(cx, policies).await?;
    let object = cx.object("a");
    cx.say(what).post("{r}?dryRun=All", &object).await?;
    remove(policies).await
}

async fn a_policy_denies(cx: &mut Cx) -> Result<()> {
    let spec = json!({"validations": [{"expression": "object.metadata.name != 'a'"}, {"expression": "1 == 2", "message": "second"}]});
    let policies = [Policy::denying(cx, "deny", &spec)];
    install(cx, &policies).await?;
    cx.create("a").await?;
    cx.create("b").await?;
    cx.get("{r}/a").await?;
    remove(&policies).await
}

async fn a_policy_warns(cx: &mut Cx) -> Result<()> {
    let spec = json!({"validations": [{"expression": "false", "message": "one"}, {"expression": "false"}]});
    let warn = json!({"validationActions": ["Warn", "Audit"]});
    let policies = [Policy::new(cx, Sort::Validating, "warn", &spec).bound(&warn)];
    install(cx, &policies).await?;
    cx.create("a").await?;
    remove(&policies).await
}

async fn reasons_have_their_codes(cx: &mut Cx) -> Result<()> {
    for reason in ["Forbidden", "Invalid", "RequestEntityTooLarge"] {
        let spec = json!({"validations": [{"expression": "false", "message": "no", "reason": reason}]});
        let policies = [Policy::denying(cx, "reason", &spec)];
        try_under(cx, reason, &policies).await?;
    }
    Ok(())
}

async fn messages_are_made(cx: &mut Cx) -> Result<()> {
    for (message, expression) in [
        ("given", "'made of ' + object.metadata.name"),
        ("given", "string(object.nope)"),
        ("given", "'  '"),
        ("", "'two\\nlines'"),
        (" trimmed ", ""),
        ("given", "'  trimmed '"),
    ] {
        let mut validation = json!({"expression": " false "});
        if !message.is_empty() {
            validation["message"] = json!(message);
        }
        if !expression.is_empty() {
            validation["messageExpression"] = json!(expression);
        }
        let policies = [Policy::denying(cx, "message", &json!({"validations": [validation]}))];
        try_under(cx, &format!("{message:?} {expression:?}"), &policies).await?;
    }
    Ok(())
}

async fn a_denied_update_patch_and_apply(cx: &mut Cx) -> Result<()> {
    let mut object = cx.create("a").await?.ok()?;
    let spec = json!({"validations": [{
        "expression": "oldObject == null || object.metadata.?labels.?x.orValue('') == oldObject.metadata.?labels.?x.orValue('')",
        "message": "x stays",
    }]});
    let policies = [Policy::denying(cx, "stay", &spec)];
    install(cx, &policies).await?;
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"y": "1"}}})).await?;
    cx.json_patch("{r}/a", &json!([{"op": "add", "path": "/metadata/labels/x", "value": "2"}])).await?;
    object["metadata"]["labels"] = json!({"x": "3"});
    object["metadata"]["resourceVersion"] = Value::Null;
    cx.put("{r}/a", &object).await?;
    let applied = cx.object_with("a", &json!({"metadata": {"labels": {"x": "4"}}})).to_string();
    cx.send("PATCH", "{r}/a?fieldManager=m&force=true", &[("content-type", patch::APPLY)], applied).await?;
    let applied = cx.object_with("new", &json!({"metadata": {"labels": {"x": "4"}}})).to_string();
    cx.send("PATCH", "{r}/new?fieldManager=m", &[("content-type", patch::APPLY)], applied).await?;
    cx.get("{r}/a").await?;
    remove(&policies).await
}

async fn a_deletion_is_validated(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.create("b").await?;
    let rules = json!({"resourceRules": [{
        "operations": ["DELETE"], "apiGroups": [cx.group], "apiVersions": ["*"], "resources": ["*"],
    }]});
    let spec = json!({
        "matchConstraints": rules,
        "validations": [{"expression": "object == null && request.operation == 'DELETE' && oldObject.metadata.name == 'b'"}],
    });
    let policies = [Policy::denying(cx, "keep", &spec)];
    install(cx, &policies).await?;
    cx.delete("{r}/a").await?;
    cx.delete("{r}/b").await?;
    cx.delete("{r}").await?;
    cx.get("{r}/a").await?;
    remove(&policies).await
}

async fn variables_are_shared(cx: &mut Cx) -> Result<()> {
    for (variables, expression) in [
        (json!([{"name": "n", "expression": "object.metadata.name"}, {"name": "nn", "expression": "variables.n + variables.n"}]), "variables.nn == 'aaa'"),
        (json!([{"name": "bad", "expression": "object.nope"}]), "variables.bad == 1"),
        (json!([{"name": "bad", "expression": "object.nope"}, {"name": "worse", "expression": "variables.bad + 1"}]), "variables.worse == 1"),
        (json!([{"name": "l", "expression": "[1, 2].map(x, x * 2)"}]), "variables.l == [2, 4] && false"),
        (json!([{"name": "m", "expression": "{'a': 1}"}]), "variables.m.a == 1 && has(variables.m.b)"),
    ] {
        let spec = json!({"variables": variables, "validations": [{"expression": expression, "messageExpression": "'of ' + object.metadata.name"}]});
        let policies = [Policy::denying(cx, "vars", &spec)];
        try_under(cx, expression, &policies).await?;
    }
    Ok(())
}

async fn the_request_is_seen(cx: &mut Cx) -> Result<()> {
    let spec = json!({"validations": [
        {"expression": "request.operation == 'X'", "messageExpression": "request.operation + ' ' + request.resource.resource + ' ' + request.kind.kind + ' ' + request.requestKind.version"},
        {"expression": "request.name == ''", "messageExpression": "'name ' + request.name"},
        {"expression": "has(request.subResource)"},
        {"expression": "request.subResource == ''"},
        {"expression": "request.dryRun == false"},
        {"expression": "request.userInfo.username == ''", "messageExpression": "string(size(request.userInfo.username) > 0)"},
        {"expression": "request.options.kind == ''", "messageExpression": "request.options.kind + ' ' + request.options.apiVersion"},
        {"expression": "has(request.options.fieldManager)"},
    ]});
    let warn = json!({"validationActions": ["Warn"]});
    let policies = [Policy::new(cx, Sort::Validating, "see", &spec).bound(&warn)];
    install(cx, &policies).await?;
    cx.create("a").await?;
    let object = cx.object("b");
    cx.post("{r}?dryRun=All&fieldManager=tester", &object).await?;
    cx.merge("{r}/a?fieldManager=tester", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    let applied = cx.object_with("new", &json!({"metadata": {"labels": {"x": "4"}}})).to_string();
    cx.send("PATCH", "{r}/new?fieldManager=m", &[("content-type", patch::APPLY)], applied).await?;
    remove(&policies).await
}

async fn the_namespace_is_seen(cx: &mut Cx) -> Result<()> {
    let spec = json!({
        "matchConditions": [{"name": "none", "expression": "namespaceObject == null"}],
        "validations": [
            {"expression": "namespaceObject.metadata.name == ''", "messageExpression": "namespaceObject.metadata.name"},
            {"expression": "namespaceObject.status.phase == ''", "messageExpression": "namespaceObject.status.phase"},
            {"expression": "namespaceObject.metadata.labels.size() == 0", "messageExpression": "string(namespaceObject.metadata.labels.size())"},
            {"expression": "has(namespaceObject.metadata.annotations)"},
            {"expression": "namespaceObject.metadata.UID == ''"},
            {"expression": "namespaceObject.metadata.creationTimestamp > timestamp('2000-01-01T00:00:00Z')"},
            {"expression": "namespaceObject.spec.finalizers == ['kubernetes'] && false"},
        ],
    });
    let policies = [Policy::new(cx, Sort::Validating, "ns", &spec).bound(&json!({"validationActions": ["Warn"]}))];
    install(cx, &policies).await?;
    cx.create("a").await?;
    remove(&policies).await
}

async fn the_authorizer_is_asked(cx: &mut Cx) -> Result<()> {
    let spec = json!({
        "matchConditions": [{"name": "may", "expression": "authorizer.requestResource.check('create').allowed()"}],
        "variables": [{"name": "may", "expression": "authorizer.group('').resource('pods').check('list').allowed()"}],
        "validations": [
            {"expression": "authorizer.requestResource.check('get').allowed() && false", "message": "1"},
            {"expression": "variables.may && authorizer.path('/healthz').check('get').allowed() && false", "message": "2"},
            {"expression": "authorizer.serviceAccount('default', 'nobody').group('').resource('secrets').namespace('kube-system').name('x').check('get').allowed()", "message": "3"},
            {"expression": "authorizer.serviceAccount('default', 'nobody').group('').resource('pods').subresource('log').check('get').errored()", "message": "4"},
            {"expression": "authorizer.serviceAccount('Default', 'nobody').group('').resource('pods').check('get').allowed()"},
            {"expression": "authorizer.path('').check('get').allowed()"},
            {"expression": "authorizer.group('').resource(' ').check('get').allowed()"},
            {"expression": "authorizer.serviceAccount('default', 'nobody').group('apps').resource('deployments').labelSelector('a=b').fieldSelector('metadata.name=x').check('list').reason() != ''", "message": "8"},
        ],
    });
    let policies = [Policy::new(cx, Sort::Validating, "may", &spec).bound(&json!({"validationActions": ["Warn"]}))];
    install(cx, &policies).await?;
    cx.create("a").await?;
    remove(&policies).await
}

async fn conditions_select(cx: &mut Cx) -> Result<()> {
    let spec = json!({
        "matchConditions": [
            {"name": "a", "expression": "object.metadata.name != 'b'"},
            {"name": "b", "expression": "object.metadata.name != 'c'"},
        ],
        "validations": [{"expression": "false"}],
    });
    let policies = [Policy::denying(cx, "some", &spec)];
    install(cx, &policies).await?;
    for name in ["a", "b", "c", "d"] {
        cx.create(name).await?;
    }
    remove(&policies).await
}

async fn conditions_that_fail(cx: &mut Cx) -> Result<()> {
    for failure in ["Fail", "Ignore"] {
        for expressions in [vec!["object.nope == 1"], vec!["object.nope == 1", "false"], vec!["object.nope == 1", "object.neither == 1", "true"]] {
            let conditions: Vec<Value> =
                expressions.iter().enumerate().map(|(index, text)| json!({"name": format!("c{index}"), "expression": text})).collect();
            let spec = json!({
                "failurePolicy": failure, "matchConditions": conditions, "validations": [{"expression": "false"}],
            });
            let policies = [Policy::denying(cx, "cond", &spec)];
            try_under(cx, &format!("{failure} {expressions:?}"), &policies).await?;
        }
    }
    Ok(())
}

async fn errors_are_for_the_failure_policy(cx: &mut Cx) -> Result<()> {
    for failure in ["Fail", "Ignore"] {
        for expression in ["object.spec.nope.deeper == 1", "oldObject.metadata.name == 'x'", "object.metadata.name > 5", "object.metadata == object.metadata.name.size()", "lists.range(2000000).size() > 1"] {
            let spec = json!({"failurePolicy": failure, "validations": [{"expression": expression}, {"expression": "true"}]});
            let policies = [Policy::denying(cx, "err", &spec)];
            try_under(cx, &format!("{failure} {expression}"), &policies).await?;
        }
    }
    Ok(())
}

async fn rules_and_exclusions(cx: &mut Cx) -> Result<()> {
    for (what, constraints) in [
        ("names", json!({"resourceRules": [{"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"], "resourceNames": ["b"]}]})),
        ("excluded", json!({"excludeResourceRules": [{"operations": ["CREATE"], "apiGroups": [cx.group], "apiVersions": ["*"], "resources": [cx.subject.plural]}]})),
        ("excluded by name", json!({"excludeResourceRules": [{"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"], "resourceNames": ["a"]}]})),
        ("another version", json!({"matchPolicy": "Exact", "resourceRules": [{"operations": ["*"], "apiGroups": [cx.group], "apiVersions": ["v9"], "resources": ["*"]}]})),
        ("cluster-scoped", json!({"resourceRules": [{"operations": ["*"], "apiGroups": [cx.group], "apiVersions": ["*"], "resources": ["*"], "scope": "Cluster"}]})),
    ] {
        let spec = json!({"matchConstraints": constraints, "validations": [{"expression": "false"}]});
        let policies = [Policy::denying(cx, "rules", &spec)];
        install(cx, &policies).await?;
        for name in ["a", "b"] {
            let object = cx.object(name);
            cx.say(&format!("{what} {name}")).post("{r}?dryRun=All", &object).await?;
        }
        remove(&policies).await?;
    }
    Ok(())
}

async fn objects_are_selected(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    let constraints = json!({"objectSelector": {"matchExpressions": [{"key": "x", "operator": "In", "values": ["1", "2"]}]}});
    let spec = json!({"matchConstraints": constraints, "validations": [{"expression": "false"}]});
    let policies = [Policy::denying(cx, "labels", &spec)];
    install(cx, &policies).await?;
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": "3"}}})).await?;
    cx.create("b").await?;
    cx.create_with("c", &json!({"metadata": {"labels": {"x": "2"}}})).await?;
    remove(&policies).await
}

async fn bindings_narrow(cx: &mut Cx) -> Result<()> {
    let only = |labels: Value| json!({"validationActions": ["Deny"], "matchResources": {"objectSelector": {"matchLabels": labels}}});
    let elsewhere = json!({"validationActions": ["Deny"], "matchResources": {"namespaceSelector": {"matchLabels": {"no": "such"}}}});
    let spec = json!({"validations": [{"expression": "false"}]});
    let policy = Policy::new(cx, Sort::Validating, "narrow", &spec);
    let policies = [policy.bound(&elsewhere).bound(&only(json!({"x": "1"}))).bound(&only(json!({"y": "1"})))];
    install(cx, &policies).await?;
    cx.create("a").await?;
    cx.create_with("b", &json!({"metadata": {"labels": {"y": "1"}}})).await?;
    cx.create_with("c", &json!({"metadata": {"labels": {"x": "2"}}})).await?;
    remove(&policies).await
}

/// A config map of the case.
async fn config_map(cx: &Cx, name: &str, labels: &Value, data: &Value) -> Result<()> {
    let path = format!("/api/v1/namespaces/{}/configmaps", cx.namespace);
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}, "data": data});
    Cluster::shared().admin().post(&path, &object).await?.success().context("making params")?;
    Ok(())
}

fn with_params(expression: &str, message: &str) -> Value {
    json!({
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "validations": [{"expression": expression, "messageExpression": message}],
    })
}

async fn params_by_name(cx: &mut Cx) -> Result<()> {
    config_map(cx, "limits", &json!({}), &json!({"name": "a"})).await?;
    let spec = with_params("object.metadata.name == params.data.name", "params.kind + ' ' + params.apiVersion + ' says ' + params.data.name");
    let reference = json!({"validationActions": ["Deny"], "paramRef": {"name": "limits", "namespace": cx.namespace, "parameterNotFoundAction": "Deny"}});
    let own = json!({"validationActions": ["Warn"], "paramRef": {"name": "limits", "parameterNotFoundAction": "Deny"}});
    let policies = [Policy::new(cx, Sort::Validating, "named", &spec).bound(&reference).bound(&own)];
    install(cx, &policies).await?;
    cx.create("a").await?;
    cx.create("b").await?;
    remove(&policies).await
}

async fn params_by_selector(cx: &mut Cx) -> Result<()> {
    config_map(cx, "one", &json!({"use": "yes"}), &json!({"name": "b"})).await?;
    config_map(cx, "two", &json!({"use": "no"}), &json!({"name": "a"})).await?;
    config_map(cx, "three", &json!({"use": "yes"}), &json!({"name": "b"})).await?;
    let spec = with_params("object.metadata.name != params.data.name", "'not ' + params.data.name");
    let reference = json!({"validationActions": ["Deny"], "paramRef": {"selector": {"matchLabels": {"use": "yes"}}, "parameterNotFoundAction": "Deny"}});
    let policies = [Policy::new(cx, Sort::Validating, "chosen", &spec).bound(&reference)];
    install(cx, &policies).await?;
    cx.create("a").await?;
    cx.create("b").await?;
    remove(&policies).await
}

async fn params_that_are_missing(cx: &mut Cx) -> Result<()> {
    for (failure, action) in [("Fail", "Deny"), ("Fail", "Allow"), ("Ignore", "Deny")] {
        let mut spec = with_params("params.data.x == 'y'", "'?'");
        spec["failurePolicy"] = json!(failure);
        let reference = json!({"validationActions": ["Deny"], "paramRef": {"name": "nowhere", "parameterNotFoundAction": action}});
        let policies = [Policy::new(cx, Sort::Validating, "miss", &spec).bound(&reference)];
        try_under(cx, &format!("{failure} {action}"), &policies).await?;
    }
    let spec = with_params("params == null", "'there are params'");
    let policies = [Policy::denying(cx, "without", &spec)];
    try_under(cx, "without a reference", &policies).await
}

async fn params_of_an_unknown_kind(cx: &mut Cx) -> Result<()> {
    for failure in ["Fail", "Ignore"] {
        let spec = json!({
            "failurePolicy": failure,
            "paramKind": {"apiVersion": "nowhere.example.com/v1", "kind": "Nothing"},
            "validations": [{"expression": "params == null"}],
        });
        let reference = json!({"validationActions": ["Deny"], "paramRef": {"name": "x", "parameterNotFoundAction": "Allow"}});
        let policies = [Policy::new(cx, Sort::Validating, "unknown", &spec).bound(&reference)];
        try_under(cx, failure, &policies).await?;
    }
    Ok(())
}

pub(super) fn applying(expression: &str) -> Value {
    json!({"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}})
}

pub(super) fn patching(expression: &str) -> Value {
    json!({"patchType": "JSONPatch", "jsonPatch": {"expression": expression}})
}

async fn a_configuration_is_applied(cx: &mut Cx) -> Result<()> {
    let spec = json!({"mutations": [
        applying("Object{metadata: Object.metadata{labels: {'made': object.metadata.name}, annotations: {?'a': object.metadata.?labels.?x}}}"),
    ]});
    let policies = [Policy::mutating(cx, "apply", &spec)];
    install(cx, &policies).await?;
    cx.create("a").await?;
    cx.create_with("b", &json!({"metadata": {"labels": {"x": "1", "made": "by hand"}}})).await?;
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"made": null, "x": "2"}}})).await?;
    let applied = cx.object_with("c", &json!({"metadata": {"labels": {"x": "4"}}})).to_string();
    cx.send("PATCH", "{r}/c?fieldManager=m", &[("content-type", patch::APPLY)], applied).await?;
    remove(&policies).await
}

async fn a_json_patch_is_applied(cx: &mut Cx) -> Result<()> {
    let spec = json!({"mutations": [patching(
        "[JSONPatch{op: 'test', path: '/metadata/name', value: 'a'}, JSONPatch{op: 'add', path: '/metadata/labels', value: {'a/b~c': 'x'}}, \
         JSONPatch{op: 'replace', path: '/metadata/labels/' + jsonpatch.escapeKey('a/b~c'), value: 'y'}, \
         JSONPatch{op: 'copy', from: '/metadata/labels', path: '/metadata/annotations'}]",
    )]});
    let policies = [Policy::mutating(cx, "patch", &spec)];
    install(cx, &policies).await?;
    cx.create("a").await?;
    cx.create("b").await?;
    remove(&policies).await
}

async fn mutations_that_fail(cx: &mut Cx) -> Result<()> {
    for failure in ["Fail", "Ignore"] {
        for mutation in [
            applying("Object{metadata: Object.metadata{labels: {'x': object.nope}}}"),
            applying("Object{metadata: Object.wrong{labels: {'x': 'y'}}}"),
            applying("Object{nope: 1}"),
            patching("[JSONPatch{op: 'add', path: '/no/such', value: 1}]"),
            patching("[JSONPatch{op: 'remove', path: '/metadata/nope'}]"),
            patching("[JSONPatch{op: 'odd', path: '/metadata/name'}]"),
            patching("[JSONPatch{op: 'test', path: '/nope/nope', value: 1}]"),
        ] {
            let spec = json!({"failurePolicy": failure, "mutations": [mutation, applying("Object{metadata: Object.metadata{labels: {'next': 'yes'}}}")]});
            let policies = [Policy::mutating(cx, "fails", &spec)];
            try_under(cx, &format!("{failure} {mutation}"), &policies).await?;
        }
    }
    Ok(())
}

async fn mutations_are_ordered_and_reinvoked(cx: &mut Cx) -> Result<()> {
    // The order of policies is not said: each of these acts when the other has.
    let count = "object.metadata.?labels.?n.orValue('')";
    let spec = |reinvocation: &str, of: &str| {
        json!({
            "reinvocationPolicy": reinvocation,
            "matchConditions": [{"name": "odd", "expression": format!("size({count}) % 2 == {of} && size({count}) < 5")}],
            "mutations": [applying(&format!("Object{{metadata: Object.metadata{{labels: {{'n': {count} + 'x'}}}}}}"))],
        })
    };
    for reinvocation in ["Never", "IfNeeded"] {
        let policies = [Policy::mutating(cx, "even", &spec(reinvocation, "0"))];
        try_under(cx, reinvocation, &policies).await?;
    }
    let twice = json!({"mutations": [applying("Object{metadata: Object.metadata{labels: {'a': '1'}}}"), applying("Object{metadata: Object.metadata{labels: {'b': object.metadata.labels.a}}}")]});
    let policies = [Policy::mutating(cx, "twice", &twice)];
    try_under(cx, "two mutations", &policies).await
}

async fn a_mutation_is_then_validated(cx: &mut Cx) -> Result<()> {
    let change = json!({"mutations": [applying("Object{metadata: Object.metadata{labels: {'team': 'red'}}}")]});
    let check = json!({"validations": [{"expression": "object.metadata.labels.team != 'red'", "messageExpression": "string(object.metadata.labels.team)"}]});
    let policies = [Policy::mutating(cx, "change", &change), Policy::denying(cx, "check", &check)];
    try_under(cx, "both", &policies).await
}

async fn a_status_is_a_subresource_for_policies(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let resources = json!({"resourceRules": [{
        "operations": ["UPDATE"], "apiGroups": [cx.group], "apiVersions": ["*"], "resources": [format!("{}/status", cx.subject.plural)],
    }]});
    let spec = json!({"matchConstraints": resources, "validations": [{"expression": "request.subResource == 'x'", "messageExpression": "request.subResource + ' ' + request.requestSubResource"}]});
    let policies = [Policy::denying(cx, "status", &spec)];
    install(cx, &policies).await?;
    cx.merge("{r}/a/status", &json!({"status": cx.subject.status(0)})).await?;
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    remove(&policies).await
}
