//! How the parts of a schema must fit together to be structural, and for lists and maps to be merged by key.

use machinery::field::Error;
use serde_json::Value;

use super::node::{Additional, Checks, List, Node, Type, Types};
use crate::path::Path;

/// The fields of every object, which the server itself describes.
const META: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Where a part of the structure stands.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    Root,
    Item,
    Field,
}

/// A part of the structure: parsed, as written, and where.
struct Part<'a> {
    node: &'a Node,
    written: &'a Value,
    level: Level,
    path: &'a Path<'a>,
}

/// Checks a whole schema, which was parsed from `written`.
pub(super) fn structural(root: &Node, written: &Value, path: &Path<'_>, problems: &mut Vec<Error>) {
    let part = Part { node: root, written, level: Level::Root, path };
    part.only_at_root(problems);
    part.check(problems);
}

// === impl Part ===

impl Part<'_> {
    /// Checks this part and those below.
    fn check(&self, problems: &mut Vec<Error>) {
        self.types(problems);
        self.additional(problems);
        self.embedded(problems);
        self.int_or_string(problems);
        self.list_type(problems);
        self.map_type(problems);
        complete(&self.node.checks, Some(self.node), self.path, self.path, problems);
        self.below(problems);
    }

    fn below(&self, problems: &mut Vec<Error>) {
        let properties = self.path.field("properties");
        for (name, node) in &self.node.properties {
            let path = properties.key(name);
            Part { node, written: &self.written["properties"][name], level: Level::Field, path: &path }.check(problems);
        }
        if let Some(node) = &self.node.items {
            let path = self.path.field("items");
            Part { node, written: &self.written["items"], level: Level::Item, path: &path }.check(problems);
        }
        if let Some(Additional::Like(node)) = &self.node.additional {
            let (written, path) = (&self.written["additionalProperties"], self.path.field("additionalProperties"));
            Part { node, written, level: Level::Field, path: &path }.check(problems);
        }
    }

    fn types(&self, problems: &mut Vec<Error>) {
        let types = self.node.types;
        if types == Types::One(Type::Array) && self.node.items.is_none() {
            problems.push(Error::required(self.at("items"), "must be specified"));
        }
        if types == Types::Any && !self.node.preserve_unknown && !self.node.embedded {
            let place = match self.level {
                Level::Root => "at the root",
                Level::Item => "for specified array items",
                Level::Field => "for specified object fields",
            };
            problems.push(Error::required(self.at("type"), &format!("must not be empty {place}")));
        }
        if self.level == Level::Root && !matches!(types, Types::Any | Types::One(Type::Object)) {
            problems.push(Error::invalid(self.at("type"), Value::from(types.text()), "must be object at the root"));
        }
    }

    fn additional(&self, problems: &mut Vec<Error>) {
        let Some(additional) = &self.node.additional else { return };
        let at = self.at("additionalProperties");
        if self.level == Level::Root {
            problems.push(Error::forbidden(&at, "must not be used at the root"));
        }
        if self.node.embedded {
            problems.push(Error::forbidden(&at, "must not be used if x-kubernetes-embedded-resource is set"));
        }
        if !self.node.properties.is_empty() && !matches!(additional, Additional::Allowed) {
            problems.push(Error::forbidden(&at, "additionalProperties and properties are mutual exclusive"));
        }
    }

    fn embedded(&self, problems: &mut Vec<Error>) {
        if self.node.embedded {
            self.must_be(Type::Object, "must be object if x-kubernetes-embedded-resource is true", problems);
            if !self.node.preserve_unknown && self.node.properties.is_empty() {
                let detail = "must not be empty if x-kubernetes-embedded-resource is true without \
                              x-kubernetes-preserve-unknown-fields";
                problems.push(Error::required(self.at("properties"), detail));
            }
        }
        if self.level != Level::Root && !self.node.embedded {
            return;
        }
        let properties = self.path.field("properties");
        for (name, must) in [("kind", Type::String), ("apiVersion", Type::String), ("metadata", Type::Object)] {
            if let Some(node) = self.node.properties.get(name)
                && node.types != Types::One(must)
            {
                let (path, text) = (properties.key(name), Value::from(node.types.text()));
                let detail = format!("must be {}", must.text());
                problems.push(Error::invalid(path.field("type"), text, &detail));
            }
        }
    }

    fn int_or_string(&self, problems: &mut Vec<Error>) {
        if self.node.types != Types::IntOrString {
            return;
        }
        for (key, set) in
            [("preserve-unknown-fields", self.node.preserve_unknown), ("embedded-resource", self.node.embedded)]
        {
            if set {
                let at = self.at(&format!("x-kubernetes-{key}"));
                let detail = "must be false if x-kubernetes-int-or-string is true";
                problems.push(Error::invalid(&at, Value::Bool(true), detail));
            }
        }
    }

    fn map_type(&self, problems: &mut Vec<Error>) {
        if self.says("x-kubernetes-map-type") {
            self.must_be(Type::Object, "must be object if x-kubernetes-map-type is specified", problems);
        }
    }

    fn list_type(&self, problems: &mut Vec<Error>) {
        if self.says("x-kubernetes-list-type") {
            self.must_be(Type::Array, "must be array if x-kubernetes-list-type is specified", problems);
        }
        let is_map = matches!(self.node.list, List::Map(_));
        if self.says("x-kubernetes-list-map-keys") && !is_map {
            let detail = "must be map if x-kubernetes-list-map-keys is non-empty";
            problems.push(Error::required(self.at("x-kubernetes-list-type"), detail));
        }
        let Some(item) = &self.node.items else {
            if is_map {
                let detail = "must have a schema if x-kubernetes-list-type is map";
                problems.push(Error::required(self.at("items"), detail));
            }
            return;
        };
        if self.node.list != List::Atomic && item.nullable {
            let kind = if is_map { "map" } else { "set" };
            let detail = format!("cannot be nullable when x-kubernetes-list-type is {kind}");
            problems.push(Error::forbidden(self.at("items.nullable"), &detail));
        }
        match &self.node.list {
            List::Atomic => {}
            List::Set => self.set_item(item, problems),
            List::Map(keys) => self.map_item(item, keys, problems),
        }
    }

    /// The items of a set are compared as wholes, so nothing may merge inside them.
    fn set_item(&self, item: &Node, problems: &mut Vec<Error>) {
        let merged = match item.types {
            Types::One(Type::Array) if item.list != List::Atomic => "items.x-kubernetes-list-type",
            Types::One(Type::Object) if !item.atomic_map => "items.x-kubernetes-map-type",
            _ => return,
        };
        let detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
        problems.push(Error::invalid(self.at(merged), Value::Null, detail));
    }

    /// The keys of a map list must tell its items apart: scalars that every item has.
    fn map_item(&self, item: &Node, keys: &[String], problems: &mut Vec<Error>) {
        let at = self.at("x-kubernetes-list-map-keys");
        if keys.is_empty() {
            problems.push(Error::required(&at, "must not be empty if x-kubernetes-list-type is map"));
        }
        if item.types != Types::One(Type::Object) {
            let detail = "must be object if parent array's x-kubernetes-list-type is map";
            problems.push(Error::invalid(self.at("items.type"), Value::from(item.types.text()), detail));
            return;
        }
        let (items, mut seen) = (self.path.field("items"), Vec::new());
        let properties = items.field("properties");
        for key in keys {
            if seen.contains(&key) {
                problems.push(Error::invalid(&at, Value::from(keys), "must not contain duplicate entries"));
            }
            seen.push(key);
            match item.properties.get(key) {
                Some(property) => map_key(item, property, key, &properties.key(key), problems),
                None => {
                    problems.push(Error::invalid(
                        &at,
                        Value::from(keys),
                        "entries must all be names of item properties",
                    ));
                }
            }
        }
    }

    /// What may not be said of an object as a whole, and of what the server says itself.
    fn only_at_root(&self, problems: &mut Vec<Error>) {
        if self.node.nullable {
            problems.push(Error::forbidden(self.at("nullable"), "nullable cannot be true at the root"));
        }
        let properties = self.path.field("properties");
        for name in META {
            if let Some(node) = self.node.properties.get(name) {
                no_default(node, &properties.key(name), name, problems);
            }
        }
        if !restricts_names_only(&self.written["properties"]["metadata"]) {
            let at = properties.key("metadata").to_string();
            let detail =
                "must not specify anything other than name and generateName, but metadata is implicitly specified";
            problems.push(Error::forbidden(&at, detail));
        }
    }

    fn must_be(&self, must: Type, detail: &str, problems: &mut Vec<Error>) {
        match self.node.types {
            Types::One(found) if found == must => {}
            Types::Any => problems.push(Error::required(self.at("type"), detail)),
            found => problems.push(Error::invalid(self.at("type"), Value::from(found.text()), detail)),
        }
    }

    fn says(&self, key: &str) -> bool {
        self.written.get(key).is_some_and(|value| !value.is_null())
    }

    fn at(&self, key: &str) -> String {
        self.path.field(key).to_string()
    }
}

