//! What adapters' reports make of a record: its phase, its conditions, and whether it may go. Pure.
//!
//! A record has *required* adapters: those that are configured, or, with none configured, all that have reported. Of
//! each adapter the latest report counts. It is *current* when its `observed_generation` is the record's generation.
//! Its verdict is its condition `Available` or, where it has none, `Ready`.
//!
//! | an adapter | when its report |
//! |---|---|
//! | has succeeded | is current, and the verdict is True |
//! | is at work | is current, and has `Progressing` True or Unknown, or `Applied` Unknown |
//! | has failed | is current, the verdict is False, and it is not at work |
//!
//! | phase | when |
//! |---|---|
//! | Failed | a required adapter has failed |
//! | Ready | there is a required adapter, all of them have succeeded, and no deletion was asked for |
//! | NotReady | otherwise |
//!
//! `Reconciled` is True when the phase is Ready. `LastKnownReconciled` remembers the last generation of which all
//! required adapters spoke: it is True when all their verdicts were True, stays while their reports are of different
//! generations, and becomes False when one of that very generation is taken back. A record of which no adapter has
//! spoken, and whose deletion nobody asked for, has no conditions.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    AdapterStatus, Condition, Phase, Status,
    model::{ReportedCondition, ZERO_TIME},
};

/// What is aggregated.
pub(crate) struct Subject<'a> {
    pub(crate) generation: i64,
    /// Whether its deletion was asked for.
    pub(crate) deleting: bool,
    /// How many records it owns.
    pub(crate) children: u64,
    /// The adapters that are configured.
    pub(crate) required: &'a [String],
    /// Each adapter's latest report, by name.
    pub(crate) reports: &'a [AdapterStatus],
    /// The status so far.
    pub(crate) before: &'a Status,
    pub(crate) now: Timestamp,
}

/// What became of an adapter's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Succeeded,
    Failed,
    /// Or it has not spoken of this generation.
    Pending,
}

/// A condition's status, reason and message.
type Finding = (&'static str, &'static str, Option<String>);

// === impl Status ===

impl Status {
    /// That of a record of which nobody has spoken.
    pub(crate) fn new() -> Self {
        Self {
            adapters: Vec::new(),
            conditions: Vec::new(),
            last_transition_time: ZERO_TIME,
            last_updated_time: ZERO_TIME,
            observed_generation: 0,
            phase: Phase::NotReady,
        }
    }

    fn condition(&self, r#type: &str) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.r#type == r#type)
    }
}

// === impl Phase ===

impl Phase {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NotReady => "NotReady",
            Self::Ready => "Ready",
            Self::Failed => "Failed",
        }
    }
}

// === impl Subject ===

