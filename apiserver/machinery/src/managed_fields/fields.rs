//! The fields that an object has, as a set.

use serde_json::Value;

use super::{
    compare::element,
    path_element::PathElement,
    set::FieldSet,
    types::{FieldTypes, ListType, MapType},
};

/// The leaves of `object`: scalars, nulls, empty objects and what is owned as a whole; and of lists and maps, whose items
/// and keys are there for themselves, also each of these.
pub(super) fn fields(object: &Value, types: &dyn FieldTypes) -> FieldSet {
    let mut walk = Walk { types, names: Vec::new(), path: Vec::new(), found: FieldSet::default() };
    walk.visit(object);
    walk.found
}

struct Walk<'a> {
    types: &'a dyn FieldTypes,
    names: Vec<&'a str>,
    path: Vec<PathElement>,
    found: FieldSet,
}

// === impl Walk ===

impl<'a> Walk<'a> {
    fn visit(&mut self, value: &'a Value) {
        match value {
            Value::Object(map) if self.types.map(&self.names) == MapType::Granular => {
                for (name, value) in map {
                    self.enter(name, PathElement::field(name));
                    self.visit(value);
                    let empty = value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
                    if empty || !self.types.is_declared(&self.names) {
                        self.found.insert(&self.path);
                    }
                    self.leave();
                }
            }
            Value::Array(items) => {
                let list = self.types.list(&self.names);
                if list == ListType::Atomic {
                    return self.found.insert(&self.path);
                }
                let elements: Vec<_> = items.iter().map(|item| element(self.types, &self.names, &list, item)).collect();
                for (item, element) in items.iter().zip(&elements) {
                    let Some(element) = element else { continue };
                    // Of items that come twice there is no telling what is within.
                    let twice = elements.iter().flatten().filter(|other| *other == element).count() > 1;
                    self.enter("*", element.clone());
                    if !twice {
                        self.visit(item);
                    }
                    self.found.insert(&self.path);
                    self.leave();
                }
            }
            _ => self.found.insert(&self.path),
        }
    }

    fn enter(&mut self, name: &'a str, element: PathElement) {
        self.names.push(name);
        self.path.push(element);
    }

    fn leave(&mut self) {
        self.names.pop();
        self.path.pop();
    }
}
