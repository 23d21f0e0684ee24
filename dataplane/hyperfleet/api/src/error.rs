//! What is answered when a request fails: one table, two shapes.
//!
//! The first shape is that of HyperFleet's first version (`kind`, `id`, `href`, `code`, `reason`, `operation_id`, `details`). Who accepts
//! `application/problem+json` gets RFC 9457. No shape ever holds the database's words.

use http::StatusCode;
use hyperfleet_records as records;
use serde::Serialize;

use crate::route::BASE;

/// The outcome of a verb.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    pub(crate) code: Code,
    pub(crate) reason: String,
    pub(crate) details: Vec<Detail>,
}

/// One violation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Detail {
    /// Such as `spec.region`.
    pub(crate) field: String,
    pub(crate) message: String,
    /// A word of RFC 9457's `constraint`, where one fits.
    pub(crate) constraint: Option<&'static str>,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    Unauthenticated,
    Forbidden,
    NotFound,
    NoSuchPath,
    Conflict,
    Validation,
    Malformed,
    BadRequest,
    TooLarge,
    TooSlow,
    General,
    Unavailable,
}

/// How a code is told.
pub(crate) struct Row {
    pub(crate) status: StatusCode,
    /// The first version's number.
    number: u16,
    /// The newest version's code, without its prefix.
    code: &'static str,
    /// The last segment of the problem's type.
    kind: &'static str,
    title: &'static str,
}

/// The first shape. The order of keys is the answer's.
#[derive(Serialize)]
struct First<'a> {
    code: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    details: Vec<FirstDetail<'a>>,
    href: String,
    id: String,
    kind: &'static str,
    operation_id: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
struct FirstDetail<'a> {
    error: &'a str,
    field: &'a str,
}

/// The first version's answer for a path that does not exist.
#[derive(Serialize)]
struct Nowhere<'a> {
    r#type: &'static str,
    id: &'static str,
    href: String,
    code: &'static str,
    reason: &'a str,
}

/// The first version's answer for who is not known.
#[derive(Serialize)]
struct Unknown<'a> {
    kind: &'static str,
    id: &'static str,
    href: String,
    code: &'static str,
    reason: &'a str,
}

/// RFC 9457.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    code: String,
    timestamp: jiff::Timestamp,
    trace_id: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ProblemDetail<'a>>,
}

#[derive(Serialize)]
struct ProblemDetail<'a> {
    field: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    constraint: Option<&'static str>,
    message: &'a str,
}

/// What an error is told with.
pub(crate) struct Told<'a> {
    /// The path that was asked for.
    pub(crate) path: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) now: jiff::Timestamp,
}

// === impl Code ===

impl Code {
    #[rustfmt::skip]
    pub(crate) fn row(self) -> Row {
        let (status, number, code, kind, title) = match self {
            Self::Unauthenticated => (401, 401, "AUT-002", "authentication-error", "Invalid Credentials"),
            Self::Forbidden       => (403,   4, "AUZ-001", "permission-denied",    "Permission Denied"),
            Self::NotFound        => (404,   7, "NTF-001", "not-found",            "Resource Not Found"),
            Self::NoSuchPath      => (404, 404, "NTF-000", "not-found",            "Endpoint Not Found"),
            Self::Conflict        => (409,   6, "CNF-001", "conflict",             "Resource Conflict"),
            Self::Validation      => (400,   8, "VAL-000", "validation-error",     "Validation Failed"),
            Self::Malformed       => (400,  17, "VAL-006", "malformed-request",    "Malformed Request"),
            Self::BadRequest      => (400,  21, "VAL-005", "bad-request",          "Bad Request"),
            Self::TooLarge        => (413,  17, "VAL-006", "malformed-request",    "Request Too Large"),
            Self::TooSlow         => (408,  17, "VAL-006", "malformed-request",    "Request Timeout"),
            Self::General         => (500,   9, "INT-001", "internal-error",       "Internal Server Error"),
            Self::Unavailable     => (503,   9, "SVC-001", "service-unavailable",  "Service Unavailable"),
        };
        let status = StatusCode::from_u16(status).expect("the table holds statuses");
        Row { status, number, code, kind, title }
    }
}

// === impl Error ===

