//! An object with a configuration merged in: what is owned as a whole is replaced, everything else is merged by field or
//! by item.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    compare::element,
    path_element::PathElement,
    types::{FieldTypes, ListType, MapType, WithMeta},
};

/// `live` with everything that `config` says, whoever has it.
pub fn merge(live: &Value, config: &Value, types: &dyn FieldTypes) -> Value {
    Merge { types: &WithMeta(types), names: Vec::new() }.values(live, config)
}

struct Merge<'a> {
    types: &'a dyn FieldTypes,
    /// Where it is.
    names: Vec<&'a str>,
}

// === impl Merge ===

impl<'a> Merge<'a> {
    fn values(&mut self, live: &'a Value, config: &'a Value) -> Value {
        match (live, config) {
            (Value::Object(live), Value::Object(config)) if self.types.map(&self.names) == MapType::Granular => {
                Value::Object(self.maps(live, config))
            }
            (Value::Array(live), Value::Array(config)) => {
                let list = self.types.list(&self.names);
                match (self.elements(&list, live), self.elements(&list, config)) {
                    (Some(before), Some(wanted)) => Value::Array(self.lists(before, wanted)),
                    _ => Value::Array(config.clone()),
                }
            }
            // Nothing is wanted of what is there and merged.
            (Value::Object(map), Value::Null)
                if !map.is_empty() && self.types.map(&self.names) == MapType::Granular =>
            {
                live.clone()
            }
            (Value::Array(list), Value::Null)
                if !list.is_empty() && self.types.list(&self.names) != ListType::Atomic =>
            {
                live.clone()
            }
            (_, config) => config.clone(),
        }
    }

    fn maps(&mut self, live: &'a Map<String, Value>, config: &'a Map<String, Value>) -> Map<String, Value> {
        let mut merged = live.clone();
        for (name, wanted) in config {
            let value = match live.get(name) {
                Some(there) => self.within(name, there, wanted),
                None => wanted.clone(),
            };
            merged.insert(name.clone(), value);
        }
        merged
    }

    /// The items of both. Those that are wanted come in the order in which they are, and others stay where they are
    /// between those that both have.
    fn lists(&mut self, live: Items<'a>, config: Items<'a>) -> Vec<Value> {
        let (there, wanted) = (index(&live), index(&config));
        let mut shared = config.iter().map(|(element, _)| element).filter(|element| there.contains_key(element));
        let mut next_shared = shared.next();
        let (mut live, mut config) = (live.iter().peekable(), config.iter().peekable());
        let mut merged = Vec::new();
        loop {
            match (live.peek(), config.peek()) {
                (None, None) => return merged,
                // What is not wanted stays,
                (Some((element, item)), _) if !wanted.contains_key(element) => {
                    merged.push((*item).clone());
                    live.next();
                }
                // and what is wanted comes where it is wanted: it is passed over here,
                (Some((element, _)), Some((next, _))) if element != next && next_shared != Some(element) => {
                    live.next();
                }
                (Some(_), None) => {
                    live.next();
                }
                // except that nothing wanted comes after it before it is there.
                (before, Some((element, item))) => {
                    if before.is_some_and(|(before, _)| before == element) {
                        live.next();
                    }
                    merged.push(match there.get(element).copied().flatten() {
                        Some(old) => self.within("*", old, item),
                        None => (*item).clone(),
                    });
                    if next_shared == Some(element) {
                        next_shared = shared.next();
                    }
                    config.next();
                }
            }
        }
    }

    fn within(&mut self, name: &'a str, live: &'a Value, config: &'a Value) -> Value {
        self.names.push(name);
        let value = self.values(live, config);
        self.names.pop();
        value
    }

    /// The items by path element; `None` if the list, or one with items that have none, is owned as a whole.
    fn elements(&self, list: &ListType, items: &'a [Value]) -> Option<Items<'a>> {
        items.iter().map(|item| Some((element(self.types, &self.names, list, item)?, item))).collect()
    }
}

type Items<'a> = Vec<(PathElement, &'a Value)>;

/// The item of each element; none of those that come twice.
fn index<'a>(items: &Items<'a>) -> BTreeMap<PathElement, Option<&'a Value>> {
    let mut index = BTreeMap::new();
    for (element, item) in items {
        index.entry(element.clone()).and_modify(|item| *item = None).or_insert(Some(*item));
    }
    index
}
