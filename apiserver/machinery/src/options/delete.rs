//! Options of `delete` and `deletecollection`, which come in the query, in the body, or in both.
//!
//! Go reads the query only when there is no body, so that `?dryRun=All` beside a body really deletes. Here both count: a
//! dry run asked for in either place is one, and two answers to one question are refused.

use serde::Deserialize;
use serde_json::Value;

use super::{query, valid, write::check_dry_run};
use crate::{
    field::{self, ErrorList},
    go::{
        self,
        structs::{STRING, Struct, Type},
    },
    status::Status,
};

/// Where Go decodes a body into. The grace period is of use only to pods and the like, but it must be a number.
const DELETE_OPTIONS: Struct = Struct {
    name: "DeleteOptions",
    fields: &[
        ("apiVersion", STRING),
        ("dryRun", Type::TextList),
        ("gracePeriodSeconds", Type::OptionalInt),
        ("ignoreStoreReadErrorWithClusterBreakingPotential", Type::OptionalBool),
        ("kind", STRING),
        ("orphanDependents", Type::OptionalBool),
        ("preconditions", Type::One(&PRECONDITIONS)),
        ("propagationPolicy", Type::OptionalText("v1.DeletionPropagation")),
    ],
    keeps_empty: false,
};
const PRECONDITIONS: Struct = Struct {
    name: "Preconditions",
    fields: &[("resourceVersion", Type::OptionalText("string")), ("uid", Type::OptionalText("types.UID"))],
    keeps_empty: false,
};

/// How to delete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeleteOptions {
    /// Do everything but delete.
    pub dry_run: bool,
    /// What becomes of dependents; `None` is what the object's finalizers say, else background.
    pub propagation: Option<Propagation>,
    /// The uid that the object must have.
    pub uid: Option<String>,
    /// The revision that the object must be at.
    pub resource_version: Option<String>,
}

