//! Server-side apply: a manager says which fields it wants and how, and nothing else.
//!
//! What it wants is merged into the object; what it wanted before and no longer does is removed, unless somebody else has
//! it, too. What it wants otherwise than whoever has it is a conflict: force takes such fields away, and without it
//! nothing happens.

use serde_json::{Value, json};

use super::{
    Manager, base_entries,
    compare::compare,
    conflict::Conflicts,
    entries::{Entries, Entry, Identity},
    fields::fields,
    forget, merge, put, reconcile_all, record,
    remove::remove,
    server_fields,
    set::FieldSet,
    types::{FieldTypes, WithMeta},
};
use crate::meta::ObjectMeta;

/// Who has what was there before anybody applied.
const BEFORE: &str = "before-first-apply";
/// The manager whose earlier client-side applies count as its own.
const KUBECTL: &str = "kubectl";
/// Where a client-side apply keeps what it applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Of all annotations of an object, in bytes.
const ANNOTATIONS_LIMIT: usize = 256 << 10;

/// The object that applying `config` makes of `live`, with its managed fields; `None` is an object that is not there yet.
///
/// `config` says which version and kind it is, is of the same ones as `live`, holds no managed fields, and was
/// [checked](super::check()).
pub fn apply(
    live: Option<&Value>,
    config: &Value,
    manager: &Manager<'_>,
    force: bool,
    types: &dyn FieldTypes,
) -> Result<Value, Conflicts> {
    let types = WithMeta(types);
    let mut live = live.cloned().unwrap_or_else(|| named(config));
    let managed = forget(&mut live);
    let before = Before { live: &live, managed: &managed, config, manager, types: &types };
    let mut new = match before.apply(force) {
        Err(conflicts) if manager.name == KUBECTL => before.apply_over_own(conflicts)?,
        outcome => outcome?,
    };
    if manager.name == KUBECTL && !last_applied(&new).is_empty() {
        remember(&mut new, config);
    }
    Ok(new)
}

/// An object of which nothing is known but what it is.
fn named(config: &Value) -> Value {
    json!({ "apiVersion": config["apiVersion"], "kind": config["kind"] })
}

/// An application, before it is known whether it conflicts.
struct Before<'a> {
    live: &'a Value,
    managed: &'a Value,
    config: &'a Value,
    manager: &'a Manager<'a>,
    types: &'a dyn FieldTypes,
}

// === impl Before ===

impl Before<'_> {
    fn apply(&self, force: bool) -> Result<Value, Conflicts> {
        let Self { live, config, manager, types, .. } = *self;
        let identity = Identity::apply(manager.name, manager.subresource);
        let mut entries = self.entries();
        let last = entries.remove(&identity);
        let wanted = manager.scope.of(fields(config, types));
        let merged = merge::merge(live, config, types);
        let new = match &last {
            Some(Entry { fields, .. }) => prune(&merged, fields, &wanted.union(&entries.all()), types),
            None => merged,
        };
        let mut comparison = compare(Some(live), &new, types);
        comparison.restrict(manager.scope);
        let conflicts = Conflicts::of(&entries, &comparison.modified.union(&comparison.added));
        if !force && !conflicts.is_empty() {
            return Err(conflicts);
        }
        entries.take(&comparison.modified.union(&comparison.added));
        entries.take(&comparison.removed);
        let fields = wanted.difference(&server_fields());
        if !fields.is_empty() {
            let time = if new == *live { last.and_then(|last| last.time) } else { Some(manager.time) };
            entries.add(identity, Entry { api_version: manager.api_version.to_owned(), fields, time });
        }
        let mut new = new;
        put(&mut new, &entries);
        Ok(new)
    }

    /// Whoever applied on the client's side before has what was applied then and is as it was.
    fn apply_over_own(&self, conflicts: Conflicts) -> Result<Value, Conflicts> {
        let own = self.last_applied().unwrap_or_default();
        let conflicts = conflicts.without(&own);
        if conflicts.is_empty() { self.apply(true) } else { Err(conflicts) }
    }

    fn last_applied(&self) -> Option<FieldSet> {
        let last: Value = serde_json::from_str(last_applied(self.live)).ok()?;
        if last["apiVersion"] != self.manager.api_version {
            return None;
        }
        let comparison = compare(Some(&last), self.live, self.types);
        let unchanged = fields(&last, self.types).difference(&comparison.modified).difference(&comparison.added);
        Some(unchanged.difference(&comparison.removed))
    }

    /// Who has what. Where nobody is known to, somebody had it all before the first apply.
    fn entries(&self) -> Entries {
        let mut entries = base_entries(self.managed);
        if entries.is_empty() {
            let before = Manager { name: BEFORE, ..*self.manager };
            let mut comparison = compare(None, self.live, self.types);
            comparison.restrict(before.scope);
            record(&mut entries, comparison, &before, self.types);
        }
        entries.retain(|entry| self.types.has_version(&entry.api_version));
        reconcile_all(&mut entries, self.types);
        entries
    }
}

