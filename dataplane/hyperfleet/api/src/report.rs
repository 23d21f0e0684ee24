//! An adapter's report, as a client sends it.
//!
//! By default it is read as the first version reads it, with two differences: `observed_time` may be missing, and the keys of a condition
//! that are not known are kept. `--strict-reports` and `--strict-times` add what the newest version demands.

use std::collections::BTreeSet;

use hyperfleet_records::{Report, ReportedCondition};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, value::RawValue};

use crate::{
    error::{Detail, Error, Result},
    json,
};

/// What a report must be, besides being one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Strictness {
    /// Available, Applied and Health are there, no type is empty or comes twice, and the generation is at least 1.
    pub(crate) conditions: bool,
    /// The time is not far from now.
    pub(crate) times: bool,
}

/// Conditions that strict reports have.
const MANDATORY: [&str; 3] = ["Available", "Applied", "Health"];
/// How far a strict time may be ahead of ours,
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// and behind.
const BEHIND: SignedDuration = SignedDuration::from_mins(30);

/// Conditions of one report.
const CONDITIONS: usize = 1000;

/// Reads a report out of a body that was checked.
pub(crate) fn read(object: json::Object<'_>, strictness: Strictness, now: Timestamp) -> Result<Report> {
    let (mut adapter, mut generation, mut time, mut conditions) = (None, None, None, None);
    let (mut data, mut metadata) = (Map::new(), None);
    for (key, value) in object {
        match key.as_str() {
            "adapter" => adapter = Some(json::read::<String>(value, "adapter", "a string")?),
            "observed_generation" => {
                generation = Some(json::read::<i32>(value, "observed_generation", "a 32-bit number")?)
            }
            "observed_time" => time = timestamp(value, "observed_time")?,
            "conditions" => conditions = Some(read_conditions(value)?),
            "data" => data = read_data(value)?,
            "metadata" => metadata = read_metadata(value)?,
            key => return Err(Error::malformed(format!("Invalid request format: json: unknown field {key:?}"))),
        }
    }
    let missing =
        |name: &str| Error::malformed(format!("Invalid request format: no value given for required property {name}"));
    let report = Report {
        adapter: adapter.ok_or_else(|| missing("adapter"))?,
        observed_generation: i64::from(generation.ok_or_else(|| missing("observed_generation"))?),
        observed_time: time,
        conditions: conditions.ok_or_else(|| missing("conditions"))?,
        data,
        metadata,
    };
    check(report, strictness, now)
}

fn check(report: Report, strictness: Strictness, now: Timestamp) -> Result<Report> {
    let mut details = Vec::new();
    let mut refuse = |field: String, message: String, constraint| details.push(Detail { field, message, constraint });
    for (place, condition) in report.conditions.iter().enumerate() {
        if !["True", "False", "Unknown"].contains(&condition.status.as_str()) {
            let message = format!("{:?} is not a status: it is True, False or Unknown", condition.status);
            refuse(format!("conditions.{place}.status"), message, Some("enum"));
        }
    }
    if strictness.conditions {
        let mut seen = BTreeSet::new();
        for (place, condition) in report.conditions.iter().enumerate() {
            let field = format!("conditions.{place}.type");
            match condition.r#type.as_str() {
                "" => refuse(field, "type must not be empty".into(), Some("required")),
                twice if !seen.insert(twice) => refuse(field, format!("type {twice:?} comes twice"), Some("unique")),
                _ => {}
            }
        }
        for mandatory in MANDATORY.iter().filter(|mandatory| !seen.contains(*mandatory)) {
            refuse("conditions".into(), format!("the condition {mandatory} is missing"), Some("required"));
        }
        if report.observed_generation < 1 {
            refuse("observed_generation".into(), "observed_generation must be at least 1".into(), Some("min"));
        }
    }
    if let Some(time) = report.observed_time.filter(|_| strictness.times) {
        let ahead = time.duration_since(now);
        if ahead > AHEAD {
            refuse("observed_time".into(), "observed_time is more than 5 minutes in the future".into(), Some("max"));
        } else if -ahead > BEHIND {
            refuse("observed_time".into(), "observed_time is more than 30 minutes old".into(), Some("min"));
        }
    }
    match details.as_slice() {
        [] => Ok(report),
        [only] => Err(Error::violations(only.message.clone(), details)),
        _ => Err(Error::violations("Invalid report", details)),
    }
}

