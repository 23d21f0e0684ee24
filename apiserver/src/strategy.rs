//! What is kept of what a client sends: pure rules on a new object and the one it replaces.
//!
//! The server owns uid, times, generation and resourceVersion; the main resource owns everything but the status, and
//! the status subresource nothing else. A new object that says nothing new comes out equal to the old one, so that a
//! write which changes nothing makes no revision and no event.

use machinery::{
    GroupKind, GroupVersion,
    field::{self, ErrorList},
    managed_fields::{self, Manager, Scope},
    meta::{self, ObjectMeta},
    status::Status,
    time::Timestamp,
};
use serde_json::Value;

use crate::{
    error::{MODIFIED, Result},
    kinds::Kind,
    scale,
};

/// Who writes, through which door, and when.
#[derive(Clone, Copy)]
pub(crate) struct By<'a> {
    /// The manager that the changed fields will belong to.
    pub manager: &'a str,
    /// Whether the status subresource is written.
    pub status: bool,
    /// Whether the object says already who has which field, as one that was applied does.
    pub recorded: bool,
    /// The time of the request.
    pub now: Timestamp,
}

/// The object that a creation makes of `object`, which is decoded, pruned and defaulted.
pub(crate) fn create(kind: &Kind, mut object: Value, namespace: &str, uid: &str, by: &By<'_>) -> Result<Value> {
    let claims_revision = ObjectMeta::of(&object).resource_version().parse::<u64>().is_ok_and(|revision| revision > 0);
    if kind.version().status {
        remove(&mut object, "status");
    }
    meta::prepare_create(&mut object, by.now, uid, namespace);
    record(kind, None, &mut object, by);
    let mut errors = wrong_type(kind, &object);
    if errors.is_empty() {
        errors.extend(meta::validate(&object, kind.namespaced()));
        errors.extend(kind.schema().validate(&object, None));
        errors.extend(rules(kind, &object, None));
        errors.extend(scale::validate(kind, &object, false));
    }
    let object = valid(kind, object, errors)?;
    if claims_revision {
        return Err(Status::bad_request("resourceVersion should not be set on objects to be created").into());
    }
    Ok(object)
}

/// An object that is to be created as admission sees it first: without what only the server says, and with its manager's
/// fields noted.
pub(crate) fn sent(kind: &Kind, mut object: Value, namespace: &str, by: &By<'_>) -> Value {
    meta::prepare_sent(&mut object, namespace);
    record(kind, None, &mut object, by);
    object
}

/// An object that is to replace `old` as admission sees it first.
pub(crate) fn changed(kind: &Kind, old: &Value, mut new: Value, by: &By<'_>) -> Value {
    record(kind, Some(old), &mut new, by);
    new
}

/// The object that an update makes of `new`, which is decoded, pruned and defaulted, over `old`.
pub(crate) fn update(kind: &Kind, old: &Value, new: Value, by: &By<'_>) -> Result<Value> {
    current(kind, old, &new)?;
    let mut new = if by.status { only_status(old, new) } else { new };
    if !by.status && kind.version().status {
        keep(old, &mut new, "status");
    }
    // Before the server's own fields are put back: a manager owns what it meant to change.
    record(kind, Some(old), &mut new, by);
    meta::prepare_update(&mut new, old, kind.version().status);
    let (mut errors, wrong_type) = (meta::validate_update(&new, old), wrong_type(kind, &new));
    if errors.is_empty() && (*old == new || by.recorded && managed_fields::differ_only_in_time(old, &new)) {
        return Ok(old.clone());
    }
    match (wrong_type.is_empty(), by.status) {
        (false, _) => errors.extend(wrong_type),
        (true, true) => errors.extend(kind.schema().validate_status(&new, old)),
        (true, false) => {
            errors.extend(kind.schema().validate(&new, Some(old)));
            errors.extend(rules(kind, &new, Some(old)));
        }
    }
    errors.extend(scale::validate(kind, &new, by.status));
    valid(kind, new, errors)
}

/// An object that is sent whole may name the uid that it means.
pub(crate) fn same_object(kind: &Kind, old: &Value, new: &Value) -> Result<()> {
    let (old, given) = (ObjectMeta::of(old), ObjectMeta::of(new).uid());
    if given.is_empty() || given == old.uid() {
        return Ok(());
    }
    let message = format!("Precondition failed: UID in precondition: {given}, UID in object meta: {}", old.uid());
    Err(Status::conflict(&kind.group_resource(), old.name(), &message).into())
}

