//! MutatingAdmissionPolicy: what is changed of a write.

mod apply;
mod json_patch;
mod memory;
mod policy;

use std::sync::Arc;

use admission::{Attributes, Namespaces, Notes, Plugin, Refusal};
use async_trait::async_trait;
use auth::Authorizer;
use kube::Client;
use machinery::{
    meta,
    status::{Cause, Reason},
};
use runtime::Tasks;
use serde_json::Value;

use crate::{
    cel::{Asked, Input},
    invocation::{Invocation, Misconfigured, collect, input},
    namespaces::{self, Lookup},
    source::{Names, Source},
    validating::NOT_READY,
};
use memory::{Key, Memory};
use policy::{Mutating, Problem};

const NAMES: Names = Names {
    policies: "mutatingadmissionpolicies",
    bindings: "mutatingadmissionpolicybindings",
    follow_policies: "follow mutating policies",
    follow_bindings: "follow bindings of mutating policies",
    follow_params: "follow params of mutating policies",
};

/// The stage that asks MutatingAdmissionPolicies.
pub struct MutatingPolicies {
    source: Source<Mutating>,
    namespaces: Box<dyn Lookup>,
    authorizer: Arc<dyn Authorizer>,
}

/// Why a write is refused.
struct Denied {
    message: String,
    /// Nothing where the policy could not be evaluated at all.
    reason: Option<Reason>,
}

/// What the policies made of a write.
#[derive(Default)]
struct Outcome {
    denied: Vec<Denied>,
    changed: bool,
}

// === impl MutatingPolicies ===

impl MutatingPolicies {
    /// Asks those of a cluster.
    pub fn start(client: &Client, namespaces: Namespaces, authorizer: Arc<dyn Authorizer>, tasks: &Tasks) -> Self {
        Self { source: Source::start(&NAMES, client, tasks), namespaces: Box::new(namespaces), authorizer }
    }

    async fn run(&self, attributes: &mut Attributes, again: bool, memory: &mut Memory) -> Result<Outcome, Refusal> {
        let hooks = self.source.hooks().await.ok_or_else(|| attributes.forbidden(NOT_READY))?;
        let collected = collect(&hooks, attributes, &*self.namespaces, &self.source.params).await;
        let (mut invocations, mut outcome) = (Vec::new(), Outcome::default());
        for one in collected {
            match one {
                Ok(invocation) => invocations.push(invocation),
                Err(wrong) => outcome.denied.push(Denied::misconfigured(&wrong)),
            }
        }
        if invocations.is_empty() {
            return Ok(outcome);
        }
        let namespace = namespaces::of(attributes, &*self.namespaces).await?;
        let mut asked = Asked::default();
        for invocation in &invocations {
            for params in &invocation.params {
                let call = Call { stage: self, invocation, params: params.as_ref(), namespace: namespace.as_deref() };
                call.run(attributes, again, memory, &mut asked, &mut outcome).await?;
            }
        }
        if outcome.changed {
            memory.changed();
        }
        Ok(outcome)
    }
}

#[async_trait]
impl Plugin for MutatingPolicies {
    fn handles(&self, attributes: &Attributes) -> bool {
        self.source.handles(attributes)
    }

    async fn mutate(&self, attributes: &mut Attributes, again: bool, notes: &mut Notes) -> Result<bool, Refusal> {
        let mut memory: Memory = notes.memory.remove().unwrap_or_default();
        memory.begin(again, attributes.object.as_ref());
        let outcome = self.run(attributes, again, &mut memory).await;
        memory.end(attributes.object.as_ref());
        notes.memory.insert(memory);
        let outcome = outcome?;
        match refusal(attributes, outcome.denied) {
            Some(refusal) => Err(refusal),
            None => Ok(outcome.changed),
        }
    }
}

/// One policy with one binding and one object of params.
struct Call<'a> {
    stage: &'a MutatingPolicies,
    invocation: &'a Invocation<'a, Mutating>,
    params: Option<&'a Arc<Value>>,
    namespace: Option<&'a Value>,
}

// === impl Call ===

