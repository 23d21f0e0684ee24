//! What an adapter's report becomes, beside the one before it. Pure.

use jiff::Timestamp;
use serde_json::Value;

use crate::{AdapterStatus, Report, ReportedCondition, model::truncated};

/// A report that counts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Counted {
    pub(crate) status: AdapterStatus,
    /// When the adapter saw what it says.
    pub(crate) observed_time: Timestamp,
}

/// Why a report does not count; `None` when it does.
pub(crate) fn stale(
    before: Option<&Counted>,
    report: &Report,
    generation: i64,
    now: Timestamp,
) -> Option<&'static str> {
    if report.observed_generation > generation {
        return Some("it speaks of a generation that is yet to come");
    }
    let before = before?;
    if report.observed_generation < before.status.observed_generation {
        return Some("a report of a newer generation is there");
    }
    let same = report.observed_generation == before.status.observed_generation;
    let earlier = truncated(report.observed_time.unwrap_or(now)) < before.observed_time;
    (same && earlier).then_some("a report of a later time is there")
}

/// The report as it counts: what was sent, and the times.
pub(crate) fn merge(before: Option<&Counted>, report: Report, now: Timestamp) -> Counted {
    let observed_time = truncated(report.observed_time.unwrap_or(now));
    let Report { adapter, observed_generation, conditions, data, metadata, .. } = report;
    let merged = |condition| condition_of(condition, before, &adapter, observed_generation, observed_time);
    let conditions = conditions.into_iter().map(merged).collect();
    let (created_time, last_report_time) = match before {
        Some(before) => (before.status.created_time, now),
        None => (observed_time, observed_time),
    };
    let status =
        AdapterStatus { adapter, conditions, created_time, data, last_report_time, metadata, observed_generation };
    Counted { status, observed_time }
}

/// A condition keeps its time while its status is the same. Keys that clients of other versions know are set when
/// absent.
fn condition_of(
    mut condition: ReportedCondition,
    before: Option<&Counted>,
    adapter: &str,
    observed_generation: i64,
    observed_time: Timestamp,
) -> ReportedCondition {
    let same_type = |other: &&ReportedCondition| other.r#type == condition.r#type;
    let before = before.and_then(|before| before.status.conditions.iter().find(same_type));
    let same = before.filter(|before| before.status == condition.status);
    condition.last_transition_time = same.and_then(|same| same.last_transition_time).or(Some(observed_time));
    let observed = Value::String(observed_time.to_string());
    let created = before.and_then(|before| before.others.get("created_at")).cloned();
    for (key, value) in [
        ("adapter", adapter.into()),
        ("observed_generation", observed_generation.into()),
        ("created_at", created.unwrap_or_else(|| observed.clone())),
        ("updated_at", observed),
    ] {
        let place = condition.others.entry(key).or_insert(Value::Null);
        if place.is_null() {
            *place = value;
        }
    }
    condition
}
