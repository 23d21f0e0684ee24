//! An object's metadata: what follows from the record, and what is kept beside it.

use std::collections::BTreeMap;

use hyperfleet_records::{Json, Owner, Resource};
use machinery::{name, time::Timestamp};
use serde_json::{Map, Value, json, value::to_raw_value};

use crate::{GROUP, VERSION, finalizers, kind};

/// What follows from the record, and is not kept beside it.
const OF_THE_RECORD: [&str; 10] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "labels",
    "name",
    "namespace",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// The metadata of a record's object, without its resourceVersion. `holding` are the finalizers that follow from the record.
pub(crate) fn of(resource: &Resource, holding: Vec<String>) -> Map<String, Value> {
    let mut metadata = read(&resource.kubernetes);
    metadata.insert("name".to_owned(), resource.object_name.as_str().into());
    metadata.insert("uid".to_owned(), resource.id.as_str().into());
    metadata.insert("generation".to_owned(), resource.generation.into());
    metadata.insert("creationTimestamp".to_owned(), time(resource.created.0).into());
    if let Some((when, _)) = &resource.deleted {
        metadata.insert("deletionTimestamp".to_owned(), time(*when).into());
        metadata.insert("deletionGracePeriodSeconds".to_owned(), 0.into());
    }
    let labels = labels(&resource.labels);
    if !labels.is_empty() {
        metadata.insert("labels".to_owned(), json!(labels));
    }
    put_first(&mut metadata, "finalizers", holding.into_iter().map(Value::from).collect());
    put_first(&mut metadata, "ownerReferences", resource.owner.iter().map(owner_reference).collect());
    metadata
}

/// What is to be kept beside the record of an object's metadata.
pub(crate) fn kept(metadata: &Value) -> Map<String, Value> {
    let mut kept = metadata.as_object().cloned().unwrap_or_default();
    kept.retain(|field, _| !OF_THE_RECORD.contains(&field.as_str()));
    keep(&mut kept, "finalizers", |finalizer| !finalizer.as_str().is_some_and(finalizers::follows));
    keep(&mut kept, "ownerReferences", |reference| !is_cluster(reference));
    kept
}

/// What is kept beside a record, but for finalizers.
pub(crate) fn without_finalizers(kubernetes: &Json) -> Json {
    let mut kept = read(kubernetes);
    kept.remove("finalizers");
    to_raw_value(&kept).expect("a map can be written")
}

/// The labels that Kubernetes takes for labels. REST clients may have given others, which stay out of sight.
pub(crate) fn labels(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    labels.iter().filter(is_label).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// The labels that stay out of sight.
pub(crate) fn hidden_labels(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    labels.iter().filter(|label| !is_label(label)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// A time, to the second.
pub(crate) fn time(time: jiff::Timestamp) -> String {
    Timestamp::from_unix(time.as_second()).to_string()
}

fn is_label((key, value): &(&String, &String)) -> bool {
    name::qualified(key).is_empty() && name::label_value(value).is_empty()
}

fn read(kubernetes: &Json) -> Map<String, Value> {
    serde_json::from_str(kubernetes.get()).unwrap_or_default()
}

fn put_first(metadata: &mut Map<String, Value>, field: &str, mut items: Vec<Value>) {
    let kept = metadata.remove(field).and_then(|kept| kept.as_array().cloned());
    items.extend(kept.unwrap_or_default());
    if !items.is_empty() {
        metadata.insert(field.to_owned(), items.into());
    }
}

fn keep(metadata: &mut Map<String, Value>, field: &str, keep: impl Fn(&Value) -> bool) {
    let Some(Value::Array(items)) = metadata.get_mut(field) else { return };
    items.retain(keep);
    if items.is_empty() {
        metadata.remove(field);
    }
}

/// A nodepool's reference to its cluster.
fn owner_reference(owner: &Owner) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/{VERSION}"),
        "blockOwnerDeletion": true,
        "controller": true,
        "kind": kind::name(hyperfleet_records::Kind::Cluster),
        "name": owner.object_name,
        "uid": owner.id,
    })
}

/// Whether an owner reference is one to a cluster: no object has another than its own.
fn is_cluster(reference: &Value) -> bool {
    let group = reference["apiVersion"].as_str().and_then(|version| version.split_once('/')).map(|(group, _)| group);
    group == Some(GROUP) && reference["kind"] == kind::name(hyperfleet_records::Kind::Cluster)
}