/// What becomes of the objects that an object owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// They go first.
    Foreground,
    /// They go afterwards.
    Background,
    /// They stay.
    Orphan,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wire {
    dry_run: Option<Vec<String>>,
    propagation_policy: Option<String>,
    orphan_dependents: Option<bool>,
    preconditions: Option<Preconditions>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Preconditions {
    uid: Option<String>,
    resource_version: Option<String>,
}

// === impl DeleteOptions ===

impl DeleteOptions {
    /// Reads query and body; `body` is what the request's body decoded to, `None` when it had none. It may say that it
    /// is of any version, or nothing.
    pub fn parse(query: &[(String, String)], body: Option<&Value>) -> Result<Self, Status> {
        query::integer(query, "gracePeriodSeconds")?;
        let asked = Wire {
            dry_run: Some(query::all(query, "dryRun")),
            propagation_policy: query::text(query, "propagationPolicy").map(str::to_owned),
            orphan_dependents: query::flag(query, "orphanDependents"),
            preconditions: None,
        };
        let sent = match body {
            Some(body) => read(body)?,
            None => Wire::default(),
        };
        let dry_run: Vec<String> = [asked.dry_run, sent.dry_run].into_iter().flatten().flatten().collect();
        let policy = one_of("propagationPolicy", asked.propagation_policy, sent.propagation_policy)?;
        let orphan = one_of("orphanDependents", asked.orphan_dependents, sent.orphan_dependents)?;
        let mut errors = ErrorList::new();
        let propagation = propagation(policy.as_deref(), orphan, &mut errors);
        errors.extend(check_dry_run(&dry_run));
        valid("DeleteOptions", errors)?;
        let Preconditions { uid, resource_version } = sent.preconditions.unwrap_or_default();
        Ok(Self { dry_run: !dry_run.is_empty(), propagation, uid, resource_version })
    }
}

fn read(body: &Value) -> Result<Wire, Status> {
    let text = |field: &str| body.get(field).and_then(Value::as_str).unwrap_or_default();
    if !matches!(text("kind"), "" | "DeleteOptions") {
        let (kind, version) = (go::quote(text("kind")), go::quote(text("apiVersion")));
        return Err(Status::bad_request(&format!("no kind {kind} is registered for version {version}")));
    }
    let (options, _) =
        DELETE_OPTIONS.decode(body, "v1.DeleteOptions", "").map_err(|problem| Status::bad_request(&problem))?;
    Ok(serde_json::from_value(Value::Object(options)).expect("the types have been checked by the table"))
}

fn one_of<T: PartialEq>(name: &str, query: Option<T>, body: Option<T>) -> Result<Option<T>, Status> {
    match (query, body) {
        (Some(query), Some(body)) if query != body => Err(Status::bad_request(&format!(
            "{name} is one thing in the query and another in the body: give it in one place"
        ))),
        (query, body) => Ok(query.or(body)),
    }
}

fn propagation(policy: Option<&str>, orphan: Option<bool>, errors: &mut ErrorList) -> Option<Propagation> {
    if let (Some(policy), Some(_)) = (policy, orphan) {
        let detail = "orphanDependents and deletionPropagation cannot be both set";
        errors.push(field::Error::invalid("propagationPolicy", policy, detail));
    }
    match (policy, orphan) {
        (Some("Foreground"), _) => Some(Propagation::Foreground),
        (Some("Background"), _) => Some(Propagation::Background),
        (Some("Orphan"), _) | (None, Some(true)) => Some(Propagation::Orphan),
        (None, Some(false)) => Some(Propagation::Background),
        (None, None) => None,
        (Some(other), _) => {
            let known = ["Foreground", "Background", "Orphan", "nil"];
            errors.push(field::Error::not_supported("propagationPolicy", other, known));
            None
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(query: &[(&str, &str)], body: Value) -> Result<DeleteOptions, String> {
        let query: Vec<_> = query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let body = (!body.is_null()).then_some(&body);
        DeleteOptions::parse(&query, body).map_err(|status| status.message)
    }

    #[test]
    fn query_and_body_count_both() {
        assert_eq!(parse(&[], Value::Null), Ok(DeleteOptions::default()));
        assert!(parse(&[("dryRun", "All")], json!({ "kind": "DeleteOptions", "apiVersion": "v1" })).unwrap().dry_run);
        for version in ["gold.example.com/v1", "meta.k8s.io/v1", "v9"] {
            assert!(parse(&[], json!({ "apiVersion": version, "dryRun": ["All"] })).unwrap().dry_run);
        }
        let options =
            parse(&[], json!({ "preconditions": { "uid": "u", "resourceVersion": "5" }, "nope": 1 })).unwrap();
        assert_eq!((options.uid.as_deref(), options.resource_version.as_deref()), (Some("u"), Some("5")));
        let both = parse(&[("propagationPolicy", "Orphan")], json!({ "propagationPolicy": "Foreground" }));
        assert!(both.unwrap_err().starts_with("propagationPolicy is one thing in the query"));
    }

    #[test]
    fn propagation_is_one_of_three() {
        let policy = |policy: &str| parse(&[("propagationPolicy", policy)], Value::Null);
        assert_eq!(policy("Foreground").unwrap().propagation, Some(Propagation::Foreground));
        assert_eq!(parse(&[("orphanDependents", "true")], Value::Null).unwrap().propagation, Some(Propagation::Orphan));
        let prefix = "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy:";
        assert_eq!(
            policy("Foo").unwrap_err(),
            format!(
                "{prefix} Unsupported value: \"Foo\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
            )
        );
        assert_eq!(
            parse(&[], json!({ "orphanDependents": true, "propagationPolicy": "Foreground" })).unwrap_err(),
            format!(
                "{prefix} Invalid value: \"Foreground\": orphanDependents and deletionPropagation cannot be both set"
            )
        );
    }

    #[test]
    fn a_body_of_another_kind_is_refused() {
        let refusal = parse(&[], json!({ "kind": "Foo", "apiVersion": "v9" })).unwrap_err();
        assert_eq!(refusal, "no kind \"Foo\" is registered for version \"v9\"");
        let cases = [
            (json!({ "dryRun": "All" }), "string into Go struct field DeleteOptions.dryRun of type []string"),
            (
                json!({ "gracePeriodSeconds": "5" }),
                "string into Go struct field DeleteOptions.gracePeriodSeconds of type int64",
            ),
            (
                json!({ "preconditions": 5 }),
                "number into Go struct field DeleteOptions.preconditions of type v1.Preconditions",
            ),
            (
                json!({ "preconditions": { "uid": 5 } }),
                "number into Go struct field Preconditions.preconditions.uid of type types.UID",
            ),
        ];
        for (body, problem) in cases {
            assert_eq!(parse(&[], body).unwrap_err(), format!("json: cannot unmarshal {problem}"));
        }
        let refusal = parse(&[("gracePeriodSeconds", "abc")], Value::Null).unwrap_err();
        assert_eq!(refusal, "strconv.ParseInt: parsing \"abc\": invalid syntax");
    }
}
