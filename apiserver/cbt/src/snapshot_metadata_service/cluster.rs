//! Whether the cluster has the kind itself.

use std::time::Duration;

use http::Request;
use kube::{Client, Error};
use machinery::status::Status;
use serde_json::Value;
use tokio::{sync::Mutex, time::Instant};

use super::{PLURAL, VERSION};
use crate::GROUP;

/// How long an answer is believed.
const BELIEVED: Duration = Duration::from_secs(5);
/// How long is waited for one.
const PATIENCE: Duration = Duration::from_secs(10);

/// A cluster, and what it last said.
pub(super) struct Cluster {
    client: Client,
    said: Mutex<Option<(Instant, bool)>>,
}

// === impl Cluster ===

impl Cluster {
    pub(super) fn new(client: Client) -> Self {
        Self { client, said: Mutex::default() }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Whether it serves a CustomResourceDefinition of the kind in the version that counts. Those who want to know at the
    /// same time share one question; a failure is not remembered.
    pub(super) async fn has_the_kind(&self) -> Result<bool, Status> {
        let mut said = self.said.lock().await;
        match *said {
            Some((when, has)) if when.elapsed() < BELIEVED => Ok(has),
            _ => {
                let has = ask(&self.client).await?;
                *said = Some((Instant::now(), has));
                Ok(has)
            }
        }
    }
}

async fn ask(client: &Client) -> Result<bool, Status> {
    let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{PLURAL}.{GROUP}");
    let request = Request::get(&path).body(Vec::new()).expect("a path makes a request");
    let answer = tokio::time::timeout(PATIENCE, client.request::<Value>(request)).await;
    let unknown = |why: &str| {
        tracing::warn!("whether the cluster has {PLURAL}.{GROUP} is not known: {why}");
        let message = format!("whether {PLURAL}.{GROUP} are the cluster's or this server's is not known: {why}");
        Status::unavailable(&message, 1)
    };
    match answer {
        Ok(Ok(definition)) => Ok(serves(&definition)),
        Ok(Err(Error::Api(status))) if status.code == 404 => Ok(false),
        Ok(Err(Error::Api(status))) if status.code == 403 => {
            Err(unknown(&format!("let this server's user get customresourcedefinitions ({})", status.message)))
        }
        Ok(Err(error)) => Err(unknown(&runtime::telemetry::chain(&error))),
        Err(_) => Err(unknown("the cluster did not answer in time")),
    }
}

/// Whether a definition is in use, with the version that counts.
fn serves(definition: &Value) -> bool {
    let any = |list: &Value, is: &dyn Fn(&Value) -> bool| list.as_array().is_some_and(|list| list.iter().any(is));
    any(&definition["spec"]["versions"], &|version| version["name"] == VERSION && version["served"] == true)
        && any(&definition["status"]["conditions"], &|condition| {
            condition["type"] == "Established" && condition["status"] == "True"
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_definition_in_use_counts() {
        let definition = |version: &str, served: bool, established: &str| {
            json!({
                "spec": { "versions": [{ "name": version, "served": served }] },
                "status": { "conditions": [{ "type": "Established", "status": established }] },
            })
        };
        assert!(serves(&definition("v1beta1", true, "True")));
        assert!(!serves(&definition("v1alpha1", true, "True")), "the version that is this server's own");
        assert!(!serves(&definition("v1beta1", false, "True")));
        assert!(!serves(&definition("v1beta1", true, "False")));
        assert!(!serves(&json!({ "spec": { "versions": [{ "name": "v1beta1", "served": true }] } })));
    }
}
