//! Installing a CustomResourceDefinition in the real kube-apiserver: the oracle of every differential test.

use anyhow::{Context as _, Result};

use crate::{Client, eventually};

/// A definition document, YAML.
#[derive(Clone, Debug)]
pub struct Crd {
    document: String,
}

// === impl Crd ===

impl Crd {
    /// A definition from its YAML.
    #[must_use]
    pub fn new(document: &str) -> Self {
        Self { document: document.to_owned() }
    }

    /// The same definition in another group: the twin that the kube-apiserver serves while we serve the original.
    #[must_use]
    pub fn in_group(&self, from: &str, to: &str) -> Self {
        Self { document: self.document.replace(from, to) }
    }

    /// The YAML.
    #[must_use]
    pub fn document(&self) -> &str {
        &self.document
    }

    /// Installs it and waits until it is served.
    pub async fn install(&self, client: &Client) -> Result<()> {
        const PATH: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        let headers = [("content-type", "application/yaml")];
        let created = client.send("POST", PATH, &headers, self.document.clone()).await?.success()?;
        let name =
            created.pointer("/metadata/name").and_then(|name| name.as_str()).context("a definition has a name")?;
        let path = format!("{PATH}/{name}");
        let spec = &created["spec"];
        let collections: Vec<String> = spec["versions"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|version| version["served"] == true)
            .filter_map(|version| {
                let (group, plural) = (spec["group"].as_str()?, spec["names"]["plural"].as_str()?);
                Some(format!("/apis/{group}/{}/{plural}?limit=1", version["name"].as_str()?))
            })
            .collect();
        eventually!(established(client, &path).await, "{name} is established");
        for collection in collections {
            eventually!(
                client.get(&collection).await.is_ok_and(|answer| answer.status == 200),
                "{collection} is served"
            );
        }
        Ok(())
    }
}

async fn established(client: &Client, path: &str) -> bool {
    let Ok(answer) = client.get(path).await else { return false };
    let Ok(definition) = answer.json() else { return false };
    let conditions = definition.pointer("/status/conditions").and_then(|conditions| conditions.as_array());
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Established" && condition["status"] == "True")
}