/// The object that applying `config` makes of `old`, with its managedFields; it is yet to be created or to replace `old`.
pub(crate) fn apply(kind: &Kind, old: Option<&Value>, config: &Value, by: &By<'_>, force: bool) -> Result<Value> {
    let api_version = kind.group_version().to_string();
    let applied = managed_fields::apply(old, config, &manager(kind, by, &api_version), force, kind.schema());
    let mut new = applied.map_err(|conflicts| conflicts.status())?;
    kind.schema().fill(&mut new);
    Ok(new)
}

/// Notes in the object's managedFields what this write changed.
fn record(kind: &Kind, old: Option<&Value>, new: &mut Value, by: &By<'_>) {
    if !by.recorded {
        let api_version = kind.group_version().to_string();
        managed_fields::update(old, new, &manager(kind, by, &api_version), kind.schema());
    }
}

fn manager<'a>(kind: &Kind, by: &By<'a>, api_version: &'a str) -> Manager<'a> {
    let (subresource, scope) = match (by.status, kind.version().status) {
        (true, _) => ("status", Scope::Only(&["status"])),
        (false, true) => ("", Scope::Except(&["status"])),
        (false, false) => ("", Scope::Except(&[])),
    };
    Manager { name: by.manager, api_version, subresource, time: by.now, scope }
}

/// Optimistic locking: the client names the version that it changed.
fn current(kind: &Kind, old: &Value, new: &Value) -> Result<()> {
    let (resource, old, new) = (kind.group_resource(), ObjectMeta::of(old), ObjectMeta::of(new));
    if matches!(new.resource_version(), "" | "0") {
        let error =
            field::Error::invalid("metadata.resourceVersion", Value::from(0), "must be specified for an update");
        let named = GroupKind::new(&resource.group, &resource.resource);
        return Err(Status::invalid(&named, old.name(), vec![error]).into());
    }
    if new.resource_version() != old.resource_version() {
        new.resource_version().parse::<u64>().map_err(|_| {
            let text = format!("strconv.ParseUint: parsing {:?}: invalid syntax", new.resource_version());
            Status::bad_request(&text)
        })?;
        return Err(Status::conflict(&resource, old.name(), MODIFIED).into());
    }
    Ok(())
}

/// `old` with the status of `new`. Nothing else of `new` counts but its managedFields: Fleet's agents send specs that
/// hold secrets in their status patches.
fn only_status(old: &Value, new: Value) -> Value {
    let mut result = old.clone();
    keep(&new, &mut result, "status");
    if let (Some(from), Some(to)) = (new.get("metadata"), result.get_mut("metadata")) {
        keep(from, to, "managedFields");
    }
    result
}

/// An object says of itself that it is of the kind, in the version that is written.
fn wrong_type(kind: &Kind, object: &Value) -> ErrorList {
    let wanted = [("kind", kind.name().to_owned()), ("apiVersion", kind.group_version().to_string())];
    let wrong = wanted.into_iter().filter_map(|(field, wanted)| {
        let given = object[field].as_str().unwrap_or_default();
        (given != wanted).then(|| field::Error::invalid(field, Value::from(given), &format!("must be {wanted}")))
    });
    wrong.collect()
}

/// What the kind's actor finds wrong.
fn rules(kind: &Kind, object: &Value, old: Option<&Value>) -> ErrorList {
    kind.actor().map(|actor| actor.validate(object, old)).unwrap_or_default()
}

fn valid(kind: &Kind, object: Value, errors: ErrorList) -> Result<Value> {
    if errors.is_empty() {
        return Ok(object);
    }
    let version = GroupVersion::parse(object["apiVersion"].as_str().unwrap_or_default()).unwrap_or_default();
    let named = GroupKind::new(&version.group, object["kind"].as_str().unwrap_or(kind.name()));
    Err(Status::invalid(&named, ObjectMeta::of(&object).name(), errors).into())
}

fn keep(from: &Value, to: &mut Value, field: &str) {
    match from.get(field) {
        Some(value) => to[field] = value.clone(),
        None => remove(to, field),
    }
}

fn remove(object: &mut Value, field: &str) {
    if let Some(map) = object.as_object_mut() {
        map.remove(field);
    }
}
