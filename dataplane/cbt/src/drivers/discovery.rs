//! DriverDiscovery objects, followed in a store.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use proto::{
    cbt::{ChangedBlocks, Error, Result, client::Client},
    store::{Entry, Scope, Store},
};
use runtime::{
    Tasks,
    args::PeerTlsArgs,
    grpc,
    tls::{ClientTls, Identity, bootstrap::Pair},
};
use serde::Deserialize;

use super::{Drivers, Found};
use crate::mirror::stored;

/// What an object says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    pub(super) driver_name: String,
    service: Service,
    ca_bundle: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Service {
    name: String,
    namespace: String,
    path: String,
    port: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Object {
    spec: Spec,
}

pub(super) fn follow(drivers: &Drivers, store: Arc<dyn Store>, peer: &PeerTlsArgs, tasks: &Tasks) {
    let discovered = Arc::clone(&drivers.discovered);
    let (peer, own) = (peer.clone(), tasks.clone());
    let scope = Scope { group: "cbt.storage.k8s.io".into(), resource: "driverdiscoveries".into(), namespace: None };
    stored::follow("follow driverdiscoveries", store, scope, tasks, move |entries| {
        let mut discovered = discovered.write().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *discovered);
        *discovered = entries.values().map(|entry| found(entry, &mut before, &peer, &own)).collect();
    });
}

/// A driver that was known, if nothing changed; so its connection goes on.
fn found(entry: &Entry, before: &mut BTreeMap<String, Found>, peer: &PeerTlsArgs, tasks: &Tasks) -> (String, Found) {
    let name = entry.key.name.clone();
    let spec = read(entry);
    let found = match before.remove(&name) {
        Some(known) if known.spec == spec => known,
        _ => Found { blocks: reach(&name, &spec, peer, tasks), spec },
    };
    (name, found)
}

/// The object's name is the driver's, unless it says another.
fn read(entry: &Entry) -> Spec {
    let Object { mut spec } = serde_json::from_slice(&entry.content.value.json).unwrap_or_default();
    if spec.driver_name.is_empty() {
        spec.driver_name = entry.key.name.clone();
    }
    spec
}

fn reach(name: &str, spec: &Spec, peer: &PeerTlsArgs, tasks: &Tasks) -> Result<Arc<dyn ChangedBlocks>> {
    let reached = url(spec).and_then(|url| connect(&url, spec, peer, tasks));
    let blocks = reached.map_err(|why| Error::Unavailable(format!("the DriverDiscovery {name:?} is of no use: {why}")));
    if let Err(error) = &blocks {
        tracing::warn!(k8s.name = name, "{error}");
    }
    blocks
}

/// Where the service of a cluster is.
fn url(spec: &Spec) -> std::result::Result<String, String> {
    let Service { name, namespace, path, port } = &spec.service;
    for (field, value) in [("name", name), ("namespace", namespace)] {
        if !machinery::name::dns1123_label(value).is_empty() {
            return Err(format!("spec.service.{field} {value:?} is not a name"));
        }
    }
    if !matches!(path.as_str(), "" | "/") {
        return Err(format!("spec.service.path {path:?}: gRPC has no path, leave it empty"));
    }
    match u16::try_from(*port) {
        Ok(port) if port > 0 => Ok(format!("https://{name}.{namespace}.svc:{port}")),
        _ => Err(format!("spec.service.port {port} is not a port")),
    }
}

fn connect(
    url: &str,
    spec: &Spec,
    peer: &PeerTlsArgs,
    tasks: &Tasks,
) -> std::result::Result<Arc<dyn ChangedBlocks>, String> {
    let channel = if spec.ca_bundle.is_empty() {
        grpc::connect(url, peer, tasks).map_err(|error| format!("{error:#}"))?
    } else {
        let tls = tls(&bundle(&spec.ca_bundle), peer, tasks)?;
        grpc::channel(url, Some(&tls)).map_err(|error| error.to_string())?
    };
    Ok(Arc::new(Client::new(channel)))
}

fn tls(bundle: &[u8], peer: &PeerTlsArgs, tasks: &Tasks) -> std::result::Result<ClientTls, String> {
    let (Some(cert), Some(key)) = (&peer.peer_cert_file, &peer.peer_key_file) else {
        return Err(
            "drivers want to see a certificate: set --peer-cert-file, --peer-key-file, --peer-ca-file".to_owned()
        );
    };
    let chain = |error: runtime::tls::Error| runtime::telemetry::chain(&error);
    let identity = Identity::load(&Pair { cert: cert.clone(), key: key.clone() }, tasks).map_err(chain)?;
    ClientTls::believing(identity, bundle).map_err(|error| format!("spec.caBundle: {}", chain(error)))
}

/// PEM as it is, or in base64 as other objects of Kubernetes have it.
fn bundle(text: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(text.trim()).unwrap_or_else(|_| text.as_bytes().to_vec())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn spec(json: &str) -> Spec {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_service_is_reached_by_its_name() {
        let of = |json| url(&spec(json));
        let good = r#"{"service": {"name": "cbt", "namespace": "csi", "path": "/", "port": 6443}}"#;
        assert_eq!(of(good), Ok("https://cbt.csi.svc:6443".to_owned()));
        for (json, what) in [
            ("{}", "spec.service.name"),
            (r#"{"service": {"name": "a", "namespace": "b/c", "port": 1}}"#, "spec.service.namespace"),
            (r#"{"service": {"name": "a@b", "namespace": "c", "port": 1}}"#, "spec.service.name"),
            (r#"{"service": {"name": "a", "namespace": "b"}}"#, "spec.service.port"),
            (r#"{"service": {"name": "a", "namespace": "b", "port": 65536}}"#, "spec.service.port"),
            (r#"{"service": {"name": "a", "namespace": "b", "port": 1, "path": "/x"}}"#, "spec.service.path"),
        ] {
            let refused = of(json).unwrap_err();
            assert!(refused.contains(what), "{refused}");
        }
    }

    #[test]
    fn a_bundle_may_be_in_base64() {
        let pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
        assert_eq!(bundle(pem), pem.as_bytes());
        assert_eq!(bundle(&BASE64_STANDARD.encode(pem)), pem.as_bytes());
    }
}
