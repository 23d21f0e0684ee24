//! What is recorded.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// JSON as text, copied from the database to the answer without being read.
pub type Json = Box<RawValue>;

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A cluster.
    Cluster,
    /// A node pool of a cluster.
    NodePool,
}

// === impl Kind ===

impl Kind {
    /// As it is written, in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cluster => "Cluster",
            Self::NodePool => "NodePool",
        }
    }
}

/// Which record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Cluster or node pool.
    pub kind: Kind,
    /// The cluster that a node pool must belong to; `None` when the caller does not say, and for clusters.
    pub owner: Option<String>,
    /// The id.
    pub id: String,
}

// === impl Key ===

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.id)
    }
}

/// The cluster of a node pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its [`Resource::object_name`].
    pub object_name: String,
}

/// A cluster or a node pool.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Which of the two.
    pub kind: Kind,
    /// The id, a UUIDv7 in lower case.
    pub id: String,
    /// The name: unique among clusters, or among the node pools of a cluster, that are not gone.
    pub name: String,
    /// `metadata.name` of the Kubernetes view; never changes.
    pub object_name: String,
    /// The cluster of a node pool.
    pub owner: Option<Owner>,
    /// The spec, an object.
    pub spec: Json,
    /// The labels.
    pub labels: BTreeMap<String, String>,
    /// How often the spec or the labels changed, from 1.
    pub generation: i64,
    /// When it was made, and by whom.
    pub created: (Timestamp, String),
    /// When it was last changed, aggregation included, and by whom.
    pub updated: (Timestamp, String),
    /// When its deletion was asked for, and by whom.
    pub deleted: Option<(Timestamp, String)>,
    /// [`Status`] as JSON.
    pub status: Json,
    /// What the Kubernetes view keeps beside (annotations, managed fields, owner references, finalizers of its own); an
    /// object, opaque here but for `finalizers`: a record that has any is not gone, whatever adapters say.
    pub kubernetes: Json,
    /// The write that made it so.
    pub revision: u64,
}

/// What is served as `status`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Each adapter's latest report, by name.
    pub adapters: Vec<AdapterStatus>,
    /// Reconciled, LastKnownReconciled and one for each adapter that has Available.
    pub conditions: Vec<Condition>,
    /// When the phase last changed; the zero time before the first report.
    pub last_transition_time: Timestamp,
    /// The oldest of the adapters' last reports; the zero time before the first.
    pub last_updated_time: Timestamp,
    /// The oldest generation that the adapters speak of; 0 before the first report.
    pub observed_generation: i64,
    /// In one word.
    pub phase: Phase,
}

/// In one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "docs/hyperfleet.md defines them")]
pub enum Phase {
    NotReady,
    Ready,
    Failed,
}

/// A condition of a resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of the API")]
pub struct Condition {
    pub created_time: Timestamp,
    pub last_transition_time: Timestamp,
    pub last_updated_time: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    pub observed_generation: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// True, False or Unknown.
    pub status: String,
    pub r#type: String,
}

/// An adapter's latest report, as it is served.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of the API")]
pub struct AdapterStatus {
    pub adapter: String,
    pub conditions: Vec<ReportedCondition>,
    pub created_time: Timestamp,
    #[serde(default)]
    pub data: serde_json::Map<String, serde_json::Value>,
    pub last_report_time: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<serde_json::Value>,
    pub observed_generation: i64,
}

/// A condition that an adapter reported. Keys that it sent and we do not define are echoed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of the API")]
pub struct ReportedCondition {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub status: String,
    pub r#type: String,
    #[serde(flatten)]
    pub others: serde_json::Map<String, serde_json::Value>,
}

/// A record to make.
#[derive(Debug, Clone)]
pub struct New {
    /// Cluster or node pool.
    pub kind: Kind,
    /// The id of a node pool's cluster.
    pub owner: Option<String>,
    /// The name.
    pub name: String,
    /// The spec, an object.
    pub spec: Json,
    /// The labels.
    pub labels: BTreeMap<String, String>,
    /// Who makes it.
    pub by: String,
}

/// What to change of a record; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct Patch {
    /// The name.
    pub name: Option<String>,
    /// The whole spec.
    pub spec: Option<Json>,
    /// All labels.
    pub labels: Option<BTreeMap<String, String>>,
}

/// An adapter's report.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Which adapter.
    pub adapter: String,
    /// Which generation it speaks of.
    pub observed_generation: i64,
    /// When it saw what it says; `None` is now.
    pub observed_time: Option<Timestamp>,
    /// What it says.
    pub conditions: Vec<ReportedCondition>,
    /// Whatever else.
    pub data: serde_json::Map<String, serde_json::Value>,
    /// About the job that reports.
    pub metadata: Option<serde_json::Value>,
}

/// A write of the Kubernetes view: a record as it shall be.
#[derive(Debug, Clone)]
pub struct Put {
    /// Cluster or node pool.
    pub kind: Kind,
    /// `metadata.name`.
    pub object_name: String,
    /// `metadata.uid`, the id of a record that is made.
    pub id: String,
    /// The id or name of a node pool's cluster; for a record that is made.
    pub owner: Option<String>,
    /// The name of a record that is made.
    pub name: String,
    /// The revision that the record must be at; `None` for one that must not be there.
    pub expected: Option<u64>,
    /// The spec.
    pub spec: Json,
    /// The labels.
    pub labels: BTreeMap<String, String>,
    /// See [`Resource::kubernetes`].
    pub kubernetes: Json,
    /// Whether it shall be on its way out.
    pub deleting: bool,
    /// Who writes.
    pub by: String,
}

/// The time of what has not happened yet: `0001-01-01T00:00:00Z`.
pub const ZERO_TIME: Timestamp = Timestamp::constant(-62_135_596_800, 0);

/// A time as it is kept: to the microsecond.
pub(crate) fn truncated(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}
