//! The namespaces of the cluster, for selectors and for expressions.

use std::{sync::Arc, time::Duration};

use http::Request;
use kube::Client;
use machinery::status::Status;
use runtime::Tasks;
use serde_json::Value;

use crate::{Follow, Refusal};

/// For one question.
const PATIENCE: Duration = Duration::from_secs(10);
const PATH: &str = "/api/v1/namespaces";

/// Knows the namespaces. Clones share what they know.
#[derive(Clone)]
pub struct Namespaces {
    follow: Follow<Value>,
    client: Client,
}

// === impl Namespaces ===

impl Namespaces {
    /// Follows those of a cluster.
    pub fn start(client: Client, tasks: &Tasks) -> Self {
        Self { follow: Follow::start("follow namespaces", client.clone(), PATH, tasks, |namespace| namespace), client }
    }

    /// Those that were last seen.
    pub fn follow(&self) -> &Follow<Value> {
        &self.follow
    }

    /// A namespace. One that was not seen is asked for: it may be new. 404 when there is none.
    pub async fn get(&self, name: &str) -> Result<Arc<Value>, Refusal> {
        if let Some(seen) = self.follow.get("", name) {
            return Ok(seen);
        }
        let request =
            Request::get(format!("{PATH}/{name}")).body(Vec::new()).map_err(|error| failed(&error.to_string()))?;
        match tokio::time::timeout(PATIENCE, self.client.request::<Value>(request)).await {
            Ok(Ok(namespace)) => Ok(Arc::new(namespace)),
            Ok(Err(kube::Error::Api(status))) if status.code == 404 => {
                Err(Box::new(Status::not_found(&machinery::GroupResource::new("", "namespaces"), name)))
            }
            Ok(Err(error)) => Err(failed(&runtime::telemetry::chain(&error))),
            Err(_) => Err(failed("no answer from the cluster")),
        }
    }
}

fn failed(why: &str) -> Refusal {
    Box::new(Status::internal(&format!("looking up a namespace: {why}")))
}
