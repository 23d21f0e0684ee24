//! Comparing two transcripts in normal form: every place where they differ, by JSON pointer.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::normal::Normal;

/// One place where a target differs from the oracle.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The step's label.
    pub step: String,
    /// Where in the answer: `/status`, `/headers/warning`, `/body/…`.
    pub at: String,
    /// What the oracle has there.
    pub oracle: Option<Value>,
    /// What the target has there.
    pub ours: Option<Value>,
}

/// Every difference between two runs of a case.
#[must_use]
pub fn transcripts(oracle: &[Normal], ours: &[Normal]) -> Vec<Difference> {
    let mut found = Vec::new();
    for (expected, actual) in oracle.iter().zip(ours) {
        if expected.label == actual.label {
            values(&expected.label, "", Some(&expected.answer), Some(&actual.answer), &mut found);
        } else {
            found.push(course(&expected.label, Some(&expected.label), Some(&actual.label)));
        }
    }
    if oracle.len() != ours.len() {
        let next = |steps: &[Normal], at: usize| steps.get(at).map(|step| step.label.clone());
        let at = oracle.len().min(ours.len());
        let (expected, actual) = (next(oracle, at), next(ours, at));
        let step = expected.clone().or(actual.clone()).unwrap_or_default();
        found.push(course(&step, expected.as_ref(), actual.as_ref()));
    }
    found
}

/// The case itself took another course, because an earlier answer differed.
fn course(step: &str, oracle: Option<&String>, ours: Option<&String>) -> Difference {
    let value = |label: Option<&String>| label.map(|label| Value::from(label.as_str()));
    Difference { step: step.to_owned(), at: "/course".to_owned(), oracle: value(oracle), ours: value(ours) }
}

fn values(step: &str, at: &str, oracle: Option<&Value>, ours: Option<&Value>, found: &mut Vec<Difference>) {
    match (oracle, ours) {
        (Some(Value::Object(expected)), Some(Value::Object(actual))) => {
            let keys: BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
            for key in keys {
                let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                values(step, &at, expected.get(key), actual.get(key), found);
            }
        }
        (Some(Value::Array(expected)), Some(Value::Array(actual))) => {
            for index in 0..expected.len().max(actual.len()) {
                values(step, &format!("{at}/{index}"), expected.get(index), actual.get(index), found);
            }
        }
        (expected, actual) if expected != actual => found.push(Difference {
            step: step.to_owned(),
            at: at.to_owned(),
            oracle: expected.cloned(),
            ours: actual.cloned(),
        }),
        _ => {}
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |value: &Option<Value>| value.as_ref().map_or("(nothing)".to_owned(), Value::to_string);
        writeln!(f, "  {}  at {}", self.step, self.at)?;
        writeln!(f, "    oracle: {}", show(&self.oracle))?;
        write!(f, "    ours:   {}", show(&self.ours))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn step(label: &str, answer: Value) -> Normal {
        Normal { label: label.to_owned(), answer }
    }

    #[test]
    fn equal_transcripts_have_no_differences() {
        let steps = [step("GET {r}", json!({"status": 200, "body": {"a": [1, 2]}}))];
        assert_eq!(transcripts(&steps, &steps), []);
    }

    #[test]
    fn differences_are_named_by_pointer() {
        let oracle = [step("GET {r}", json!({"status": 200, "body": {"a/b": [1, 2], "c": 1}}))];
        let ours = [step("GET {r}", json!({"status": 404, "body": {"a/b": [1], "d": 1}}))];
        let places: Vec<String> = transcripts(&oracle, &ours).into_iter().map(|found| found.at).collect();
        assert_eq!(places, ["/body/a~1b/1", "/body/c", "/body/d", "/status"]);
    }

    #[test]
    fn another_course_is_a_difference() {
        let oracle = [step("GET {r}", json!({})), step("GET {r}/a", json!({}))];
        let found = transcripts(&oracle, &oracle[..1]);
        assert_eq!((found.len(), found[0].at.as_str(), found[0].step.as_str()), (1, "/course", "GET {r}/a"));
    }
}
