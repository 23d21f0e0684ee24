//! What expressions of admission may speak of.

use std::sync::LazyLock;

use schema::{
    Schema,
    cel::{Environment, Type},
};
use serde_json::{Value, json};

/// The names, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Object,
    OldObject,
    Request,
    NamespaceObject,
    Params,
    Authorizer,
    RequestResource,
}

/// All names, in the order of their numbers.
pub(super) const NAMES: [(Name, &str); 7] = [
    (Name::Object, "object"),
    (Name::OldObject, "oldObject"),
    (Name::Request, "request"),
    (Name::NamespaceObject, "namespaceObject"),
    (Name::Params, "params"),
    (Name::Authorizer, "authorizer"),
    (Name::RequestResource, "authorizer.requestResource"),
];

/// The fields of `request`.
static REQUEST: LazyLock<Schema> = LazyLock::new(|| {
    let kind = || object(json!({"group": text(), "version": text(), "kind": text()}));
    let resource = || object(json!({"group": text(), "version": text(), "resource": text()}));
    let user = object(json!({
        "username": text(),
        "uid": text(),
        "groups": texts(),
        "extra": {"type": "object", "additionalProperties": texts()},
    }));
    declared(
        "request",
        object(json!({
            "kind": kind(),
            "resource": resource(),
            "subResource": text(),
            "requestKind": kind(),
            "requestResource": resource(),
            "requestSubResource": text(),
            "name": text(),
            "namespace": text(),
            "operation": text(),
            "userInfo": user,
            "dryRun": {"type": "boolean"},
            // Anything: its type is known only when it is evaluated.
            "options": {"x-kubernetes-int-or-string": true},
        })),
    )
});

/// The fields of `namespaceObject`.
static NAMESPACE: LazyLock<Schema> = LazyLock::new(|| {
    let time = || json!({"type": "string", "format": "date-time"});
    let labels = || json!({"type": "object", "additionalProperties": text()});
    let whole = || json!({"type": "integer"});
    let condition = object(json!({
        "status": text(), "type": text(), "lastTransitionTime": time(), "message": text(), "reason": text(),
    }));
    declared(
        "namespaceObject",
        object(json!({
            "metadata": object(json!({
                "name": text(),
                "generateName": text(),
                "namespace": text(),
                "labels": labels(),
                "annotations": labels(),
                "UID": text(),
                "creationTimestamp": time(),
                "deletionGracePeriodSeconds": whole(),
                "deletionTimestamp": time(),
                "generation": whole(),
                "resourceVersion": text(),
                "finalizers": texts(),
            })),
            "spec": object(json!({"finalizers": texts()})),
            "status": object(json!({"phase": text(), "conditions": {"type": "array", "items": condition}})),
        })),
    )
});

/// The environment of expressions. What they may not speak of is not declared.
pub(super) fn environment(params: bool, authorizer: bool) -> Environment<'static> {
    let mut environment = Environment::new();
    for (name, text) in NAMES {
        let (known, found) = match name {
            Name::Object | Name::OldObject => (true, Type::Any),
            Name::Request => (true, Type::declared(&REQUEST, "request")),
            Name::NamespaceObject => (true, Type::declared(&NAMESPACE, "namespaceObject")),
            Name::Params => (params, Type::Any),
            Name::Authorizer => (authorizer, Type::authorizer()),
            Name::RequestResource => (authorizer, Type::resource_check()),
        };
        // A name that nothing can be called keeps the numbers of the others.
        environment = environment.with(if known { text } else { "" }, found);
    }
    environment
}

/// A schema of something with this property: a whole object's own fields could not be declared otherwise than they are.
fn declared(property: &str, described: Value) -> Schema {
    Schema::parse(object(json!({ property: described })), "~").expect("these schemas are structural")
}

fn object(properties: Value) -> Value {
    json!({"type": "object", "properties": properties})
}

fn text() -> Value {
    json!({"type": "string"})
}

fn texts() -> Value {
    json!({"type": "array", "items": text()})
}