impl Subject<'_> {
    /// The status that it has now.
    pub(crate) fn aggregate(&self) -> Status {
        let phase = self.phase();
        let first = self.before.adapters.is_empty() && !self.reports.is_empty();
        let transition = phase != self.before.phase || first;
        let oldest = |time: fn(&AdapterStatus) -> Timestamp| self.reports.iter().map(time).min();
        Status {
            adapters: self.reports.to_vec(),
            conditions: self.conditions(phase),
            last_transition_time: if transition { self.now } else { self.before.last_transition_time },
            last_updated_time: oldest(|report| report.last_report_time).unwrap_or(ZERO_TIME),
            observed_generation: self.reports.iter().map(|report| report.observed_generation).min().unwrap_or(0),
            phase,
        }
    }

    /// Whether it may go: its deletion was asked for, it owns nothing, and each required adapter has reported
    /// Finalized=True of this generation.
    pub(crate) fn may_go(&self) -> bool {
        self.deleting && self.children == 0 && self.unfinalized().is_empty()
    }

    /// The required adapters, each with its report.
    fn required(&self) -> Vec<(&str, Option<&AdapterStatus>)> {
        let by_name: BTreeMap<&str, &AdapterStatus> =
            self.reports.iter().map(|report| (report.adapter.as_str(), report)).collect();
        match self.required.is_empty() {
            true => by_name.into_iter().map(|(name, report)| (name, Some(report))).collect(),
            false => self.required.iter().map(|name| (name.as_str(), by_name.get(name.as_str()).copied())).collect(),
        }
    }

    fn outcome(&self, report: Option<&AdapterStatus>) -> Outcome {
        let Some(report) = report.filter(|report| report.observed_generation == self.generation) else {
            return Outcome::Pending;
        };
        match verdict(report).map(|verdict| verdict.status.as_str()) {
            Some("True") => Outcome::Succeeded,
            Some("False") if !at_work(report) => Outcome::Failed,
            _ => Outcome::Pending,
        }
    }

    fn phase(&self) -> Phase {
        let outcomes: Vec<_> = self.required().into_iter().map(|(_, report)| self.outcome(report)).collect();
        if outcomes.contains(&Outcome::Failed) {
            return Phase::Failed;
        }
        match !self.deleting && !outcomes.is_empty() && outcomes.iter().all(|outcome| *outcome == Outcome::Succeeded) {
            true => Phase::Ready,
            false => Phase::NotReady,
        }
    }

    fn conditions(&self, phase: Phase) -> Vec<Condition> {
        if self.reports.is_empty() && !self.deleting {
            return Vec::new();
        }
        let (known, generation) = self.last_known();
        let mut conditions = vec![
            self.condition("Reconciled", self.generation, self.reconciled(phase)),
            self.condition("LastKnownReconciled", generation, known),
        ];
        conditions.extend(self.reports.iter().filter_map(successful));
        conditions
    }

    fn condition(&self, r#type: &str, observed_generation: i64, (status, reason, message): Finding) -> Condition {
        let before = self.before.condition(r#type);
        let same = before.filter(|before| before.status == status);
        Condition {
            created_time: before.map_or(self.now, |before| before.created_time),
            last_transition_time: same.map_or(self.now, |same| same.last_transition_time),
            last_updated_time: self.now,
            message,
            observed_generation,
            reason: Some(reason.to_owned()),
            status: status.to_owned(),
            r#type: r#type.to_owned(),
        }
    }

    fn reconciled(&self, phase: Phase) -> Finding {
        let names = |outcome| {
            let required = self.required().into_iter().filter(|(_, report)| self.outcome(*report) == outcome);
            required.map(|(name, _)| name).collect::<Vec<_>>().join(", ")
        };
        let unfinalized = self.unfinalized();
        match phase {
            Phase::Failed => ("False", "ReconciledAdaptersFailed", Some(format!("failed: {}", names(Outcome::Failed)))),
            _ if self.deleting && !unfinalized.is_empty() => {
                ("False", "ReconciledMissingAdapters", Some(format!("not finalized: {}", unfinalized.join(", "))))
            }
            _ if self.deleting && self.children > 0 => {
                ("False", "ReconciledWaitingForChildren", Some(format!("{} node pools are left", self.children)))
            }
            _ if self.deleting => ("False", "ReconciledDeleting", None),
            Phase::Ready => ("True", "ReconciledAll", None),
            Phase::NotReady => {
                ("False", "ReconciledMissingAdapters", Some(format!("not ready: {}", names(Outcome::Pending))))
            }
        }
    }

    /// What is known of the last generation of which all required adapters have spoken, and which one that is.
    fn last_known(&self) -> (Finding, i64) {
        let required = self.required();
        let mut generations = required.iter().map(|(_, report)| report.map(|report| report.observed_generation));
        let first = generations.next().flatten();
        if let Some(common) = first.filter(|_| generations.all(|generation| generation == first)) {
            return match required.iter().all(|(_, report)| report.is_some_and(is_true)) {
                true => (("True", "LastKnownReconciledAll", None), common),
                false => (("False", "LastKnownReconciledFailed", None), common),
            };
        }
        let Some(before) = self.before.condition("LastKnownReconciled").filter(|before| before.status == "True") else {
            return (("False", "LastKnownReconciledMissingAdapters", None), 0);
        };
        let taken_back =
            |report: &AdapterStatus| report.observed_generation == before.observed_generation && !is_true(report);
        match required.iter().any(|(_, report)| report.is_some_and(taken_back)) {
            true => (("False", "LastKnownReconciledFailed", None), before.observed_generation),
            false => (("True", "LastKnownReconciledAll", None), before.observed_generation),
        }
    }

    /// The required adapters that have not finalized this generation.
    fn unfinalized(&self) -> Vec<&str> {
        let finalized = |report: &AdapterStatus| {
            report.observed_generation == self.generation
                && find(report, "Finalized").is_some_and(|condition| condition.status == "True")
        };
        let required = self.required().into_iter();
        required.filter(|(_, report)| !report.is_some_and(finalized)).map(|(name, _)| name).collect()
    }
}

fn find<'a>(report: &'a AdapterStatus, r#type: &str) -> Option<&'a ReportedCondition> {
    report.conditions.iter().find(|condition| condition.r#type == r#type)
}

fn verdict(report: &AdapterStatus) -> Option<&ReportedCondition> {
    find(report, "Available").or_else(|| find(report, "Ready"))
}

fn is_true(report: &AdapterStatus) -> bool {
    verdict(report).is_some_and(|verdict| verdict.status == "True")
}

fn at_work(report: &AdapterStatus) -> bool {
    let status = |r#type| find(report, r#type).map(|condition| condition.status.as_str());
    matches!(status("Progressing"), Some("True" | "Unknown")) || status("Applied") == Some("Unknown")
}

/// The condition that an adapter's verdict is.
fn successful(report: &AdapterStatus) -> Option<Condition> {
    let verdict = verdict(report)?;
    Some(Condition {
        created_time: report.created_time,
        last_transition_time: verdict.last_transition_time.unwrap_or(report.last_report_time),
        last_updated_time: report.last_report_time,
        message: verdict.message.clone(),
        observed_generation: report.observed_generation,
        reason: verdict.reason.clone(),
        status: verdict.status.clone(),
        r#type: format!("{}Successful", pascal_case(&report.adapter)),
    })
}

/// `gcp-provisioner` is `GcpProvisioner`.
fn pascal_case(name: &str) -> String {
    let words = name.split(|character: char| !character.is_alphanumeric());
    let capital = |word: &str| {
        let mut characters = word.chars();
        characters.next().into_iter().flat_map(char::to_uppercase).chain(characters).collect::<String>()
    };
    words.map(capital).collect()
}

#[cfg(test)]
mod tests;