fn map_key(item: &Node, property: &Node, key: &str, path: &Path<'_>, problems: &mut Vec<Error>) {
    if matches!(property.types, Types::One(Type::Array | Type::Object)) {
        let detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
        problems.push(Error::invalid(path.field("type"), Value::from(property.types.text()), detail));
    }
    if property.default.is_none() && !item.checks.required.iter().any(|required| required == key) {
        let detail =
            "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
        problems.push(Error::required(path.field("default"), detail));
    }
    if property.nullable {
        let detail = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
        problems.push(Error::forbidden(path.field("nullable"), detail));
    }
}

fn no_default(node: &Node, path: &Path<'_>, name: &str, problems: &mut Vec<Error>) {
    if node.default.is_some() {
        let detail = format!("must not be set in top-level {name}");
        problems.push(Error::forbidden(path.field("default"), &detail));
    }
    for (key, node) in &node.properties {
        let properties = path.field("properties");
        no_default(node, &properties.key(key), name, problems);
    }
}

/// Whether what a schema says about the root's metadata is at most its type and the two names.
fn restricts_names_only(metadata: &Value) -> bool {
    let Value::Object(metadata) = metadata else { return true };
    metadata.iter().all(|(key, value)| match key.as_str() {
        "type" | "default" => true,
        "properties" => {
            value.as_object().is_some_and(|names| names.keys().all(|name| name == "name" || name == "generateName"))
        }
        _ => false,
    })
}

