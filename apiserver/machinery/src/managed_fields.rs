//! Who wrote which field: `metadata.managedFields`.
//!
//! [`update()`] records a create, update or patch; [`apply()`] is server-side apply.
//!
//! The one rule: a field belongs to whoever changed it last. Whoever else had it loses it, and a field that is gone
//! belongs to nobody. An entry's time moves only when its manager gained or changed a field. Only an apply shares fields
//! that others have, as long as it wants them as they are.

mod apply;
mod atomics;
mod check;
mod compare;
mod conflict;
mod entries;
mod fields;
mod merge;
mod path_element;
mod remove;
mod set;
mod types;

use serde_json::Value;

use self::{
    compare::{Comparison, compare},
    entries::{Entries, Entry, Identity},
    types::WithMeta,
};
use crate::{go, time::Timestamp};

pub use self::{
    apply::apply,
    atomics::atomics,
    check::check,
    conflict::Conflicts,
    merge::merge,
    path_element::PathElement,
    set::{FieldSet, InvalidFields},
    types::{FieldTypes, ListType, MapType, Untyped},
};

/// The longest name that a manager gets from a User-Agent, in bytes.
const MAX_NAME: usize = 128;
/// Entries of updates beyond this many are merged, oldest first.
const MAX_UPDATES: usize = 10;
/// What one entry's manager is not recorded for: the server's fields, and those that name the object.
const SERVER_FIELDS: [&str; 9] = [
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
];

/// Who writes, and what may be recorded for them.
#[derive(Debug, Clone, Copy)]
pub struct Manager<'a> {
    /// `fieldManager` of the request, or [`default_manager`] of its User-Agent.
    pub name: &'a str,
    /// The version that the object is written in, such as `example.com/v1`.
    pub api_version: &'a str,
    /// The subresource that is written, or "".
    pub subresource: &'a str,
    /// Now.
    pub time: Timestamp,
    /// The top-level fields that this write can change.
    pub scope: Scope<'a>,
}

/// The top-level fields that a write can change; those it cannot are never recorded and never taken from anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// All but these: `["status"]` for the main resource of a kind that has a status subresource.
    Except(&'a [&'a str]),
    /// These: `["status"]` for the status subresource.
    Only(&'a [&'a str]),
}

/// Sets `metadata.managedFields` of `new`, which `manager` is about to store in place of `old`.
///
/// A client may send managed fields: valid ones replace those of `old`, `[]` and `[{}]` forget them all (nothing is
/// recorded then until somebody applies), and what is absent, null or invalid is as if `old`'s had been sent. A write
/// to a subresource cannot change them.
pub fn update(old: Option<&Value>, new: &mut Value, manager: &Manager<'_>, types: &dyn FieldTypes) {
    let types = WithMeta(types);
    let stored = old.map(|old| &old["metadata"]["managedFields"]);
    let mut entries = base(stored, &new["metadata"]["managedFields"], manager);
    if entries.is_empty() && old.is_some() {
        return put(new, &entries);
    }
    entries.retain(|entry| types.has_version(&entry.api_version));
    let mut comparison = compare(old, new, &types);
    let unchanged = comparison.is_same_without(&server_fields());
    comparison.restrict(manager.scope);
    record(&mut entries, comparison, manager, &types);
    entries.cap(MAX_UPDATES);
    let previous =
        stored.and_then(Entries::decode).filter(|previous| unchanged && previous.same_without_times(&entries));
    put(new, &previous.unwrap_or(entries));
}

/// Whether two objects differ in nothing but the times of their managed fields: then nobody has changed anything.
pub fn differ_only_in_time(old: &Value, new: &Value) -> bool {
    let (mut old, mut new) = (old.clone(), new.clone());
    let (before, after) = (base_entries(&forget(&mut old)), base_entries(&forget(&mut new)));
    old == new && before.same_without_times(&after)
}

/// The manager of a request that names none: its User-Agent up to the first `/`, as far as it can be printed.
pub fn default_manager(user_agent: &str) -> String {
    let mut name = String::new();
    for char in user_agent.split('/').next().unwrap_or_default().chars().filter(|char| go::is_print(*char)) {
        if name.len() + char.len_utf8() > MAX_NAME {
            break;
        }
        name.push(char);
    }
    if name.is_empty() { "unknown".to_owned() } else { name }
}

