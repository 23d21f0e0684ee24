//! JSON patches (RFC 6902) and merge patches (RFC 7386), with the leniencies of a kube-apiserver.
//!
//! The one rule: a patch is hostile. What it makes is no deeper than what could be read, copies no more than a body may
//! hold, and is made in bounded time.

mod apply;
mod merge;
mod operation;

use serde_json::{Map, Value};

use self::operation::Operation;
use crate::{json, status::Status};

/// More operations than this are refused.
const MAX_OPERATIONS: usize = 10_000;

/// A change to an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    body: Body,
    duplicates: Vec<String>,
    unknown: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Body {
    Json(Vec<Operation>),
    Merge(Map<String, Value>),
}

// === impl Patch ===

impl Patch {
    /// Reads an `application/json-patch+json` body.
    ///
    /// An operation that makes no sense is found out when it is its turn, as one that does not apply is.
    pub fn json(body: &[u8]) -> Result<Self, Status> {
        let decoded = decode(body)?;
        let (operations, unknown) = operation::decode(decoded.value).map_err(|problem| undecodable(&problem))?;
        if operations.len() > MAX_OPERATIONS {
            let got = operations.len();
            let message = format!("The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {got}");
            return Err(Status::too_large(&message));
        }
        Ok(Self { body: Body::Json(operations), duplicates: decoded.duplicates, unknown })
    }

    /// Reads an `application/merge-patch+json` body.
    pub fn merge(body: &[u8]) -> Result<Self, Status> {
        let decoded = decode(body)?;
        match decoded.value {
            Value::Object(patch) => {
                Ok(Self { body: Body::Merge(patch), duplicates: decoded.duplicates, unknown: Vec::new() })
            }
            Value::Null => Err(Status::bad_request("Invalid JSON Patch")),
            value => Err(undecodable(&mistyped(&value, "value of type map[string]interface {}"))),
        }
    }

    /// What the patch makes of `object`.
    pub fn apply(&self, object: &Value) -> Result<Value, Status> {
        let patched = match &self.body {
            Body::Json(operations) => apply::apply(operations, object)?,
            Body::Merge(patch) => merge::merge(object, patch),
        };
        // A patch may replace the whole object, but only by another.
        if patched.is_object() { Ok(patched) } else { Err(Status::unprocessable()) }
    }

    /// The paths of fields that come twice in the body, such as `spec.size`, or `[0].path` in a JSON patch.
    pub fn duplicates(&self) -> &[String] {
        &self.duplicates
    }

    /// The paths of fields that no operation of a JSON patch has, such as `[0].vlaue`. In a merge patch they show only
    /// in what it makes.
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// Whether it is a JSON patch. Strict decoding's complaints about one begin with `json patch `.
    pub fn is_json(&self) -> bool {
        matches!(self.body, Body::Json(_))
    }
}

fn decode(body: &[u8]) -> Result<json::Decoded, Status> {
    json::decode(body).map_err(|error| undecodable(&error.to_string()))
}

fn undecodable(problem: &str) -> Status {
    Status::bad_request(&format!("error decoding patch: {problem}"))
}

/// What Go says of a value that is not what it should be.
fn mistyped(value: &Value, target: &str) -> String {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    format!("json: cannot unmarshal {kind} into Go {target}")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(result: Result<Patch, Status>) -> (u16, String) {
        let status = result.unwrap_err();
        (status.code, status.message)
    }

    #[test]
    fn what_is_no_merge_patch_is_refused() {
        let cases = [
            ("{\"spec\":", "error decoding patch: unexpected end of JSON input"),
            ("", "error decoding patch: unexpected end of JSON input"),
            ("{} x", "error decoding patch: invalid character 'x' after top-level value"),
            ("[]", "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"),
            ("5", "error decoding patch: json: cannot unmarshal number into Go value of type map[string]interface {}"),
            ("null", "Invalid JSON Patch"),
        ];
        for (body, message) in cases {
            assert_eq!(refused(Patch::merge(body.as_bytes())), (400, message.to_owned()), "{body}");
        }
    }

    #[test]
    fn what_is_no_json_patch_is_refused() {
        let go = "error decoding patch: json: cannot unmarshal";
        let cases = [
            ("[{\"op\":", "error decoding patch: unexpected end of JSON input".to_owned()),
            ("{\"op\":\"test\"}", format!("{go} object into Go value of type []handlers.jsonPatchOp")),
            ("\"x\"", format!("{go} string into Go value of type []handlers.jsonPatchOp")),
            ("[5]", format!("{go} number into Go value of type handlers.jsonPatchOp")),
            ("[{\"op\":5}]", format!("{go} number into Go struct field jsonPatchOp.op of type string")),
            ("[{\"path\":[]}]", format!("{go} array into Go struct field jsonPatchOp.path of type string")),
            ("[{\"from\":true}]", format!("{go} bool into Go struct field jsonPatchOp.from of type string")),
        ];
        for (body, message) in cases {
            assert_eq!(refused(Patch::json(body.as_bytes())), (400, message), "{body}");
        }
    }

    #[test]
    fn too_many_operations_are_refused() {
        let body = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
        let message = "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001";
        assert_eq!(refused(Patch::json(body(10_001).as_bytes())), (413, message.to_owned()));
        assert!(Patch::json(body(10_000).as_bytes()).is_ok());
    }

    #[test]
    fn fields_that_come_twice_or_that_nobody_knows_are_told() {
        let patch = Patch::merge(br#"{"spec":{"size":1,"size":2,"size":3}}"#).unwrap();
        assert_eq!(
            (patch.duplicates(), patch.unknown(), patch.is_json()),
            (&["spec.size".to_owned()][..], &[][..], false)
        );
        assert_eq!(patch.apply(&json!({})).unwrap(), json!({ "spec": { "size": 3 } }));
        let patch = Patch::json(br#"[{"op":"add","path":"/a","path":"/b","value":1,"vlaue":2}]"#).unwrap();
        assert_eq!(
            (patch.duplicates(), patch.unknown()),
            (&["[0].path".to_owned()][..], &["[0].vlaue".to_owned()][..])
        );
        assert!(patch.is_json());
    }

    #[test]
    fn an_object_is_replaced_by_an_object_only() {
        let object = json!({ "a": 1 });
        let replace = |value: Value| {
            let body = json!([{ "op": "replace", "path": "", "value": value }]).to_string();
            Patch::json(body.as_bytes()).unwrap().apply(&object)
        };
        assert_eq!(replace(json!({ "b": 2 })), Ok(json!({ "b": 2 })));
        assert_eq!(replace(json!([])), Err(Status::unprocessable()));
        assert_eq!(replace(json!(null)), Err(Status::unprocessable()));
    }
}
