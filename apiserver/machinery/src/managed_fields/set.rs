//! Sets of fields, and FieldsV1, their JSON.
//!
//! A set is a tree. A node may be a member, have members below it, or both: membership of a parent says nothing about
//! its children, nor theirs about it.
//!
//! ```text
//!   {"f:spec":{".":{},"f:size":{}}}      spec and spec.size
//!   {"f:spec":{"f:size":{}}}             spec.size alone
//! ```

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{path_element::PathElement, types::FieldTypes};

/// A set of fields of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldSet(BTreeMap<PathElement, Node>);

/// What a set says about a field. One that is no member has members below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Node {
    member: bool,
    children: FieldSet,
}

/// JSON that is not FieldsV1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidFields(String);

// === impl FieldSet ===

impl FieldSet {
    /// Reads FieldsV1. Elements of unknown kinds are left out with what is below them.
    pub fn parse(fields: &Value) -> Result<Self, InvalidFields> {
        Ok(Node::parse(fields)?.children)
    }

    /// The set as FieldsV1.
    pub fn to_value(&self) -> Value {
        let fields = self.0.iter().map(|(element, node)| (element.to_string(), node.to_value()));
        Value::Object(fields.collect())
    }

    /// Adds the field at `path`, but none of those above it. The object itself, at the empty path, is no field.
    pub fn insert(&mut self, path: &[PathElement]) {
        let Some((first, rest)) = path.split_first() else { return };
        let node = self.0.entry(first.clone()).or_default();
        match rest {
            [] => node.member = true,
            rest => node.children.insert(rest),
        }
    }

    /// Whether the field at `path` is a member.
    pub fn contains(&self, path: &[PathElement]) -> bool {
        match path {
            [] => false,
            [last] => self.0.get(last).is_some_and(|node| node.member),
            [first, rest @ ..] => self.0.get(first).is_some_and(|node| node.children.contains(rest)),
        }
    }

    /// Whether the field below the object is a member.
    pub(super) fn has(&self, element: &PathElement) -> bool {
        self.0.get(element).is_some_and(|node| node.member)
    }

    /// The members within a field, if there are any.
    pub(super) fn below(&self, element: &PathElement) -> Option<&Self> {
        self.0.get(element).map(|node| &node.children).filter(|children| !children.is_empty())
    }

    /// The paths of the members, those of parents before those of what is below them.
    pub(super) fn paths(&self) -> Vec<Vec<PathElement>> {
        let mut paths = Vec::new();
        self.collect(&mut Vec::new(), &mut paths);
        paths
    }

    fn collect(&self, path: &mut Vec<PathElement>, paths: &mut Vec<Vec<PathElement>>) {
        for (element, node) in &self.0 {
            path.push(element.clone());
            if node.member {
                paths.push(path.clone());
            }
            node.children.collect(path, paths);
            path.pop();
        }
    }

    /// The set with every declared field that has members below it: it is there because of them.
    pub(super) fn with_declared(&self, types: &dyn FieldTypes) -> Self {
        self.declared(&mut Vec::new(), types)
    }

    fn declared<'a>(&'a self, path: &mut Vec<&'a str>, types: &dyn FieldTypes) -> Self {
        let nodes = self.0.iter().map(|(element, node)| {
            path.push(element.name());
            let declared = matches!(element, PathElement::Field(_)) && types.is_declared(path);
            let member = node.member || (declared && !node.children.is_empty());
            let node = Node { member, children: node.children.declared(path, types) };
            path.pop();
            (element.clone(), node)
        });
        Self(nodes.collect())
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The members of either.
    pub fn union(&self, other: &Self) -> Self {
        let mut union = self.clone();
        union.extend(other.clone());
        union
    }

    /// Adds the members of `other`.
    pub fn extend(&mut self, other: Self) {
        for (element, theirs) in other.0 {
            let ours = self.0.entry(element).or_default();
            ours.member |= theirs.member;
            ours.children.extend(theirs.children);
        }
    }

    /// The members of both.
    pub fn intersection(&self, other: &Self) -> Self {
        self.filter_map(|element, node| {
            let theirs = other.0.get(element)?;
            Some(Node { member: node.member && theirs.member, children: node.children.intersection(&theirs.children) })
        })
    }

    /// The members that are not in `other`. Those below a member of `other` stay.
    pub fn difference(&self, other: &Self) -> Self {
        self.filter_map(|element, node| match other.0.get(element) {
            None => Some(node.clone()),
            Some(theirs) => Some(Node {
                member: node.member && !theirs.member,
                children: node.children.difference(&theirs.children),
            }),
        })
    }

    /// The set without the top-level fields, and all that is below them, that `keep` is false of.
    pub(super) fn retain_fields(&mut self, keep: impl Fn(&str) -> bool) {
        self.0.retain(|element, _| matches!(element, PathElement::Field(name) if keep(name)));
    }

    /// The set with each subtree made a single member where `collapse` is true of its path and the kind of its children.
    pub(super) fn collapse<'a>(
        &'a self,
        path: &mut Vec<&'a str>,
        collapse: &dyn Fn(&[&str], &PathElement) -> bool,
    ) -> Self {
        let mut set = Self::default();
        for (element, node) in &self.0 {
            path.push(element.name());
            let node = match node.children.0.first_key_value() {
                Some((child, _)) if collapse(path, child) => Node { member: true, children: Self::default() },
                _ => Node { member: node.member, children: node.children.collapse(path, collapse) },
            };
            path.pop();
            set.0.insert(element.clone(), node);
        }
        set
    }

    /// Maps nodes and leaves out those that end up with nothing.
    fn filter_map(&self, map: impl Fn(&PathElement, &Node) -> Option<Node>) -> Self {
        let nodes = self.0.iter().filter_map(|(element, node)| Some((element.clone(), map(element, node)?)));
        Self(nodes.filter(|(_, node)| node.member || !node.children.is_empty()).collect())
    }
}

