//! Structural schemas: `openAPIV3Schema` of one version, parsed and checked once.
//!
//! A schema is structural when every field that any validation speaks of is declared in the structure itself. Only then
//! can unknown fields be dropped and defaults be filled in without looking at values, so nothing else is accepted.

mod check;
mod defaults;
mod hash;
pub(crate) mod node;
mod parse;
mod pattern;
mod rules;

#[cfg(test)]
mod tests;

use machinery::field::Error;
use serde_json::Value;

use crate::path::Path;
use node::Node;

/// The schema of a kind's objects in one version.
#[derive(Clone, Debug)]
pub struct Schema {
    pub(crate) root: Node,
    /// The `apiVersion`s that objects of the kind have; none when the schema stands for itself.
    pub(crate) api_versions: Vec<String>,
    document: Value,
    hash: String,
}

// === impl Schema ===

impl Schema {
    /// Parses an `openAPIV3Schema`; the errors name everything that is wrong with it, each at its position below `at`.
    ///
    /// ```
    /// let document = serde_json::json!({
    ///     "type": "object",
    ///     "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer", "default": 1}}}},
    /// });
    /// let schema = schema::Schema::parse(document, "openAPIV3Schema").expect("it is structural");
    /// let mut widget = serde_json::json!({"kind": "Widget", "spec": {"nope": true}});
    /// assert_eq!(schema.prune(&mut widget), ["spec.nope"]);
    /// schema.default(&mut widget);
    /// assert_eq!(widget, serde_json::json!({"kind": "Widget", "spec": {"size": 1}}));
    /// ```
    pub fn parse(document: Value, at: &str) -> Result<Self, Vec<Error>> {
        let path = Path::At(at);
        let mut problems = Vec::new();
        let mut root = parse::root(&document, &path, &mut problems);
        check::structural(&root, &document, &path, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        rules::compile(&mut root, &path, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let hash = hash::shape(&document);
        let schema = Self { root, api_versions: Vec::new(), document, hash };
        let problems = defaults::check(&schema.root, &path);
        if problems.is_empty() { Ok(schema) } else { Err(problems) }
    }

    /// The document that this schema was parsed from, with its descriptions: what OpenAPI publishes.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Changes exactly when another stored form may come out of the same object: when pruning or defaulting change.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}
