//! What expressions are evaluated on.

use std::sync::Arc;

use admission::{Attributes, GroupVersionKind, GroupVersionResource};
use schema::cel::Access;
use serde_json::{Map, Value, json};

/// A request, as expressions see it.
#[derive(Debug)]
pub(crate) struct Input {
    pub(super) object: Value,
    pub(super) old_object: Arc<Value>,
    pub(super) request: Value,
    pub(super) namespace: Arc<Value>,
    pub(super) params: Value,
    /// What `authorizer.requestResource` asks about.
    pub(super) resource: Access,
}

// === impl Input ===

impl Input {
    /// Of a request that is made in the version in which it is matched.
    pub(crate) fn new(attributes: &Attributes) -> Self {
        Self::matched_as(attributes, &attributes.resource, &attributes.kind)
    }

    /// Of a request that is matched as one on another version of its resource.
    pub(crate) fn matched_as(
        attributes: &Attributes,
        resource: &GroupVersionResource,
        kind: &GroupVersionKind,
    ) -> Self {
        Self {
            object: attributes.object.clone().unwrap_or_default(),
            old_object: attributes.old_object.clone().unwrap_or_default(),
            request: request(attributes, resource, kind),
            namespace: Arc::default(),
            params: Value::Null,
            resource: Access {
                group: attributes.resource.group.clone(),
                resource: attributes.resource.resource.clone(),
                subresource: attributes.subresource.clone(),
                namespace: attributes.namespace.clone(),
                name: attributes.name.clone(),
                ..Access::default()
            },
        }
    }

    /// The object that is written.
    pub(crate) fn object(&self) -> &Value {
        &self.object
    }

    /// The namespace of the object, without what expressions may not see of it.
    pub(crate) fn set_namespace(&mut self, namespace: Option<&Value>) {
        self.namespace = Arc::new(namespace.map(visible).unwrap_or_default());
    }

    /// The object under `params`.
    pub(crate) fn set_params(&mut self, params: Option<&Value>) {
        self.params = params.cloned().unwrap_or_default();
    }

    /// The object, after something changed it.
    pub(crate) fn set_object(&mut self, object: &Value) {
        self.object.clone_from(object);
    }

    /// The objects, in the version that is matched.
    pub(crate) fn set_objects(&mut self, object: Option<Value>, old: Option<Value>) {
        self.object = object.unwrap_or_default();
        self.old_object = Arc::new(old.unwrap_or_default());
    }
}

/// The request as an AdmissionRequest. What is empty is left out, as Go does.
fn request(attributes: &Attributes, resource: &GroupVersionResource, kind: &GroupVersionKind) -> Value {
    let user = &attributes.user;
    let mut info = Map::new();
    put_text(&mut info, "username", &user.name);
    put_text(&mut info, "uid", &user.uid);
    if !user.groups.is_empty() {
        info.insert("groups".to_owned(), json!(user.groups));
    }
    if !user.extra.is_empty() {
        info.insert("extra".to_owned(), json!(user.extra));
    }
    let mut request = Map::new();
    request.insert("uid".to_owned(), json!(""));
    request.insert("kind".to_owned(), self::kind(kind));
    request.insert("resource".to_owned(), self::resource(resource));
    put_text(&mut request, "subResource", &attributes.subresource);
    request.insert("requestKind".to_owned(), self::kind(&attributes.kind));
    request.insert("requestResource".to_owned(), self::resource(&attributes.resource));
    put_text(&mut request, "requestSubResource", &attributes.subresource);
    put_text(&mut request, "name", &attributes.name);
    put_text(&mut request, "namespace", &attributes.namespace);
    request.insert("operation".to_owned(), json!(attributes.operation.as_str()));
    request.insert("userInfo".to_owned(), Value::Object(info));
    request.insert("object".to_owned(), Value::Null);
    request.insert("oldObject".to_owned(), Value::Null);
    request.insert("dryRun".to_owned(), json!(attributes.dry_run));
    request.insert("options".to_owned(), attributes.options.clone());
    Value::Object(request)
}

fn put_text(map: &mut Map<String, Value>, name: &str, text: &str) {
    if !text.is_empty() {
        map.insert(name.to_owned(), json!(text));
    }
}

fn kind(kind: &GroupVersionKind) -> Value {
    json!({"group": kind.group, "version": kind.version, "kind": kind.kind})
}

fn resource(resource: &GroupVersionResource) -> Value {
    json!({"group": resource.group, "version": resource.version, "resource": resource.resource})
}

fn visible(namespace: &Value) -> Value {
    const METADATA: [&str; 12] = [
        "name",
        "generateName",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "labels",
        "annotations",
        "finalizers",
    ];
    let metadata =
        METADATA.into_iter().filter_map(|field| Some((field.to_owned(), namespace["metadata"].get(field)?.clone())));
    let part = |name: &str| namespace.get(name).cloned().unwrap_or_else(|| json!({}));
    json!({"metadata": metadata.collect::<Map<_, _>>(), "spec": part("spec"), "status": part("status")})
}
