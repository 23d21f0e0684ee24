//! What the worker reads and does in the cluster, and how little of it: the seam between it and the kube-apiserver.
//!
//! Every method is one request or a few, made once; who calls tries again. Nothing is cached.

mod kube;

use std::collections::BTreeMap;

use async_trait::async_trait;
use machinery::selector::LabelSelector;

pub use self::kube::Kube;

/// The annotation that says which restart has cordoned a node: its name and uid, `NAME/UID`.
pub const CORDONED_BY: &str = "infraops.michael.io/cordoned-by";

/// A cluster.
#[async_trait]
pub trait Cluster: Send + Sync + 'static {
    /// All nodes.
    async fn nodes(&self) -> Result<Vec<Node>>;

    /// A node, or `None`.
    async fn node(&self, name: &str) -> Result<Option<Node>>;

    /// Makes the node unschedulable and writes [`CORDONED_BY`], in one write, if it is still as it was seen.
    async fn cordon(&self, node: &Node, by: &str) -> Result<()>;

    /// Takes both back, in one write, if it is still as it was seen.
    async fn uncordon(&self, node: &Node) -> Result<()>;

    /// The pods on a node.
    async fn pods(&self, node: &str) -> Result<Vec<Pod>>;

    /// Whether there is such a DaemonSet.
    async fn has_daemon_set(&self, namespace: &str, name: &str) -> Result<bool>;

    /// All PodDisruptionBudgets.
    async fn budgets(&self) -> Result<Vec<Budget>>;

    /// Asks for a pod to be evicted. `grace` is in seconds; without it the pod's own is taken.
    async fn evict(&self, pod: &Pod, grace: Option<i64>) -> Result<Evicted>;

    /// Deletes a pod, without asking budgets.
    async fn delete(&self, pod: &Pod, grace: Option<i64>) -> Result<()>;

    /// Tells of something that happened to a node. Telling it again is no error.
    async fn tell(&self, event: &Event) -> Result<()>;
}

/// The result of a request.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request was not answered well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// What was to be written has changed since it was read: read it again.
    #[error("{0}")]
    Conflict(String),
    /// The kube-apiserver refused.
    #[error("{0}")]
    Refused(String),
    /// It did not answer.
    #[error("the kube-apiserver does not answer: {0}")]
    Unavailable(String),
}

/// What of a node matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its resourceVersion.
    pub resource_version: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// `spec.providerID`, or empty.
    pub provider_id: String,
    /// `spec.unschedulable`.
    pub unschedulable: bool,
    /// `status.nodeInfo.bootID`.
    pub boot_id: String,
    /// Whether its condition Ready is True.
    pub ready: bool,
    /// The addresses of type InternalIP.
    pub ips: Vec<String>,
    /// The addresses of types InternalDNS and Hostname.
    pub hosts: Vec<String>,
}

/// What of a pod matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// The kind and name of its controller.
    pub controller: Option<(String, String)>,
    /// Whether it is a static pod's mirror.
    pub mirror: bool,
    /// Whether it has an emptyDir volume.
    pub empty_dir: bool,
    /// Whether it has succeeded or failed.
    pub finished: bool,
    /// Whether it is being deleted.
    pub terminating: bool,
}

/// What of a PodDisruptionBudget matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Budget {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Which pods it covers; `None` is none.
    pub selector: Option<LabelSelector>,
    /// How many of them may be disrupted now.
    pub allowed: i32,
}

/// What became of an eviction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evicted {
    /// The pod goes, or is gone.
    Going,
    /// It may not go now.
    Blocked(String),
}

/// An event on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The event's own name: the same for the same fact.
    pub name: String,
    /// The node's name.
    pub node: String,
    /// The node's uid.
    pub uid: String,
    /// Whether it is a warning.
    pub warning: bool,
    /// What happened, in a word.
    pub reason: String,
    /// The same for people.
    pub message: String,
    /// When, in seconds since 1970.
    pub time: i64,
    /// Which worker tells it.
    pub instance: String,
}

// === impl Node ===

impl Node {
    /// The signature of the restart that has cordoned it.
    pub fn cordoned_by(&self) -> Option<&str> {
        self.annotations.get(CORDONED_BY).map(String::as_str)
    }

    /// What its driver is told of it.
    pub fn hint(&self) -> proto::node::Node {
        proto::node::Node {
            name: self.name.clone(),
            provider_id: self.provider_id.clone(),
            labels: self.labels.clone(),
            annotations: self.annotations.clone(),
        }
    }
}
