//! Validating objects against a schema: the errors, texts and order of the kube-apiserver's validation of custom
//! resources.
//!
//! First what the schema says of each value ([`value`]), then the embedded resources, then the keys of sets and maps, then
//! the rules in CEL ([`rules`]).
//! An update tolerates what was wrong before and did not change ([`ratchet`]), so that a schema may be tightened under
//! stored objects.
//!
//! Deliberately stricter than the kube-apiserver in four places, where it accepts by accident: a list where a string
//! with a format is declared; a fractional bound, which it cuts off when the value is an integer; an enum of integers,
//! which it compares with the fraction cut off; and an enum of strings, in which it finds an integer that is the code
//! point of one. More tolerant in one: what an update leaves exactly as it was is tolerated even where the schema does
//! not describe all of it.

mod compose;
mod embedded;
mod keys;
mod number;
mod outcome;
mod ratchet;
mod rules;
mod value;

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;

use machinery::field::Error;
use serde_json::Value;

use crate::{
    path::Path,
    structural::{Schema, node::Node},
};
use outcome::Outcome;
use ratchet::Pair;

// === impl Schema ===

impl Schema {
    /// What is wrong with a whole object, which is pruned and defaulted; on an update, given what it replaces.
    /// At most the first thousand errors of each kind of check are returned.
    pub fn validate(&self, object: &Value, old: Option<&Value>) -> Vec<Error> {
        let pair = old.map(|old| Pair { node: &self.root, old, new: object });
        let mut errors = schema_errors(&self.root, object, pair, "");
        errors.extend(embedded::check(&self.root, object));
        errors.extend(self.key_errors(object, old));
        errors.extend(rules::check(&self.root, object, old, &errors));
        errors
    }

    /// What is wrong with an object of which only the status is new. The rules of the rest are evaluated as well, as they
    /// may speak of the status; what they say of what did not change is tolerated.
    pub fn validate_status(&self, object: &Value, old: &Value) -> Vec<Error> {
        let mut errors = Vec::new();
        if let (Some(node), Some(status)) = (self.root.properties.get("status"), object.get("status")) {
            let pair = old.get("status").map(|old| Pair { node, old, new: status });
            errors = schema_errors(node, status, pair, "status");
        }
        errors.extend(self.key_errors(object, Some(old)));
        errors.extend(rules::check(&self.root, object, Some(old), &errors));
        errors
    }

    /// Sets and maps with duplicates, unless the old object has such already.
    fn key_errors(&self, object: &Value, old: Option<&Value>) -> Vec<Error> {
        let errors = keys::check(&self.root, object);
        let tolerated = !errors.is_empty() && old.is_some_and(|old| !keys::check(&self.root, old).is_empty());
        if tolerated { Vec::new() } else { errors }
    }
}

/// What is wrong with a value on its own; `at` is where it stands.
pub(crate) fn part(value: &Value, node: &Node, at: &str) -> Vec<Error> {
    schema_errors(node, value, None, at)
}

/// Looks at the old value only if the new one is not simply valid.
fn schema_errors(node: &Node, value: &Value, pair: Option<Pair<'_>>, at: &str) -> Vec<Error> {
    let check = |pair| value::tolerant(node, value, pair, &Path::Root);
    let outcome: Outcome = match (check(None), pair) {
        (outcome, Some(pair)) if !outcome.is_valid() => check(Some(pair)),
        (outcome, _) => outcome,
    };
    outcome.into_errors(at)
}
