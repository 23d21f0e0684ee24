//! The one table between [`Error`] and [`tonic::Status`].
//!
//! As for the store, what a caller acts on is in the details; a status without details is the transport speaking. Whether
//! the driver did anything is then not known, unless it could not be connected to.

use bytes::Bytes;
use prost::Message;
use tonic::{Code, ConnectError, Status};

use super::{
    Error,
    wire::{self, error::Reason},
};

/// What a status means as the answer to a question, which changes nothing.
pub(super) fn asked(status: Status) -> Error {
    decode(&status).unwrap_or_else(|| match status.code() {
        Code::Unimplemented => Error::Unsupported(said(&status)),
        _ => Error::Unreachable(said(&status)),
    })
}

/// What a status means as the answer to a step.
pub(super) fn taken(status: Status) -> Error {
    decode(&status).unwrap_or_else(|| match status.code() {
        Code::Unimplemented => Error::Unsupported(said(&status)),
        _ if never_connected(&status) => Error::Unreachable(said(&status)),
        _ => Error::Ambiguous(said(&status)),
    })
}

fn said(status: &Status) -> String {
    format!("the driver: {}: {}", status.code().description(), status.message())
}

/// Whether there was no connection to send the request by.
fn never_connected(status: &Status) -> bool {
    let first = std::error::Error::source(status);
    std::iter::successors(first, |error| error.source()).any(|error| error.is::<ConnectError>())
}

fn decode(status: &Status) -> Option<Error> {
    if status.details().is_empty() {
        return None;
    }
    let error = wire::Error::decode(status.details()).ok()?;
    let reason = error.reason();
    let wire::Error { message, retry_after, .. } = error;
    Some(match reason {
        Reason::Invalid => Error::Invalid(message),
        Reason::NotFound => Error::NotFound(message),
        Reason::Forbidden => Error::Forbidden(message),
        Reason::Conflict => Error::Conflict(message),
        Reason::Unsupported => Error::Unsupported(message),
        Reason::Throttled => Error::Throttled { message, retry_after },
        Reason::Unreachable => Error::Unreachable(message),
        Reason::Ambiguous => Error::Ambiguous(message),
        Reason::Unspecified => return None,
    })
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let (code, reason, retry_after) = match error {
            Error::Invalid(_) => (Code::InvalidArgument, Reason::Invalid, 0),
            Error::NotFound(_) => (Code::NotFound, Reason::NotFound, 0),
            Error::Forbidden(_) => (Code::PermissionDenied, Reason::Forbidden, 0),
            Error::Conflict(_) => (Code::FailedPrecondition, Reason::Conflict, 0),
            Error::Unsupported(_) => (Code::Unimplemented, Reason::Unsupported, 0),
            Error::Throttled { retry_after, .. } => (Code::ResourceExhausted, Reason::Throttled, retry_after),
            Error::Unreachable(_) => (Code::Unavailable, Reason::Unreachable, 0),
            Error::Ambiguous(_) => (Code::Unknown, Reason::Ambiguous, 0),
        };
        let details = wire::Error { reason: reason.into(), message: message.clone(), retry_after };
        Status::with_details(code, message, Bytes::from(details.encode_to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_crosses_the_wire_with_all_its_fields() {
        let said = || "ü".to_owned();
        for error in [
            Error::Invalid(said()),
            Error::NotFound(said()),
            Error::Forbidden(said()),
            Error::Conflict(said()),
            Error::Unsupported(said()),
            Error::Throttled { message: said(), retry_after: 7 },
            Error::Unreachable(said()),
            Error::Ambiguous(said()),
        ] {
            assert_eq!(asked(error.clone().into()), error);
            assert_eq!(taken(error.clone().into()), error);
        }
    }

    #[test]
    fn the_transport_speaking_during_a_step_is_ambiguous() {
        for code in [Code::Unavailable, Code::Unknown, Code::Internal, Code::Cancelled, Code::DeadlineExceeded] {
            assert!(matches!(taken(Status::new(code, "x")), Error::Ambiguous(_)), "{code:?}");
            assert!(matches!(asked(Status::new(code, "x")), Error::Unreachable(_)), "{code:?}");
        }
        assert!(matches!(taken(Status::new(Code::Unimplemented, "x")), Error::Unsupported(_)));
        let odd = Status::with_details(Code::NotFound, "x", Bytes::from_static(b"\xff\xff"));
        assert!(matches!(taken(odd), Error::Ambiguous(_)));
    }
}
