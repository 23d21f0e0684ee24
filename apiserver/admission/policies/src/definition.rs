//! What policies of both kinds have: what they are about, and when.

use admission::conditions::Condition;
use serde_json::Value;

use crate::{cel::Expressions, conditions::Conditions, matching::Matching, params::ParamKind};

/// The common part of a policy.
#[derive(Debug)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) params: Option<ParamKind>,
    pub(crate) constraints: Matching,
    pub(crate) conditions: Conditions,
    /// The variables, and what else expressions may speak of.
    pub(crate) expressions: Expressions,
    /// Whether an error refuses the request; else the policy says nothing of it then.
    pub(crate) fails: bool,
}

// === impl Definition ===

impl Definition {
    /// Reads and compiles it.
    pub(crate) fn of(policy: &Value) -> Self {
        let spec = &policy["spec"];
        let params = spec.get("paramKind").map(ParamKind::of);
        let mut expressions = Expressions::new(params.is_some());
        for variable in items(&spec["variables"]) {
            expressions.add_variable(text(&variable["name"]), text(&variable["expression"]));
        }
        let conditions = items(&spec["matchConditions"]).map(|condition| Condition {
            name: text(&condition["name"]).to_owned(),
            expression: text(&condition["expression"]).to_owned(),
        });
        Self {
            name: text(&policy["metadata"]["name"]).to_owned(),
            params,
            constraints: Matching::of(&spec["matchConstraints"]),
            conditions: Conditions::new(&conditions.collect::<Vec<_>>(), &expressions),
            expressions,
            fails: spec["failurePolicy"] != "Ignore",
        }
    }
}

/// The items of a list; none if it is none.
pub(crate) fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// The text of a value; empty if it is none.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
