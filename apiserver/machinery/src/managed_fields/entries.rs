//! `metadata.managedFields` itself: one entry for each manager, operation, version and subresource.

use std::{
    collections::{BTreeMap, btree_map},
    fmt,
};

use serde_json::{Map, Value, json};

use super::set::FieldSet;
use crate::time::Timestamp;

/// Who has what the entries of the oldest updates had.
const ANCIENT: &str = "ancient-changes";

/// How fields were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    /// By server-side apply.
    Apply,
    /// By any other write.
    Update,
}

/// What tells entries apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    operation: Operation,
    manager: String,
    /// Of an update; that of an apply tells nothing apart.
    api_version: Option<String>,
    subresource: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) api_version: String,
    pub(super) fields: FieldSet,
    pub(super) time: Option<Timestamp>,
}

/// The entries of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entries(BTreeMap<Identity, Entry>);

// === impl Operation ===

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        })
    }
}

// === impl Entries ===

impl Entries {
    /// Whether a client sent `managed` to have all entries forgotten: an empty list, or one of an empty entry.
    pub(super) fn is_reset(managed: &Value) -> bool {
        match managed.as_array().map(Vec::as_slice) {
            Some([]) => true,
            Some([Value::Object(entry)]) => FIELDS.iter().all(|name| entry.get(*name).is_none_or(is_zero)),
            _ => false,
        }
    }

    /// Reads the entries; `None` if any is invalid.
    pub(super) fn decode(managed: &Value) -> Option<Self> {
        let mut entries = Self::default();
        for entry in managed.as_array()? {
            let (identity, entry) = decode(entry.as_object()?)?;
            entries.0.insert(identity, entry);
        }
        Some(entries)
    }

    /// The entries in their order: applies first, then by time, manager, version and subresource.
    pub(super) fn encode(&self) -> Value {
        let mut entries: Vec<_> = self.0.iter().collect();
        entries.sort_by_key(|(identity, entry)| {
            (identity.operation, entry.seconds(), &identity.manager, &entry.api_version, &identity.subresource)
        });
        entries.into_iter().map(|(identity, entry)| encode(identity, entry)).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.0.values_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Identity, &Entry)> {
        self.0.iter()
    }

    pub(super) fn remove(&mut self, identity: &Identity) -> Option<Entry> {
        self.0.remove(identity)
    }

    /// What anybody has.
    pub(super) fn all(&self) -> FieldSet {
        let mut all = FieldSet::default();
        self.0.values().for_each(|entry| all.extend(entry.fields.clone()));
        all
    }

    /// Takes fields from everybody, and forgets who has nothing left.
    pub(super) fn take(&mut self, fields: &FieldSet) {
        self.0.values_mut().for_each(|entry| entry.fields = entry.fields.difference(fields));
        self.retain(|entry| !entry.fields.is_empty());
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&Entry) -> bool) {
        self.0.retain(|_, entry| keep(entry));
    }

    /// Adds an entry's fields to what is there under the same identity, as of its time.
    pub(super) fn add(&mut self, identity: Identity, entry: Entry) {
        match self.0.entry(identity) {
            btree_map::Entry::Vacant(vacant) => {
                vacant.insert(entry);
            }
            btree_map::Entry::Occupied(mut occupied) => {
                let previous = occupied.get_mut();
                previous.fields.extend(entry.fields);
                previous.time = entry.time;
            }
        }
    }

    /// Whether the entries differ in nothing but times.
    pub(super) fn same_without_times(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.0.iter().zip(&other.0).all(|((a, x), (b, y))| a == b && x.same_without_time(y))
    }

    /// Merges the oldest updates of each version until there are at most `max` updates, or nothing left to merge.
    pub(super) fn cap(&mut self, max: usize) {
        let mut updates: Vec<_> = self.updates().map(|(identity, entry)| (entry.seconds(), identity.clone())).collect();
        updates.sort();
        let mut count = updates.len();
        let mut oldest = BTreeMap::new();
        for (_, identity) in updates {
            if count <= max {
                return;
            }
            let version = identity.api_version.clone();
            if let Some(first) = oldest.insert(version.clone(), identity.clone()) {
                let (bucket, before) = (identity.bucket(), self.0.len());
                self.merge([first, identity], &bucket);
                count -= before - self.0.len();
                oldest.insert(version, bucket);
            }
        }
    }

    /// Moves the entries of `from`, in the order of their times, to `to`.
    fn merge(&mut self, from: [Identity; 2], to: &Identity) {
        let entries: Vec<_> = from.iter().filter_map(|identity| self.0.remove(identity)).collect();
        for entry in entries {
            let time = self.0.get(to).and_then(|bucket| bucket.time).max(entry.time);
            self.add(to.clone(), Entry { time, ..entry });
        }
    }

    fn updates(&self) -> impl Iterator<Item = (&Identity, &Entry)> {
        self.0.iter().filter(|(identity, _)| identity.operation == Operation::Update)
    }
}

