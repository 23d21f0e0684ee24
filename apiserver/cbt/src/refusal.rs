//! The one table from [`cbt::Error`](proto::cbt::Error) to `metav1.Status`.
//!
//! Kubernetes has no words for most of them: the reason is the one that clients know for the code, and the cause says
//! which it is.

use machinery::status::{Cause, Reason, Status};
use proto::cbt::Error;

use crate::GROUP;

/// Seconds after which to try again what nobody gave a time for.
const RETRY_AFTER_SECONDS: u32 = 1;

/// Whom the table is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    /// The resource that the request is for.
    pub(crate) resource: &'static str,
    /// The object.
    pub(crate) name: String,
}

/// The status that an error becomes for a request on a `subject`. It is logged here, once.
pub(crate) fn status(subject: &Subject, error: &Error) -> Status {
    let status = table(subject, error);
    match status.code {
        500.. => tracing::error!(k8s.name = subject.name, error = %error, "blocks cannot be had"),
        _ => tracing::debug!(k8s.name = subject.name, error = %error, "blocks cannot be had"),
    }
    status
}

fn table(subject: &Subject, error: &Error) -> Status {
    let message = error.to_string();
    match error {
        Error::NotFound(_) => about(subject, 404, Reason::NotFound, message, "SnapshotNotFound"),
        Error::NotReady(_) => about(subject, 409, Reason::Conflict, message, "SnapshotNotReady"),
        Error::NoDelta(_) => {
            let message = format!("{message}: take all allocated blocks, by a delta without baseVolumeSnapshotName");
            about(subject, 409, Reason::Conflict, message, "NoDelta")
        }
        Error::OutOfRange(_) => about(subject, 400, Reason::BadRequest, message, "OutOfRange"),
        Error::Invalid(_) => about(subject, 400, Reason::BadRequest, message, "Invalid"),
        Error::Forbidden(_) => about(subject, 403, Reason::Forbidden, message, "Forbidden"),
        Error::Expired(_) => {
            let message = format!("{message}: get the blocks again, with new tokens");
            about(subject, 410, Reason::Expired, message, "TokenExpired")
        }
        Error::Throttled { retry_after, .. } => {
            again(about(subject, 429, Reason::TooManyRequests, message, "Throttled"), *retry_after)
        }
        Error::Unavailable(_) => again(about(subject, 503, Reason::ServiceUnavailable, message, "Unavailable"), 0),
        Error::Broken(_) => about(subject, 502, Reason::InternalError, message, "DriverBroken"),
        Error::Internal(_) => about(subject, 500, Reason::InternalError, message, "Internal"),
    }
}

fn about(subject: &Subject, code: u16, reason: Reason, message: String, cause: &str) -> Status {
    let mut status = Status::new(code, Some(reason), message.clone());
    let details = status.details.get_or_insert_default();
    (details.group, details.kind, details.name) = (GROUP.into(), subject.resource.into(), subject.name.clone());
    details.causes.push(Cause { reason: cause.to_owned(), message, ..Cause::default() });
    status
}

fn again(mut status: Status, seconds: u32) -> Status {
    status.details.get_or_insert_default().retry_after_seconds = seconds.max(RETRY_AFTER_SECONDS);
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_is_what_a_client_can_act_on() {
        let subject = Subject { resource: "volumesnapshotdeltas", name: "a".to_owned() };
        let text = || "why".to_owned();
        let throttled = |retry_after| Error::Throttled { message: text(), retry_after };
        for (error, code, reason, cause, retry) in [
            (Error::NotFound(text()), 404, Reason::NotFound, "SnapshotNotFound", None),
            (Error::NotReady(text()), 409, Reason::Conflict, "SnapshotNotReady", None),
            (Error::NoDelta(text()), 409, Reason::Conflict, "NoDelta", None),
            (Error::OutOfRange(text()), 400, Reason::BadRequest, "OutOfRange", None),
            (Error::Invalid(text()), 400, Reason::BadRequest, "Invalid", None),
            (Error::Forbidden(text()), 403, Reason::Forbidden, "Forbidden", None),
            (Error::Expired(text()), 410, Reason::Expired, "TokenExpired", None),
            (throttled(7), 429, Reason::TooManyRequests, "Throttled", Some(7)),
            (throttled(0), 429, Reason::TooManyRequests, "Throttled", Some(1)),
            (Error::Unavailable(text()), 503, Reason::ServiceUnavailable, "Unavailable", Some(1)),
            (Error::Broken(text()), 502, Reason::InternalError, "DriverBroken", None),
            (Error::Internal(text()), 500, Reason::InternalError, "Internal", None),
        ] {
            let status = status(&subject, &error);
            assert_eq!((status.code, &status.reason), (code, &Some(reason)), "{error:?}");
            assert_eq!(status.retry_after_seconds(), retry, "{error:?}");
            assert!(status.message.starts_with("why"), "{}", status.message);
            let details = status.details.expect("details");
            assert_eq!((details.kind.as_str(), details.name.as_str()), ("volumesnapshotdeltas", "a"));
            assert_eq!(details.causes[0].reason, cause);
        }
    }
}