/// Every field and item that a validation speaks of must be part of the structure too.
fn complete(checks: &Checks, part: Option<&Node>, at: &Path<'_>, said: &Path<'_>, problems: &mut Vec<Error>) {
    let lists = [("allOf", &checks.all_of), ("anyOf", &checks.any_of), ("oneOf", &checks.one_of)];
    for (name, nodes) in lists {
        let said = said.field(name);
        for (index, node) in nodes.iter().enumerate() {
            complete_nested(node, part, at, &said.index(index), problems);
        }
    }
    if let Some(node) = &checks.not {
        complete_nested(node, part, at, &said.field("not"), problems);
    }
}

fn complete_nested(node: &Node, part: Option<&Node>, at: &Path<'_>, said: &Path<'_>, problems: &mut Vec<Error>) {
    let Some(part) = part else {
        problems.push(Error::required(at, &format!("because it is defined in {said}")));
        return;
    };
    complete(&node.checks, Some(part), at, said, problems);
    if let Some(item) = &node.items {
        complete_nested(item, part.items.as_deref(), &at.field("items"), &said.field("items"), problems);
    }
    let (at, said) = (at.field("properties"), said.field("properties"));
    for (name, property) in &node.properties {
        complete_nested(property, part.properties.get(name), &at.key(name), &said.key(name), problems);
    }
}