// === impl Identity ===

impl Identity {
    /// An update's.
    pub(super) fn update(manager: &str, api_version: &str, subresource: &str) -> Self {
        Self::new(Operation::Update, manager, api_version, subresource)
    }

    /// An apply's.
    pub(super) fn apply(manager: &str, subresource: &str) -> Self {
        Self::new(Operation::Apply, manager, "", subresource)
    }

    pub(super) fn manager(&self) -> &str {
        &self.manager
    }

    pub(super) fn subresource(&self) -> &str {
        &self.subresource
    }

    pub(super) fn is_apply(&self) -> bool {
        self.operation == Operation::Apply
    }

    fn new(operation: Operation, manager: &str, api_version: &str, subresource: &str) -> Self {
        Self {
            operation,
            manager: manager.to_owned(),
            api_version: (operation == Operation::Update).then(|| api_version.to_owned()),
            subresource: subresource.to_owned(),
        }
    }

    /// Where an update of the same version ends up when it is among too many.
    fn bucket(&self) -> Self {
        Self { manager: ANCIENT.to_owned(), subresource: String::new(), ..self.clone() }
    }
}

// === impl Entry ===

impl Entry {
    fn seconds(&self) -> i64 {
        self.time.map_or(0, Timestamp::as_unix)
    }

    fn same_without_time(&self, other: &Self) -> bool {
        (&self.api_version, &self.fields) == (&other.api_version, &other.fields)
    }
}

/// The fields of an entry.
const FIELDS: [&str; 7] = ["manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1", "subresource"];

fn is_zero(value: &Value) -> bool {
    value.is_null() || value == ""
}

fn decode(entry: &Map<String, Value>) -> Option<(Identity, Entry)> {
    let text = |name: &str| match entry.get(name) {
        None | Some(Value::Null) => Some(""),
        Some(value) => value.as_str(),
    };
    let operation = match text("operation")? {
        "Apply" => Operation::Apply,
        "Update" => Operation::Update,
        _ => return None,
    };
    let api_version = text("apiVersion").filter(|version| !version.is_empty())?.to_owned();
    if text("fieldsType")? != "FieldsV1" {
        return None;
    }
    let fields = match entry.get("fieldsV1") {
        None | Some(Value::Null) => FieldSet::default(),
        Some(fields) => FieldSet::parse(fields).ok()?,
    };
    let time = match text("time")? {
        "" => None,
        time => Some(Timestamp::parse(time)?),
    };
    let identity = Identity::new(operation, text("manager")?, &api_version, text("subresource")?);
    Some((identity, Entry { api_version, fields, time }))
}

fn encode(identity: &Identity, entry: &Entry) -> Value {
    let mut value = json!({
        "apiVersion": entry.api_version,
        "fieldsType": "FieldsV1",
        "fieldsV1": entry.fields.to_value(),
        "operation": identity.operation.to_string(),
    });
    if !identity.manager.is_empty() {
        value["manager"] = json!(identity.manager);
    }
    if !identity.subresource.is_empty() {
        value["subresource"] = json!(identity.subresource);
    }
    if let Some(time) = entry.time {
        value["time"] = json!(time.to_string());
    }
    value
}
