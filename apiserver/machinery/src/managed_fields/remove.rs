//! An object without some of its fields.

use serde_json::{Map, Value};

use super::{
    compare::element,
    path_element::PathElement,
    set::FieldSet,
    types::{FieldTypes, ListType, MapType},
};

/// `object` without the fields of `set`. What is owned as a whole goes or stays as a whole, and what is entered and has
/// nothing left is null, as the kube-apiserver leaves it.
pub(super) fn remove(object: &Value, set: &FieldSet, types: &dyn FieldTypes) -> Value {
    Remove { types, names: Vec::new() }.from(object, set)
}

struct Remove<'a> {
    types: &'a dyn FieldTypes,
    /// Where it is.
    names: Vec<&'a str>,
}

// === impl Remove ===

impl<'a> Remove<'a> {
    fn from(&mut self, value: &'a Value, set: &FieldSet) -> Value {
        match value {
            Value::Object(map) if self.types.map(&self.names) == MapType::Granular => {
                let left = |(name, value): (&'a String, &'a Value)| {
                    Some((name.clone(), self.item(name, &PathElement::field(name), value, set)?))
                };
                let left: Map<_, _> = map.iter().filter_map(left).collect();
                if left.is_empty() { Value::Null } else { Value::Object(left) }
            }
            Value::Array(items) => {
                let list = self.types.list(&self.names);
                if list == ListType::Atomic {
                    return Value::Null;
                }
                let left = |item| match element(self.types, &self.names, &list, item) {
                    Some(element) => self.item("*", &element, item, set),
                    None => Some(item.clone()),
                };
                let left: Vec<_> = items.iter().filter_map(left).collect();
                if left.is_empty() { Value::Null } else { Value::Array(left) }
            }
            Value::Object(_) => Value::Null,
            scalar => scalar.clone(),
        }
    }

    /// What is left of a field or an item, unless it goes as a whole.
    fn item(&mut self, name: &'a str, element: &PathElement, value: &'a Value, set: &FieldSet) -> Option<Value> {
        if set.has(element) {
            return None;
        }
        let Some(below) = set.below(element) else { return Some(value.clone()) };
        self.names.push(name);
        let left = self.from(value, below);
        self.names.pop();
        Some(left)
    }
}
