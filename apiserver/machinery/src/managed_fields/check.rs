//! What a configuration must be to be applied, besides being an object of its kind.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    compare::element,
    path_element::PathElement,
    types::{FieldTypes, ListType, MapType, WithMeta},
};

/// Refuses lists that cannot be merged: items that come twice, and items that nothing tells apart. The error says where,
/// as the kube-apiserver words it.
pub fn check(config: &Value, types: &dyn FieldTypes) -> Result<(), String> {
    Walk { types: &WithMeta(types), names: Vec::new(), path: String::new() }.visit(config)
}

struct Walk<'a> {
    types: &'a dyn FieldTypes,
    names: Vec<&'a str>,
    path: String,
}

// === impl Walk ===

impl<'a> Walk<'a> {
    fn visit(&mut self, value: &'a Value) -> Result<(), String> {
        match value {
            Value::Object(map) if self.types.map(&self.names) == MapType::Granular => {
                map.iter().try_for_each(|(name, value)| self.within(name, &PathElement::field(name), value))
            }
            Value::Array(items) => match self.types.list(&self.names) {
                ListType::Atomic => Ok(()),
                list => self.items(&list, items),
            },
            _ => Ok(()),
        }
    }

    fn items(&mut self, list: &ListType, items: &'a [Value]) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        for (at, item) in items.iter().enumerate() {
            let Some(element) = element(self.types, &self.names, list, item) else {
                return Err(format!("{}: element {at}: {}", self.path, why(list, item)));
            };
            if !seen.insert(element.clone()) {
                return Err(format!("{}: duplicate entries for key {}", self.path, element.step()));
            }
            self.within("*", &element, item)?;
        }
        Ok(())
    }

    fn within(&mut self, name: &'a str, element: &PathElement, value: &'a Value) -> Result<(), String> {
        let length = self.path.len();
        self.path.push_str(&element.step());
        self.names.push(name);
        let outcome = self.visit(value);
        self.names.pop();
        self.path.truncate(length);
        outcome
    }
}

/// Why an item of a list has no path element.
fn why(list: &ListType, item: &Value) -> String {
    match list {
        ListType::Map(_) if !item.is_object() => "associative list with keys may not have non-map elements".to_owned(),
        ListType::Map(keys) => {
            let missing = keys.iter().find(|key| item.get(*key).is_none()).map(String::as_str).unwrap_or_default();
            format!(
                "associative list with keys has an element that omits key field {missing:?} (and doesn't have default value)"
            )
        }
        _ if item.is_null() => "associative list without keys has an element that's an explicit null".to_owned(),
        _ => "only scalars are allowed as the items of a set".to_owned(),
    }
}
