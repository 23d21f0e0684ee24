//! One MutatingAdmissionPolicy.

use admission::{Attributes, Refusal};
use auth::Authorizer;
use machinery::status::Status;
use serde_json::Value;

use super::{apply, json_patch};
use crate::{
    cel::{Asked, BUDGET, Expression, Input, Wanted, run},
    definition::{Definition, items, text},
    source::Policy,
};

/// A policy, compiled.
#[derive(Debug)]
pub(super) struct Mutating {
    pub(super) definition: Definition,
    mutations: Vec<Mutation>,
    /// `reinvocationPolicy: IfNeeded`.
    pub(super) again_if_needed: bool,
}

/// A change.
#[derive(Debug)]
pub(super) enum Mutation {
    /// The expression makes an object, which is merged in.
    Apply(Expression),
    /// The expression makes a JSON patch.
    JsonPatch(Expression),
    /// What is of a type that is not known.
    Unknown(String),
}

/// Why there is no change.
pub(super) enum Problem {
    /// It is for the failure policy.
    Failed(String),
    /// The write is refused, whatever the failure policy is.
    Refused(Refusal),
}

impl Policy for Mutating {
    fn of(policy: &Value) -> Self {
        let (definition, spec) = (Definition::of(policy), &policy["spec"]);
        let compile =
            |patch: &Value, wanted: Wanted| definition.expressions.compile(text(&patch["expression"]), wanted);
        let mutations = items(&spec["mutations"]).map(|mutation| match text(&mutation["patchType"]) {
            "ApplyConfiguration" => Mutation::Apply(compile(&mutation["applyConfiguration"], Wanted::Object)),
            "JSONPatch" => Mutation::JsonPatch(compile(&mutation["jsonPatch"], Wanted::JsonPatch)),
            other => Mutation::Unknown(other.to_owned()),
        });
        let mutations = mutations.collect();
        Self { definition, mutations, again_if_needed: spec["reinvocationPolicy"] == "IfNeeded" }
    }

    fn definition(&self) -> &Definition {
        &self.definition
    }
}

// === impl Mutating ===

impl Mutating {
    pub(super) fn mutations(&self) -> &[Mutation] {
        &self.mutations
    }

    /// The object that a mutation makes of the one that `input` shows.
    pub(super) async fn mutate(
        &self,
        mutation: &Mutation,
        input: &Input,
        attributes: &Attributes,
        asked: &mut Asked,
        authorizer: &dyn Authorizer,
    ) -> Result<Value, Problem> {
        let expression = match mutation {
            Mutation::Apply(expression) | Mutation::JsonPatch(expression) => expression,
            Mutation::Unknown(kind) => return Err(Problem::Failed(format!("unknown patch type: {kind}"))),
        };
        if let Some(why) = expression.compile_error() {
            return Err(Problem::Failed(why.to_owned()));
        }
        let object = input.object();
        let schema = attributes.interfaces.schema(version(object));
        let Some(schema) = schema else { return Err(Problem::Refused(unknown(object))) };
        let read = match mutation {
            Mutation::Apply(_) => apply::read,
            _ => json_patch::read,
        };
        let who = (&attributes.user, authorizer);
        let evaluated = run(&self.definition.expressions, &[Some(expression)], input, BUDGET, asked, who, read).await;
        let result = evaluated.map_err(Problem::Failed)?.results.pop().flatten();
        let patch =
            result.unwrap_or_else(|| Err("no result".to_owned())).and_then(|read| read).map_err(Problem::Failed)?;
        match mutation {
            Mutation::Apply(_) => apply::apply(object, patch, schema).map_err(Problem::Failed),
            _ => json_patch::apply(object, &patch).map_err(Problem::Failed),
        }
    }
}

fn version(object: &Value) -> &str {
    let version = text(&object["apiVersion"]);
    version.rsplit('/').next().unwrap_or(version)
}

/// The answer where nothing is known of the kind.
fn unknown(object: &Value) -> Refusal {
    let (version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    Box::new(Status::unavailable(
        &format!(
            "Resource kind {version}, Kind={kind} not found. There can be a delay between when CustomResourceDefinitions \
             are created and when they are available."
        ),
        0,
    ))
}
