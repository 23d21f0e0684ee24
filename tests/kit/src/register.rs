//! Registering an aggregated API: a namespace, an ExternalName Service that points at loopback, and the APIService.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::{Client, eventually};

const NAMESPACE: &str = "outrigger";
const SERVICE: &str = "outrigger";
const APISERVICES: &str = "/apis/apiregistration.k8s.io/v1/apiservices";

/// One group-version to be served by us.
#[derive(Clone, Debug)]
pub struct Registration<'a> {
    /// The API group.
    pub group: &'a str,
    /// The version.
    pub version: &'a str,
    /// The loopback port we listen on.
    pub port: u16,
    /// The authority of our serving certificate, PEM.
    pub ca: &'a str,
}

// === impl Registration ===

impl Registration<'_> {
    /// The name in our serving certificate that the aggregator expects.
    #[must_use]
    pub fn server_name() -> String {
        format!("{SERVICE}.{NAMESPACE}.svc")
    }

    /// Registers it and waits until the kube-apiserver says Available.
    pub async fn apply(&self, admin: &Client) -> Result<()> {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
        put(admin, "/api/v1/namespaces", &namespace).await?;
        let service = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": SERVICE, "namespace": NAMESPACE},
            "spec": {"type": "ExternalName", "externalName": "localhost"},
        });
        put(admin, &format!("/api/v1/namespaces/{NAMESPACE}/services"), &service).await?;
        put(admin, APISERVICES, &self.document()).await?;
        eventually!(self.available(admin).await, "{} is available", self.name());
        eventually!(self.discovered(admin).await, "{} is in the aggregated discovery", self.name());
        Ok(())
    }

    /// Takes the registration away.
    pub async fn withdraw(&self, admin: &Client) -> Result<()> {
        admin.send("DELETE", &format!("{APISERVICES}/{}", self.name()), &[], "").await?.success()?;
        Ok(())
    }

    fn name(&self) -> String {
        format!("{}.{}", self.version, self.group)
    }

    fn document(&self) -> Value {
        json!({
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": self.name()},
            "spec": {
                "group": self.group,
                "version": self.version,
                "groupPriorityMinimum": 1000,
                "versionPriority": 15,
                "service": {"namespace": NAMESPACE, "name": SERVICE, "port": self.port},
                "caBundle": STANDARD.encode(self.ca),
            },
        })
    }

    async fn available(&self, admin: &Client) -> bool {
        let Ok(answer) = admin.get(&format!("{APISERVICES}/{}", self.name())).await else { return false };
        let service = answer.json().unwrap_or_default();
        service.pointer("/status/conditions").and_then(Value::as_array).is_some_and(|conditions| {
            conditions.iter().any(|condition| condition["type"] == "Available" && condition["status"] == "True")
        })
    }

    async fn discovered(&self, admin: &Client) -> bool {
        let accept = [("accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")];
        let Ok(answer) = admin.send("GET", "/apis", &accept, "").await else { return false };
        let list = answer.json().unwrap_or_default();
        list["items"].as_array().into_iter().flatten().filter(|group| group["metadata"]["name"] == self.group).any(
            |group| {
                group["versions"].as_array().into_iter().flatten().any(|version| {
                    version["version"] == self.version && version["resources"].as_array().is_some_and(|r| !r.is_empty())
                })
            },
        )
    }
}

/// Creates an object, or replaces the one of that name.
async fn put(admin: &Client, collection: &str, body: &Value) -> Result<()> {
    let created = admin.post(collection, body).await?;
    if created.status != 409 {
        created.success()?;
        return Ok(());
    }
    let name = body.pointer("/metadata/name").and_then(Value::as_str).context("the object has a name")?;
    let path = format!("{collection}/{name}");
    let headers = [("content-type", "application/merge-patch+json")];
    admin.send("PATCH", &path, &headers, body.to_string()).await?.success()?;
    Ok(())
}
