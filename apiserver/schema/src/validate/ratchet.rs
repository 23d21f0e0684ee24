//! Old and new values at the same place of an object, so that an update can keep what was wrong before.
//!
//! Fields correspond by name and items of a map list by their keys; items of other lists do not correspond, as nothing
//! tells which is which. Below a field that the schema does not describe, nothing corresponds either.

use std::collections::HashMap;

use serde_json::Value;

use crate::structural::node::{List, Node};

/// A value, the value it replaces, and the schema of both.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub(super) node: &'a Node,
    pub(super) old: &'a Value,
    pub(super) new: &'a Value,
}

/// The old items of a map list, by key.
pub(super) struct Items<'a> {
    node: &'a Node,
    keys: &'a [String],
    old: HashMap<String, &'a Value>,
}

// === impl Pair ===

impl<'a> Pair<'a> {
    /// The pair at a field or entry that both have.
    pub(super) fn field(self, key: &str) -> Option<Pair<'a>> {
        Some(Pair { node: self.node.entry(key)?, old: self.old.get(key)?, new: self.new.get(key)? })
    }

    /// The old items by key, if this is a list whose items have keys.
    pub(super) fn items(self) -> Option<Items<'a>> {
        let (Some(node), List::Map(keys), Value::Array(old)) = (&self.node.items, &self.node.list, self.old) else {
            return None;
        };
        let mut by_key = HashMap::new();
        for item in old {
            if let Some(key) = key_of(item, keys) {
                by_key.entry(key).or_insert(item);
            }
        }
        Some(Items { node, keys, old: by_key })
    }

    /// Whether the update changes nothing here but the order of items that have keys.
    pub(super) fn unchanged(self) -> bool {
        self.old == self.new || self.reordered()
    }

    fn reordered(self) -> bool {
        match (self.old, self.new) {
            (Value::Object(old), Value::Object(new)) => {
                old.len() == new.len() && new.keys().all(|key| self.field(key).is_some_and(Pair::unchanged))
            }
            (Value::Array(old), Value::Array(new)) => match self.items() {
                _ if old.len() != new.len() => false,
                Some(items) => new.iter().all(|item| items.pair(item).is_some_and(Pair::unchanged)),
                None => false,
            },
            _ => false,
        }
    }
}

// === impl Items ===

impl<'a> Items<'a> {
    /// The pair of a new item and the old one that has its keys.
    pub(super) fn pair(&self, new: &'a Value) -> Option<Pair<'a>> {
        let old = self.old.get(&key_of(new, self.keys)?)?;
        Some(Pair { node: self.node, old, new })
    }
}

/// The keys of an item as one text; nothing unless the item has them all, as scalars.
fn key_of(item: &Value, keys: &[String]) -> Option<String> {
    let scalar =
        |key: &String| item.get(key).filter(|value| !matches!(value, Value::Null | Value::Array(_) | Value::Object(_)));
    let values: Option<Vec<Value>> = keys.iter().map(|key| scalar(key).cloned()).collect();
    Some(Value::Array(values?).to_string())
}
