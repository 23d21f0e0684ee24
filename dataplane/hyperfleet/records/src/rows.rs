//! Between rows and what is recorded.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    AdapterStatus, Error, Json, Kind, Owner, Resource, Result, Status,
    database::{Row, Value},
    report::Counted,
};

/// A record from the columns of `sql::get`.
pub(crate) fn resource(row: &Row, kind: Kind) -> Result<Resource> {
    let owner = match kind {
        Kind::Cluster => None,
        Kind::NodePool => Some(Owner {
            id: row.text(15)?.to_owned(),
            name: row.text(16)?.to_owned(),
            object_name: row.text(17)?.to_owned(),
        }),
    };
    let deleted = row.some_time(10)?.zip(row.some_text(11)?);
    Ok(Resource {
        kind,
        id: row.text(0)?.to_owned(),
        name: row.text(1)?.to_owned(),
        object_name: row.text(2)?.to_owned(),
        owner,
        spec: raw(row.text(3)?)?,
        labels: labels(row.text(4)?)?,
        generation: row.integer(5)?,
        created: (row.time(6)?, row.text(7)?.to_owned()),
        updated: (row.time(8)?, row.text(9)?.to_owned()),
        deleted: deleted.map(|(time, by)| (time, by.to_owned())),
        status: raw(row.text(12)?)?,
        kubernetes: raw(row.text(13)?)?,
        revision: row.integer(14)? as u64,
    })
}

fn raw(text: &str) -> Result<Json> {
    RawValue::from_string(text.to_owned()).map_err(|error| broken(&error))
}

fn labels(text: &str) -> Result<BTreeMap<String, String>> {
    match text {
        "{}" => Ok(BTreeMap::new()),
        text => serde_json::from_str(text).map_err(|error| broken(&error)),
    }
}

fn broken(error: &serde_json::Error) -> Error {
    Error::Internal(format!("JSON in the database cannot be read: {error}"))
}

/// The status of a record, read.
pub(crate) fn status(resource: &Resource) -> Result<Status> {
    serde_json::from_str(resource.status.get()).map_err(|error| broken(&error))
}

/// A report from the columns of `sql::STATUSES`.
pub(crate) fn report(row: &Row) -> Result<Counted> {
    let metadata = row.some_text(7)?.map(serde_json::from_str).transpose();
    let status = AdapterStatus {
        adapter: row.text(0)?.to_owned(),
        observed_generation: row.integer(1)?,
        created_time: row.time(3)?,
        last_report_time: row.time(4)?,
        conditions: serde_json::from_str(row.text(5)?).map_err(|error| broken(&error))?,
        data: serde_json::from_str(row.text(6)?).map_err(|error| broken(&error))?,
        metadata: metadata.map_err(|error| broken(&error))?,
    };
    Ok(Counted { status, observed_time: row.time(2)? })
}

/// The values of `sql::PUT_STATUS`.
pub(crate) fn report_values(kind: Kind, id: &str, counted: &Counted) -> Vec<Value> {
    let Counted { status, observed_time } = counted;
    vec![
        Value::text(kind.as_str()),
        Value::text(id),
        Value::text(&status.adapter),
        Value::Integer(status.observed_generation),
        Value::time(*observed_time),
        Value::time(status.created_time),
        Value::time(status.last_report_time),
        Value::Json(Some(json(&status.conditions))),
        Value::Json(Some(json(&status.data))),
        Value::Json(status.metadata.as_ref().map(json)),
    ]
}

/// The values of `sql::update`, which are the first of `sql::insert`.
pub(crate) fn update_values(resource: &Resource) -> Result<Vec<Value>> {
    let status = status(resource)?;
    let (deleted_time, deleted_by) = resource.deleted.clone().unzip();
    Ok(vec![
        Value::text(&resource.id),
        Value::text(&resource.name),
        Value::Json(Some(resource.spec.get().to_owned())),
        Value::Json(Some(json(&resource.labels))),
        Value::Integer(resource.generation),
        Value::time(resource.updated.0),
        Value::text(&resource.updated.1),
        Value::Time(deleted_time),
        Value::Text(deleted_by),
        Value::Json(Some(resource.status.get().to_owned())),
        Value::text(status.phase.as_str()),
        Value::Integer(status.observed_generation),
        Value::time(status.last_transition_time),
        Value::time(status.last_updated_time),
        Value::Jsonb(conditions(&status)),
        Value::Json(Some(resource.kubernetes.get().to_owned())),
        Value::Integer(resource.revision as i64),
    ])
}

/// The values of `sql::insert`.
pub(crate) fn insert_values(resource: &Resource) -> Result<Vec<Value>> {
    let mut values = update_values(resource)?;
    values.extend([
        Value::text(&resource.object_name),
        Value::time(resource.created.0),
        Value::text(&resource.created.1),
    ]);
    values.extend(resource.owner.as_ref().map(|owner| Value::text(&owner.id)));
    Ok(values)
}

/// The conditions as searches read them: by type, times in microseconds.
fn conditions(status: &Status) -> String {
    #[derive(Serialize)]
    struct Searched<'a> {
        status: &'a str,
        observed_generation: i64,
        last_updated_time: i64,
        last_transition_time: i64,
    }
    let searched = status.conditions.iter().map(|condition| {
        let searched = Searched {
            status: &condition.status,
            observed_generation: condition.observed_generation,
            last_updated_time: condition.last_updated_time.as_microsecond(),
            last_transition_time: condition.last_transition_time.as_microsecond(),
        };
        (condition.r#type.as_str(), searched)
    });
    json(&searched.collect::<BTreeMap<_, _>>())
}

pub(crate) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("what is recorded can be JSON")
}

/// A record in the log.
#[derive(Serialize, Deserialize)]
struct Logged {
    id: String,
    name: String,
    object_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<(String, String, String)>,
    generation: i64,
    created: (Timestamp, String),
    updated: (Timestamp, String),
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deleted: Option<(Timestamp, String)>,
    labels: BTreeMap<String, String>,
    status: Json,
    kubernetes: Json,
    spec: Json,
}

/// A record as the log holds it.
pub(crate) fn logged(resource: Resource) -> String {
    let Resource {
        id, name, object_name, generation, created, updated, deleted, labels, status, kubernetes, spec, ..
    } = resource;
    let owner = resource.owner.map(|owner| (owner.id, owner.name, owner.object_name));
    json(&Logged {
        id,
        name,
        object_name,
        owner,
        generation,
        created,
        updated,
        deleted,
        labels,
        status,
        kubernetes,
        spec,
    })
}

/// A record from the log.
pub(crate) fn from_log(kind: Kind, revision: u64, text: &str) -> Result<Resource> {
    let Logged {
        id,
        name,
        object_name,
        owner,
        generation,
        created,
        updated,
        deleted,
        labels,
        status,
        kubernetes,
        spec,
    } = serde_json::from_str(text).map_err(|error| broken(&error))?;
    let owner = owner.map(|(id, name, object_name)| Owner { id, name, object_name });
    Ok(Resource {
        kind,
        id,
        name,
        object_name,
        owner,
        spec,
        labels,
        generation,
        created,
        updated,
        deleted,
        status,
        kubernetes,
        revision,
    })
}
