//! What the server puts into metadata, whatever the client says.

use serde_json::Value;

use super::{remove, set, view::ObjectMeta};
use crate::time::Timestamp;

/// Fields that only the server writes.
const SERVERS: [&str; 6] =
    ["creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "resourceVersion", "selfLink", "uid"];

/// Makes an object what a client may say of one that is to be created.
pub fn prepare_sent(object: &mut Value, namespace: &str) {
    for field in SERVERS.iter().filter(|field| **field != "resourceVersion") {
        remove(object, field);
    }
    if !namespace.is_empty() {
        set(object, "namespace", namespace);
    }
}

/// Makes an object new: what a client claims to know of its past is gone. An empty namespace is none.
pub fn prepare_create(object: &mut Value, now: Timestamp, uid: &str, namespace: &str) {
    for field in SERVERS {
        remove(object, field);
    }
    set(object, "creationTimestamp", now.to_string());
    set(object, "generation", 1);
    set(object, "uid", uid);
    match namespace {
        "" => remove(object, "namespace"),
        namespace => set(object, "namespace", namespace),
    }
}

/// Makes `new` the next state of `old`: what only the server writes stays as it was, and the generation grows when
/// anything changed but the metadata, and but the status where that is a subresource (`status`).
///
/// What a client must not change, but may leave out, is put back; what it did change is left for validation to refuse.
/// The resourceVersion stays the client's: it is the precondition.
pub fn prepare_update(new: &mut Value, old: &Value, status: bool) {
    let changed = differs(new, old, status);
    let was = ObjectMeta::of(old);
    match was.generation() + i64::from(changed) {
        0 => remove(new, "generation"),
        generation => set(new, "generation", generation),
    }
    for field in ["creationTimestamp", "deletionTimestamp"] {
        if let Some(value) = was.get(field) {
            set(new, field, value.clone());
        }
    }
    for field in ["deletionGracePeriodSeconds", "namespace", "uid"] {
        let missing = ObjectMeta::of(new).get(field).is_none_or(|value| *value == "");
        if let Some(value) = was.get(field).filter(|_| missing) {
            set(new, field, value.clone());
        }
    }
    remove(new, "selfLink");
}

/// Marks an object for removal, to wait for these finalizers. The first time counts: later ones change no time and no
/// generation.
pub fn mark_deleted(object: &mut Value, now: Timestamp, finalizers: &[String]) {
    let meta = ObjectMeta::of(object);
    let (generation, marked) = (meta.generation(), meta.get("deletionGracePeriodSeconds").is_some());
    let later = meta.deletion_timestamp().is_none_or(|time| time > now);
    if !marked && generation > 0 {
        set(object, "generation", generation + 1);
    }
    if later {
        set(object, "deletionTimestamp", now.to_string());
    }
    set(object, "deletionGracePeriodSeconds", 0);
    match finalizers {
        [] => remove(object, "finalizers"),
        finalizers => set(object, "finalizers", finalizers.to_vec()),
    }
}

/// Whether anything differs that a controller has to act on.
fn differs(new: &Value, old: &Value, status: bool) -> bool {
    let spec = |object: &Value| {
        let fields = object.as_object().into_iter().flatten();
        let counts = |field: &str| field != "metadata" && !(status && field == "status");
        fields
            .filter(|(field, _)| counts(field))
            .map(|(field, value)| (field.clone(), value.clone()))
            .collect::<Vec<_>>()
    };
    spec(new) != spec(old)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    #[test]
    fn a_new_object_has_no_past() {
        let mut object = json!({"kind": "K", "metadata": {"name": "a", "uid": "mine", "creationTimestamp": "1999-01-01T00:00:00Z",
            "deletionTimestamp": "1999-01-01T00:00:00Z", "deletionGracePeriodSeconds": 5, "selfLink": "/x",
            "resourceVersion": "5", "generation": 9, "labels": {"a": "b"}}});
        prepare_create(&mut object, at(0), "u", "n");
        assert_eq!(
            object,
            json!({"kind": "K", "metadata": {"name": "a", "namespace": "n", "uid": "u", "generation": 1,
                   "creationTimestamp": "1970-01-01T00:00:00Z", "labels": {"a": "b"}}})
        );
        prepare_create(&mut object, at(0), "u", "");
        assert!(object["metadata"].get("namespace").is_none());
    }

    #[test]
    fn what_the_server_owns_survives_an_update() {
        let old = json!({"metadata": {"name": "a", "namespace": "n", "uid": "u", "generation": 2, "resourceVersion": "7",
            "creationTimestamp": "2020-01-01T00:00:00Z", "deletionTimestamp": "2021-01-01T00:00:00Z",
            "deletionGracePeriodSeconds": 0}, "spec": {"a": 1}});
        let mut new = json!({"metadata": {"name": "a", "generation": 99, "resourceVersion": "7", "selfLink": "/x",
            "creationTimestamp": "1999-01-01T00:00:00Z"}, "spec": {"a": 1}});
        prepare_update(&mut new, &old, true);
        assert_eq!(new, old);
        new["metadata"]["uid"] = json!("other");
        prepare_update(&mut new, &old, true);
        assert_eq!(new["metadata"]["uid"], "other", "validation refuses it");
    }

    #[test]
    fn the_generation_counts_what_controllers_act_on() {
        let old =
            json!({"kind": "K", "metadata": {"generation": 2, "labels": {"a": "b"}}, "spec": {"a": 1}, "status": {}});
        let cases = [
            (json!({"kind": "K", "metadata": {"labels": {}}, "spec": {"a": 1}, "status": {}}), 2, 2),
            (json!({"kind": "K", "metadata": {}, "spec": {"a": 2}, "status": {}}), 3, 3),
            (json!({"kind": "K", "metadata": {}, "spec": {"a": 1}, "status": {"x": 1}}), 2, 3),
            (json!({"kind": "K", "metadata": {}, "spec": {"a": 1}, "status": {}, "data": 1}), 3, 3),
            (json!({"kind": "K", "metadata": {}, "status": {}}), 3, 3),
        ];
        for (new, with_subresource, without) in cases {
            for (status, expected) in [(true, with_subresource), (false, without)] {
                let mut new = new.clone();
                prepare_update(&mut new, &old, status);
                assert_eq!(new["metadata"]["generation"], expected, "{new}");
            }
        }
    }

    #[test]
    fn deletion_is_marked_once() {
        let mut object = json!({"metadata": {"name": "a", "generation": 1, "finalizers": ["x"]}});
        mark_deleted(&mut object, at(10), &["x".to_owned(), "orphan".to_owned()]);
        let marked = json!({"metadata": {"name": "a", "generation": 2, "finalizers": ["x", "orphan"],
            "deletionTimestamp": "1970-01-01T00:00:10Z", "deletionGracePeriodSeconds": 0}});
        assert_eq!(object, marked);
        mark_deleted(&mut object, at(20), &["x".to_owned(), "orphan".to_owned()]);
        assert_eq!(object, marked);
        mark_deleted(&mut object, at(20), &[]);
        assert!(object["metadata"].get("finalizers").is_none());
    }
}
