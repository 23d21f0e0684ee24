//! What admission is asked about.

use std::sync::Arc;

use auth::User;
use machinery::{GroupResource, meta::ObjectMeta, status::Status};
use serde_json::Value;

use crate::{Interfaces, Refusal};

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names of admission.k8s.io")]
pub enum Operation {
    Create,
    Update,
    Delete,
    Connect,
}

/// A group, version and resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names of admission.k8s.io")]
pub struct GroupVersionResource {
    pub group: String,
    pub version: String,
    pub resource: String,
}

/// A group, version and kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names of admission.k8s.io")]
pub struct GroupVersionKind {
    pub group: String,
    pub version: String,
    pub kind: String,
}

/// A write, as admission sees it.
#[derive(Debug, Clone)]
pub struct Attributes {
    /// What it does.
    pub operation: Operation,
    /// To what resource,
    pub resource: GroupVersionResource,
    /// of what kind; objects are in this version,
    pub kind: GroupVersionKind,
    /// through which subresource, or empty.
    pub subresource: String,
    /// Empty for a cluster-scoped resource.
    pub namespace: String,
    /// Empty while a generated name is not known.
    pub name: String,
    /// The object as it shall be; `None` for a deletion.
    pub object: Option<Value>,
    /// The object as it is; `None` for a creation.
    pub old_object: Option<Arc<Value>>,
    /// CreateOptions, UpdateOptions, PatchOptions or DeleteOptions, with apiVersion and kind.
    pub options: Value,
    /// Whether nothing will be stored.
    pub dry_run: bool,
    /// Who asks.
    pub user: User,
    /// What the server knows of the kind.
    pub interfaces: Interfaces,
}

// === impl Operation ===

impl Operation {
    /// The word that rules and reviews have for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }
}

// === impl Attributes ===

impl Attributes {
    /// The resource as refusals name it.
    pub fn group_resource(&self) -> GroupResource {
        GroupResource::new(&self.resource.group, &self.resource.resource)
    }

    /// The refusal that a stage which may not decide otherwise gives: 403, with the name as far as it is known.
    pub fn forbidden(&self, why: &str) -> Refusal {
        let object = self.object.as_ref().map(ObjectMeta::of);
        let known = [Some(self.name.as_str()), object.map(|meta| meta.name()), object.map(|meta| meta.generate_name())];
        let name = known.into_iter().flatten().find(|name| !name.is_empty()).unwrap_or("Unknown");
        Box::new(Status::forbidden(&self.group_resource(), name, why))
    }
}