// === impl Scope ===

impl Scope<'_> {
    /// The part of a set that is in scope.
    fn of(self, mut fields: FieldSet) -> FieldSet {
        fields.retain_fields(|field| self.contains(field));
        fields
    }

    fn contains(self, field: &str) -> bool {
        match self {
            Self::Except(fields) => !fields.contains(&field),
            Self::Only(fields) => fields.contains(&field),
        }
    }
}

/// What was recorded before this write.
fn base(stored: Option<&Value>, sent: &Value, manager: &Manager<'_>) -> Entries {
    let stored = || stored.and_then(Entries::decode).unwrap_or_default();
    if !manager.subresource.is_empty() {
        return stored();
    }
    if Entries::is_reset(sent) {
        return Entries::default();
    }
    Entries::decode(sent).filter(|entries| !entries.is_empty()).unwrap_or_else(stored)
}

/// The entries that are stored, none if they cannot be read.
fn base_entries(managed: &Value) -> Entries {
    Entries::decode(managed).unwrap_or_default()
}

/// Takes the managed fields out of an object.
fn forget(object: &mut Value) -> Value {
    let metadata = object.get_mut("metadata").and_then(Value::as_object_mut);
    metadata.and_then(|metadata| metadata.remove("managedFields")).unwrap_or_default()
}

/// Gives the changed fields to `manager` and takes them, and the removed ones, from everybody else.
fn record(entries: &mut Entries, comparison: Comparison, manager: &Manager<'_>, types: &dyn FieldTypes) {
    let gained = comparison.modified.union(&comparison.added);
    reconcile_all(entries, types);
    entries.take(&gained.union(&comparison.removed));
    let gained = gained.difference(&server_fields());
    if gained.is_empty() {
        return;
    }
    let name = if manager.name.is_empty() { "unknown" } else { manager.name };
    let identity = Identity::update(name, manager.api_version, manager.subresource);
    let api_version = manager.api_version.to_owned();
    entries.add(identity, Entry { api_version, fields: gained, time: Some(manager.time) });
}

/// Who has what under today's types.
fn reconcile_all(entries: &mut Entries, types: &dyn FieldTypes) {
    entries.values_mut().for_each(|entry| entry.fields = types::reconcile(&entry.fields, types));
}

fn server_fields() -> FieldSet {
    let mut fields = FieldSet::default();
    for name in ["apiVersion", "kind", "metadata"] {
        fields.insert(&[PathElement::field(name)]);
    }
    for name in SERVER_FIELDS {
        fields.insert(&[PathElement::field("metadata"), PathElement::field(name)]);
    }
    fields
}

