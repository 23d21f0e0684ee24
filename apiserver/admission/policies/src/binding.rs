//! What puts a policy into force: `ValidatingAdmissionPolicyBinding` and `MutatingAdmissionPolicyBinding`.

use admission::matching::label_selector;
use machinery::selector::LabelSelector;
use serde_json::Value;

use crate::matching::Matching;

/// A binding.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) name: String,
    /// Of the policy.
    pub(crate) policy: String,
    pub(crate) params: Option<ParamRef>,
    /// What it is about, of what the policy is about.
    pub(crate) resources: Option<Matching>,
    /// `validationActions`.
    pub(crate) actions: Vec<String>,
}

/// Which objects are the params of a policy.
#[derive(Debug)]
pub(crate) struct ParamRef {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) selector: Option<Result<LabelSelector, String>>,
    /// Whether it is an error that there is none.
    pub(crate) required: bool,
}

// === impl Binding ===

impl Binding {
    /// Reads one.
    pub(crate) fn of(binding: &Value) -> Self {
        let spec = &binding["spec"];
        let actions = spec["validationActions"].as_array().into_iter().flatten();
        Self {
            name: text(&binding["metadata"]["name"]),
            policy: text(&spec["policyName"]),
            params: spec.get("paramRef").map(ParamRef::of),
            resources: spec.get("matchResources").map(Matching::of),
            actions: actions.map(text).collect(),
        }
    }
}

// === impl ParamRef ===

impl ParamRef {
    fn of(reference: &Value) -> Self {
        Self {
            name: text(&reference["name"]),
            namespace: text(&reference["namespace"]),
            selector: reference.get("selector").map(label_selector),
            required: reference["parameterNotFoundAction"] == "Deny",
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
