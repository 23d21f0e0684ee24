//! Defaults are values that a client never sent, so they must be what a client could have sent: known fields only, and
//! valid.

use machinery::field::Error;
use serde_json::Value;

use super::node::{Additional, Node};
use crate::{path::Path, prune, validate};

/// What is wrong with the defaults anywhere in a schema.
pub(super) fn check(root: &Node, path: &Path<'_>) -> Vec<Error> {
    let mut problems = Vec::new();
    node(root, path, &mut problems);
    problems
}

fn node(node: &Node, path: &Path<'_>, problems: &mut Vec<Error>) {
    if let Some(default) = &node.default {
        problems.extend(one(node, default, &path.field("default")));
    }
    let properties = path.field("properties");
    for (name, property) in &node.properties {
        self::node(property, &properties.key(name), problems);
    }
    if let Some(item) = &node.items {
        self::node(item, &path.field("items"), problems);
    }
    if let Some(Additional::Like(entry)) = &node.additional {
        self::node(entry, &path.field("additionalProperties"), problems);
    }
}

fn one(node: &Node, default: &Value, path: &Path<'_>) -> Vec<Error> {
    let (mut pruned, at) = (default.clone(), path.to_string());
    prune::part(&mut pruned, node);
    if pruned != *default {
        return vec![Error::invalid(&at, default.clone(), "must not have unknown fields")];
    }
    validate::part(default, node, &at)
}