/// `merged` without what its manager had (`last`) and nobody has any more (`owned` is what anybody has or wants).
fn prune(merged: &Value, last: &FieldSet, owned: &FieldSet, types: &dyn FieldTypes) -> Value {
    let whole = |set: &FieldSet| set.with_declared(types);
    let there = fields(merged, types);
    let pruned = remove(merged, &whole(last), types);
    // Back comes what somebody has,
    let kept = whole(&fields(&pruned, types)).union(&whole(owned));
    let pruned = remove(merged, &whole(&there).difference(&kept), types);
    // and what never was its manager's.
    let gone = whole(&there).difference(&whole(&fields(&pruned, types)));
    remove(merged, &gone.intersection(&whole(last)), types)
}

fn last_applied(object: &Value) -> &str {
    object["metadata"]["annotations"][LAST_APPLIED].as_str().unwrap_or_default()
}

/// Keeps what a client-side apply would go by up to date, so that it can be gone back to.
fn remember(object: &mut Value, config: &Value) {
    let mut config = config.clone();
    if let Some(annotations) = config.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
        annotations.remove(LAST_APPLIED);
    }
    let mut applied = String::from_utf8_lossy(&crate::json::encode(&config)).into_owned();
    applied.push('\n');
    let others = ObjectMeta::of(object).annotations();
    let size = |(name, value): (&String, &String)| if name == LAST_APPLIED { 0 } else { name.len() + value.len() };
    let size = others.iter().map(size).sum::<usize>() + LAST_APPLIED.len() + applied.len();
    let annotations = &mut object["metadata"]["annotations"];
    if size > ANNOTATIONS_LIMIT {
        annotations.as_object_mut().map(|annotations| annotations.remove(LAST_APPLIED));
    } else {
        annotations[LAST_APPLIED] = Value::String(applied);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        managed_fields::{ListType, MapType, Scope},
        time::Timestamp,
    };

    /// `spec.tags` is a set, `spec.parts` a map by name, `spec.whole` atomic; `spec` and those are declared.
    struct Widget;

    impl FieldTypes for Widget {
        fn list(&self, path: &[&str]) -> ListType {
            match path {
                ["spec", "tags"] => ListType::Set,
                ["spec", "parts"] => ListType::Map(vec!["name".to_owned()]),
                _ => ListType::Atomic,
            }
        }

        fn map(&self, path: &[&str]) -> MapType {
            if path == ["spec", "whole"] { MapType::Atomic } else { MapType::Granular }
        }

        fn has_version(&self, version: &str) -> bool {
            version == "g/v1"
        }

        fn is_declared(&self, path: &[&str]) -> bool {
            matches!(
                path,
                ["spec" | "status"]
                    | ["spec", "size" | "color" | "tags" | "parts" | "whole" | "labels"]
                    | ["spec", "parts", "*", "name" | "count"]
                    | ["status", "phase"]
            )
        }
    }

    fn manager(name: &str, second: i64) -> Manager<'_> {
        let scope = Scope::Except(&["status"]);
        Manager { name, api_version: "g/v1", subresource: "", time: Timestamp::from_unix(second), scope }
    }

    fn widget(spec: Value) -> Value {
        json!({ "apiVersion": "g/v1", "kind": "Widget", "metadata": { "name": "a" }, "spec": spec })
    }

    fn applied(live: Option<&Value>, spec: Value, who: &str, second: i64) -> Result<Value, Conflicts> {
        apply(live, &widget(spec), &manager(who, second), false, &Widget)
    }

    fn forced(live: &Value, spec: Value, who: &str, second: i64) -> Value {
        apply(Some(live), &widget(spec), &manager(who, second), true, &Widget).expect("it is forced")
    }

    /// Manager, operation and fields of each entry.
    fn owners(object: &Value) -> Vec<(String, String, Value)> {
        let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        entries.map(|entry| (text(&entry["manager"]), text(&entry["operation"]), entry["fieldsV1"].clone())).collect()
    }

    fn owner(name: &str, fields: Value) -> (String, String, Value) {
        (name.to_owned(), "Apply".to_owned(), fields)
    }

    #[test]
    fn who_creates_by_applying_has_what_was_applied() {
        let object = applied(None, json!({ "size": 1, "tags": ["a"] }), "m1", 10).expect("no conflict");
        assert_eq!(object["spec"], json!({ "size": 1, "tags": ["a"] }));
        let fields = json!({ "f:spec": { "f:size": {}, "f:tags": { "v:\"a\"": {} } } });
        assert_eq!(owners(&object), [owner("m1", fields)]);
        assert_eq!(object["metadata"]["managedFields"][0]["time"], "1970-01-01T00:00:10Z");
        assert_eq!(applied(Some(&object), json!({ "size": 1, "tags": ["a"] }), "m1", 99), Ok(object), "twice is once");
    }

    #[test]
    fn a_field_that_somebody_has_otherwise_is_a_conflict_and_force_takes_it() {
        let object = applied(None, json!({ "size": 1, "tags": ["a"] }), "m1", 10).expect("no conflict");
        let conflict = applied(Some(&object), json!({ "size": 2 }), "m2", 20).expect_err("a conflict");
        assert_eq!(conflict.to_string(), "Apply failed with 1 conflict: conflict with \"m1\": .spec.size");
        let object = forced(&object, json!({ "size": 2, "tags": ["b"] }), "m2", 20);
        assert_eq!(object["spec"], json!({ "size": 2, "tags": ["a", "b"] }));
        let first = owner("m1", json!({ "f:spec": { "f:tags": { "v:\"a\"": {} } } }));
        let second = owner("m2", json!({ "f:spec": { "f:size": {}, "f:tags": { "v:\"b\"": {} } } }));
        assert_eq!(owners(&object), [first.clone(), second.clone()]);
        // The same value is shared, and changes nothing, so that it has no time.
        let object = applied(Some(&object), json!({ "size": 2 }), "m3", 30).expect("no conflict");
        let third = owner("m3", json!({ "f:spec": { "f:size": {} } }));
        assert_eq!(owners(&object), [third, first, second]);
        assert_eq!(object["metadata"]["managedFields"][0].get("time"), None);
        let conflicts = applied(Some(&object), json!({ "size": 9 }), "m4", 40).expect_err("conflicts");
        let text =
            "Apply failed with 2 conflicts: conflicts with \"m2\":\n- .spec.size\nconflicts with \"m3\":\n- .spec.size";
        assert_eq!(conflicts.to_string(), text);
    }

    #[test]
    fn what_nobody_has_any_more_goes() {
        let object = applied(None, json!({ "size": 2, "tags": ["a"] }), "m1", 10).expect("no conflict");
        let object =
            applied(Some(&object), json!({ "size": 2, "tags": ["b"], "color": "red" }), "m2", 20).expect("none");
        let object = applied(Some(&object), json!({}), "m2", 30).expect("no conflict");
        assert_eq!(object["spec"], json!({ "size": 2, "tags": ["a"] }), "what m1 has stays");
        assert_eq!(owners(&object)[1], owner("m2", json!({ "f:spec": {} })));
        let object = applied(Some(&object), json!({ "size": 2 }), "m1", 40).expect("no conflict");
        assert_eq!(object["spec"], json!({ "size": 2 }), "the list went with its last item");
    }

    #[test]
    fn items_of_a_map_are_merged_by_key_in_the_order_that_was_applied() {
        let part = |name: &str, count: u8| json!({ "name": name, "count": count });
        let object = applied(None, json!({ "parts": [part("a", 1), part("b", 1)] }), "m1", 10).expect("no conflict");
        let object = forced(&object, json!({ "parts": [part("c", 1), part("b", 2)] }), "m2", 20);
        assert_eq!(object["spec"]["parts"], json!([part("a", 1), part("c", 1), part("b", 2)]));
        let fields = json!({ "f:spec": { "f:parts": {
            "k:{\"name\":\"a\"}": { ".": {}, "f:count": {}, "f:name": {} },
            "k:{\"name\":\"b\"}": { ".": {}, "f:name": {} },
        } } });
        assert_eq!(owners(&object)[0], owner("m1", fields));
        let object = applied(Some(&object), json!({ "parts": [part("c", 1)] }), "m2", 30).expect("no conflict");
        assert_eq!(object["spec"]["parts"], json!([part("a", 1), part("c", 1), { "name": "b" }]));
    }

    #[test]
    fn what_is_atomic_is_had_and_replaced_as_a_whole() {
        let object = applied(None, json!({ "whole": { "x": 1, "y": 2 } }), "m1", 10).expect("no conflict");
        assert_eq!(owners(&object), [owner("m1", json!({ "f:spec": { "f:whole": {} } }))]);
        let conflict = applied(Some(&object), json!({ "whole": { "x": 1 } }), "m2", 20).expect_err("a conflict");
        assert!(conflict.to_string().ends_with(": .spec.whole"), "{conflict}");
        assert_eq!(forced(&object, json!({ "whole": { "z": 3 } }), "m2", 20)["spec"]["whole"], json!({ "z": 3 }));
    }

    #[test]
    fn keys_of_a_map_are_had_each_by_itself() {
        let object = applied(None, json!({ "labels": { "a": "1" } }), "m1", 10).expect("no conflict");
        let object = applied(Some(&object), json!({ "labels": { "b": "2" } }), "m2", 20).expect("no conflict");
        assert_eq!(object["spec"]["labels"], json!({ "a": "1", "b": "2" }));
        let object = applied(Some(&object), json!({}), "m1", 30).expect("no conflict");
        assert_eq!(object["spec"]["labels"], json!({ "b": "2" }));
    }

    #[test]
    fn what_was_there_before_the_first_apply_conflicts() {
        let live = widget(json!({ "size": 8 }));
        let conflict = applied(Some(&live), json!({ "size": 12 }), "m1", 10).expect_err("a conflict");
        let text = "Apply failed with 1 conflict: conflict with \"before-first-apply\" using g/v1: .spec.size";
        assert_eq!(conflict.to_string(), text);
        let object = applied(Some(&live), json!({ "size": 8 }), "m1", 10).expect("no conflict");
        assert_eq!(owners(&object).len(), 2);
    }

    #[test]
    fn a_client_side_apply_is_gone_on_with() {
        let config = widget(json!({ "size": 8, "color": "red" }));
        let mut live = config.clone();
        live["metadata"]["annotations"] = json!({ LAST_APPLIED: config.to_string() });
        let spec = json!({ "size": 9 });
        let conflict = applied(Some(&live), spec.clone(), "m1", 10).expect_err("a conflict");
        assert!(conflict.to_string().contains("before-first-apply"), "{conflict}");
        let object = applied(Some(&live), spec.clone(), KUBECTL, 10).expect("what kubectl applied is its own");
        assert_eq!(object["spec"], json!({ "size": 9, "color": "red" }));
        assert_eq!(last_applied(&object), format!("{}\n", widget(spec.clone())));
        // What somebody changed since is not.
        live["spec"]["size"] = json!(7);
        assert!(applied(Some(&live), spec, KUBECTL, 10).is_err());
    }

    #[test]
    fn the_status_is_not_had_by_the_main_resource() {
        let mut config = widget(json!({ "size": 1 }));
        config["status"] = json!({ "phase": "x" });
        let object = apply(None, &config, &manager("m1", 10), false, &Widget).expect("no conflict");
        assert_eq!(owners(&object), [owner("m1", json!({ "f:spec": { "f:size": {} } }))]);
    }

    mod properties {
        use proptest::{option, prelude::*};
        use serde_json::Map;

        use super::*;

        fn spec() -> impl Strategy<Value = Value> {
            let part = ("[a-c]", option::of(0_u8..3)).prop_map(|(name, count)| {
                let mut part = json!({ "name": name });
                if let Some(count) = count {
                    part["count"] = count.into();
                }
                part
            });
            let unique = |items: Vec<Value>, key: fn(&Value) -> String| {
                let mut seen = std::collections::BTreeSet::new();
                items.into_iter().filter(|item| seen.insert(key(item))).collect::<Vec<_>>()
            };
            let parts = proptest::collection::vec(part, 1..4);
            let tags = proptest::collection::vec("[a-d]".prop_map(Value::from), 1..4);
            let labels = proptest::collection::btree_map("[a-c]", "[xy]", 0..3);
            (option::of(0_u8..3), option::of(parts), option::of(tags), option::of(labels)).prop_map(
                move |(size, parts, tags, labels)| {
                    let mut spec = Map::new();
                    let mut add =
                        |name: &str, value: Option<Value>| value.map(|value| spec.insert(name.to_owned(), value));
                    add("size", size.map(Value::from));
                    add("parts", parts.map(|parts| unique(parts, |part| part["name"].to_string()).into()));
                    add("tags", tags.map(|tags| unique(tags, Value::to_string).into()));
                    add("labels", labels.map(|labels| json!(labels)));
                    Value::Object(spec)
                },
            )
        }

        /// Whether everything in `config` is in `object`.
        fn has(object: &Value, config: &Value) -> bool {
            match (object, config) {
                (Value::Object(object), Value::Object(config)) => {
                    config.iter().all(|(name, value)| object.get(name).is_some_and(|there| has(there, value)))
                }
                (Value::Array(object), Value::Array(config)) => {
                    config.iter().all(|item| object.iter().any(|there| has(there, item)))
                }
                (object, config) => object == config,
            }
        }

        proptest! {
            #[test]
            fn applying_twice_is_applying_once(first in spec(), second in spec()) {
                let object = applied(None, first, "m1", 10).expect("no conflict");
                let once = forced(&object, second.clone(), "m2", 20);
                prop_assert_eq!(forced(&once, second, "m2", 30), once);
            }

            #[test]
            fn a_forced_apply_has_its_way(first in spec(), second in spec()) {
                let object = applied(None, first, "m1", 10).expect("no conflict");
                let object = forced(&object, second.clone(), "m2", 20);
                prop_assert!(has(&object["spec"], &second), "{} lacks of {}", object["spec"], second);
                prop_assert!(applied(Some(&object), second, "m2", 30).is_ok());
            }

            #[test]
            fn what_its_only_manager_no_longer_wants_is_gone(first in spec(), second in spec()) {
                let object = applied(None, first, "m1", 10).expect("no conflict");
                let object = applied(Some(&object), second.clone(), "m1", 20).expect("one manager has no conflicts");
                let afresh = applied(None, second, "m1", 20).expect("no conflict");
                prop_assert_eq!(fields(&object, &Widget), fields(&afresh, &Widget));
                prop_assert_eq!(owners(&object), owners(&afresh));
            }

            #[test]
            fn every_field_of_two_managers_is_had_by_one_of_them(first in spec(), second in spec()) {
                let object = applied(None, first, "m1", 10).expect("no conflict");
                let mut object = forced(&object, second, "m2", 20);
                let managed = forget(&mut object);
                let there = fields(&object, &WithMeta(&Widget)).difference(&server_fields());
                let had = base_entries(&managed).all().with_declared(&WithMeta(&Widget));
                prop_assert!(there.difference(&had).is_empty(), "{} of {}", there.difference(&had).to_value(), object);
            }
        }
    }
}
