//! The body of `nodes/restart`: what of it concerns the answer is taken out here, the rest the worker judges.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, header};
use machinery::{
    GroupKind, field, json,
    negotiate::{self, Encoding},
    status::Status,
    time::parse_duration,
    yaml,
};
use schema::Schema;
use serde_json::{Map, Value};

use crate::{GROUP, VERSION};

/// What the body is called.
pub(crate) const KIND: &str = "RestartOptions";

/// What is asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// The options of the restart as a JSON object; empty when there are none.
    pub json: Bytes,
    /// How long the answer may wait for the restart to end.
    pub wait: Option<Duration>,
}

// === impl Options ===

impl Options {
    /// Reads a body. It may be absent. It is JSON or YAML as its content type says, need not say what it is, and must say
    /// nothing twice and nothing unknown to `schema`: who misspells an option must not get a restart without it.
    pub(crate) fn read(schema: &Schema, headers: &HeaderMap, body: &[u8]) -> Result<Self, Status> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        let mut fields = fields(schema, headers, body)?;
        expect(&mut fields, "apiVersion", &format!("{GROUP}/{VERSION}"))?;
        expect(&mut fields, "kind", KIND)?;
        fields.remove("metadata");
        let wait = fields.remove("wait").map(duration).transpose()?;
        let json = if fields.is_empty() { Bytes::new() } else { json::encode(&Value::Object(fields)).into() };
        Ok(Self { json, wait })
    }
}

/// The schema of the body, whose rules the worker checks.
pub(crate) fn schema() -> Schema {
    const WHY: &str = "it is part of this program, and a test reads it";
    let document =
        yaml::decode(include_bytes!("../../../dataplane/restart/src/restart_options.yaml")).expect(WHY).value;
    Schema::parse(document, "openAPIV3Schema").expect(WHY)
}

fn fields(schema: &Schema, headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Status> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (mut value, duplicate) = match negotiate::content_type(content_type)? {
        Encoding::Yaml => {
            let decoded = yaml::decode(body).map_err(|error| refused(&error.to_string()))?;
            let problem = decoded.problem();
            (decoded.value, problem)
        }
        _ => {
            let decoded = json::decode(body).map_err(|error| refused(&error.to_string()))?;
            let problem = decoded.duplicates.first().map(|field| format!("duplicate field {field:?}"));
            (decoded.value, problem)
        }
    };
    let unknown = schema.prune(&mut value).into_iter().map(|field| format!("unknown field {field:?}"));
    if let Some(problem) = duplicate.into_iter().chain(unknown).next() {
        return Err(refused(&format!("strict decoding error: {problem}")));
    }
    match value {
        Value::Object(fields) => Ok(fields),
        Value::Null => Ok(Map::new()),
        _ => Err(refused("it is no object")),
    }
}

/// Takes a field out that may be missing or empty, and otherwise says what the body is.
fn expect(fields: &mut Map<String, Value>, field: &str, expected: &str) -> Result<(), Status> {
    match fields.remove(field) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(said)) if said.is_empty() || said == expected => Ok(()),
        Some(other) => Err(refused(&format!("its {field} is {other}: make it {expected:?}, or leave it out"))),
    }
}

fn duration(value: Value) -> Result<Duration, Status> {
    let parsed = match &value {
        Value::String(text) => parse_duration(text).and_then(|asked| asked.ok_or("must not be negative".to_owned())),
        _ => Err("must be a duration, such as 30s".to_owned()),
    };
    parsed.map_err(|problem| {
        Status::invalid(&GroupKind::new(GROUP, KIND), "", vec![field::Error::invalid("wait", value, &problem)])
    })
}

fn refused(problem: &str) -> Status {
    Status::bad_request(&format!("the body cannot be read as {KIND}: {problem}"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn read(content_type: &str, body: &str) -> Result<(String, Option<u64>), (u16, String)> {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, content_type.parse().unwrap())]);
        let read = Options::read(&schema(), &headers, body.as_bytes());
        let text = |options: Options| String::from_utf8(options.json.to_vec()).unwrap();
        read.map(|options| (options.wait.map(|wait| wait.as_secs()), text(options)))
            .map(|(wait, json)| (json, wait))
            .map_err(|status| (status.code, status.message))
    }

    #[test]
    fn a_body_may_be_absent_or_say_nothing() {
        for body in ["", " \n", "{}", "null", r#"{"kind":"RestartOptions","apiVersion":"infraops.michael.io/v1"}"#] {
            assert_eq!(read("application/json", body), Ok((String::new(), None)), "{body}");
        }
        assert_eq!(Options::read(&schema(), &HeaderMap::new(), b"").unwrap(), Options::default());
        assert_eq!(read("text/plain", ""), Ok((String::new(), None)), "of nothing the type does not matter");
    }

    #[test]
    fn json_and_yaml_say_the_same() {
        let expected = Ok((r#"{"drain":{"enabled":true},"mode":"Hard"}"#.to_owned(), Some(30)));
        let json = r#"{"metadata":{},"mode":"Hard","wait":"30s","drain":{"enabled":true}}"#;
        assert_eq!(read("application/json", json), expected);
        assert_eq!(read("application/yaml", "mode: Hard\nwait: 30s\ndrain:\n  enabled: true\n"), expected);
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        let cases = [
            ("application/json", "{", 400, "unexpected end of JSON input"),
            ("application/json", "[]", 400, "it is no object"),
            ("application/json", r#"{"mode":"Soft","mode":"Hard"}"#, 400, r#"duplicate field "mode""#),
            ("application/yaml", "mode: Soft\nmode: Hard\n", 400, r#"key "mode" already set in map"#),
            ("application/json", r#"{"drian":{"enabled":true}}"#, 400, r#"unknown field "drian""#),
            ("application/yaml", "drain:\n  Enabled: true\n", 400, r#"unknown field "drain.Enabled""#),
            ("application/json", r#"{"kind":"NodeRestart"}"#, 400, r#"its kind is "NodeRestart": make it"#),
            ("application/json", r#"{"apiVersion":"v2"}"#, 400, r#"make it "infraops.michael.io/v1""#),
            ("application/json", r#"{"wait":"soon"}"#, 422, r#"wait: Invalid value: "soon""#),
            ("application/json", r#"{"wait":"-1s"}"#, 422, "must not be negative"),
            ("application/json", r#"{"wait":30}"#, 422, "wait: Invalid value: 30"),
            ("text/plain", "x", 415, "accepted media types include"),
        ];
        for (content_type, body, code, said) in cases {
            let (refused, message) = read(content_type, body).unwrap_err();
            assert_eq!(refused, code, "{body}: {message}");
            assert!(message.contains(said), "{body}: {message}");
        }
    }
}
