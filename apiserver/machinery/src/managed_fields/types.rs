//! What ownership needs to know of an object's schema: whether lists and maps are owned whole or by item.

use serde_json::Value;

use super::{path_element::PathElement, set::FieldSet};

/// The types of an object's fields. A path is the names of fields and keys of maps from the object down; an item of a
/// list is `*`.
pub trait FieldTypes {
    /// How the list at `path` is owned.
    fn list(&self, path: &[&str]) -> ListType;

    /// How the object or map at `path` is owned.
    fn map(&self, path: &[&str]) -> MapType;

    /// Whether the field at `path` is declared by its name, rather than being a key of a map.
    fn is_declared(&self, path: &[&str]) -> bool;

    /// What an item of the list at `path` has for `key`, a key of [`ListType::Map`], when it does not say.
    fn key_default(&self, path: &[&str], key: &str) -> Option<Value> {
        let _ = (path, key);
        None
    }

    /// Whether the object is still served in this version. The entries of one that is not are dropped.
    fn has_version(&self, api_version: &str) -> bool;
}

/// How a list is owned: `x-kubernetes-list-type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListType {
    /// As a whole.
    Atomic,
    /// Each value by itself.
    Set,
    /// Each item by itself, told apart by the values of these of its fields.
    Map(Vec<String>),
}

/// How an object or map is owned: `x-kubernetes-map-type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MapType {
    /// Each field by itself.
    Granular,
    /// As a whole.
    Atomic,
}

/// An object without a schema: maps are owned by field, lists as a whole.
#[derive(Debug, Clone, Copy, Default)]
pub struct Untyped;

/// Types with those of the object's own metadata, which no schema can change.
pub(super) struct WithMeta<'a>(pub(super) &'a dyn FieldTypes);

/// The set as it is under today's types: what lies within something that is owned as a whole became all of it.
pub(super) fn reconcile(fields: &FieldSet, types: &dyn FieldTypes) -> FieldSet {
    fields.collapse(&mut Vec::new(), &|path, child| match child {
        PathElement::Field(_) => types.map(path) == MapType::Atomic,
        _ => types.list(path) == ListType::Atomic,
    })
}

impl FieldTypes for Untyped {
    fn list(&self, _: &[&str]) -> ListType {
        ListType::Atomic
    }

    fn map(&self, _: &[&str]) -> MapType {
        MapType::Granular
    }

    fn is_declared(&self, _: &[&str]) -> bool {
        false
    }

    fn has_version(&self, _: &str) -> bool {
        true
    }
}

impl FieldTypes for WithMeta<'_> {
    fn list(&self, path: &[&str]) -> ListType {
        match path {
            ["metadata", "finalizers"] => ListType::Set,
            ["metadata", "ownerReferences"] => ListType::Map(vec!["uid".to_owned()]),
            ["metadata", ..] => ListType::Atomic,
            path => self.0.list(path),
        }
    }

    fn map(&self, path: &[&str]) -> MapType {
        match path {
            ["metadata", "ownerReferences", "*"] => MapType::Atomic,
            [] | ["metadata", ..] => MapType::Granular,
            path => self.0.map(path),
        }
    }

    fn is_declared(&self, path: &[&str]) -> bool {
        match path {
            ["apiVersion" | "kind" | "metadata"] | ["metadata", _] => true,
            ["metadata", ..] => false,
            path => self.0.is_declared(path),
        }
    }

    fn key_default(&self, path: &[&str], key: &str) -> Option<Value> {
        match path {
            ["metadata", ..] => None,
            path => self.0.key_default(path, key),
        }
    }

    fn has_version(&self, api_version: &str) -> bool {
        self.0.has_version(api_version)
    }
}
