//! The stages of MutatingWebhookConfigurations and ValidatingWebhookConfigurations.

mod call;
mod configuration;
mod mutating;
mod review;
mod validating;

use std::{sync::Arc, time::Duration};

use kube::Client;
use machinery::{selector::LabelSelector, status::Status};
use runtime::Tasks;
use serde_json::Value;

use self::configuration::Webhook;
pub use self::{mutating::Mutating, validating::Validating};
use crate::{
    Attributes, Follow, GroupVersionResource, Namespaces, Refusal,
    conditions::Compiler,
    follow::Objects,
    hook::Services,
    matching::{labels, selects_object},
};

/// So long a request waits for the configurations to be known.
const PATIENCE: Duration = Duration::from_secs(10);

/// What webhooks need besides their configurations. Clones share it.
#[derive(Clone)]
pub struct Parts {
    /// The cluster.
    pub client: Client,
    /// Its namespaces.
    pub namespaces: Namespaces,
    /// Its Services.
    pub services: Services,
    /// Who compiles `matchConditions`.
    pub compiler: Compiler,
    /// Background work.
    pub tasks: Tasks,
}

/// The webhooks of one sort, followed.
struct Webhooks {
    configurations: Follow<Vec<Webhook>>,
    namespaces: Namespaces,
}

// === impl Webhooks ===

impl Webhooks {
    fn start(name: &'static str, resource: &str, parts: &Parts) -> Self {
        let (services, compiler) = (parts.services.clone(), Arc::clone(&parts.compiler));
        let read = move |configuration: Value| configuration::read(&configuration, &services, &compiler);
        let path = format!("/apis/admissionregistration.k8s.io/v1/{resource}");
        let configurations = Follow::start(name, parts.client.clone(), &path, &parts.tasks, read);
        Self { configurations, namespaces: parts.namespaces.clone() }
    }

    /// Whether any of them might be called.
    fn handles(&self, attributes: &Attributes) -> bool {
        let Some(configurations) = self.configurations.snapshot() else { return true };
        let mut webhooks = configurations.values().flat_map(|webhooks| webhooks.iter());
        webhooks.any(|webhook| resource(webhook, attributes).is_some())
    }

    /// All of them, in order.
    async fn configurations(&self, attributes: &Attributes) -> Result<Arc<Objects<Vec<Webhook>>>, Refusal> {
        let configurations = self.configurations.ready(PATIENCE).await;
        configurations.ok_or_else(|| attributes.forbidden("not yet ready to handle request"))
    }

    /// The resource that a webhook is to be called about, if its rules and selectors say so.
    async fn concerns(
        &self,
        webhook: &Webhook,
        attributes: &Attributes,
    ) -> Result<Option<GroupVersionResource>, Refusal> {
        let Some(resource) = resource(webhook, attributes) else { return Ok(None) };
        let selected = match selector(&webhook.object_selector)? {
            selector if !selects_object(selector, attributes) => return Ok(None),
            _ => self.selects_namespace(selector(&webhook.namespace_selector)?, attributes).await?,
        };
        Ok(selected.then_some(resource))
    }

    /// Whether the namespace of the request has such labels. What is in none is meant by every selector.
    async fn selects_namespace(&self, selector: &LabelSelector, attributes: &Attributes) -> Result<bool, Refusal> {
        if attributes.namespace.is_empty() || selector.is_empty() {
            return Ok(true);
        }
        let namespace = self.namespaces.get(&attributes.namespace).await?;
        Ok(selector.matches(&labels(&namespace)))
    }
}

/// The resource that the rules of a webhook mean when they mean this request: the one asked for, or where its policy says so
/// the same in another version.
fn resource(webhook: &Webhook, attributes: &Attributes) -> Option<GroupVersionResource> {
    if webhook.rules.iter().any(|rule| rule.matches(attributes)) {
        return Some(attributes.resource.clone());
    }
    if !webhook.equivalent {
        return None;
    }
    let equivalents: Vec<GroupVersionResource> = attributes
        .interfaces
        .versions()
        .into_iter()
        .filter(|version| *version != attributes.resource.version)
        .map(|version| GroupVersionResource { version, ..attributes.resource.clone() })
        .collect();
    let meant = |rule: &crate::matching::Rule| equivalents.iter().find(|other| rule.matches_as(attributes, other));
    webhook.rules.iter().find_map(meant).cloned()
}

fn selector(selector: &Result<LabelSelector, String>) -> Result<&LabelSelector, Refusal> {
    selector.as_ref().map_err(|problem| internal(problem))
}

/// A refusal that is a fault of somebody's, and not a decision.
fn internal(problem: &str) -> Refusal {
    Box::new(Status::internal(problem))
}
