//! What an error of EC2 or of the SDK says of the call: that it was surely not executed, and why, or that nobody knows.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use proto::node::Error;
use runtime::telemetry::chain;

/// What EC2 answers to a dry run that it would have executed.
pub(crate) const DRY_RUN: &str = "DryRunOperation";

/// The longest part of somebody else's message that is passed on.
const LONGEST: usize = 600;

/// The error of a call, which says what it was.
pub(crate) fn of<E>(call: &str, error: SdkError<E, HttpResponse>) -> Error
where
    E: StdError + ProvideErrorMetadata + 'static,
{
    match &error {
        SdkError::ServiceError(refused) => {
            let answer = Answer {
                status: refused.raw().status().as_u16(),
                code: refused.err().code().unwrap_or_default(),
                message: refused.err().message().unwrap_or_default(),
                retry_after: refused.raw().headers().get("retry-after").and_then(|value| value.parse().ok()),
            };
            answer.means(call)
        }
        SdkError::ConstructionFailure(_) | SdkError::DispatchFailure(_) => unsent(call, &error),
        _ => Error::Ambiguous(explain(call, &error)),
    }
}

/// What came back.
struct Answer<'a> {
    status: u16,
    code: &'a str,
    message: &'a str,
    retry_after: Option<u32>,
}

// === impl Answer ===

impl Answer<'_> {
    /// A 4xx was refused before anything was done, and so was what is throttled, which has a 503. Other 5xx may be anything.
    fn means(&self, call: &str) -> Error {
        let Self { status, code, .. } = self;
        let text = format!("{call}: {code}: {}", self.readable());
        match *code {
            "RequestLimitExceeded" | "RequestThrottled" | "EC2ThrottledException" | "TooManyRequestsException" => {
                self.throttled(text)
            }
            code if code.starts_with("Throttl") => self.throttled(text),
            "InsufficientInstanceCapacity" | "InsufficientHostCapacity" | "InsufficientCapacity" => {
                Error::Conflict(text)
            }
            _ if *status >= 500 || *status < 400 => {
                Error::Ambiguous(format!("{call}: EC2 answered {status} {code}: {}", self.readable()))
            }
            "InvalidInstanceID.NotFound" => Error::NotFound(text),
            "IncorrectInstanceState" | "IncorrectState" | "OperationNotPermitted" => Error::Conflict(text),
            "UnsupportedOperation" | "Unsupported" | "InvalidAction" | "UnknownAction" => Error::Unsupported(text),
            code if is_about_permission(code) => Error::Forbidden(text),
            _ if *status == 401 || *status == 403 => Error::Forbidden(text),
            _ if *status == 429 => self.throttled(text),
            _ => Error::Invalid(text),
        }
    }

    fn throttled(&self, message: String) -> Error {
        Error::Throttled { message, retry_after: self.retry_after.unwrap_or(0) }
    }

    /// Without the encoded reason of a refusal, which only who may decode it should have.
    fn readable(&self) -> String {
        let message = self.message.split("Encoded authorization failure message").next().unwrap_or_default();
        message.trim().chars().take(LONGEST).collect()
    }
}

fn is_about_permission(code: &str) -> bool {
    let codes = [
        "UnauthorizedOperation",
        "AuthFailure",
        "AccessDenied",
        "AccessDeniedException",
        "Blocked",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSecurityToken",
        "MissingAuthenticationToken",
        "OptInRequired",
        "PendingVerification",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    ];
    codes.contains(&code)
}

/// There is no answer. Surely nothing was sent only without credentials, without a connection, or without a request.
fn unsent<E>(call: &str, error: &SdkError<E, HttpResponse>) -> Error
where
    E: StdError + ProvideErrorMetadata + 'static,
{
    let text = explain(call, error);
    if let Some(credentials) = cause::<CredentialsError>(error) {
        return match credentials {
            CredentialsError::ProviderTimedOut(_) => Error::Unreachable(text),
            _ if cause::<hyper_util::client::legacy::Error>(error).is_some() => Error::Unreachable(text),
            _ => Error::Forbidden(format!("{text}; no AWS credentials can be had")),
        };
    }
    match (error, cause::<hyper_util::client::legacy::Error>(error)) {
        (SdkError::ConstructionFailure(_), _) => Error::Invalid(text),
        (_, Some(transport)) if transport.is_connect() => Error::Unreachable(text),
        _ => Error::Ambiguous(text),
    }
}

fn cause<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The causes by their own words: what they print for debugging could hold a request with its signature.
fn explain(call: &str, error: &(dyn StdError + 'static)) -> String {
    format!("{call}: {}", chain(error).chars().take(LONGEST).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(status: u16, code: &str, message: &str) -> Error {
        Answer { status, code, message, retry_after: Some(7) }.means("RebootInstances")
    }

    #[test]
    fn codes_say_what_was_surely_not_done() {
        type Kind = fn(String) -> Error;
        let cases: [(u16, &str, Kind); 16] = [
            (400, "InvalidInstanceID.NotFound", Error::NotFound),
            (400, "InvalidInstanceID.Malformed", Error::Invalid),
            (400, "InvalidParameterValue", Error::Invalid),
            (403, "UnauthorizedOperation", Error::Forbidden),
            (401, "AuthFailure", Error::Forbidden),
            (400, "ExpiredToken", Error::Forbidden),
            (403, "SomethingNew", Error::Forbidden),
            (400, "IncorrectInstanceState", Error::Conflict),
            (400, "IncorrectState", Error::Conflict),
            (400, "OperationNotPermitted", Error::Conflict),
            (500, "InsufficientInstanceCapacity", Error::Conflict),
            (400, "UnsupportedOperation", Error::Unsupported),
            (500, "InternalError", Error::Ambiguous),
            (503, "Unavailable", Error::Ambiguous),
            (503, "", Error::Ambiguous),
            (200, "", Error::Ambiguous),
        ];
        for (status, code, kind) in cases {
            let found = means(status, code, "why");
            assert_eq!(
                std::mem::discriminant(&found),
                std::mem::discriminant(&kind(String::new())),
                "{code}: {found:?}"
            );
            assert!(found.to_string().contains("RebootInstances") && found.to_string().contains("why"), "{found}");
        }
    }

    #[test]
    fn what_is_throttled_was_not_done_whatever_the_status() {
        for (status, code) in
            [(503, "RequestLimitExceeded"), (400, "Throttling"), (400, "ThrottlingException"), (429, "New")]
        {
            assert!(matches!(means(status, code, ""), Error::Throttled { retry_after: 7, .. }), "{code}");
        }
    }

    #[test]
    fn an_encoded_reason_stays_here_and_long_messages_are_cut() {
        let message = "You are not authorized. Encoded authorization failure message: canary";
        let said = means(403, "UnauthorizedOperation", message).to_string();
        assert!(said.ends_with("You are not authorized.") && !said.contains("canary"), "{said}");
        assert!(means(400, "X", &"ä".repeat(5000)).to_string().len() < 2 * LONGEST + 100);
    }
}
