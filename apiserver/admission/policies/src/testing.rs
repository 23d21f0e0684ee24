//! What tests of policies need: a request on a kind with a schema, and an authorizer that knows one permission.

use std::sync::Arc;

use admission::{Attributes, GroupVersionKind, GroupVersionResource, Interfaces, Kind, Operation};
use async_trait::async_trait;
use auth::{Authorizer, Decision, User};
use schema::Schema;
use serde_json::{Value, json};

/// Says yes to `get` of anything.
#[derive(Debug)]
pub(crate) struct MayGet;

#[async_trait]
impl Authorizer for MayGet {
    async fn authorize(&self, _: &User, attributes: &auth::Attributes) -> auth::Result<Decision> {
        match attributes.verb.as_str() {
            "get" => Ok(Decision::Allow),
            _ => Ok(Decision::Deny { reason: "nobody may".to_owned() }),
        }
    }
}

/// A kind of versions v1 and v2 whose objects have `spec.text` and `spec.tags`.
struct Thing(Schema);

#[async_trait]
impl Kind for Thing {
    fn default(&self, object: &mut Value) {
        self.0.default(object);
    }

    fn versions(&self) -> Vec<String> {
        vec!["v1".to_owned(), "v2".to_owned()]
    }

    async fn convert(&self, object: &Value, version: &str) -> Result<Value, String> {
        let mut converted = object.clone();
        converted["apiVersion"] = json!(format!("example.com/{version}"));
        Ok(converted)
    }

    fn schema(&self, _: &str) -> Option<&Schema> {
        Some(&self.0)
    }
}

/// The creation of `object` in the namespace `here`.
pub(crate) fn creation(object: Value) -> Attributes {
    let text = json!({"type": "string"});
    let document = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "text": text,
        "given": {"type": "string", "default": "by the schema"},
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": text},
    }}}});
    let schema = Schema::parse(document, "~").expect("it is structural");
    let (group, version) = ("example.com".to_owned(), "v1".to_owned());
    let mut object = object;
    object["apiVersion"] = json!("example.com/v1");
    object["kind"] = json!("Thing");
    Attributes {
        operation: Operation::Create,
        resource: GroupVersionResource {
            group: group.clone(),
            version: version.clone(),
            resource: "things".to_owned(),
        },
        kind: GroupVersionKind { group, version, kind: "Thing".to_owned() },
        subresource: String::new(),
        namespace: "here".to_owned(),
        name: object["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
        object: Some(object),
        old_object: None,
        options: json!({"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"}),
        dry_run: false,
        user: User { name: "ann".to_owned(), groups: vec!["team".to_owned()], ..User::default() },
        interfaces: Interfaces::of(Arc::new(Thing(schema))),
    }
}

/// The namespaces of the cluster.
pub(crate) fn namespaces() -> Vec<Value> {
    vec![json!({"metadata": {"name": "here", "uid": "u", "labels": {"on": "yes"}}, "status": {"phase": "Active"}})]
}

/// A policy about creations of things, with other contents of its spec.
pub(crate) fn policy(name: &str, more: &Value) -> Value {
    let rules = json!([{"operations": ["CREATE"], "apiGroups": ["example.com"], "apiVersions": ["v1"], "resources": ["things"]}]);
    let mut spec = json!({"matchConstraints": {"resourceRules": rules, "matchPolicy": "Equivalent"}});
    for (field, value) in more.as_object().into_iter().flatten() {
        spec[field] = value.clone();
    }
    json!({"metadata": {"name": name}, "spec": spec})
}

/// A binding of a policy, with other contents of its spec.
pub(crate) fn binding(name: &str, policy: &str, more: &Value) -> Value {
    let mut spec = json!({"policyName": policy});
    for (field, value) in more.as_object().into_iter().flatten() {
        spec[field] = value.clone();
    }
    json!({"metadata": {"name": name}, "spec": spec})
}
