//! What is accepted, but not without a word.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{metadata_mut, view::ObjectMeta};
use crate::{go, name};

/// Finalizers that need no domain.
const STANDARD: [&str; 3] = ["foregroundDeletion", "kubernetes", "orphan"];

/// The warnings about finalizers that `new` has and `old` has not.
pub fn finalizer_warnings(new: &Value, old: Option<&Value>) -> Vec<String> {
    let before: BTreeSet<String> = old.map(|old| ObjectMeta::of(old).finalizers()).into_iter().flatten().collect();
    let added: BTreeSet<String> = ObjectMeta::of(new).finalizers().into_iter().collect();
    added.difference(&before).flat_map(|finalizer| warnings(finalizer)).collect()
}

/// How an object reached the server. The kube-apiserver looks at what is sent whole at once, and at what a patch makes
/// only later; its warning says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// As it is.
    Whole,
    /// As a patch of the object that was there.
    Patched,
}

/// Drops owner references that come twice, and warns of them.
pub fn dedup_owner_references(object: &mut Value, received: Received) -> Option<String> {
    let references = metadata_mut(object)?.get_mut("ownerReferences")?.as_array_mut()?;
    let (mut kept, mut duplicates): (Vec<Value>, Vec<String>) = (Vec::new(), Vec::new());
    for reference in references.drain(..) {
        if kept.contains(&reference) {
            duplicates.push(reference["uid"].as_str().unwrap_or_default().to_owned());
        } else {
            kept.push(reference);
        }
    }
    *references = kept;
    (!duplicates.is_empty()).then(|| {
        let when = match received {
            Received::Whole => "",
            Received::Patched => " after mutating admission happens",
        };
        format!(
            ".metadata.ownerReferences contains duplicate entries{when}; API server dedups owner references in 1.20+, and may \
             reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}",
            duplicates.join(", ")
        )
    })
}

fn warnings(finalizer: &str) -> Vec<String> {
    let place = format!("metadata.finalizers: {}:", go::quote(finalizer));
    let mut warnings: Vec<_> = name::qualified(finalizer).iter().map(|problem| format!("{place} {problem}")).collect();
    if !finalizer.contains('/') && !STANDARD.contains(&finalizer) {
        let path = if finalizer.contains('.') { " including a path (/)" } else { "" };
        warnings.push(format!(
            "{place} prefer a domain-qualified finalizer name{path} to avoid accidental conflicts with other finalizer \
             writers"
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn new_finalizers_without_a_domain_are_warned_of() {
        let object = |finalizers: &[&str]| json!({"metadata": {"finalizers": finalizers}});
        assert!(finalizer_warnings(&object(&["orphan", "kubernetes", "a.example.com/b"]), None).is_empty());
        assert_eq!(
            finalizer_warnings(&object(&["b", "a.example.com", "old"]), Some(&object(&["old"]))),
            [
                "metadata.finalizers: \"a.example.com\": prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers",
                "metadata.finalizers: \"b\": prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers",
            ]
        );
    }

    #[test]
    fn owners_that_come_twice_are_dropped_with_a_warning() {
        let (a, b) = (json!({"uid": "1", "name": "a"}), json!({"uid": "1", "name": "b"}));
        let mut object = json!({"metadata": {"ownerReferences": [a, b, a]}});
        let warning = dedup_owner_references(&mut object, Received::Whole);
        assert!(warning.is_some_and(|text| text.ends_with("duplicate UID(s) observed: 1")));
        assert_eq!(object["metadata"]["ownerReferences"], json!([a, b]));
        assert_eq!(dedup_owner_references(&mut object, Received::Whole), None);
        assert_eq!(dedup_owner_references(&mut json!({}), Received::Patched), None);
    }
}
