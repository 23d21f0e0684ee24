//! Where Services are: a webhook is called past the cluster's name service, as the kube-apiserver does.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::Request;
use kube::Client;
use serde_json::Value;
use tokio::time::{Instant, timeout};

/// What was found is believed for so long.
const REMEMBERED: Duration = Duration::from_secs(10);
/// For one question.
const PATIENCE: Duration = Duration::from_secs(5);

/// Knows where Services are, or that there are none. Clones share what they know.
#[derive(Clone, Default)]
pub struct Services(Option<Arc<Cluster>>);

struct Cluster {
    client: Client,
    /// By namespace and name: when each was found, and what.
    seen: Mutex<HashMap<(String, String), Found>>,
}

type Found = (Instant, Arc<Value>);

// === impl Services ===

impl Services {
    /// Those of a cluster.
    pub fn of(client: Client) -> Self {
        Self(Some(Arc::new(Cluster { client, seen: Mutex::default() })))
    }

    /// Host and port behind a port of a Service.
    pub(super) async fn resolve(&self, namespace: &str, name: &str, port: u16) -> Result<(String, u16), String> {
        let Some(cluster) = &self.0 else { return Err(format!("service {name:?} not found")) };
        place(&*cluster.service(namespace, name).await?, name, port)
    }

    /// What was found of a Service did not help.
    pub(super) fn forget(&self, namespace: &str, name: &str) {
        if let Some(cluster) = &self.0 {
            let mut seen = cluster.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.remove(&(namespace.to_owned(), name.to_owned()));
        }
    }
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Services").field(&self.0.is_some()).finish()
    }
}

// === impl Cluster ===

impl Cluster {
    async fn service(&self, namespace: &str, name: &str) -> Result<Arc<Value>, String> {
        let key = (namespace.to_owned(), name.to_owned());
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some((_, service)) = seen.filter(|(when, _)| when.elapsed() < REMEMBERED) {
            return Ok(service);
        }
        let request = Request::get(format!("/api/v1/namespaces/{namespace}/services/{name}")).body(Vec::new());
        let request = request.map_err(|error| error.to_string())?;
        let service = match timeout(PATIENCE, self.client.request::<Value>(request)).await {
            Ok(Ok(service)) => Arc::new(service),
            Ok(Err(kube::Error::Api(status))) if status.code == 404 => {
                return Err(format!("service {name:?} not found"));
            }
            Ok(Err(error)) => return Err(runtime::telemetry::chain(&error)),
            Err(_) => return Err(format!("service {name:?} cannot be looked up: the cluster does not answer")),
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.retain(|_, (when, _)| when.elapsed() < REMEMBERED);
        seen.insert(key, (Instant::now(), Arc::clone(&service)));
        Ok(service)
    }
}

/// Where a port of a Service is reached.
fn place(service: &Value, name: &str, port: u16) -> Result<(String, u16), String> {
    let spec = &service["spec"];
    let text = |field: &str| spec[field].as_str().unwrap_or_default();
    match text("type") {
        "ExternalName" => Ok((text("externalName").to_owned(), port)),
        "ClusterIP" if text("clusterIP") == "None" => Err("cannot route to service with ClusterIP \"None\"".to_owned()),
        "ClusterIP" | "LoadBalancer" | "NodePort" => {
            let mut ports = spec["ports"].as_array().into_iter().flatten();
            match ports.any(|known| known["port"] == port) {
                true => Ok((text("clusterIP").to_owned(), port)),
                false => Err(format!("no service port {port} found for service {name:?}")),
            }
        }
        other => Err(format!("unsupported service type {other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_service_is_at_its_address_or_where_it_points() {
        let at = |spec: Value| place(&json!({ "spec": spec }), "s", 443);
        let ports = json!([{ "port": 80 }, { "port": 443 }]);
        assert_eq!(
            at(json!({ "type": "ClusterIP", "clusterIP": "10.0.0.7", "ports": ports })),
            Ok(("10.0.0.7".into(), 443))
        );
        assert_eq!(
            at(json!({ "type": "ExternalName", "externalName": "w.example.com" })),
            Ok(("w.example.com".into(), 443))
        );
        let refusals = [
            (json!({ "type": "ClusterIP", "clusterIP": "None" }), "cannot route to service with ClusterIP \"None\""),
            (json!({ "type": "NodePort", "clusterIP": "10.0.0.7" }), "no service port 443 found for service \"s\""),
            (json!({ "type": "Odd" }), "unsupported service type \"Odd\""),
        ];
        for (spec, refusal) in refusals {
            assert_eq!(at(spec), Err(refusal.to_owned()));
        }
    }
}
