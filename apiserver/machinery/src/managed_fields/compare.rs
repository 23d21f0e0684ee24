//! What became of each field between two versions of an object.
//!
//! The rule: what is owned as a whole is a leaf and compared as one, and so are scalars and what is empty. Everything
//! else is compared by its fields or items, and is itself only added or removed, never modified.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    Scope,
    path_element::PathElement,
    set::FieldSet,
    types::{FieldTypes, ListType, MapType},
};

/// The fields that differ. No field is in two of the sets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) added: FieldSet,
    pub(super) modified: FieldSet,
    pub(super) removed: FieldSet,
}

/// Compares an object with what it was; nothing, if it is new. Managed fields are not compared.
pub(super) fn compare(old: Option<&Value>, new: &Value, types: &dyn FieldTypes) -> Comparison {
    let empty = Value::Object(Map::new());
    let mut walk = Walk { types, names: Vec::new(), path: Vec::new(), found: Comparison::default() };
    walk.visit(Some(old.unwrap_or(&empty)), Some(new));
    walk.found
}

struct Walk<'a> {
    types: &'a dyn FieldTypes,
    /// Where the walk is, as `types` wants it told.
    names: Vec<&'a str>,
    /// Where the walk is, as sets want it told.
    path: Vec<PathElement>,
    found: Comparison,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Map,
    List,
    Scalar,
}

/// The old and the new items of a list under one path element; more than one are duplicates.
#[derive(Default)]
struct Items<'a> {
    old: Vec<&'a Value>,
    new: Vec<&'a Value>,
}

// === impl Comparison ===

impl Comparison {
    /// Whether nothing but `fields` differs.
    pub(super) fn is_same_without(&self, fields: &FieldSet) -> bool {
        [&self.added, &self.modified, &self.removed].iter().all(|set| set.difference(fields).is_empty())
    }

    /// Forgets what is out of scope.
    pub(super) fn restrict(&mut self, scope: Scope<'_>) {
        for set in [&mut self.added, &mut self.modified, &mut self.removed] {
            set.retain_fields(|field| scope.contains(field));
        }
    }
}

// === impl Walk ===

impl<'a> Walk<'a> {
    /// Compares what is at the current path; a side that lacks it is `None`.
    fn visit(&mut self, old: Option<&'a Value>, new: Option<&'a Value>) {
        // Null takes the shape of the other side.
        let leaf = match (shape(old), shape(new)) {
            (None, None) => self.visit_as(Shape::Scalar, old, new),
            (Some(shape), None) | (None, Some(shape)) => self.visit_as(shape, old, new),
            (Some(before), Some(after)) if before == after => self.visit_as(after, old, new),
            (Some(before), Some(after)) => {
                self.visit_as(before, old, new);
                self.visit_as(after, old, new)
            }
        };
        match (leaf, old, new) {
            (false, None, _) => self.found.added.insert(&self.path),
            (false, _, None) => self.found.removed.insert(&self.path),
            _ => {}
        }
    }

    /// Compares what is of this shape; says whether it was a leaf.
    fn visit_as(&mut self, shape: Shape, old: Option<&'a Value>, new: Option<&'a Value>) -> bool {
        match shape {
            Shape::Map => {
                let (before, after) = (old.and_then(Value::as_object), new.and_then(Value::as_object));
                let is_empty = before.is_none_or(Map::is_empty) && after.is_none_or(Map::is_empty);
                if !is_empty && self.types.map(&self.names) == MapType::Granular {
                    self.visit_fields(before, after);
                    return false;
                }
            }
            Shape::List => {
                let (before, after) = (old.and_then(Value::as_array), new.and_then(Value::as_array));
                let (before, after) = (before.map_or(&[][..], Vec::as_slice), after.map_or(&[][..], Vec::as_slice));
                let is_empty = before.is_empty() && after.is_empty();
                if !is_empty && let Some(items) = items(self.types, &self.names, before, after) {
                    self.visit_items(items);
                    return false;
                }
            }
            Shape::Scalar => {}
        }
        self.leaf(old, new);
        true
    }

