//! Nodes without machines: objects in the cluster, and what a kubelet would report of them.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::Client;

const NODES: &str = "/api/v1/nodes";

/// A node in a cluster.
#[derive(Clone, Debug)]
pub struct Node {
    client: Client,
    name: String,
}

/// What a kubelet reports.
#[derive(Clone, Debug)]
pub struct Report {
    /// Changes with each boot.
    pub boot_id: String,
    /// Whether pods can run.
    pub ready: bool,
    /// The machine's private address.
    pub address: String,
}

// === impl Node ===

impl Node {
    /// Creates a node, which has not reported anything.
    pub async fn create(admin: &Client, name: &str, provider_id: &str, labels: &[(&str, &str)]) -> Result<Self> {
        let labels: Value = labels.iter().map(|&(label, value)| (label.to_owned(), Value::from(value))).collect();
        let node = json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels},
            "spec": {"providerID": provider_id},
        });
        admin.post(NODES, &node).await?.success().with_context(|| format!("creating the node {name}"))?;
        Ok(Self { client: admin.clone(), name: name.to_owned() })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The node as it is now.
    pub async fn get(&self) -> Result<Value> {
        self.client.get(&format!("{NODES}/{}", self.name)).await?.success()
    }

    /// Reports as its kubelet.
    pub async fn report(&self, report: &Report) -> Result<()> {
        let Report { boot_id, ready, address } = report;
        let status = if *ready { "True" } else { "False" };
        let version = Self::SYSTEM.map(|field| (field.to_owned(), Value::from("kit")));
        let mut info: Value = version.into_iter().collect();
        info["bootID"] = boot_id.as_str().into();
        let patch = json!({
            "status": {
                "addresses": [{"type": "InternalIP", "address": address}],
                "conditions": [{"type": "Ready", "status": status, "reason": "Kit", "message": "as the test says"}],
                "nodeInfo": info,
            },
        });
        self.patch("/status", &patch).await
    }

    /// Changes it by a merge patch of the node itself.
    pub async fn change(&self, patch: &Value) -> Result<()> {
        self.patch("", patch).await
    }

    /// Takes it out of the cluster.
    pub async fn delete(&self) -> Result<()> {
        self.client.send("DELETE", &format!("{NODES}/{}", self.name), &[], "").await?.success()?;
        Ok(())
    }

    /// The fields of `nodeInfo` that must be there.
    const SYSTEM: [&str; 9] = [
        "architecture",
        "containerRuntimeVersion",
        "kernelVersion",
        "kubeProxyVersion",
        "kubeletVersion",
        "machineID",
        "operatingSystem",
        "osImage",
        "systemUUID",
    ];

    async fn patch(&self, subresource: &str, patch: &Value) -> Result<()> {
        let path = format!("{NODES}/{}{subresource}", self.name);
        let headers = [("content-type", "application/merge-patch+json")];
        let answer = self.client.send("PATCH", &path, &headers, patch.to_string()).await?;
        answer.success().with_context(|| format!("patching {path}"))?;
        Ok(())
    }
}
