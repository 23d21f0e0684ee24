//! Mutating webhooks: one after the other, each on what the one before left.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use machinery::{json, patch::Patch, quote};
use serde_json::{Value, json};

use super::{
    Parts, Webhooks,
    call::{self, Failed},
    configuration::Webhook,
    internal,
    review::Answer,
};
use crate::{Attributes, Notes, Plugin, Refusal};

/// The stage of MutatingWebhookConfigurations.
pub struct Mutating(Webhooks);

/// Who is to be called again.
#[derive(Debug, Clone, Default)]
struct Reinvocation {
    /// The object as this stage left it.
    output: Option<Value>,
    /// Called, and to be called again if the object is changed after that.
    invoked: BTreeSet<String>,
    /// To be called again.
    again: BTreeSet<String>,
}

// === impl Mutating ===

impl Mutating {
    /// Follows the configurations of a cluster.
    pub fn start(parts: &Parts) -> Arc<Self> {
        Arc::new(Self(Webhooks::start("follow mutating webhooks", "mutatingwebhookconfigurations", parts)))
    }

    async fn round(
        &self,
        attributes: &mut Attributes,
        memory: &mut Reinvocation,
        again: bool,
        notes: &mut Notes,
    ) -> Result<bool, Refusal> {
        let configurations = self.0.configurations(attributes).await?;
        let (asked, old) = (attributes.resource.version.clone(), attributes.old_object.clone());
        let mut changed = false;
        for (index, webhook) in configurations.values().flat_map(|webhooks| webhooks.iter()).enumerate() {
            let Some(resource) = self.0.concerns(webhook, attributes).await? else { continue };
            turn_to(attributes, &resource.version, old.as_ref()).await?;
            if !call::conditions_hold(webhook, attributes).await? || again && !memory.again.contains(&webhook.uid) {
                continue;
            }
            let place = format!("round_{}_index_{index}", usize::from(again));
            let called = call::call(webhook, attributes, &resource, true, notes).await;
            let applied = called.and_then(|answer| apply(webhook, attributes, &answer, &place, notes));
            let mutated = *applied.as_ref().unwrap_or(&false);
            let value = json!({ "configuration": webhook.configuration, "webhook": webhook.name, "mutated": mutated });
            notes.audit.push((format!("mutation.webhook.admission.k8s.io/{place}"), in_order(&value)));
            if mutated {
                changed = true;
                memory.require();
            }
            if webhook.reinvoked {
                memory.invoked.insert(webhook.uid.clone());
            }
            if let Err(failed) = applied {
                let key = format!("failed-open.mutation.webhook.admission.k8s.io/{place}");
                if let Some(refusal) = call::outcome(webhook, failed, key, notes) {
                    return Err(refusal);
                }
            }
        }
        turn_to(attributes, &asked, old.as_ref()).await?;
        attributes.old_object = old;
        Ok(changed)
    }
}

#[async_trait]
impl Plugin for Mutating {
    fn handles(&self, attributes: &Attributes) -> bool {
        self.0.handles(attributes)
    }

    async fn mutate(&self, attributes: &mut Attributes, again: bool, notes: &mut Notes) -> Result<bool, Refusal> {
        let mut memory: Reinvocation = notes.memory.remove().unwrap_or_default();
        if again && memory.output != attributes.object {
            memory.require();
        }
        if again && memory.again.is_empty() {
            return Ok(false);
        }
        let changed = self.round(attributes, &mut memory, again, notes).await?;
        memory.output = attributes.object.clone();
        notes.memory.insert(memory);
        Ok(changed)
    }
}

// === impl Reinvocation ===

impl Reinvocation {
    /// The object was changed: who was called before and wants to know is to be called again.
    fn require(&mut self) {
        self.again.append(&mut self.invoked);
    }
}

/// Puts the objects into the version that a webhook wants.
async fn turn_to(attributes: &mut Attributes, version: &str, old: Option<&Arc<Value>>) -> Result<(), Refusal> {
    if attributes.kind.version == version || attributes.kind.group != attributes.resource.group {
        return Ok(());
    }
    let failed = |problem: String| internal(&problem);
    if let Some(object) = &attributes.object {
        attributes.object = Some(attributes.interfaces.convert(object, version).await.map_err(failed)?);
    }
    if let Some(old) = old {
        let converted = attributes.interfaces.convert(old, version).await.map_err(failed)?;
        attributes.old_object = Some(Arc::new(converted));
    }
    version.clone_into(&mut attributes.kind.version);
    Ok(())
}

/// Does what a webhook answered; says whether the object is another.
fn apply(
    webhook: &Webhook,
    attributes: &mut Attributes,
    answer: &Answer,
    place: &str,
    notes: &mut Notes,
) -> Result<bool, Failed> {
    if answer.patch.is_empty() {
        return Ok(false);
    }
    let undecodable =
        |problem: String| Failed::Calling(format!("received undecodable patch in webhook response: {problem}"));
    let patch = Patch::json(&answer.patch).map_err(|status| undecodable(status.message))?;
    let operations: Value = serde_json::from_slice(&answer.patch).map_err(|error| undecodable(error.to_string()))?;
    if operations.as_array().is_none_or(Vec::is_empty) {
        return Ok(false);
    }
    let Some(object) = &attributes.object else {
        let problem = format!(
            "admission webhook {} attempted to modify the object, which is not supported for this operation",
            quote(&webhook.name)
        );
        return Err(Failed::Refused(internal(&problem)));
    };
    if answer.patch_type != "JSONPatch" {
        return Err(Failed::Calling(format!("unsupported patch type {}", quote(&answer.patch_type))));
    }
    let mut patched = patch.apply(object).map_err(|status| Failed::Refused(internal(&status.message)))?;
    let changed = patched != *object;
    attributes.interfaces.default(&mut patched);
    attributes.object = Some(patched);
    let value = json!({
        "configuration": webhook.configuration,
        "webhook": webhook.name,
        "patch": operations,
        "patchType": "JSONPatch",
    });
    notes.audit.push((format!("patch.webhook.admission.k8s.io/{place}"), in_order(&value)));
    Ok(changed)
}

fn in_order(value: &Value) -> String {
    String::from_utf8_lossy(&json::encode(value)).into_owned()
}
