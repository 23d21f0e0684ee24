//! What is measured: targets, the stores behind them and the processes that work for them. All of it is data, read from
//! a file (`--peers`, as `peers.example.json`) or made by [`crate::setup`]; no measure knows any of them by name.
//!
//! ```text
//! target "direct" ─────────────┐
//! target "aggregated" ─▶ proxy ┴▶ store "sqlite"        two ways to one store: its objects are loaded once
//! target "crd" ──────────────────▶ store "etcd"
//! ```

use std::path::PathBuf;

use serde::Deserialize;

/// Everything that one run measures.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Peers {
    pub(crate) targets: Vec<Target>,
    #[serde(default)]
    pub(crate) stores: Vec<Store>,
    #[serde(default)]
    pub(crate) processes: Vec<Process>,
    /// What the reader of the report has to know about them.
    #[serde(default)]
    pub(crate) notes: Vec<String>,
}

/// One kind of object at one address.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Target {
    /// The heading of its column, and part of the names of its objects.
    pub(crate) name: String,
    /// The target that the ratios divide by.
    #[serde(default)]
    pub(crate) baseline: bool,
    pub(crate) endpoint: Endpoint,
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) plural: String,
    pub(crate) kind: String,
    /// The name of the [`Store`] that holds its objects.
    pub(crate) store: String,
    /// Where namespaces have to be created first; absent where they exist implicitly.
    #[serde(default)]
    pub(crate) namespaces: Option<Endpoint>,
}

/// An HTTPS address and what to show there.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Endpoint {
    /// `https://host:port`
    pub(crate) url: String,
    /// The authority that signed the server's certificate, a PEM file.
    pub(crate) ca: PathBuf,
    pub(crate) auth: Auth,
}

/// Who the load generator is; each field is a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) enum Auth {
    Certificate { cert: PathBuf, key: PathBuf },
    Token(PathBuf),
}

/// A database, to be weighed.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Store {
    pub(crate) name: String,
    pub(crate) size: Size,
}

/// How to weigh a database.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) enum Size {
    /// The sum of these files, and of all in these folders; what does not exist weighs nothing.
    Files(Vec<PathBuf>),
    /// A Prometheus gauge at an `http://` address, for databases that allocate their file ahead of what they use.
    Gauge { url: String, name: String },
    /// What this program prints last, a number of bytes.
    Command(Vec<String>),
}

/// A process whose memory and time are accounted for.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) pid: u32,
}

// === impl Peers ===

impl Peers {
    /// Indices of the first target of each store: loading through those loads every store once.
    pub(crate) fn ways_in(&self) -> Vec<usize> {
        let first = |i: &usize| !self.targets[..*i].iter().any(|earlier| earlier.store == self.targets[*i].store);
        (0..self.targets.len()).filter(first).collect()
    }

    /// The store behind a target, if it can be weighed.
    pub(crate) fn store(&self, target: &Target) -> Option<&Store> {
        self.stores.iter().find(|store| store.name == target.store)
    }
}

// === impl Target ===

impl Target {
    /// The path of the collection in one namespace, or in all.
    pub(crate) fn collection(&self, namespace: Option<&str>) -> String {
        let Self { group, version, plural, .. } = self;
        match namespace {
            Some(namespace) => format!("/apis/{group}/{version}/namespaces/{namespace}/{plural}"),
            None => format!("/apis/{group}/{version}/{plural}"),
        }
    }

    /// The path of one object.
    pub(crate) fn object(&self, namespace: &str, name: &str) -> String {
        format!("{}/{name}", self.collection(Some(namespace)))
    }

    /// Its name as a part of an object's name.
    pub(crate) fn slug(&self) -> String {
        let dashed = self.name.to_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        dashed.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn target(name: &str, store: &str) -> serde_json::Value {
        serde_json::json!({
            "name": name, "group": "fleet.cattle.io", "version": "v1alpha1", "plural": "bundledeployments",
            "kind": "BundleDeployment", "store": store,
            "endpoint": {"url": "https://127.0.0.1:8443", "ca": "ca.crt", "auth": {"token": "token"}},
        })
    }

    fn peers() -> Peers {
        let targets = [target("Outrigger, direct", "sqlite"), target("aggregated", "sqlite"), target("CRD", "etcd")];
        serde_json::from_value(serde_json::json!({
            "targets": targets, "stores": [{"name": "etcd", "size": {"files": ["db"]}}],
        }))
        .unwrap()
    }

    #[test]
    fn each_store_is_loaded_through_its_first_target() {
        assert_eq!(peers().ways_in(), [0, 2]);
    }

    #[test]
    fn a_store_that_is_not_described_is_not_weighed() {
        let peers = peers();
        assert!(peers.store(&peers.targets[0]).is_none());
        assert_eq!(peers.store(&peers.targets[2]).unwrap().name, "etcd");
    }

    #[test]
    fn the_example_is_understood() {
        let peers: Peers = serde_json::from_str(include_str!("../peers.example.json")).unwrap();
        assert!(peers.targets.iter().all(|target| peers.store(target).is_some()));
        assert_eq!(peers.targets.iter().filter(|target| target.baseline).count(), 1);
    }

    #[test]
    fn paths_are_those_of_the_kubernetes_api() {
        let target = &peers().targets[0];
        assert_eq!(target.collection(None), "/apis/fleet.cattle.io/v1alpha1/bundledeployments");
        assert_eq!(target.object("a", "b"), "/apis/fleet.cattle.io/v1alpha1/namespaces/a/bundledeployments/b");
    }

    #[test]
    fn a_slug_is_a_valid_part_of_a_name() {
        assert_eq!(peers().targets[0].slug(), "outrigger-direct");
    }
}
