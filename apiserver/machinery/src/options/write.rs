//! Options of `create`, `update` and `patch`.

use serde_json::Value;

use super::{query, valid};
use crate::{
    field::{self, ErrorList},
    status::Status,
};

/// The longest name of a field manager, in bytes.
const FIELD_MANAGER_MAX: usize = 128;

/// How to write one object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Do everything but keep it.
    pub dry_run: bool,
    /// Whom the changed fields belong to.
    pub field_manager: Option<String>,
    /// What to make of fields that are unknown or come twice.
    pub field_validation: FieldValidation,
}

/// What to make of fields that are unknown or come twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FieldValidation {
    /// Nothing.
    Ignore,
    /// A warning for each.
    #[default]
    Warn,
    /// An error.
    Strict,
}

// === impl WriteOptions ===

impl WriteOptions {
    /// Reads the query of a creation.
    pub fn create(query: &[(String, String)]) -> Result<Self, Status> {
        Self::parse("CreateOptions", query, ErrorList::new())
    }

    /// Reads the query of an update.
    pub fn update(query: &[(String, String)]) -> Result<Self, Status> {
        Self::parse("UpdateOptions", query, ErrorList::new())
    }

    /// Reads the query of a patch that is not an apply patch.
    pub fn patch(query: &[(String, String)]) -> Result<Self, Status> {
        let mut errors = ErrorList::new();
        if query::first(query, "force").is_some() {
            errors.push(field::Error::forbidden("force", "may not be specified for non-apply patch"));
        }
        Self::parse("PatchOptions", query, errors)
    }

    /// Reads the query of an apply patch, and whether it takes fields that others have.
    pub fn apply(query: &[(String, String)]) -> Result<(Self, bool), Status> {
        let mut errors = ErrorList::new();
        if query::text(query, "fieldManager").is_none() {
            errors.push(field::Error::required("fieldManager", "is required for apply patch"));
        }
        let force = query::flag(query, "force").unwrap_or_default();
        Self::parse("PatchOptions", query, errors).map(|options| (options, force))
    }

    fn parse(kind: &str, query: &[(String, String)], mut errors: ErrorList) -> Result<Self, Status> {
        let field_manager = query::text(query, "fieldManager").map(str::to_owned);
        errors.extend(field_manager.as_deref().map(check_manager).unwrap_or_default());
        let dry_run = query::all(query, "dryRun");
        errors.extend(check_dry_run(&dry_run));
        let given = query::first(query, "fieldValidation").unwrap_or_default();
        let field_validation = match given {
            "" | "Warn" => FieldValidation::Warn,
            "Ignore" => FieldValidation::Ignore,
            "Strict" => FieldValidation::Strict,
            _ => {
                errors.push(field::Error::not_supported("fieldValidation", given, ["", "Ignore", "Strict", "Warn"]));
                FieldValidation::Warn
            }
        };
        valid(kind, errors)?;
        Ok(Self { dry_run: !dry_run.is_empty(), field_manager, field_validation })
    }
}

/// The only dry run is of all stages.
pub(super) fn check_dry_run(dry_run: &[String]) -> Option<field::Error> {
    let wrong = dry_run.iter().any(|value| value != "All");
    wrong.then(|| field::Error::not_supported("dryRun", Value::from(dry_run), ["All"]))
}

fn check_manager(name: &str) -> ErrorList {
    let mut errors = ErrorList::new();
    if name.len() > FIELD_MANAGER_MAX {
        errors.push(field::Error::too_long("fieldManager", FIELD_MANAGER_MAX));
    }
    for (at, unprintable) in name.char_indices().filter(|(_, letter)| letter.is_control()) {
        let detail = format!("invalid character U+{:04X} (at position {at})", u32::from(unprintable));
        errors.push(field::Error::invalid("fieldManager", name, &detail));
    }
    errors
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_not_allowed_is_named() {
        let long = "x".repeat(129);
        let cases = [
            (("dryRun", "true"), "dryRun: Unsupported value: [\"true\"]: supported values: \"All\""),
            (
                ("fieldValidation", "foo"),
                "fieldValidation: Unsupported value: \"foo\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"",
            ),
            (("fieldManager", long.as_str()), "fieldManager: Too long: may not be more than 128 bytes"),
        ];
        for (pair, refusal) in cases {
            let status = WriteOptions::create(&query(&[pair])).unwrap_err();
            assert_eq!(status.message, format!("CreateOptions.meta.k8s.io \"\" is invalid: {refusal}"));
            assert_eq!(status.code, 422);
        }
        let status = WriteOptions::apply(&[]).unwrap_err();
        let refusal = "fieldManager: Required value: is required for apply patch";
        assert_eq!(status.message, format!("PatchOptions.meta.k8s.io \"\" is invalid: {refusal}"));
        let (_, force) = WriteOptions::apply(&query(&[("fieldManager", "m"), ("force", "true")])).unwrap();
        assert!(force);
        let status = WriteOptions::patch(&query(&[("force", "true")])).unwrap_err();
        let refusal = "force: Forbidden: may not be specified for non-apply patch";
        assert_eq!(status.message, format!("PatchOptions.meta.k8s.io \"\" is invalid: {refusal}"));
    }

    #[test]
    fn without_a_word_fields_are_warned_about() {
        assert_eq!(WriteOptions::update(&[]).unwrap(), WriteOptions::default());
        let options = WriteOptions::update(&query(&[("dryRun", "All"), ("fieldManager", "m")])).unwrap();
        assert!(options.dry_run);
        assert_eq!(options.field_manager.as_deref(), Some("m"));
    }
}
