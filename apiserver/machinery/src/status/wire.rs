//! A Status as JSON, in Go's order of fields, empty ones left out as Go does; and read back.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Reason, Status};
use crate::json;

/// What a Status is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Details {
    /// The object's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its API group.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// Its kind, or more often its resource.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Its uid.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// Each thing that was wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<Cause>,
    /// After how many seconds another try may succeed; 0 says nothing.
    #[serde(skip_serializing_if = "is_zero")]
    pub retry_after_seconds: u32,
}

/// One thing that was wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Cause {
    /// Why, in a word.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Why, for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// Where.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub field: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    kind: &'static str,
    api_version: &'static str,
    metadata: Metadata<'a>,
    status: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a Details>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    #[serde(rename = "continue", skip_serializing_if = "Option::is_none")]
    continue_: Option<&'a str>,
}

/// A failure as it is read.
#[derive(Deserialize)]
struct Failure {
    code: u16,
    reason: Option<Reason>,
    #[serde(default)]
    message: String,
    details: Option<Box<Details>>,
}

impl Status {
    /// Reads a failure; `None` when it is none.
    pub fn from_json(json: &[u8]) -> Option<Self> {
        let Failure { code, reason, message, details } = serde_json::from_slice(json).ok()?;
        Some(Self { code, reason, message, details, continue_: None })
    }

    /// The status as JSON, its fields in Go's order.
    pub fn to_json(&self) -> Vec<u8> {
        json::to_vec(&self.wire())
    }

    /// The status as a value.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self.wire()).expect("the fields are strings and small numbers")
    }

    fn wire(&self) -> Wire<'_> {
        Wire {
            kind: "Status",
            api_version: "v1",
            metadata: Metadata { continue_: self.continue_.as_deref() },
            status: if self.is_success() { "Success" } else { "Failure" },
            message: &self.message,
            reason: self.reason.as_ref().map(Reason::as_str),
            details: self.details.as_deref(),
            code: (!self.is_success()).then_some(self.code),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