impl Error {
    pub(crate) fn new(code: Code, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into(), details: Vec::new() }
    }

    pub(crate) fn validation(reason: impl Into<String>) -> Self {
        Self::new(Code::Validation, reason)
    }

    pub(crate) fn malformed(reason: impl Into<String>) -> Self {
        Self::new(Code::Malformed, reason)
    }

    pub(crate) fn bad_request(reason: impl Into<String>) -> Self {
        Self::new(Code::BadRequest, reason)
    }

    /// Every violation at once.
    pub(crate) fn violations(reason: impl Into<String>, details: Vec<Detail>) -> Self {
        Self { code: Code::Validation, reason: reason.into(), details }
    }

    /// In the shape of the first version, as JSON.
    pub(crate) fn first(&self, told: &Told<'_>) -> Vec<u8> {
        let Row { number, .. } = self.code.row();
        let href = format!("{BASE}/errors/{number}");
        let json = match self.code {
            Code::NoSuchPath => {
                let (id, code) = ("404", "hyperfleet-404");
                serde_json::to_vec(&Nowhere { r#type: "Error", id, href, code, reason: &self.reason })
            }
            Code::Unauthenticated => {
                let (id, code) = ("401", "HYPERFLEET-401");
                serde_json::to_vec_pretty(&Unknown { kind: "Error", id, href, code, reason: &self.reason })
            }
            _ => serde_json::to_vec(&First {
                code: format!("hyperfleet-{number}"),
                details: self
                    .details
                    .iter()
                    .map(|Detail { field, message, .. }| FirstDetail { error: message, field })
                    .collect(),
                href,
                id: number.to_string(),
                kind: "Error",
                operation_id: told.operation,
                reason: &self.reason,
            }),
        };
        json.expect("strings and numbers are JSON")
    }

    /// As RFC 9457 has it, as JSON.
    pub(crate) fn problem(&self, told: &Told<'_>) -> Vec<u8> {
        let Row { status, code, kind, title, .. } = self.code.row();
        let errors = self.details.iter().map(|Detail { field, message, constraint }| ProblemDetail {
            field,
            constraint: *constraint,
            message,
        });
        let problem = Problem {
            r#type: format!("https://api.hyperfleet.io/errors/{kind}"),
            title,
            status: status.as_u16(),
            detail: &self.reason,
            instance: told.path,
            code: format!("HYPERFLEET-{code}"),
            timestamp: told.now,
            trace_id: told.operation,
            errors: errors.collect(),
        };
        serde_json::to_vec(&problem).expect("strings and numbers are JSON")
    }
}

impl From<records::Error> for Error {
    fn from(error: records::Error) -> Self {
        match error {
            records::Error::NotFound(reason) => Self::new(Code::NotFound, reason),
            records::Error::Conflict(reason) => Self::new(Code::Conflict, reason),
            records::Error::Invalid { field, reason } => {
                let detail = Detail { field: field.clone(), message: reason.clone(), constraint: None };
                Self::violations(format!("{field}: {reason}"), vec![detail])
            }
            records::Error::BadRequest(reason) => Self::bad_request(reason),
            records::Error::Unavailable(reason) => {
                tracing::warn!("the database does not answer: {reason}");
                Self::new(Code::Unavailable, "The database does not answer: try again later")
            }
            error @ (records::Error::Compacted { .. } | records::Error::Internal(_)) => {
                tracing::error!("a request failed through a fault of ours: {error}");
                Self::new(Code::General, "Unspecified error")
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const TOLD: Told<'_> =
        Told { path: "/api/hyperfleet/v1/clusters/x", operation: "op", now: jiff::Timestamp::UNIX_EPOCH };

    fn text(json: Vec<u8>) -> String {
        String::from_utf8(json).unwrap()
    }

    #[test]
    fn the_first_shape_is_that_of_the_first_version() {
        let missing = Error::new(Code::NotFound, "Cluster with id='x' not found");
        assert_eq!(
            text(missing.first(&TOLD)),
            r#"{"code":"hyperfleet-7","href":"/api/hyperfleet/v1/errors/7","id":"7","kind":"Error","operation_id":"op","reason":"Cluster with id='x' not found"}"#
        );
        let detail = Detail { field: "spec.a".into(), message: "bad".into(), constraint: Some("min") };
        assert_eq!(
            text(Error::violations("Invalid ClusterSpec", vec![detail]).first(&TOLD)),
            r#"{"code":"hyperfleet-8","details":[{"error":"bad","field":"spec.a"}],"href":"/api/hyperfleet/v1/errors/8","id":"8","kind":"Error","operation_id":"op","reason":"Invalid ClusterSpec"}"#
        );
        assert_eq!(
            text(Error::new(Code::NoSuchPath, "The requested resource '/x' doesn't exist").first(&TOLD)),
            r#"{"type":"Error","id":"404","href":"/api/hyperfleet/v1/errors/404","code":"hyperfleet-404","reason":"The requested resource '/x' doesn't exist"}"#
        );
        assert!(
            text(Error::new(Code::Unauthenticated, "Access denied").first(&TOLD))
                .starts_with("{\n  \"kind\": \"Error\",\n")
        );
    }

    #[test]
    fn a_problem_says_the_same_as_the_first_shape() {
        let detail = Detail { field: "spec.a".into(), message: "bad".into(), constraint: Some("min") };
        let problem: Value =
            serde_json::from_slice(&Error::violations("Invalid", vec![detail]).problem(&TOLD)).unwrap();
        assert_eq!(
            problem,
            json!({
                "type": "https://api.hyperfleet.io/errors/validation-error", "title": "Validation Failed", "status": 400,
                "detail": "Invalid", "instance": TOLD.path, "code": "HYPERFLEET-VAL-000", "timestamp": "1970-01-01T00:00:00Z",
                "trace_id": "op", "errors": [{ "field": "spec.a", "constraint": "min", "message": "bad" }]
            })
        );
    }

    #[test]
    fn what_the_database_says_stays_with_us() {
        for error in
            [records::Error::Internal("pq: secret".into()), records::Error::Unavailable("at 10.0.0.1: secret".into())]
        {
            let error = Error::from(error);
            assert!(error.code.row().status.is_server_error());
            assert!(!text(error.first(&TOLD)).contains("secret") && !text(error.problem(&TOLD)).contains("secret"));
        }
    }
}
