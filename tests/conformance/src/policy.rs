//! Policies of a case: each is about the case's own namespace, and is in force before the case goes on.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use kit::{Cluster, PATIENCE};
use serde_json::{Value, json};

use crate::cx::{Cx, merge};

/// The two sorts of policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// `MutatingAdmissionPolicy`.
    Mutating,
    /// `ValidatingAdmissionPolicy`.
    Validating,
}

/// A policy and its bindings.
#[derive(Clone, Debug)]
pub struct Policy {
    sort: Sort,
    name: String,
    spec: Value,
    bindings: Vec<Value>,
}

const ROOT: &str = "/apis/admissionregistration.k8s.io/v1";
/// The label of the object that tells whether policies are in force; no other policy is about it.
const CANARY: &str = "canary";

// === impl Sort ===

impl Sort {
    fn kind(self) -> &'static str {
        match self {
            Self::Mutating => "MutatingAdmissionPolicy",
            Self::Validating => "ValidatingAdmissionPolicy",
        }
    }

    fn policies(self) -> &'static str {
        match self {
            Self::Mutating => "mutatingadmissionpolicies",
            Self::Validating => "validatingadmissionpolicies",
        }
    }

    fn bindings(self) -> &'static str {
        match self {
            Self::Mutating => "mutatingadmissionpolicybindings",
            Self::Validating => "validatingadmissionpolicybindings",
        }
    }
}

// === impl Policy ===

impl Policy {
    /// A policy about creations and updates of the kind, with other contents merged in, and no binding.
    #[must_use]
    pub fn new(cx: &Cx, sort: Sort, name: &str, more: &Value) -> Self {
        let mut spec = json!({
            "matchConstraints": {
                "resourceRules": [{
                    "operations": ["CREATE", "UPDATE"],
                    "apiGroups": [cx.group],
                    "apiVersions": [cx.subject.version],
                    "resources": [cx.subject.plural],
                }],
                "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": cx.namespace } },
                "objectSelector": { "matchExpressions": [{ "key": CANARY, "operator": "DoesNotExist" }] },
            },
        });
        if sort == Sort::Mutating {
            spec["reinvocationPolicy"] = json!("Never");
        }
        merge(&mut spec, more);
        Self { sort, name: format!("{}-{name}", cx.namespace), spec, bindings: Vec::new() }
    }

    /// One that denies what is not so.
    #[must_use]
    pub fn denying(cx: &Cx, name: &str, more: &Value) -> Self {
        Self::new(cx, Sort::Validating, name, more).bound(&json!({ "validationActions": ["Deny"] }))
    }

    /// One that changes.
    #[must_use]
    pub fn mutating(cx: &Cx, name: &str, more: &Value) -> Self {
        Self::new(cx, Sort::Mutating, name, more).bound(&json!({}))
    }

    /// The same with one more binding.
    #[must_use]
    pub fn bound(mut self, more: &Value) -> Self {
        let mut spec = json!({ "policyName": self.name });
        merge(&mut spec, more);
        self.bindings.push(spec);
        self
    }

    async fn create(&self) -> Result<()> {
        let admin = Cluster::shared().admin();
        let object = |kind: &str, name: &str, spec: &Value| {
            json!({
                "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": { "name": name }, "spec": spec,
            })
        };
        let policy = object(self.sort.kind(), &self.name, &self.spec);
        admin.post(&format!("{ROOT}/{}", self.sort.policies()), &policy).await?.success().context(self.name.clone())?;
        for (index, binding) in self.bindings.iter().enumerate() {
            let binding = object(&format!("{}Binding", self.sort.kind()), &self.binding(index), binding);
            let path = format!("{ROOT}/{}", self.sort.bindings());
            admin.post(&path, &binding).await?.success().context(self.name.clone())?;
        }
        Ok(())
    }

    async fn remove(&self) -> Result<()> {
        let admin = Cluster::shared().admin();
        for index in 0..self.bindings.len() {
            let path = format!("{ROOT}/{}/{}", self.sort.bindings(), self.binding(index));
            admin.send("DELETE", &path, &[], "").await?.success().context("removing a binding")?;
        }
        let path = format!("{ROOT}/{}/{}", self.sort.policies(), self.name);
        admin.send("DELETE", &path, &[], "").await?.success().context("removing a policy")?;
        Ok(())
    }

    fn binding(&self, index: usize) -> String {
        format!("{}-{index}", self.name)
    }
}

/// Installs policies and waits until they are in force.
pub async fn install(cx: &Cx, policies: &[Policy]) -> Result<()> {
    for policy in policies {
        policy.create().await?;
    }
    for sort in [Sort::Mutating, Sort::Validating] {
        if policies.iter().any(|policy| policy.sort == sort) {
            wait(cx, sort).await?;
        }
    }
    Ok(())
}

/// Takes them away, so that they cost the other cases nothing.
pub async fn remove(policies: &[Policy]) -> Result<()> {
    for policy in policies {
        policy.remove().await?;
    }
    Ok(())
}

/// Waits until a policy is in force that was made after all others of the sort.
async fn wait(cx: &Cx, sort: Sort) -> Result<()> {
    // Each has a name of its own, as one that was taken away may be in force for a while.
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let word = format!("seen-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let only = json!({ "matchLabels": { CANARY: word }, "matchExpressions": [] });
    let more = match sort {
        Sort::Mutating => json!({
            "matchConstraints": { "objectSelector": only },
            "mutations": [{ "patchType": "ApplyConfiguration", "applyConfiguration": {
                "expression": format!("Object{{metadata: Object.metadata{{labels: {{'seen': '{word}'}}}}}}"),
            }}],
        }),
        Sort::Validating => json!({
            "matchConstraints": { "objectSelector": only },
            "validations": [{ "expression": "false", "message": word }],
        }),
    };
    let canary = match sort {
        Sort::Mutating => Policy::mutating(cx, &word, &more),
        Sort::Validating => Policy::denying(cx, &word, &more),
    };
    canary.create().await?;
    let probe = cx.object_with(CANARY, &json!({ "metadata": { "labels": { CANARY: word } } })).to_string();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let headers = [("content-type", "application/json")];
        let answer = cx.send_unrecorded("POST", "{r}?dryRun=All", &headers, probe.clone()).await?.body;
        let seen = match sort {
            Sort::Mutating => answer["metadata"]["labels"]["seen"] == word,
            Sort::Validating => {
                answer["message"].as_str().is_some_and(|message| message.ends_with(&format!(": {word}")))
            }
        };
        if seen {
            return canary.remove().await;
        }
        anyhow::ensure!(tokio::time::Instant::now() < deadline, "policies are not in force on {}", cx.target.name());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
