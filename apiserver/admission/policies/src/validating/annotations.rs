//! What validating policies leave in the audit log.

use std::collections::BTreeMap;

use admission::Notes;
use serde_json::{Value, json};

use crate::binding::Binding;

const FAILURE: &str = "validation.policy.admission.k8s.io/validation_failure";
/// The longest annotation, in bytes.
const LIMIT: usize = 10 << 10;

/// Annotations by policy and key. Bindings with several params can have several values for one.
#[derive(Debug, Default)]
pub(super) struct Annotations(BTreeMap<(String, String), Vec<String>>);

// === impl Annotations ===

impl Annotations {
    /// Adds a value, once.
    pub(super) fn add(&mut self, policy: &str, key: &str, mut value: String) {
        let end = (0..=value.len().min(LIMIT)).rev().find(|end| value.is_char_boundary(*end));
        value.truncate(end.unwrap_or_default());
        let values = self.0.entry((policy.to_owned(), key.to_owned())).or_default();
        if !values.contains(&value) {
            values.push(value);
        }
    }

    /// Puts them where the audit log finds them.
    pub(super) fn publish(self, notes: &mut Notes) {
        for ((policy, key), values) in self.0 {
            put(notes, format!("{policy}/{key}"), values.join(", "));
        }
    }
}

/// Notes that a validation does not hold. The first of a request is noted.
pub(super) fn failure(notes: &mut Notes, policy: &str, binding: &Binding, index: usize, message: &str) {
    // In Go's order of fields.
    let fields = [
        ("message", json!(message)),
        ("policy", json!(policy)),
        ("binding", json!(binding.name)),
        ("expressionIndex", json!(index)),
        ("validationActions", json!(binding.actions)),
    ];
    let written: Vec<_> = fields.iter().map(|(name, value)| format!("\"{name}\":{}", in_go(value))).collect();
    put(notes, FAILURE.to_owned(), format!("[{{{}}}]", written.join(",")));
}

fn put(notes: &mut Notes, key: String, value: String) {
    if !notes.audit.iter().any(|(known, _)| *known == key) {
        notes.audit.push((key, value));
    }
}

/// JSON as Go writes it: what could end a script in a page is escaped.
fn in_go(value: &Value) -> String {
    let text = value.to_string();
    text.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}