fn put(object: &mut Value, entries: &Entries) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    if entries.is_empty() {
        metadata.remove("managedFields");
    } else {
        metadata.insert("managedFields".to_owned(), entries.encode());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const MAIN: Scope<'_> = Scope::Except(&["status"]);
    const STATUS: Scope<'_> = Scope::Only(&["status"]);

    fn manager(name: &str, second: i64) -> Manager<'_> {
        let time = Timestamp::from_unix(second);
        Manager { name, api_version: "g/v1", subresource: "", time, scope: MAIN }
    }

    fn status_manager(name: &str, second: i64) -> Manager<'_> {
        Manager { subresource: "status", scope: STATUS, ..manager(name, second) }
    }

    /// Writes `new` over `old`; returns the object as it is stored.
    fn write(old: Option<&Value>, new: Value, manager: &Manager<'_>) -> Value {
        let mut new = new;
        update(old, &mut new, manager, &Untyped);
        new
    }

    /// Writes what `old` becomes when `path` is set to `value`.
    fn set(old: &Value, path: &str, value: Value, manager: &Manager<'_>) -> Value {
        let mut new = old.clone();
        *new.pointer_mut(path).expect("the path is there") = value;
        write(Some(old), new, manager)
    }

    fn widget() -> Value {
        let created = json!({
            "apiVersion": "g/v1", "kind": "Widget", "metadata": { "name": "a", "uid": "u", "creationTimestamp": "x" },
            "spec": { "color": "red", "size": 1 },
        });
        write(None, created, &manager("go-test", 10))
    }

    fn entry(name: &str, operation: &str, second: i64, fields: Value) -> Value {
        let time = Timestamp::from_unix(second).to_string();
        json!({
            "apiVersion": "g/v1", "fieldsType": "FieldsV1", "fieldsV1": fields,
            "manager": name, "operation": operation, "time": time,
        })
    }

    fn managed(object: &Value) -> &Value {
        &object["metadata"]["managedFields"]
    }

    fn spec() -> Value {
        json!({ "f:spec": { ".": {}, "f:color": {}, "f:size": {} } })
    }

    #[test]
    fn whoever_creates_owns_everything_but_the_servers_fields() {
        assert_eq!(managed(&widget()), &json!([entry("go-test", "Update", 10, spec())]));
        let created = json!({ "metadata": { "name": "a", "labels": { "x": "y" } }, "status": { "phase": "X" } });
        let fields = json!({ "f:metadata": { "f:labels": { ".": {}, "f:x": {} } } });
        assert_eq!(managed(&write(None, created, &manager("", 5))), &json!([entry("unknown", "Update", 5, fields)]));
    }

    #[test]
    fn a_changed_field_moves_to_whoever_changed_it() {
        let changed = set(&widget(), "/spec/size", json!(2), &manager("foo", 20));
        let entries = json!([
            entry("go-test", "Update", 10, json!({ "f:spec": { ".": {}, "f:color": {} } })),
            entry("foo", "Update", 20, json!({ "f:spec": { "f:size": {} } })),
        ]);
        assert_eq!(managed(&changed), &entries);
        let again = set(&changed, "/spec/color", json!("blue"), &manager("foo", 30));
        let entries = json!([
            entry("go-test", "Update", 10, json!({ "f:spec": {} })),
            entry("foo", "Update", 30, json!({ "f:spec": { "f:color": {}, "f:size": {} } })),
        ]);
        assert_eq!(managed(&again), &entries);
        let back = set(&changed, "/spec/size", json!(1), &manager("go-test", 40));
        assert_eq!(managed(&back), &json!([entry("go-test", "Update", 40, spec())]));
    }

    #[test]
    fn a_removed_field_belongs_to_nobody_and_moves_no_time() {
        let removed = set(&widget(), "/spec", json!({ "color": "red" }), &manager("foo", 20));
        let fields = json!({ "f:spec": { ".": {}, "f:color": {} } });
        assert_eq!(managed(&removed), &json!([entry("go-test", "Update", 10, fields)]));
        let mut bare = removed.clone();
        bare.as_object_mut().map(|object| object.remove("spec"));
        assert_eq!(managed(&write(Some(&removed), bare, &manager("foo", 30))), &Value::Null);
    }

    #[test]
    fn a_write_that_changes_nothing_records_nothing() {
        let object = widget();
        for who in [manager("go-test", 99), manager("foo", 99), status_manager("foo", 99)] {
            assert_eq!(write(Some(&object), object.clone(), &who), object);
        }
        let mut sent = object.clone();
        sent["metadata"]["managedFields"][0]["time"] = json!("2030-01-01T00:00:00Z");
        sent["metadata"]["resourceVersion"] = json!("7");
        assert_eq!(managed(&write(Some(&object), sent, &manager("foo", 99))), managed(&object));
    }

    #[test]
    fn status_belongs_to_writes_of_the_status_subresource() {
        let object = widget();
        let mut new = object.clone();
        new["status"] = json!({ "phase": "Ready" });
        new["spec"]["size"] = json!(99);
        let status = write(Some(&object), new.clone(), &status_manager("go-test", 20));
        let mut recorded = entry("go-test", "Update", 20, json!({ "f:status": { ".": {}, "f:phase": {} } }));
        recorded["subresource"] = json!("status");
        assert_eq!(managed(&status), &json!([entry("go-test", "Update", 10, spec()), recorded]));
        // A write to the main resource that lacks the status takes it from nobody.
        let mut main = status.clone();
        main.as_object_mut().map(|object| object.remove("status"));
        assert_eq!(managed(&write(Some(&status), main, &manager("foo", 30))), managed(&status));
    }

    #[test]
    fn entries_of_applies_lose_changed_fields_and_sort_first() {
        let mut object = widget();
        let apply = |fields| entry("m1", "Apply", 15, fields);
        object["metadata"]["managedFields"] = json!([
            entry("go-test", "Update", 10, spec()),
            apply(json!({ "f:spec": { "f:size": {}, "f:color": {} } })),
        ]);
        let changed = set(&object, "/spec/size", json!(8), &manager("foo", 20));
        let entries = json!([
            apply(json!({ "f:spec": { "f:color": {} } })),
            entry("go-test", "Update", 10, json!({ "f:spec": { ".": {}, "f:color": {} } })),
            entry("foo", "Update", 20, json!({ "f:spec": { "f:size": {} } })),
        ]);
        assert_eq!(managed(&changed), &entries);
    }

    #[test]
    fn a_manager_has_one_entry_of_applies_and_one_of_updates_for_each_version() {
        let versioned = |operation: &str, version: &str| {
            let mut entry = entry("m", operation, 15, json!({ "f:spec": { format!("f:{operation}-{version}"): {} } }));
            entry["apiVersion"] = json!(version);
            entry
        };
        let [a1, a2] = ["g/v1", "g/v2"].map(|version| versioned("Apply", version));
        let [u1, u2] = ["g/v1", "g/v2"].map(|version| versioned("Update", version));
        let stored = set(&widget(), "/metadata/managedFields", json!([u2, a1, u1, a2]), &manager("foo", 20));
        assert_eq!(managed(&stored), &json!([a2, u1, u2]));
    }

    #[test]
    fn clients_that_send_no_or_invalid_managed_fields_change_nothing() {
        let object = widget();
        let valid = &managed(&object)[0];
        let without = |field: &str, value: Value| {
            let mut entry = valid.clone();
            entry[field] = value;
            json!([entry])
        };
        let invalid = [
            json!(null),
            json!("x"),
            json!([null]),
            json!([valid, 5]),
            json!([{ "manager": "x" }]),
            without("operation", json!("Delete")),
            without("apiVersion", json!("")),
            without("fieldsType", json!("FieldsV2")),
            without("fieldsV1", json!({ "spec": {} })),
            without("fieldsV1", json!("x")),
            without("time", json!("yesterday")),
            without("manager", json!(5)),
        ];
        for sent in invalid {
            let stored = set(&object, "/metadata/managedFields", sent.clone(), &manager("foo", 20));
            assert_eq!(managed(&stored), managed(&object), "{sent}");
        }
    }

    #[test]
    fn clients_can_rewrite_and_forget_managed_fields() {
        let object = widget();
        let rewritten = json!([entry("me", "Apply", 12, json!({ "f:spec": { "f:size": {} } }))]);
        let stored = set(&object, "/metadata/managedFields", rewritten.clone(), &manager("foo", 20));
        assert_eq!(managed(&stored), &rewritten);
        for reset in [json!([]), json!([{}])] {
            let stored = set(&object, "/metadata/managedFields", reset.clone(), &manager("foo", 20));
            assert_eq!(managed(&stored), &Value::Null, "{reset}");
            // Nothing is recorded until somebody applies.
            let changed = set(&stored, "/spec/size", json!(3), &manager("foo", 30));
            assert_eq!(managed(&changed), &Value::Null);
        }
        // Not through a subresource.
        let stored = set(&object, "/metadata/managedFields", json!([]), &status_manager("foo", 20));
        assert_eq!(managed(&stored), managed(&object));
    }

    #[test]
    fn whoever_creates_is_recorded_whatever_they_send() {
        let fields = json!({ "f:spec": { ".": {}, "f:size": {} } });
        let theirs = entry("x", "Apply", 1, json!({ "f:spec": { "f:size": {} }, "f:other": {} }));
        let kept = entry("x", "Apply", 1, json!({ "f:other": {} }));
        let ours = entry("foo", "Update", 20, fields);
        for (sent, entries) in
            [(json!([{}]), json!([ours])), (json!("x"), json!([ours])), (json!([theirs]), json!([kept, ours]))]
        {
            let object = json!({ "metadata": { "managedFields": sent }, "spec": { "size": 1 } });
            assert_eq!(managed(&write(None, object, &manager("foo", 20))), &entries);
        }
    }

    #[test]
    fn many_updaters_are_merged_into_one_from_the_oldest_on() {
        let mut object = json!({ "metadata": {}, "data": {} });
        update(None, &mut object, &manager("creator", 0), &Untyped);
        for second in 1..=30 {
            let name = format!("m{second:02}");
            let mut new = object.clone();
            new["data"][&name] = json!(1);
            update(Some(&object), &mut new, &manager(&name, second), &Untyped);
            object = new;
        }
        let entries = managed(&object).as_array().expect("there are entries");
        let names: Vec<_> = entries.iter().filter_map(|entry| entry["manager"].as_str()).collect();
        let expected = ["ancient-changes", "m22", "m23", "m24", "m25", "m26", "m27", "m28", "m29", "m30"];
        assert_eq!(names, expected);
        assert_eq!(entries[0]["time"], json!("1970-01-01T00:00:21Z"));
        // Those of 21 managers, and `data` itself, which was its creator's.
        assert_eq!(entries[0]["fieldsV1"]["f:data"].as_object().map(serde_json::Map::len), Some(22));
    }

    #[test]
    fn very_many_entries_are_merged_in_a_moment() {
        let mut entries: Vec<_> =
            (0..20_000).map(|n| entry(&format!("m{n}"), "Update", n, json!({ format!("f:x{n}"): {} }))).collect();
        entries.push(entry("ancient-changes", "Update", 5, json!({ "f:y": {} })));
        let stored = set(&widget(), "/metadata/managedFields", json!(entries), &manager("foo", 20));
        let entries = managed(&stored).as_array().expect("there are entries");
        assert_eq!(entries.len(), 10);
        assert_eq!(entries[0]["manager"], json!("ancient-changes"));
        assert_eq!(entries[0]["fieldsV1"].as_object().map(serde_json::Map::len), Some(19_992));
    }

    #[test]
    fn entries_of_versions_that_are_not_served_are_dropped() {
        struct OnlyV1;
        impl FieldTypes for OnlyV1 {
            fn list(&self, _: &[&str]) -> ListType {
                ListType::Atomic
            }
            fn map(&self, path: &[&str]) -> MapType {
                if path == ["spec"] { MapType::Atomic } else { MapType::Granular }
            }
            fn is_declared(&self, _: &[&str]) -> bool {
                false
            }

            fn has_version(&self, api_version: &str) -> bool {
                api_version == "g/v1"
            }
        }
        let mut object = widget();
        let mut old = entry("old", "Update", 5, json!({ "f:spec": { "f:size": {} } }));
        old["apiVersion"] = json!("g/v0");
        object["metadata"]["managedFields"] = json!([old, entry("go-test", "Update", 10, spec())]);
        let mut new = object.clone();
        update(Some(&object), &mut new, &manager("foo", 20), &OnlyV1);
        // What was owned by field is owned as a whole once the schema says so.
        assert_eq!(managed(&new), &json!([entry("go-test", "Update", 10, json!({ "f:spec": {} }))]));
    }

    #[test]
    fn a_manager_is_named_for_its_user_agent() {
        let cases = [
            ("kubectl/v1.36 (linux/amd64)", "kubectl"),
            ("foo", "foo"),
            ("", "unknown"),
            ("/x", "unknown"),
            ("a\u{7}b\u{202e}c/1", "abc"),
        ];
        for (agent, name) in cases {
            assert_eq!(default_manager(agent), name, "{agent:?}");
        }
        assert_eq!(default_manager(&"x".repeat(200)).len(), 128);
        assert_eq!(default_manager(&"é".repeat(200)).len(), 128);
        assert_eq!(default_manager(&format!("{}€b", "x".repeat(126))), "x".repeat(126));
    }
}
