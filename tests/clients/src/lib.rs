//! Real clients against us: what a user or a controller does, with the programs that they do it with.
//!
//! Each file of tests is a process with a cluster of its own:
//!
//! | file | what | how to run it alone |
//! |---|---|---|
//! | `kubectl.rs` | kubectl directly and through the aggregator | `cargo test -p clients --test kubectl` |
//! | `registered.rs` | a registered group, and whom it answers | `cargo test -p clients --test registered` |
//! | `fleet.rs` | Fleet's own objects, through `kill -9` | `cargo test -p clients --test fleet` |
//! | `operate.rs` | backup, SQL and checks while a database is served; the audit log | `cargo test -p clients --test operate` |
//! | `hyperfleet.rs` | clusters and nodepools by REST and by kubectl | `cargo test -p clients --test hyperfleet` |
//! | `restart.rs` | nodes restarted through kubectl, its plugin and a client certificate | `cargo test -p clients --test restart` |
//! | `tokens.rs` | tokens made with kubectl, kept in Secrets, believed by the kube-apiserver | `cargo test -p clients --test tokens` |
//! | `trace.rs` | one request as one trace, in both deployments | `cargo test -p clients --test trace` |
//! | `watcher.rs` | the watcher of kube-rs | `cargo test -p clients --test watcher` |
//! | `controller.rs` | informers and calls of a Go controller | `cargo test -p clients --test controller` |
//! | `floods.rs` | clients that flood or do not read | `cargo test -p clients --test floods` |
//! | `process.rs` | how the server begins and ends | `cargo test -p clients --test process` |
//! | `conversion.rs` | versions that a webhook converts | `cargo test -p clients --test conversion` |
//! | `quota.rs` | a ResourceQuota, counted by the controller | `cargo test -p clients --test quota` |
//! | `controllers.rs` | garbage collection and the deletion of namespaces | `cargo test -p clients --test controllers` |
//! | `durability.rs` | writers and `kill -9` | `cargo test -p clients --test durability` |
//! | `changed_blocks.rs` | what changed between snapshots, by kubectl, curl and the plugin | `cargo test -p clients --test changed_blocks` |
//! | `snapshot_metadata.rs` | Kubernetes' own client library of changed blocks | `cargo test -p clients --test snapshot_metadata` |
//! | `deployment.rs` | the split deployment, and what is answered while a part is down | `cargo test -p clients --test deployment` |

pub mod http2;
pub mod snapshots;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use kit::{Cluster, Outrigger};
use serde_json::{Value, json};

/// The collection of BundleDeployments in a namespace.
#[must_use]
pub fn collection(namespace: &str) -> String {
    format!("/apis/fleet.cattle.io/v1alpha1/namespaces/{namespace}/bundledeployments")
}

/// A BundleDeployment.
#[must_use]
pub fn bundle_deployment(name: &str, id: &str) -> Value {
    json!({
        "apiVersion": "fleet.cattle.io/v1alpha1",
        "kind": "BundleDeployment",
        "metadata": {"name": name, "labels": {"fleet.cattle.io/bundle-name": name}},
        "spec": {"deploymentID": id, "options": {"defaultNamespace": "guestbook", "helm": {"releaseName": name}}},
    })
}

/// Us behind a cluster, and BundleDeployments registered there.
pub fn behind(cluster: &Cluster) -> Result<Outrigger> {
    let outrigger = Outrigger::behind(cluster, &[], &[])?;
    kit::block_on(outrigger.register(cluster, "fleet.cattle.io", "v1alpha1"))
        .context("registering BundleDeployments")?;
    Ok(outrigger)
}

/// The three objects as Fleet leaves them.
#[must_use]
pub fn fleet_examples() -> [PathBuf; 3] {
    ["01-gitrepo-plain-ready", "02-helm-monitoring-modified", "03-helmop-with-values-paused"].map(kit::examples::fleet)
}

/// A Rack of tests/examples, with a scale.
#[must_use]
pub fn rack(name: &str, replicas: i64) -> Value {
    json!({"apiVersion": "gold.example.com/v1", "kind": "Rack", "metadata": {"name": name}, "spec": {"replicas": replicas}})
}

/// Several documents in one.
#[must_use]
pub fn documents(objects: &[Value]) -> String {
    objects.iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n")
}

/// A namespace for a behaviour: tests keep out of each other's way by namespaces.
#[must_use]
pub fn namespace(behaviour: &str) -> String {
    behaviour.replace('_', "-").chars().take(40).collect::<String>().trim_end_matches('-').to_owned()
}
