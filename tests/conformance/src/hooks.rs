//! Webhook configurations of a case: each is about the case's own namespace, and is in force before the case goes on.

use anyhow::{Context as _, Result};
use kit::{Cluster, PATIENCE, Reply, Webhooks};
use serde_json::{Value, json};

use crate::cx::{Cx, merge};

/// The two sorts of configurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// `MutatingWebhookConfiguration`.
    Mutating,
    /// `ValidatingWebhookConfiguration`.
    Validating,
}

/// The path of the webhook that tells when a configuration is in force.
const CANARY: &str = "/canary";

// === impl Sort ===

impl Sort {
    fn kind(self) -> &'static str {
        match self {
            Self::Mutating => "MutatingWebhookConfiguration",
            Self::Validating => "ValidatingWebhookConfiguration",
        }
    }

    fn collection(self) -> String {
        format!("/apis/admissionregistration.k8s.io/v1/{}s", self.kind().to_lowercase())
    }
}

/// Says what a path answers to reviews about the case's namespace.
pub fn on(cx: &Cx, path: &str, behaviour: impl Fn(&Value) -> Reply + Send + Sync + 'static) {
    Webhooks::shared().on(&cx.namespace, path, behaviour);
}

/// A webhook of the kind's creations under a path of the same name, with other contents merged in.
#[must_use]
pub fn webhook(cx: &Cx, name: &str, more: &Value) -> Value {
    let mut webhook = json!({
        "name": format!("{name}.hooks.example.com"),
        "clientConfig": Webhooks::shared().client_config(&format!("/{name}")),
        "rules": [{
            "operations": ["CREATE"],
            "apiGroups": [cx.group],
            "apiVersions": [cx.subject.version],
            "resources": [cx.subject.plural],
        }],
        "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": cx.namespace } },
        // Not about what is sent only to find out whether a configuration is in force.
        "objectSelector": { "matchExpressions": [{ "key": "canary", "operator": "DoesNotExist" }] },
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    });
    merge(&mut webhook, more);
    webhook
}

/// The same for other operations.
#[must_use]
pub fn webhook_of(cx: &Cx, name: &str, operations: &[&str], resources: &[&str], more: &Value) -> Value {
    let mut webhook = webhook(cx, name, &json!({}));
    webhook["rules"][0]["operations"] = json!(operations);
    let resources: Vec<String> = resources.iter().map(|resource| resource.replace("{}", cx.subject.plural)).collect();
    webhook["rules"][0]["resources"] = json!(resources);
    merge(&mut webhook, more);
    webhook
}

/// Installs a configuration and waits until it is in force.
pub async fn install(cx: &Cx, sort: Sort, name: &str, webhooks: &[Value]) -> Result<()> {
    let canary = webhook(
        cx,
        "canary",
        &json!({
            "objectSelector": { "matchLabels": { "canary": name }, "matchExpressions": null },
            "failurePolicy": "Ignore",
        }),
    );
    let all: Vec<&Value> = std::iter::once(&canary).chain(webhooks).collect();
    let configuration = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": sort.kind(),
        "metadata": { "name": format!("{}-{name}", cx.namespace) },
        "webhooks": all,
    });
    Cluster::shared().admin().post(&sort.collection(), &configuration).await?.success()?;
    let probe = cx.object_with("canary", &json!({ "metadata": { "labels": { "canary": name } } })).to_string();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let headers = [("content-type", "application/json")];
        cx.send_unrecorded("POST", "{r}?dryRun=All", &headers, probe.clone()).await?;
        if Webhooks::shared().take(&cx.namespace).iter().any(|(path, _)| path == CANARY) {
            return Ok(());
        }
        anyhow::ensure!(tokio::time::Instant::now() < deadline, "{name} is not in force on {}", cx.target.name());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// Takes a configuration away, so that it costs the other cases nothing.
pub async fn remove(cx: &Cx, sort: Sort, name: &str) -> Result<()> {
    let path = format!("{}/{}-{name}", sort.collection(), cx.namespace);
    Cluster::shared().admin().send("DELETE", &path, &[], "").await?.success().context("removing a configuration")?;
    Ok(())
}

/// Writes down what webhooks were asked since the last time, in the order of their paths and as they came.
pub fn asked(cx: &mut Cx, what: &str) {
    let mut seen = Webhooks::shared().take(&cx.namespace);
    seen.sort_by(|(one, _), (other, _)| one.cmp(other));
    let seen: Vec<Value> = seen.into_iter().map(|(path, review)| json!({ "path": path, "review": review })).collect();
    cx.note(what, seen);
}

/// The same for reviews of scales, without who has which of their fields: here a Scale in a review has no managed fields.
pub fn asked_of_scales(cx: &mut Cx, what: &str) {
    let mut seen = Webhooks::shared().take(&cx.namespace);
    for metadata in ["/request/object/metadata", "/request/oldObject/metadata"] {
        for metadata in seen.iter_mut().filter_map(|(_, review)| review.pointer_mut(metadata)?.as_object_mut()) {
            metadata.remove("managedFields");
        }
    }
    let seen: Vec<Value> = seen.into_iter().map(|(path, review)| json!({ "path": path, "review": review })).collect();
    cx.note(what, seen);
}

/// Writes down which webhooks were asked, and not what.
pub fn called(cx: &mut Cx, what: &str) {
    let seen: Vec<Value> = Webhooks::shared().take(&cx.namespace).into_iter().map(|(path, _)| path.into()).collect();
    cx.note(what, seen);
}

/// The same, where the order is nobody's promise.
pub fn called_at_once(cx: &mut Cx, what: &str) {
    let mut seen: Vec<String> = Webhooks::shared().take(&cx.namespace).into_iter().map(|(path, _)| path).collect();
    seen.sort();
    cx.note(what, seen);
}

/// All is well.
#[must_use]
pub fn allow() -> Reply {
    Reply::Response(json!({ "allowed": true }))
}

/// No, for this reason.
#[must_use]
pub fn deny(status: &Value) -> Reply {
    Reply::Response(json!({ "allowed": false, "status": status }))
}

/// Yes, but changed so.
#[must_use]
pub fn patch(operations: &Value) -> Reply {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let patch = STANDARD.encode(operations.to_string());
    Reply::Response(json!({ "allowed": true, "patchType": "JSONPatch", "patch": patch }))
}
