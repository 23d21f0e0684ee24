//! A webhook configuration, as it is used.

use std::{collections::HashMap, sync::Arc};

use machinery::selector::LabelSelector;
use serde_json::Value;

use crate::{
    conditions::{Compiler, Condition, Conditions},
    hook::{Hook, Services},
    matching::{Rule, label_selector},
};

/// One webhook of a configuration.
pub(super) struct Webhook {
    /// Tells it from all others.
    pub(super) uid: String,
    pub(super) name: String,
    pub(super) configuration: String,
    pub(super) rules: Vec<Rule>,
    /// Whether rules for another version of a resource mean it too.
    pub(super) equivalent: bool,
    pub(super) namespace_selector: Result<LabelSelector, String>,
    pub(super) object_selector: Result<LabelSelector, String>,
    pub(super) conditions: Option<Arc<dyn Conditions>>,
    /// Whether a failed call counts as none.
    pub(super) ignores_failure: bool,
    /// Whether it may be called for a dry run.
    pub(super) dry_runs: bool,
    pub(super) timeout_seconds: u64,
    /// Whether it is called again when the object is changed after its turn.
    pub(super) reinvoked: bool,
    pub(super) review_versions: Vec<String>,
    pub(super) hook: Hook,
}

/// What is not said in a configuration; the kube-apiserver fills it in, so that this is for old ones only.
const TIMEOUT_SECONDS: u64 = 10;
/// The request is answered within a minute, whatever a configuration says.
const TIMEOUT_MAX_SECONDS: u64 = 34;

/// The webhooks of a configuration, in their order.
pub(super) fn read(configuration: &Value, services: &Services, compiler: &Compiler) -> Vec<Webhook> {
    let name = configuration["metadata"]["name"].as_str().unwrap_or_default();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let webhooks = configuration["webhooks"].as_array().into_iter().flatten().map(|webhook| {
        let of = webhook["name"].as_str().unwrap_or_default();
        let count = seen.entry(of).or_default();
        let uid = format!("{name}/{of}/{count}");
        *count += 1;
        one(webhook, uid, name, services, compiler)
    });
    webhooks.collect()
}

fn one(webhook: &Value, uid: String, configuration: &str, services: &Services, compiler: &Compiler) -> Webhook {
    let is = |field: &str, value: &str| webhook[field] == value;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let conditions: Vec<Condition> = webhook["matchConditions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|condition| Condition { name: text(&condition["name"]), expression: text(&condition["expression"]) })
        .collect();
    let versions = webhook["admissionReviewVersions"].as_array().into_iter().flatten().map(text);
    Webhook {
        uid,
        name: text(&webhook["name"]),
        configuration: configuration.to_owned(),
        rules: Rule::list(&webhook["rules"]),
        equivalent: is("matchPolicy", "Equivalent"),
        namespace_selector: label_selector(&webhook["namespaceSelector"]),
        object_selector: label_selector(&webhook["objectSelector"]),
        conditions: (!conditions.is_empty()).then(|| compiler(conditions)),
        ignores_failure: is("failurePolicy", "Ignore"),
        dry_runs: is("sideEffects", "None") || is("sideEffects", "NoneOnDryRun"),
        timeout_seconds: webhook["timeoutSeconds"].as_u64().unwrap_or(TIMEOUT_SECONDS).min(TIMEOUT_MAX_SECONDS),
        reinvoked: is("reinvocationPolicy", "IfNeeded"),
        review_versions: versions.collect(),
        hook: Hook::new(&webhook["clientConfig"], services),
    }
}