impl Call<'_> {
    async fn run(
        &self,
        attributes: &mut Attributes,
        again: bool,
        memory: &mut Memory,
        asked: &mut Asked,
        outcome: &mut Outcome,
    ) -> Result<(), Refusal> {
        let (policy, authorizer) = (self.invocation.policy, &*self.stage.authorizer);
        let mut seen = match input(attributes, &self.invocation.matched).await {
            Ok(seen) => seen,
            Err(why) => {
                outcome.denied.extend(self.denied(&why));
                return Ok(());
            }
        };
        seen.set_params(self.params.map(Arc::as_ref));
        let definition = &policy.definition;
        match definition.conditions.hold(&definition.expressions, &seen, asked, attributes, authorizer).await {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(why) => {
                outcome.denied.extend(self.denied(&why));
                return Ok(());
            }
        }
        let key = self.key();
        if again && !memory.asks_for(&key) {
            return Ok(());
        }
        seen.set_namespace(self.namespace);
        let before = attributes.object.clone();
        for mutation in policy.mutations() {
            if attributes.object.is_none() {
                continue;
            }
            let made = policy.mutate(mutation, &seen, attributes, asked, authorizer).await;
            let made = match made {
                Ok(made) => made,
                Err(Problem::Refused(refusal)) => return Err(refusal),
                Err(Problem::Failed(why)) => {
                    outcome.denied.extend(self.denied(&why));
                    continue;
                }
            };
            self.take(made, attributes, &mut seen, outcome).await;
        }
        if before != attributes.object {
            memory.changed();
        }
        if policy.again_if_needed {
            memory.acted(key);
        }
        Ok(())
    }

    /// Takes the object that a mutation made, with its defaults.
    async fn take(&self, mut made: Value, attributes: &mut Attributes, seen: &mut Input, outcome: &mut Outcome) {
        // What is wrong with the metadata is found when the object is validated.
        let mut read = made.clone();
        if meta::coerce(&mut read).is_ok() {
            made = read;
        }
        attributes.interfaces.default(&mut made);
        seen.set_object(&made);
        if self.invocation.matched.kind != attributes.kind {
            match attributes.interfaces.convert(&made, &attributes.kind.version).await {
                Ok(converted) => made = converted,
                Err(why) => {
                    outcome.denied.extend(self.denied(&why));
                    return;
                }
            }
        }
        attributes.object = Some(made);
        outcome.changed = true;
    }

    fn key(&self) -> Key {
        let name = |params: &Arc<Value>| {
            let field = |field: &str| params["metadata"][field].as_str().unwrap_or_default().to_owned();
            (field("namespace"), field("name"))
        };
        Key {
            policy: self.invocation.policy.definition.name.clone(),
            binding: self.invocation.binding.name.clone(),
            params: self.params.map(name),
        }
    }

    /// An error, unless the policy says nothing when it fails.
    fn denied(&self, why: &str) -> Option<Denied> {
        let (definition, binding) = (&self.invocation.policy.definition, &self.invocation.binding.name);
        definition.fails.then(|| Denied {
            message: format!("policy '{}' with binding '{binding}' denied request: {why}", definition.name),
            reason: Some(Reason::Invalid),
        })
    }
}

// === impl Denied ===

impl Denied {
    fn misconfigured(Misconfigured { policy, binding, why }: &Misconfigured<'_>) -> Self {
        let message = match binding {
            Some(binding) => format!("policy '{policy}' with binding '{binding}' denied request: {why}"),
            None => format!("policy {policy:?} denied request: {why}"),
        };
        Self { message, reason: None }
    }
}

/// The answer to a write that policies refuse.
fn refusal(attributes: &Attributes, denied: Vec<Denied>) -> Option<Refusal> {
    let first = denied.first()?;
    let mut status = attributes.forbidden("");
    status.message.clone_from(&first.message);
    if let Some(reason) = &first.reason {
        status.reason = Some(reason.clone());
    }
    let causes = denied.into_iter().map(|denied| Cause { message: denied.message, ..Cause::default() });
    status.details.get_or_insert_default().causes.extend(causes);
    Some(status)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
