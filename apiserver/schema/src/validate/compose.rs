//! `allOf`, `anyOf`, `oneOf` and `not`. What fails in them is explained by the alternative that fitted best, and said
//! of the object as a whole, as the kube-apiserver does. Nothing inside them is tolerated for being old.

use super::{
    outcome::{Cause, Outcome},
    value::{quoted, strict},
};
use crate::{
    path::Path,
    structural::node::{Checks, Node},
};
use serde_json::Value;

/// Checks all that a value must be besides what its own schema says.
pub(super) fn check(checks: &Checks, value: &Value, path: &Path<'_>, outcome: &mut Outcome) {
    any_of(&checks.any_of, value, path, outcome);
    one_of(&checks.one_of, value, path, outcome);
    all_of(&checks.all_of, value, path, outcome);
    if let Some(not) = &checks.not
        && strict(not, value, None, path).is_valid()
    {
        say(path, "must not validate the schema (not)", outcome);
    }
    outcome.matches += 1;
}

fn any_of(nodes: &[Node], value: &Value, path: &Path<'_>, outcome: &mut Outcome) {
    let mut best: Option<Outcome> = None;
    for node in nodes {
        let result = strict(node, value, None, path);
        if result.is_valid() {
            return outcome.merge(result);
        }
        best = better(best, result);
    }
    if let Some(best) = best {
        say(path, "must validate at least one schema (anyOf)", outcome);
        outcome.merge(best);
    }
}

fn one_of(nodes: &[Node], value: &Value, path: &Path<'_>, outcome: &mut Outcome) {
    let (mut valid, mut best) = (Vec::new(), None);
    for node in nodes {
        let result = strict(node, value, None, path);
        if result.is_valid() {
            valid.push(result);
        } else {
            best = better(best, result);
        }
    }
    match (valid.len(), best) {
        (1, _) => valid.into_iter().for_each(|result| outcome.merge(result)),
        (0, None) => {}
        (0, Some(best)) => {
            say(path, "must validate one and only one schema (oneOf). Found none valid", outcome);
            outcome.merge(best);
        }
        (found, _) => {
            let must = format!("must validate one and only one schema (oneOf). Found {found} valid alternatives");
            say(path, &must, outcome);
        }
    }
}

fn all_of(nodes: &[Node], value: &Value, path: &Path<'_>, outcome: &mut Outcome) {
    let mut valid = 0;
    for node in nodes {
        let result = strict(node, value, None, path);
        valid += usize::from(result.is_valid());
        outcome.merge(result);
    }
    if valid < nodes.len() {
        let none = if valid == 0 { ". None validated" } else { "" };
        say(path, &format!("must validate all the schemas (allOf){none}"), outcome);
    }
}

/// The failure that fitted better; of equals the first.
fn better(best: Option<Outcome>, other: Outcome) -> Option<Outcome> {
    match best {
        Some(best) if best.matches >= other.matches => Some(best),
        _ => Some(other),
    }
}

fn say(path: &Path<'_>, must: &str, outcome: &mut Outcome) {
    let message = format!("{} {must}", quoted(&path.to_string()));
    outcome.add(path, message, Cause::Unplaced);
}
