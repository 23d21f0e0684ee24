//! What a store keeps: keys, entries and the events that made them.

use std::{collections::BTreeMap, fmt};

use bytes::Bytes;

/// A point in the store's one order of writes. 0 is before the first.
pub type Revision = u64;

/// Labels, or selectable fields: name to value.
pub type Labels = BTreeMap<String, String>;

/// Which object: `group/resource/namespace/name`. The namespace is empty for a cluster-scoped resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// API group, such as `fleet.cattle.io`.
    pub group: String,
    /// Plural resource name, such as `bundledeployments`.
    pub resource: String,
    /// Namespace, or empty.
    pub namespace: String,
    /// Object name.
    pub name: String,
}

/// The objects of one resource, in one namespace or (`None`) in all.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Scope {
    /// API group.
    pub group: String,
    /// Plural resource name.
    pub resource: String,
    /// Only this namespace; `None` is every namespace, and what a cluster-scoped resource is listed with.
    pub namespace: Option<String>,
}

/// An object's JSON as the apiserver encoded it, opaque to the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The object without `metadata.resourceVersion`.
    pub json: Bytes,
    /// The byte offset in `json` where `"resourceVersion":"N",` belongs.
    pub splice: u32,
    /// The version and schema that `json` was written with; equal strings mean that it may pass through unread.
    pub schema: String,
}

/// What a write says an object shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.labels`, for selectors.
    pub labels: Labels,
    /// Selectable fields beyond name and namespace.
    pub fields: Labels,
    /// The object.
    pub value: Value,
}

/// An object as it was at `revision`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which object.
    pub key: Key,
    /// The write that made it so; for a deletion the deletion itself.
    pub revision: Revision,
    /// What it was.
    pub content: Content,
}

/// What a write did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// There was no such object before.
    Created,
    /// There was one, and there still is.
    Updated,
    /// There is none any more.
    Deleted,
}

/// What an object was before an update: enough to tell whether it left or entered a selector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Previous {
    /// The write that had made it so.
    pub revision: Revision,
    /// What it was.
    pub content: Content,
}

/// One write, seen by watchers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What the write did.
    pub change: Change,
    /// The object after the write; for [`Change::Deleted`] its last content, at the revision of the deletion.
    pub entry: Entry,
    /// The object before the write, for [`Change::Updated`] only.
    pub previous: Option<Previous>,
}

/// Some events in order, and how far the stream is complete with them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Events of the watched scope, oldest first. May be empty.
    pub events: Vec<Event>,
    /// Every event of the scope at or below this revision has now been delivered.
    pub upto: Revision,
}

// === impl Key ===

impl Key {
    /// The scope that holds just this key's namespace.
    pub fn scope(&self) -> Scope {
        let namespace = (!self.namespace.is_empty()).then(|| self.namespace.clone());
        Scope { group: self.group.clone(), resource: self.resource.clone(), namespace }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Key { group, resource, namespace, name } = self;
        match namespace.as_str() {
            "" => write!(f, "{resource}.{group} {name}"),
            _ => write!(f, "{resource}.{group} {namespace}/{name}"),
        }
    }
}

// === impl Content ===

impl Content {
    /// About how many bytes it takes, on the wire and in memory.
    pub fn weight(&self) -> usize {
        let Content { uid, labels, fields, value } = self;
        let pairs = labels.iter().chain(fields).map(|(name, value)| name.len() + value.len() + 64);
        256 + uid.len() + value.json.len() + value.schema.len() + pairs.sum::<usize>()
    }
}

// === impl Event ===

impl Event {
    /// About how many bytes it takes, on the wire and in memory.
    pub fn weight(&self) -> usize {
        self.entry.content.weight() + self.previous.as_ref().map_or(0, |previous| previous.content.weight())
    }
}

// === impl Scope ===

impl Scope {
    /// Whether `key` is one of this scope's objects.
    pub fn contains(&self, key: &Key) -> bool {
        self.group == key.group
            && self.resource == key.resource
            && self.namespace.as_ref().is_none_or(|namespace| *namespace == key.namespace)
    }
}
