//! A NodeRestart: what was asked for, and how far it has come. `node_restart.yaml` describes each field.

use std::collections::BTreeMap;

use proto::node::{Mode as How, Step};
use serde::{Deserialize, Serialize};

use crate::time::{Span, Time};

/// API group of NodeRestarts.
pub const GROUP: &str = "infraops.michael.io";
/// Their version.
pub const VERSION: &str = "v1";
/// Their resource.
pub const RESOURCE: &str = "noderestarts";
/// Their kind.
pub const KIND: &str = "NodeRestart";

/// Who cancelled a restart.
pub(crate) const CANCELLED_BY: &str = "infraops.michael.io/cancelled-by";
/// Keeps a restart that is cancelled until it has taken back what it did.
pub(crate) const FINALIZER: &str = "infraops.michael.io/restart";
/// The W3C context of the request that asked for it.
pub(crate) const TRACEPARENT: &str = "infraops.michael.io/traceparent";

/// The object.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the schema describes the fields")]
pub struct NodeRestart {
    pub api_version: String,
    pub kind: String,
    pub metadata: Metadata,
    pub spec: Spec,
    #[serde(default)]
    pub status: Status,
}

/// What of an object's metadata a NodeRestart has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "Kubernetes' own fields")]
pub struct Metadata {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_timestamp: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_grace_period_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u32>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub finalizers: Vec<String>,
}

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the schema describes the fields")]
pub struct Spec {
    pub node_name: String,
    pub mode: Mode,
    pub drain: Drain,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub idempotency_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    pub timeout: Span,
    #[serde(default)]
    pub requested_by: RequestedBy,
}

/// How hard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the schema describes them")]
pub enum Mode {
    #[default]
    Soft,
    Hard,
    SoftThenHard,
}

/// Whether and how pods are evicted first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the schema describes the fields")]
pub struct Drain {
    pub enabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_period: Option<Span>,
    pub timeout: Span,
    pub force: bool,
    pub ignore_daemon_sets: bool,
    pub delete_empty_dir: bool,
    pub disable_eviction: bool,
}

/// Hours of a day, in UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the schema describes the fields")]
pub struct Window {
    pub start: String,
    pub end: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<String>,
}

/// Who asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the schema describes the fields")]
pub struct RequestedBy {
    pub username: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
}

/// How far it has come.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the schema describes the fields")]
pub struct Status {
    pub phase: Phase,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub provider: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<Found>,
    #[serde(rename = "bootID", skip_serializing_if = "String::is_empty")]
    pub boot_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<Instance>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cordon: Option<Cordon>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain: Option<Drained>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Record>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub began_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Entered>,
}

/// The states, in their order; the last four are ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the schema describes them")]
pub enum Phase {
    #[default]
    Accepted,
    Checked,
    Cordoned,
    Draining,
    IntentRecorded,
    Sent,
    Rebooting,
    Ready,
    Uncordoned,
    Succeeded,
    Failed,
    Cancelled,
    Unknown,
}

/// The node as it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the schema describes the fields")]
pub struct Found {
    pub uid: String,
    #[serde(rename = "providerID")]
    pub provider_id: String,
    #[serde(rename = "bootID")]
    pub boot_id: String,
}

/// The machine, as its provider saw it last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the schema describes the fields")]
pub struct Instance {
    pub id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub region: String,
    pub state: String,
    pub provider_state: String,
}

/// Whose cordon it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the schema describes them")]
pub enum Cordon {
    Found,
    Made,
    Restored,
}

/// How far a drain is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the schema describes the fields")]
pub struct Drained {
    pub total: usize,
    pub left: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blocking: Vec<Blocking>,
}

/// A pod that does not go.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the schema describes the fields")]
pub struct Blocking {
    pub namespace: String,
    pub name: String,
    pub reason: String,
}

