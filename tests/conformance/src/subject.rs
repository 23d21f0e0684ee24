//! The kinds that are compared, and what a case needs to know of each: a valid spec, another one, an invalid one, a status.

use anyhow::Result;
use kit::Crd;
use serde_json::{Value, json};

/// One kind under test.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// The plural, which is also the name of the subject.
    pub plural: &'static str,
    /// The kind.
    pub kind: &'static str,
    /// The group in which we serve it.
    pub group: &'static str,
    /// The version.
    pub version: &'static str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Whether it has the status subresource.
    pub status: bool,
    /// The areas whose cases it is for; empty for all.
    pub areas: &'static [&'static str],
    /// Its definition, a file of the repository.
    pub document: &'static str,
    /// Whether the definition is built in, so that `--crds` need not name it.
    pub built_in: bool,
    /// A valid spec, and another, as JSON.
    pub specs: [&'static str; 2],
    /// A spec with a value that its schema forbids, and one with a value of the wrong type.
    pub invalid: [&'static str; 2],
    /// Two valid statuses.
    pub statuses: [&'static str; 2],
}

/// Every kind under test.
pub const SUBJECTS: &[Subject] = &[
    Subject {
        plural: "widgets",
        kind: "Widget",
        group: "gold.example.com",
        version: "v1",
        namespaced: true,
        status: true,
        areas: &[],
        document: "tests/examples/crds/widgets.yaml",
        built_in: false,
        specs: [
            r#"{"size":1}"#,
            r#"{"size":2,"color":"blue","tags":["a","b"],"ports":[{"port":80,"name":"web"}],"extra":{"x":[1]},"mode":"on"}"#,
        ],
        invalid: [
            r#"{"size":-1,"color":"pink","tags":["a","a"],"ports":[{"port":0},{"port":80},{"port":80}],"when":"now"}"#,
            r#"{"size":"big","tags":{},"ports":[{"name":"web"}],"mode":1.5}"#,
        ],
        statuses: [r#"{"phase":"Ready"}"#, r#"{"phase":"Failed"}"#],
    },
    Subject {
        plural: "bundledeployments",
        kind: "BundleDeployment",
        group: "fleet.cattle.io",
        version: "v1alpha1",
        namespaced: true,
        status: true,
        areas: &[],
        document: "apiserver/src/kinds/bundle_deployment.yaml",
        built_in: true,
        specs: [
            r#"{"deploymentID":"s-1:a","options":{"helm":{"values":{"a":{"b":[1,"x",null]}}}}}"#,
            r#"{"deploymentID":"s-2:b","paused":true,"options":{"defaultNamespace":"guestbook","helm":{"releaseName":"r"}}}"#,
        ],
        invalid: [
            r#"{"deploymentID":5,"paused":"yes","dependsOn":[{"selector":{"matchExpressions":[{"key":"a"}]}}]}"#,
            r#"{"options":[],"correctDrift":"yes"}"#,
        ],
        statuses: [
            r#"{"display":{"deployed":"True","monitored":"True","state":"Ready"},"ready":true,"conditions":[{"type":"Ready","status":"True"}]}"#,
            r#"{"display":{"deployed":"True","monitored":"False"},"conditions":[{"type":"Ready","status":"False","message":"NotReady(1)"}]}"#,
        ],
    },
    Subject {
        plural: "gadgets",
        kind: "Gadget",
        group: "gold.example.com",
        version: "v1",
        namespaced: false,
        status: false,
        // Its cases take turns, so only areas in which the scope or the missing status can matter.
        areas: &["access", "crud", "delete", "discovery", "list", "metadata", "openapi", "table", "watch_list"],
        document: "tests/examples/crds/gadgets.yaml",
        built_in: false,
        specs: [r#"{"power":1}"#, r#"{"power":2,"label":"two"}"#],
        invalid: [r#"{"power":"much"}"#, r#"{"label":{}}"#],
        statuses: [r#"{"phase":"Ready"}"#, r#"{"phase":"Failed"}"#],
    },
    Subject {
        plural: "ledgers",
        kind: "Ledger",
        group: "gold.example.com",
        version: "v1",
        namespaced: true,
        status: true,
        areas: &["rules"],
        document: "tests/examples/crds/rules.yaml",
        built_in: false,
        specs: [r#"{"limit":100}"#, r#"{"limit":200,"owner":"ann","currency":"EUR"}"#],
        invalid: [r#"{"limit":5,"floor":6}"#, r#"{"limit":"much"}"#],
        statuses: [r#"{"phase":"Open"}"#, r#"{"phase":"Closed"}"#],
    },
    Subject {
        plural: "racks",
        kind: "Rack",
        group: "gold.example.com",
        version: "v1",
        namespaced: true,
        status: true,
        areas: &["apply", "discovery", "openapi", "patch", "scale", "scale_admission", "selectable", "status", "table"],
        document: "tests/examples/crds/racks.yaml",
        built_in: false,
        specs: [r#"{"replicas":1}"#, r#"{"replicas":2,"color":"red","door":{"open":true}}"#],
        invalid: [r#"{"replicas":-1}"#, r#"{"replicas":"many","door":[]}"#],
        statuses: [r#"{"replicas":1,"selector":"a=b","phase":"Full"}"#, r#"{"phase":"Empty"}"#],
    },
];

// === impl Subject ===

impl Subject {
    /// Its definition in another group.
    pub fn definition(&self, group: &str) -> Result<Crd> {
        Ok(Crd::new(&kit::examples::read(self.document)?).in_group(self.group, group))
    }

    /// One of the two valid specs.
    #[must_use]
    pub fn spec(&self, which: usize) -> Value {
        parse(self.specs[which])
    }

    /// One of the two invalid specs.
    #[must_use]
    pub fn invalid_spec(&self, which: usize) -> Value {
        parse(self.invalid[which])
    }

    /// One of the two statuses.
    #[must_use]
    pub fn status(&self, which: usize) -> Value {
        parse(self.statuses[which])
    }

    /// An object of this kind in a group.
    #[must_use]
    pub fn object(&self, group: &str, name: &str) -> Value {
        json!({
            "apiVersion": format!("{group}/{}", self.version),
            "kind": self.kind,
            "metadata": {"name": name},
            "spec": self.spec(0),
        })
    }
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).expect("the table above holds JSON")
}
