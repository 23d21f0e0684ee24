//! An object's status: the record's, in Kubernetes' words.

use hyperfleet_records::{AdapterStatus, Condition, Phase, ReportedCondition, Resource, Status};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::metadata;

/// A record's status. One that cannot be read is a fault of ours, and shows as none.
pub(crate) fn read(resource: &Resource) -> Status {
    serde_json::from_str(resource.status.get()).unwrap_or_else(|_| Status {
        adapters: Vec::new(),
        conditions: Vec::new(),
        last_transition_time: Timestamp::UNIX_EPOCH,
        last_updated_time: Timestamp::UNIX_EPOCH,
        observed_generation: 0,
        phase: Phase::NotReady,
    })
}

/// In one word, as field selectors ask for it.
pub(crate) fn phase(status: &Status) -> &'static str {
    match status.phase {
        Phase::NotReady => "NotReady",
        Phase::Ready => "Ready",
        Phase::Failed => "Failed",
    }
}

/// The status of a record's object.
pub(crate) fn of(resource: &Resource, status: &Status) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("phase".to_owned(), phase(status).into());
    object.insert("observedGeneration".to_owned(), status.observed_generation.into());
    object.insert("conditions".to_owned(), status.conditions.iter().map(condition).collect());
    object.insert("adapters".to_owned(), status.adapters.iter().map(adapter).collect());
    set(&mut object, "lastTransitionTime", time(status.last_transition_time));
    set(&mut object, "lastUpdatedTime", time(status.last_updated_time));
    set(&mut object, "cluster", resource.owner.as_ref().map(|owner| owner.object_name.clone()));
    object.insert("name".to_owned(), resource.name.as_str().into());
    object
}

fn condition(condition: &Condition) -> Value {
    let Condition {
        last_transition_time, last_updated_time, message, observed_generation, reason, status, r#type, ..
    } = condition;
    let mut object = Map::new();
    object.insert("type".to_owned(), r#type.as_str().into());
    object.insert("status".to_owned(), status.as_str().into());
    object.insert("observedGeneration".to_owned(), (*observed_generation).into());
    set(&mut object, "reason", reason.clone());
    set(&mut object, "message", message.clone());
    set(&mut object, "lastTransitionTime", time(*last_transition_time));
    set(&mut object, "lastUpdatedTime", time(*last_updated_time));
    object.into()
}

fn adapter(report: &AdapterStatus) -> Value {
    let AdapterStatus { adapter, conditions, created_time, data, last_report_time, metadata, observed_generation } =
        report;
    let mut object = Map::new();
    object.insert("name".to_owned(), adapter.as_str().into());
    object.insert("observedGeneration".to_owned(), (*observed_generation).into());
    object.insert("conditions".to_owned(), conditions.iter().map(reported).collect());
    set(&mut object, "createdTime", time(*created_time));
    set(&mut object, "lastReportTime", time(*last_report_time));
    set(&mut object, "data", Some(data).filter(|data| !data.is_empty()).map(|data| json!(data)));
    set(&mut object, "metadata", metadata.clone());
    object.into()
}

fn reported(condition: &ReportedCondition) -> Value {
    let ReportedCondition { last_transition_time, message, reason, status, r#type, .. } = condition;
    let mut object = Map::new();
    object.insert("type".to_owned(), r#type.as_str().into());
    object.insert("status".to_owned(), status.as_str().into());
    set(&mut object, "reason", reason.clone());
    set(&mut object, "message", message.clone());
    set(&mut object, "lastTransitionTime", last_transition_time.and_then(time));
    object.into()
}

fn set(object: &mut Map<String, Value>, field: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object.insert(field.to_owned(), value.into());
    }
}

/// A time; `None` for the zero time, which says that it has not come.
fn time(time: Timestamp) -> Option<String> {
    (time > Timestamp::UNIX_EPOCH).then(|| metadata::time(time))
}
