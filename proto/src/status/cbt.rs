//! The one table between [`cbt::Error`] and [`Status`].
//!
//! A status without details is the transport speaking, or a peer that knows the codes only, such as a CSI driver: it
//! means what its code means there.

use bytes::Bytes;
use prost::Message;
use tonic::{Code, Status};

use crate::cbt::{self, wire};

/// How tonic begins to say that a message is over the limit, for which it takes the code of a start beyond the end.
const TOO_LARGE: &str = "Error, decoded message length too large";

/// The gRPC code that stands for an error.
fn code(error: &cbt::Error) -> Code {
    match error {
        cbt::Error::NotFound(_) => Code::NotFound,
        cbt::Error::NotReady(_) | cbt::Error::NoDelta(_) | cbt::Error::Expired(_) => Code::FailedPrecondition,
        cbt::Error::OutOfRange(_) => Code::OutOfRange,
        cbt::Error::Invalid(_) => Code::InvalidArgument,
        cbt::Error::Forbidden(_) => Code::PermissionDenied,
        cbt::Error::Throttled { .. } => Code::ResourceExhausted,
        cbt::Error::Unavailable(_) => Code::Unavailable,
        cbt::Error::Broken(_) => Code::DataLoss,
        cbt::Error::Internal(_) => Code::Internal,
    }
}

/// What a status without details means.
fn bare(status: &Status) -> cbt::Error {
    let said = match status.message() {
        "" => status.code().description().to_owned(),
        message => message.to_owned(),
    };
    match status.code() {
        Code::NotFound => cbt::Error::NotFound(said),
        Code::FailedPrecondition => cbt::Error::NoDelta(said),
        Code::OutOfRange if said.starts_with(TOO_LARGE) => cbt::Error::Broken(said),
        Code::OutOfRange => cbt::Error::OutOfRange(said),
        Code::InvalidArgument => cbt::Error::Invalid(said),
        Code::PermissionDenied | Code::Unauthenticated => cbt::Error::Forbidden(said),
        Code::ResourceExhausted => cbt::Error::Throttled { message: said, retry_after: 0 },
        Code::DataLoss => cbt::Error::Broken(said),
        Code::Internal | Code::Unimplemented => cbt::Error::Internal(said),
        _ => cbt::Error::Unavailable(said),
    }
}

impl From<cbt::Error> for Status {
    fn from(error: cbt::Error) -> Self {
        let (code, message) = (code(&error), error.to_string());
        Status::with_details(code, message, Bytes::from(wire::Error::from(error).encode_to_vec()))
    }
}

impl From<Status> for cbt::Error {
    fn from(status: Status) -> Self {
        match status.details() {
            [] => bare(&status),
            details => wire::Error::decode(details).ok().and_then(wire::Error::known).unwrap_or_else(|| bare(&status)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each, and its code.
    fn errors() -> Vec<(cbt::Error, Code)> {
        let message = || "x".to_owned();
        vec![
            (cbt::Error::NotFound(message()), Code::NotFound),
            (cbt::Error::NotReady(message()), Code::FailedPrecondition),
            (cbt::Error::NoDelta(message()), Code::FailedPrecondition),
            (cbt::Error::OutOfRange(message()), Code::OutOfRange),
            (cbt::Error::Invalid(message()), Code::InvalidArgument),
            (cbt::Error::Forbidden(message()), Code::PermissionDenied),
            (cbt::Error::Expired(message()), Code::FailedPrecondition),
            (cbt::Error::Throttled { message: message(), retry_after: 7 }, Code::ResourceExhausted),
            (cbt::Error::Unavailable(message()), Code::Unavailable),
            (cbt::Error::Broken(message()), Code::DataLoss),
            (cbt::Error::Internal(message()), Code::Internal),
        ]
    }

    #[test]
    fn an_error_arrives_as_it_was() {
        for (error, code) in errors() {
            let status = Status::from(error.clone());
            assert_eq!(status.code(), code, "{error:?}");
            assert_eq!(cbt::Error::from(status), error);
        }
    }

    #[test]
    fn a_status_without_details_means_what_its_code_means() {
        for (error, code) in errors() {
            let expected = match error {
                cbt::Error::NotReady(message) | cbt::Error::Expired(message) => cbt::Error::NoDelta(message),
                cbt::Error::Throttled { message, .. } => cbt::Error::Throttled { message, retry_after: 0 },
                other => other,
            };
            assert_eq!(cbt::Error::from(Status::new(code, "x")), expected);
        }
        for code in [Code::Unknown, Code::DeadlineExceeded, Code::Cancelled, Code::Aborted] {
            assert_eq!(cbt::Error::from(Status::new(code, "x")), cbt::Error::Unavailable("x".to_owned()));
        }
        assert_eq!(cbt::Error::from(Status::new(Code::Unauthenticated, "x")), cbt::Error::Forbidden("x".to_owned()));
    }

    #[test]
    fn details_that_cannot_be_read_leave_the_code() {
        let status = Status::with_details(Code::NotFound, "x", Bytes::from_static(b"\xff\xff"));
        assert_eq!(cbt::Error::from(status), cbt::Error::NotFound("x".to_owned()));
    }
}
