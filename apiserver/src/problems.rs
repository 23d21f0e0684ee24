//! What `fieldValidation` makes of strict decoding's complaints.

use machinery::{GroupKind, field, json, options::FieldValidation, status::Status, yaml};
use serde_json::Value;

use crate::{decode::Unfit, error::Result};

/// For the outcome of a patch.
pub(crate) fn judge_patch(patched: &Value, validation: FieldValidation, problems: Vec<String>) -> Result<Vec<String>> {
    judge(validation, problems, |text| bad_patch(json::encode(patched), text))
}

/// The outcome of a patch that is no object of the kind.
pub(crate) fn unfit_patch(patched: &Value, unfit: &Unfit) -> Status {
    let patched = json::encode(patched);
    let problem = unfit.problem(&patched);
    bad_patch(patched, &problem)
}

fn bad_patch(patched: Vec<u8>, problem: &str) -> Status {
    let patched = String::from_utf8_lossy(&patched).into_owned();
    Status::invalid(&GroupKind::new("", ""), "", vec![field::Error::invalid("patch", Value::from(patched), problem)])
}

/// For YAML in which only keys that come twice can be wrong.
pub(crate) fn judge_yaml(
    validation: FieldValidation,
    problem: Option<String>,
    refuse: impl FnOnce(&str) -> Status,
) -> Result<Vec<String>> {
    match (validation, problem) {
        (FieldValidation::Strict, Some(problem)) => Err(refuse(&problem).into()),
        (validation, problem) => judge(validation, problem.into_iter().collect(), refuse),
    }
}

/// An error when strict, which `refuse` makes of the text, and otherwise the warnings to send.
pub(crate) fn judge(
    validation: FieldValidation,
    problems: Vec<String>,
    refuse: impl FnOnce(&str) -> Status,
) -> Result<Vec<String>> {
    match validation {
        FieldValidation::Ignore => Ok(Vec::new()),
        FieldValidation::Strict if !problems.is_empty() => {
            Err(refuse(&format!("strict decoding error: {}", problems.join(", "))).into())
        }
        FieldValidation::Warn | FieldValidation::Strict => {
            Ok(problems.iter().flat_map(|text| warnings(text)).collect())
        }
    }
}

/// A complaint as warnings: Go's YAML decoder puts all of its own in one, a line each.
fn warnings(problem: &str) -> Vec<String> {
    match problem.strip_prefix(yaml::PROBLEMS) {
        Some(lines) => lines.lines().map(|line| line.trim().to_owned()).collect(),
        None => vec![problem.to_owned()],
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn judged(validation: FieldValidation) -> Result<Vec<String>, String> {
        let yaml =
            format!("{}  line 3: key \"a\" already set in map\n  line 4: key 1 already set in map", yaml::PROBLEMS);
        judge(validation, vec![yaml, "unknown field \"b\"".to_owned()], Status::bad_request)
            .map_err(|failure| failure.0.message)
    }

    #[test]
    fn each_complaint_is_a_warning_also_those_that_yaml_makes_in_one() {
        let warnings =
            ["line 3: key \"a\" already set in map", "line 4: key 1 already set in map", "unknown field \"b\""];
        assert_eq!(judged(FieldValidation::Warn).unwrap(), warnings);
        assert!(judged(FieldValidation::Ignore).unwrap().is_empty());
    }

    #[test]
    fn strictly_all_complaints_are_one_refusal() {
        let refusal = judged(FieldValidation::Strict).unwrap_err();
        assert!(
            refusal.starts_with("strict decoding error: yaml: unmarshal errors:\n  line 3: key \"a\""),
            "{refusal}"
        );
        assert!(refusal.ends_with("already set in map, unknown field \"b\""), "{refusal}");
        assert!(judge(FieldValidation::Strict, Vec::new(), Status::bad_request).unwrap().is_empty());
    }
}
