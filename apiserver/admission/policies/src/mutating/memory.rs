//! What mutating policies remember of a write, for its second round.

use std::collections::HashSet;

use serde_json::Value;

/// A policy, with a binding and with the namespace and name of its params.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) policy: String,
    pub(super) binding: String,
    pub(super) params: Option<(String, String)>,
}

/// Which policies act again in the second round: those that ask for it, where the object was changed after they acted.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    last: Option<Value>,
    acted: HashSet<Key>,
    again: HashSet<Key>,
}

// === impl Memory ===

impl Memory {
    /// A round begins.
    pub(super) fn begin(&mut self, again: bool, object: Option<&Value>) {
        if again && self.last.as_ref() != object {
            self.changed();
        }
    }

    /// A round ends.
    pub(super) fn end(&mut self, object: Option<&Value>) {
        self.last = object.cloned();
    }

    /// The object was changed: those that acted before and ask for it act again.
    pub(super) fn changed(&mut self) {
        self.again.extend(self.acted.drain());
    }

    /// A policy that asks for it has acted.
    pub(super) fn acted(&mut self, key: Key) {
        self.acted.insert(key);
    }

    /// Whether a policy acts again.
    pub(super) fn asks_for(&self, key: &Key) -> bool {
        self.again.contains(key)
    }
}