// === impl Node ===

impl Node {
    fn parse(fields: &Value) -> Result<Self, InvalidFields> {
        let fields = fields.as_object().ok_or_else(|| InvalidFields(format!("{fields} is not an object")))?;
        let mut node = Self { member: fields.contains_key("."), children: FieldSet::default() };
        for (element, below) in fields.iter().filter(|(element, _)| *element != ".") {
            if let Some(element) = PathElement::parse(element)? {
                node.children.0.insert(element, Self::parse(below)?);
            }
        }
        node.member |= node.children.is_empty();
        Ok(node)
    }

    fn to_value(&self) -> Value {
        let Value::Object(mut fields) = self.children.to_value() else { return Value::Null };
        if self.member && !fields.is_empty() {
            fields.insert(".".to_owned(), Value::Object(Map::new()));
        }
        Value::Object(fields)
    }
}

// === impl InvalidFields ===

impl InvalidFields {
    pub(super) fn element(text: &str) -> Self {
        Self(format!("{text:?} is not a path element"))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};
    use serde_json::json;

    use super::*;

    fn set(fields: Value) -> FieldSet {
        FieldSet::parse(&fields).unwrap()
    }

    fn path(elements: &[&str]) -> Vec<PathElement> {
        elements.iter().map(|element| PathElement::parse(element).unwrap().unwrap()).collect()
    }

    #[test]
    fn membership_of_a_parent_and_of_its_children_are_apart() {
        let mut fields = FieldSet::default();
        fields.insert(&path(&["f:spec", "f:size"]));
        assert_eq!(fields.to_value(), json!({ "f:spec": { "f:size": {} } }));
        assert!(!fields.contains(&path(&["f:spec"])) && fields.contains(&path(&["f:spec", "f:size"])));
        fields.insert(&path(&["f:spec"]));
        assert_eq!(fields.to_value(), json!({ "f:spec": { ".": {}, "f:size": {} } }));
        assert!(fields.contains(&path(&["f:spec"])));
        fields.insert(&[]);
        assert!(!fields.contains(&[]));
    }

    #[test]
    fn fields_v1_is_read_as_go_reads_it() {
        let cases = [
            (json!({}), json!({})),
            (json!({ "f:a": {} }), json!({ "f:a": {} })),
            (json!({ "f:a": { ".": {} } }), json!({ "f:a": {} })),
            (json!({ ".": {}, "f:a": {} }), json!({ "f:a": {} })),
            (
                json!({ "f:a": { ".": 5, "k:{\"n\":1}": { "f:n": {} } } }),
                json!({ "f:a": { ".": {}, "k:{\"n\":1}": { "f:n": {} } } }),
            ),
            (json!({ "f:a": { "x:future": 7 } }), json!({ "f:a": {} })),
            (json!({ "x:future": { "f:a": {} }, "v:1": {}, "i:0": {} }), json!({ "v:1": {}, "i:0": {} })),
        ];
        for (read, printed) in cases {
            assert_eq!(set(read.clone()).to_value(), printed, "{read}");
        }
        for fields in
            [json!(null), json!([]), json!("x"), json!({ "f:a": null }), json!({ "f:a": 5 }), json!({ "a": {} })]
        {
            assert!(FieldSet::parse(&fields).is_err(), "{fields}");
        }
    }

    #[test]
    fn sets_are_combined_member_by_member() {
        let a = set(json!({ "f:m": { ".": {}, "f:x": {}, "f:y": {} }, "f:p": {} }));
        let b = set(json!({ "f:m": { "f:y": {}, "f:z": {} }, "f:p": { "f:q": {} } }));
        assert_eq!(
            a.union(&b),
            set(json!({ "f:m": { ".": {}, "f:x": {}, "f:y": {}, "f:z": {} }, "f:p": { ".": {}, "f:q": {} } }))
        );
        assert_eq!(a.intersection(&b), set(json!({ "f:m": { "f:y": {} } })));
        assert_eq!(a.difference(&b), set(json!({ "f:m": { ".": {}, "f:x": {} }, "f:p": {} })));
        assert_eq!(b.difference(&a), set(json!({ "f:m": { "f:z": {} }, "f:p": { "f:q": {} } })));
    }

    fn sets() -> impl Strategy<Value = FieldSet> {
        let elements = ["f:a", "f:b", "k:{\"n\":1}", "k:{\"n\":2}", "v:\"x\"", "v:1", "i:0"];
        vec(vec(select(elements.to_vec()), 1..4), 0..8).prop_map(|paths| {
            let mut set = FieldSet::default();
            paths.iter().for_each(|elements| set.insert(&path(elements)));
            set
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(a in sets()) {
            prop_assert_eq!(FieldSet::parse(&a.to_value()).unwrap(), a);
        }

        #[test]
        fn the_laws_of_sets_hold(a in sets(), b in sets(), c in sets()) {
            prop_assert_eq!(a.union(&b), b.union(&a));
            prop_assert_eq!(a.union(&b).union(&c), a.union(&b.union(&c)));
            prop_assert_eq!(a.intersection(&b), b.intersection(&a));
            prop_assert_eq!(&a.union(&a), &a);
            prop_assert!(a.difference(&a).is_empty());
            prop_assert!(a.difference(&b).intersection(&b).is_empty());
            prop_assert_eq!(&a.difference(&b).union(&a.intersection(&b)), &a);
            prop_assert_eq!(a.difference(&b).union(&b), a.union(&b));
            prop_assert_eq!(a.difference(&b).difference(&c), a.difference(&b.union(&c)));
        }
    }
}