/// An intent, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the schema describes the fields")]
pub struct Record {
    #[serde(with = "StepWord")]
    pub step: Step,
    #[serde(with = "HowWord")]
    pub mode: How,
    pub token: String,
    pub attempt: u32,
    pub by: String,
    pub time: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    #[serde(default, rename = "requestID", skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Time>,
}

/// What became of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the schema describes them")]
pub enum Outcome {
    Accepted,
    Refused,
    Ambiguous,
}

/// What would be done, or is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the schema describes the fields")]
pub struct Plan {
    pub steps: Vec<Planned>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub verdict: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub guards: Vec<Guarded>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pods: Vec<PodPlan>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<BudgetPlan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begins: Option<Time>,
}

/// A step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the schema describes the fields")]
pub struct Planned {
    #[serde(with = "StepWord")]
    pub step: Step,
    #[serde(with = "HowWord")]
    pub mode: How,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Step")]
enum StepWord {
    Reboot,
    Reset,
    Stop,
    Start,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "How")]
enum HowWord {
    Soft,
    Hard,
}

/// A guard of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the schema describes the fields")]
pub struct Guarded {
    pub name: String,
    pub passes: bool,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// A pod of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the schema describes the fields")]
pub struct PodPlan {
    pub namespace: String,
    pub name: String,
    pub action: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// A PodDisruptionBudget of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the schema describes the fields")]
pub struct BudgetPlan {
    pub namespace: String,
    pub name: String,
    pub pods: usize,
}

/// The end that has been decided, while what was done is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the schema describes the fields")]
pub struct Ending {
    pub phase: Phase,
    pub time: Time,
}

/// When a phase was entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the schema describes the fields")]
pub struct Entered {
    pub phase: Phase,
    pub time: Time,
}

// === impl NodeRestart ===

impl NodeRestart {
    /// A restart that begins its life.
    pub(crate) fn new(spec: Spec, now: Time) -> Self {
        let status = Status { history: vec![Entered { phase: Phase::Accepted, time: now }], ..Status::default() };
        Self {
            api_version: format!("{GROUP}/{VERSION}"),
            kind: KIND.to_owned(),
            metadata: Metadata { creation_timestamp: Some(now), generation: Some(1), ..Metadata::default() },
            spec,
            status,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// When it was asked for.
    pub(crate) fn created(&self) -> Time {
        self.metadata.creation_timestamp.unwrap_or_default()
    }

    /// Whether it has been cancelled, or is to be removed.
    pub(crate) fn deleted(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// Whether it has ended.
    pub fn ended(&self) -> bool {
        self.status.phase.is_end()
    }

    /// How a node says that this restart has cordoned it.
    pub(crate) fn signature(&self) -> String {
        format!("{}/{}", self.metadata.name, self.metadata.uid)
    }
}

// === impl Phase ===

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 13] = [
        Self::Accepted,
        Self::Checked,
        Self::Cordoned,
        Self::Draining,
        Self::IntentRecorded,
        Self::Sent,
        Self::Rebooting,
        Self::Ready,
        Self::Uncordoned,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Unknown,
    ];

    /// Whether nothing comes after it.
    pub fn is_end(self) -> bool {
        self >= Self::Succeeded
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::Checked => "Checked",
            Self::Cordoned => "Cordoned",
            Self::Draining => "Draining",
            Self::IntentRecorded => "IntentRecorded",
            Self::Sent => "Sent",
            Self::Rebooting => "Rebooting",
            Self::Ready => "Ready",
            Self::Uncordoned => "Uncordoned",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
            Self::Unknown => "Unknown",
        }
    }
}

// === impl Status ===

impl Status {
    /// Whether the provider has surely not been asked, so that all can be taken back.
    pub fn cancellable(&self) -> bool {
        self.ending.is_none()
            && self.phase <= Phase::IntentRecorded
            && self.steps.iter().all(|record| record.outcome == Some(Outcome::Refused))
    }

    /// When the current phase was entered.
    pub(crate) fn entered(&self) -> Time {
        self.history.last().map(|entered| entered.time).unwrap_or_default()
    }
}