    fn leaf(&mut self, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (None, _) => self.found.added.insert(&self.path),
            (_, None) => self.found.removed.insert(&self.path),
            (old, new) if old != new => self.found.modified.insert(&self.path),
            _ => {}
        }
    }

    fn visit_fields(&mut self, old: Option<&'a Map<String, Value>>, new: Option<&'a Map<String, Value>>) {
        let before = old.into_iter().flatten();
        let after = new.into_iter().flatten().filter(|(name, _)| old.is_none_or(|old| !old.contains_key(*name)));
        for (name, _) in before.chain(after) {
            if self.names == ["metadata"] && name == "managedFields" {
                continue;
            }
            let (old, new) = (old.and_then(|old| old.get(name)), new.and_then(|new| new.get(name)));
            self.descend(name, PathElement::field(name), old, new);
        }
    }

    fn visit_items(&mut self, items: BTreeMap<PathElement, Items<'a>>) {
        for (element, Items { old, new }) in items {
            match (&old[..], &new[..]) {
                (&[] | &[_], &[] | &[_]) => self.descend("*", element, old.first().copied(), new.first().copied()),
                // Duplicates are one leaf.
                (&[_, _, ..], &[_, _, ..]) => {
                    if old != new {
                        self.mark(element, |found| &mut found.modified);
                    }
                }
                (&[_, _, ..], _) => {
                    if let Some(item) = new.first() {
                        self.descend("*", element.clone(), None, Some(item));
                    }
                    self.mark(element, |found| &mut found.removed);
                }
                _ => {
                    if let Some(item) = old.first() {
                        self.descend("*", element.clone(), Some(item), None);
                    }
                    self.mark(element, |found| &mut found.added);
                }
            }
        }
    }

    fn descend(&mut self, name: &'a str, element: PathElement, old: Option<&'a Value>, new: Option<&'a Value>) {
        self.names.push(name);
        self.path.push(element);
        self.visit(old, new);
        self.path.pop();
        self.names.pop();
    }

    fn mark(&mut self, element: PathElement, set: impl FnOnce(&mut Comparison) -> &mut FieldSet) {
        self.path.push(element);
        set(&mut self.found).insert(&self.path);
        self.path.pop();
    }
}

/// The shape of a value; nothing and null have none.
fn shape(value: Option<&Value>) -> Option<Shape> {
    match value? {
        Value::Null => None,
        Value::Object(_) => Some(Shape::Map),
        Value::Array(_) => Some(Shape::List),
        _ => Some(Shape::Scalar),
    }
}

/// The items of both lists by path element; `None` if the list, or one with items that have none, is owned as a whole.
fn items<'a>(
    types: &dyn FieldTypes,
    names: &[&str],
    old: &'a [Value],
    new: &'a [Value],
) -> Option<BTreeMap<PathElement, Items<'a>>> {
    let list = types.list(names);
    let mut items = BTreeMap::<_, Items<'_>>::new();
    for item in old {
        items.entry(element(types, names, &list, item)?).or_default().old.push(item);
    }
    for item in new {
        items.entry(element(types, names, &list, item)?).or_default().new.push(item);
    }
    Some(items)
}

