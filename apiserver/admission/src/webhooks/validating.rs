//! Validating webhooks: all at once.

use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt, stream::FuturesUnordered};

use super::{Parts, Webhooks, call, configuration::Webhook, internal};
use crate::{Attributes, GroupVersionResource, Notes, Plugin, Refusal};

/// The stage of ValidatingWebhookConfigurations.
pub struct Validating(Webhooks);

// === impl Validating ===

impl Validating {
    /// Follows the configurations of a cluster.
    pub fn start(parts: &Parts) -> Arc<Self> {
        Arc::new(Self(Webhooks::start("follow validating webhooks", "validatingwebhookconfigurations", parts)))
    }
}

#[async_trait]
impl Plugin for Validating {
    fn handles(&self, attributes: &Attributes) -> bool {
        self.0.handles(attributes)
    }

    async fn validate(&self, attributes: &Attributes, notes: &mut Notes) -> Result<(), Refusal> {
        let configurations = self.0.configurations(attributes).await?;
        let mut called: Vec<(&Webhook, GroupVersionResource)> = Vec::new();
        for webhook in configurations.values().flat_map(|webhooks| webhooks.iter()) {
            let Some(resource) = self.0.concerns(webhook, attributes).await? else { continue };
            let holds = match webhook.conditions {
                Some(_) => call::conditions_hold(webhook, &*in_version(attributes, &resource.version).await?).await?,
                None => true,
            };
            if holds {
                called.push((webhook, resource));
            }
        }
        let calls: FuturesUnordered<_> = called
            .iter()
            .enumerate()
            .map(|(index, (webhook, resource))| one(webhook, attributes, resource, index))
            .collect();
        // All are heard, and the first that refused is told.
        let answers: Vec<(Notes, Option<Refusal>)> = calls.collect().await;
        let mut refused = None;
        for (said, refusal) in answers {
            notes.warnings.extend(said.warnings);
            notes.audit.extend(said.audit);
            refused = refused.or(refusal);
        }
        refused.map_or(Ok(()), Err)
    }
}

async fn one(
    webhook: &Webhook,
    attributes: &Attributes,
    resource: &GroupVersionResource,
    index: usize,
) -> (Notes, Option<Refusal>) {
    let mut notes = Notes::default();
    let attributes = match in_version(attributes, &resource.version).await {
        Ok(attributes) => attributes,
        Err(refusal) => return (notes, Some(refusal)),
    };
    let refusal = match call::call(webhook, &attributes, resource, false, &mut notes).await {
        Ok(_) => None,
        Err(failed) => {
            let key = format!("failed-open.validating.webhook.admission.k8s.io/round_0_index_{index}");
            call::outcome(webhook, failed, key, &mut notes)
        }
    };
    (notes, refusal)
}

/// The request with its objects in another version.
async fn in_version<'a>(
    attributes: &'a Attributes,
    version: &str,
) -> Result<std::borrow::Cow<'a, Attributes>, Refusal> {
    if attributes.kind.version == version || attributes.kind.group != attributes.resource.group {
        return Ok(std::borrow::Cow::Borrowed(attributes));
    }
    let failed = |problem: String| internal(&problem);
    let mut turned = attributes.clone();
    version.clone_into(&mut turned.kind.version);
    if let Some(object) = &attributes.object {
        turned.object = Some(attributes.interfaces.convert(object, version).await.map_err(failed)?);
    }
    if let Some(old) = &attributes.old_object {
        turned.old_object = Some(Arc::new(attributes.interfaces.convert(old, version).await.map_err(failed)?));
    }
    Ok(std::borrow::Cow::Owned(turned))
}
