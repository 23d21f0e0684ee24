//! ValidatingAdmissionPolicy: what must hold of a write.

mod annotations;
mod decision;
mod policy;

use std::sync::Arc;

use admission::{Attributes, Namespaces, Notes, Plugin, Refusal};
use async_trait::async_trait;
use auth::Authorizer;
use kube::Client;
use machinery::status::{Cause, Reason};
use runtime::Tasks;

use crate::{
    binding::Binding,
    cel::Asked,
    invocation::{collect, input},
    namespaces::{self, Lookup},
    source::{Names, Source},
};
use annotations::Annotations;
use decision::{Annotation, Decision};
use policy::Validating;

const NAMES: Names = Names {
    policies: "validatingadmissionpolicies",
    bindings: "validatingadmissionpolicybindings",
    follow_policies: "follow validating policies",
    follow_bindings: "follow bindings of validating policies",
    follow_params: "follow params of validating policies",
};
/// Said while nothing is known of the cluster's policies.
pub(crate) const NOT_READY: &str = "not yet ready to handle request";

/// The stage that asks ValidatingAdmissionPolicies.
pub struct ValidatingPolicies {
    source: Source<Validating>,
    namespaces: Box<dyn Lookup>,
    authorizer: Arc<dyn Authorizer>,
}

/// Why a write is refused.
struct Denied {
    policy: String,
    binding: Option<String>,
    message: String,
    reason: String,
}

// === impl ValidatingPolicies ===

impl ValidatingPolicies {
    /// Asks those of a cluster.
    pub fn start(client: &Client, namespaces: Namespaces, authorizer: Arc<dyn Authorizer>, tasks: &Tasks) -> Self {
        Self { source: Source::start(&NAMES, client, tasks), namespaces: Box::new(namespaces), authorizer }
    }

    async fn denials(&self, attributes: &Attributes, notes: &mut Notes) -> Result<Vec<Denied>, Refusal> {
        let hooks = self.source.hooks().await.ok_or_else(|| attributes.forbidden(NOT_READY))?;
        let (mut denied, mut asked) = (Vec::new(), Asked::default());
        let mut annotations = Annotations::default();
        for invocation in collect(&hooks, attributes, &*self.namespaces, &self.source.params).await {
            let invocation = match invocation {
                Ok(invocation) => invocation,
                Err(wrong) => {
                    denied.push(Denied {
                        policy: wrong.policy.to_owned(),
                        binding: wrong.binding.map(str::to_owned),
                        message: wrong.why,
                        reason: String::new(),
                    });
                    continue;
                }
            };
            let (policy, binding) = (invocation.policy, invocation.binding);
            let denial = |message: String, reason: &str| Denied {
                policy: policy.definition.name.clone(),
                binding: Some(binding.name.clone()),
                message,
                reason: reason.to_owned(),
            };
            let mut input = match input(attributes, &invocation.matched).await {
                Ok(input) => input,
                Err(_) if !policy.definition.fails => continue,
                Err(why) => {
                    let why = format!("failed to configure binding: failed to convert object version: {why}");
                    denied.push(denial(why, ""));
                    continue;
                }
            };
            let namespace = namespaces::of(attributes, &*self.namespaces).await?;
            for params in &invocation.params {
                input.set_params(params.as_deref());
                let ruling =
                    policy.decide(&mut input, namespace.as_deref(), attributes, &mut asked, &*self.authorizer).await;
                for (index, decision) in ruling.decisions.into_iter().enumerate() {
                    if let Decision::Deny { message, reason } = decision {
                        act(policy, binding, (index, &message), notes);
                        if binding.actions.iter().any(|action| action == "Deny") {
                            denied.push(denial(message, &reason));
                        }
                    }
                }
                for (key, annotation) in ruling.annotations {
                    match annotation {
                        Annotation::Publish(value) => annotations.add(&policy.definition.name, &key, value),
                        Annotation::Error(why) => denied.push(denial(why, "")),
                        Annotation::Exclude => {}
                    }
                }
            }
        }
        annotations.publish(notes);
        Ok(denied)
    }
}

/// Warns and tells the audit log of what does not hold, where the binding asks for that.
fn act(policy: &Validating, binding: &Binding, (index, message): (usize, &str), notes: &mut Notes) {
    let name = &policy.definition.name;
    for action in &binding.actions {
        match action.as_str() {
            "Warn" => notes.warnings.push(format!(
                "Validation failed for ValidatingAdmissionPolicy '{name}' with binding '{}': {message}",
                binding.name
            )),
            "Audit" => annotations::failure(notes, name, binding, index, message),
            _ => {}
        }
    }
}

#[async_trait]
impl Plugin for ValidatingPolicies {
    fn handles(&self, attributes: &Attributes) -> bool {
        self.source.handles(attributes)
    }

    async fn validate(&self, attributes: &Attributes, notes: &mut Notes) -> Result<(), Refusal> {
        let denied = self.denials(attributes, notes).await?;
        match denied.first() {
            Some(first) => Err(refusal(attributes, first)),
            None => Ok(()),
        }
    }
}

fn refusal(attributes: &Attributes, denied: &Denied) -> Refusal {
    let Denied { policy, binding, message, reason } = denied;
    let message = match binding {
        Some(binding) => {
            format!("ValidatingAdmissionPolicy '{policy}' with binding '{binding}' denied request: {message}")
        }
        None => format!("ValidatingAdmissionPolicy '{policy}' denied request: {message}"),
    };
    let mut status = attributes.forbidden(&message);
    let (code, reason) = match reason.as_str() {
        "Forbidden" => (403, Reason::Forbidden),
        "Unauthorized" => (401, Reason::Unauthorized),
        "RequestEntityTooLarge" => (413, Reason::RequestEntityTooLarge),
        "" | "Invalid" => (422, Reason::Invalid),
        other => (422, Reason::Other(other.into())),
    };
    status.code = code;
    status.reason = Some(reason);
    status.details.get_or_insert_default().causes.push(Cause { message, ..Cause::default() });
    status
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