fn read_conditions(value: &RawValue) -> Result<Vec<ReportedCondition>> {
    let conditions: Vec<Map<String, Value>> = json::read(value, "conditions", "an array of objects")?;
    if conditions.len() > CONDITIONS {
        return Err(Error::validation(format!("conditions must be at most {CONDITIONS}")));
    }
    conditions.into_iter().map(read_condition).collect()
}

fn read_condition(mut others: Map<String, Value>) -> Result<ReportedCondition> {
    let mut text = |name: &str| match others.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::malformed(format!("Invalid request format: json: conditions.{name} must be a string"))),
    };
    let missing =
        |name: &str| Error::malformed(format!("Invalid request format: no value given for required property {name}"));
    let r#type = text("type")?.ok_or_else(|| missing("type"))?;
    let status = text("status")?.ok_or_else(|| missing("status"))?;
    let (reason, message) = (text("reason")?, text("message")?);
    // When a condition changed is ours to say.
    others.remove("last_transition_time");
    Ok(ReportedCondition { last_transition_time: None, message, reason, status, r#type, others })
}

fn read_data(value: &RawValue) -> Result<Map<String, Value>> {
    let data: Option<Map<String, Value>> = json::read(value, "data", "an object")?;
    let data = data.unwrap_or_default();
    match data.iter().find(|(_, value)| !value.is_object()) {
        Some((key, _)) => Err(Error::malformed(format!("Invalid request format: json: data.{key} must be an object"))),
        None => Ok(data),
    }
}

/// What it says of a job must be of the types that readers expect.
fn read_metadata(value: &RawValue) -> Result<Option<Value>> {
    let metadata: Option<Map<String, Value>> = json::read(value, "metadata", "an object")?;
    let Some(metadata) = metadata else { return Ok(None) };
    for (key, value) in &metadata {
        let fits = match key.as_str() {
            _ if value.is_null() => true,
            "job_name" | "job_namespace" | "duration" => value.is_string(),
            "attempt" => value.as_i64().is_some_and(|attempt| i32::try_from(attempt).is_ok()),
            "started_time" | "completed_time" => value.as_str().is_some_and(|text| rfc3339(text).is_some()),
            _ => true,
        };
        if !fits {
            return Err(Error::malformed(format!("Invalid request format: json: metadata.{key} is not of its type")));
        }
    }
    Ok(Some(Value::Object(metadata)))
}

fn timestamp(value: &RawValue, field: &str) -> Result<Option<Timestamp>> {
    let text: Option<String> = json::read(value, field, "a time")?;
    let wrong = || Error::malformed(format!("Invalid request format: json: {field} must be an RFC 3339 time"));
    text.map(|text| rfc3339(&text).ok_or_else(wrong)).transpose()
}

/// Years have four digits there; jiff reads more.
fn rfc3339(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let shaped =
        bytes.len() >= 20 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-' && !text.contains('[');
    let first: Timestamp = "0001-01-01T00:00:00Z".parse().ok()?;
    shaped.then(|| text.parse().ok()).flatten().filter(|time| *time >= first)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const NOW: &str = "2026-01-01T00:00:00Z";

    fn report(body: &str, strictness: Strictness) -> Result<Report> {
        read(json::object(body.as_bytes()).unwrap(), strictness, NOW.parse().unwrap())
    }

    fn lenient(body: &str) -> Result<Report> {
        report(body, Strictness::default())
    }

    #[test]
    fn the_example_of_the_first_readme_is_a_report() {
        let report = lenient(
            r#"{"adapter":"dns-adapter","observed_generation":1,"conditions":[{"adapter":"dns-adapter","type":"Ready","status":"True",
            "observed_generation":1,"reason":"R","message":"M","created_at":"2025-11-17T15:04:05Z","updated_at":"2025-11-17T15:04:05Z"}]}"#,
        )
        .unwrap();
        assert_eq!(report.observed_time, None);
        let condition = &report.conditions[0];
        assert_eq!((condition.r#type.as_str(), condition.reason.as_deref()), ("Ready", Some("R")));
        assert_eq!(condition.others["created_at"], "2025-11-17T15:04:05Z");
        assert_eq!(condition.others.len(), 4);
    }

    #[test]
    fn what_is_missing_or_unknown_is_named_as_the_first_version_names_it() {
        let cases = [
            ("{}", "no value given for required property adapter"),
            (r#"{"adapter":"a"}"#, "no value given for required property observed_generation"),
            (r#"{"adapter":"a","observed_generation":1}"#, "no value given for required property conditions"),
            (r#"{"nope":1}"#, r#"json: unknown field "nope""#),
            (
                r#"{"adapter":"a","observed_generation":1,"conditions":[{"status":"True"}]}"#,
                "no value given for required property type",
            ),
        ];
        for (body, expected) in cases {
            assert_eq!(lenient(body).unwrap_err().reason, format!("Invalid request format: {expected}"));
        }
    }

    #[test]
    fn values_of_other_types_are_refused() {
        for wrong in [
            r#""adapter":1"#,
            r#""observed_generation":1.5"#,
            r#""observed_generation":2147483648"#,
            r#""observed_generation":"1""#,
            r#""observed_time":"yesterday""#,
            r#""observed_time":"+012026-01-01T00:00:00Z""#,
            r#""observed_time":"0000-01-01T00:00:00Z""#,
            r#""conditions":{}"#,
            r#""conditions":[1]"#,
            r#""conditions":[{"type":"A","status":true}]"#,
            r#""conditions":[{"type":"A","status":"Maybe"}]"#,
            r#""data":{"k":"v"}"#,
            r#""data":[]"#,
            r#""metadata":{"attempt":"x"}"#,
            r#""metadata":{"started_time":"x"}"#,
        ] {
            let key = wrong.split(':').next().unwrap();
            let rest = [r#""adapter":"a""#, r#""observed_generation":1"#, r#""conditions":[]"#];
            let mut body: Vec<&str> = rest.into_iter().filter(|pair| !pair.starts_with(key)).collect();
            body.push(wrong);
            let refused = lenient(&format!("{{{}}}", body.join(","))).unwrap_err();
            assert_eq!(refused.code.row().status, 400, "{wrong}");
        }
        let fine = r#"{"adapter":"a","observed_generation":-1,"conditions":[],"observed_time":"0001-01-01T00:00:00Z","data":{"k":{"v":1}},"metadata":{"attempt":1,"x":[]}}"#;
        assert_eq!(lenient(fine).unwrap().observed_generation, -1);
    }

    #[test]
    fn strict_reports_are_refused_with_all_that_they_lack() {
        let strict = Strictness { conditions: true, times: false };
        let refused = report(
            r#"{"adapter":"a","observed_generation":0,"conditions":[{"type":"","status":"True"},{"type":"Health","status":"True"},{"type":"Health","status":"True"}]}"#,
            strict,
        )
        .unwrap_err();
        let fields: Vec<_> = refused.details.iter().map(|detail| detail.field.as_str()).collect();
        assert_eq!(
            fields,
            ["conditions.0.type", "conditions.2.type", "conditions", "conditions", "observed_generation"]
        );
    }

    #[test]
    fn strict_times_are_near_now() {
        let strict = Strictness { conditions: false, times: true };
        let at = |time: &str| {
            report(
                &format!(r#"{{"adapter":"a","observed_generation":1,"conditions":[],"observed_time":"{time}"}}"#),
                strict,
            )
        };
        assert!(at("2026-01-01T00:04:00Z").is_ok() && at("2025-12-31T23:31:00Z").is_ok());
        assert!(at("2026-01-01T00:06:00Z").is_err() && at("2025-12-31T23:29:00Z").is_err());
        assert!(at("0001-01-01T00:00:00Z").is_err());
    }
}