/// What tells an item of the list at `names` apart; nothing in one that is owned as a whole.
pub(super) fn element(types: &dyn FieldTypes, names: &[&str], list: &ListType, item: &Value) -> Option<PathElement> {
    match (list, item) {
        (ListType::Set, Value::Bool(_) | Value::Number(_) | Value::String(_)) => Some(PathElement::Value(item.clone())),
        (ListType::Map(keys), Value::Object(item)) => {
            let value = |key: &String| item.get(key).cloned().or_else(|| types.key_default(names, key));
            let key: Map<_, _> = keys.iter().filter_map(|key| Some((key.clone(), value(key)?))).collect();
            (!key.is_empty()).then_some(PathElement::Key(key))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::managed_fields::{Untyped, types::WithMeta};

    /// Lists named `set` and `map` and maps named `whole` are what they are called.
    struct ByName;

    impl FieldTypes for ByName {
        fn list(&self, path: &[&str]) -> ListType {
            match path.last() {
                Some(&"set") => ListType::Set,
                Some(&"map") => ListType::Map(vec!["name".to_owned(), "port".to_owned()]),
                _ => ListType::Atomic,
            }
        }

        fn map(&self, path: &[&str]) -> MapType {
            if path.ends_with(&["whole"]) { MapType::Atomic } else { MapType::Granular }
        }

        fn is_declared(&self, _: &[&str]) -> bool {
            false
        }

        fn has_version(&self, _: &str) -> bool {
            true
        }
    }

    #[test]
    fn fields_are_added_modified_or_removed() {
        let none = json!({});
        let cases = [
            // old, new, added, modified, removed; below `s`.
            (json!({"a": 1}), json!({"a": 1}), none.clone(), none.clone(), none.clone()),
            (json!({"a": 1}), json!({"a": 2, "b": 1}), json!({"f:b": {}}), json!({"f:a": {}}), none.clone()),
            (json!({"a": 1}), json!({}), none.clone(), none.clone(), json!({"f:a": {}})),
            (
                json!({}),
                json!({"a": {"b": {"c": 1}}}),
                json!({"f:a": {".": {}, "f:b": {".": {}, "f:c": {}}}}),
                none.clone(),
                none.clone(),
            ),
            (json!({"a": {"b": 1}}), json!({}), none.clone(), none.clone(), json!({"f:a": {".": {}, "f:b": {}}})),
            // What is empty is a leaf.
            (
                json!({}),
                json!({"a": {}, "b": [], "c": null}),
                json!({"f:a": {}, "f:b": {}, "f:c": {}}),
                none.clone(),
                none.clone(),
            ),
            (json!({"a": {}}), json!({"a": null}), none.clone(), json!({"f:a": {}}), none.clone()),
            (json!({"a": {}}), json!({"a": {"b": 1}}), json!({"f:a": {"f:b": {}}}), none.clone(), none.clone()),
            (json!({"a": null}), json!({"a": {"b": 1}}), json!({"f:a": {"f:b": {}}}), none.clone(), none.clone()),
            (json!({"a": {"b": 1}}), json!({"a": null}), none.clone(), none.clone(), json!({"f:a": {"f:b": {}}})),
            (json!({"a": null}), json!({"a": 1}), none.clone(), json!({"f:a": {}}), none.clone()),
            // Another shape.
            (json!({"a": {"b": 1}}), json!({"a": "x"}), none.clone(), json!({"f:a": {}}), json!({"f:a": {"f:b": {}}})),
            (json!({"a": "x"}), json!({"a": {"b": 1}}), json!({"f:a": {"f:b": {}}}), json!({"f:a": {}}), none.clone()),
            (json!({"a": [1]}), json!({"a": {"b": 1}}), json!({"f:a": {"f:b": {}}}), json!({"f:a": {}}), none.clone()),
            // Owned as a whole.
            (json!({"a": [1]}), json!({"a": [2]}), none.clone(), json!({"f:a": {}}), none.clone()),
            (
                json!({"whole": {"b": 1}}),
                json!({"whole": {"b": 2}}),
                none.clone(),
                json!({"f:whole": {}}),
                none.clone(),
            ),
            (json!({}), json!({"whole": {"b": 1}}), json!({"f:whole": {}}), none.clone(), none.clone()),
            // By item.
            (
                json!({"set": ["a", "b"]}),
                json!({"set": ["c", "a"]}),
                json!({"f:set": {"v:\"c\"": {}}}),
                none.clone(),
                json!({"f:set": {"v:\"b\"": {}}}),
            ),
            (json!({}), json!({"set": ["a"]}), json!({"f:set": {".": {}, "v:\"a\"": {}}}), none.clone(), none.clone()),
            (json!({"set": ["a", "b"]}), json!({"set": ["b", "a"]}), none.clone(), none.clone(), none.clone()),
            (
                json!({"map": [{"name": "a", "port": 1, "x": 1}, {"name": "b"}]}),
                json!({"map": [{"name": "a", "port": 1, "x": 2}, {"name": "a", "port": 2}]}),
                json!({"f:map": {"k:{\"name\":\"a\",\"port\":2}": {".": {}, "f:name": {}, "f:port": {}}}}),
                json!({"f:map": {"k:{\"name\":\"a\",\"port\":1}": {"f:x": {}}}}),
                json!({"f:map": {"k:{\"name\":\"b\"}": {".": {}, "f:name": {}}}}),
            ),
            // Items that nothing tells apart.
            (json!({"set": [{}]}), json!({"set": [[]]}), none.clone(), json!({"f:set": {}}), none.clone()),
            (
                json!({"map": [{"x": 1}]}),
                json!({"map": [{"name": "a"}]}),
                none.clone(),
                json!({"f:map": {}}),
                none.clone(),
            ),
            // Duplicates.
            (
                json!({"set": ["a"]}),
                json!({"set": ["a", "a"]}),
                json!({"f:set": {"v:\"a\"": {}}}),
                none.clone(),
                json!({"f:set": {"v:\"a\"": {}}}),
            ),
            (
                json!({"set": ["a", "a"]}),
                json!({"set": ["a"]}),
                json!({"f:set": {"v:\"a\"": {}}}),
                none.clone(),
                json!({"f:set": {"v:\"a\"": {}}}),
            ),
            (json!({"set": ["a", "a"]}), json!({"set": ["a", "a"]}), none.clone(), none.clone(), none.clone()),
            (
                json!({"map": [{"name": "a", "x": 1}, {"name": "a", "x": 2}]}),
                json!({"map": [{"name": "a", "x": 2}, {"name": "a", "x": 1}]}),
                none.clone(),
                json!({"f:map": {"k:{\"name\":\"a\"}": {}}}),
                none.clone(),
            ),
        ];
        for (old, new, added, modified, removed) in cases {
            let (old, new) = (json!({ "s": old }), json!({ "s": new }));
            let found = compare(Some(&old), &new, &ByName);
            let below = |fields: &Value| if fields == &none { none.clone() } else { json!({ "f:s": fields }) };
            assert_eq!(found.added.to_value(), below(&added), "added: {old} {new}");
            assert_eq!(found.modified.to_value(), below(&modified), "modified: {old} {new}");
            assert_eq!(found.removed.to_value(), below(&removed), "removed: {old} {new}");
        }
    }

    #[test]
    fn metadata_has_types_of_its_own() {
        let new = json!({"metadata": {
            "finalizers": ["f"],
            "ownerReferences": [{"uid": "u", "name": "o"}],
            "labels": {"a": "b"},
            "managedFields": [{"manager": "m"}],
        }});
        let added = json!({"f:metadata": {
            ".": {},
            "f:finalizers": {".": {}, "v:\"f\"": {}},
            "f:ownerReferences": {".": {}, "k:{\"uid\":\"u\"}": {}},
            "f:labels": {".": {}, "f:a": {}},
        }});
        assert_eq!(compare(None, &new, &WithMeta(&Untyped)).added.to_value(), added);
    }
}
