//! The one table between [`store::Error`] and [`tonic::Status`].
//!
//! The gRPC code is for people and proxies. What a caller acts on travels as an encoded message in the details, so that
//! every variant arrives with all its fields. A status without details never came from a store: it is the transport
//! speaking, and whatever it says, the answer is not known.

mod cbt;

use bytes::Bytes;
use prost::Message;
use tonic::{Code, Status};

use crate::store::{self, wire};

/// The gRPC code that stands for an error.
fn code(error: &store::Error) -> Code {
    match error {
        store::Error::NotFound { .. } => Code::NotFound,
        store::Error::AlreadyExists { .. } => Code::AlreadyExists,
        store::Error::Conflict { .. } => Code::Aborted,
        store::Error::Compacted { .. } => Code::OutOfRange,
        store::Error::Future { .. } => Code::FailedPrecondition,
        store::Error::Invalid { .. } => Code::InvalidArgument,
        store::Error::OutOfSpace { .. } => Code::ResourceExhausted,
        store::Error::Unavailable { .. } => Code::Unavailable,
        store::Error::Internal { .. } => Code::Internal,
    }
}

/// What a status without details means.
fn bare(status: &Status) -> store::Error {
    let reason = format!("store: {}: {}", status.code().description(), status.message());
    match status.code() {
        // What tonic answers to a message over the limit, and to one that it cannot decode.
        Code::OutOfRange | Code::InvalidArgument => store::Error::Invalid { reason },
        Code::Unimplemented => store::Error::Internal { reason },
        _ => store::Error::Unavailable { reason },
    }
}

impl From<store::Error> for Status {
    fn from(error: store::Error) -> Self {
        let (code, message) = (code(&error), error.to_string());
        Status::with_details(code, message, Bytes::from(wire::Error::from(error).encode_to_vec()))
    }
}

impl From<Status> for store::Error {
    fn from(status: Status) -> Self {
        match status.details() {
            [] => bare(&status),
            details => wire::Error::decode(details)
                .ok()
                .and_then(|error| store::Error::try_from(error).ok())
                .unwrap_or_else(|| bare(&status)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_without_details_is_the_transport_speaking() {
        for (code, expected) in [
            (Code::Unavailable, "unavailable"),
            (Code::Unknown, "unavailable"),
            (Code::Internal, "unavailable"),
            (Code::NotFound, "unavailable"),
            (Code::OutOfRange, "invalid"),
            (Code::Unimplemented, "internal"),
        ] {
            let kind = match store::Error::from(Status::new(code, "x")) {
                store::Error::Unavailable { .. } => "unavailable",
                store::Error::Invalid { .. } => "invalid",
                store::Error::Internal { .. } => "internal",
                other => panic!("{code:?} became {other:?}"),
            };
            assert_eq!(kind, expected, "{code:?}");
        }
    }

    #[test]
    fn details_that_cannot_be_read_are_no_error_of_a_store() {
        let status = Status::with_details(Code::NotFound, "x", Bytes::from_static(b"\xff\xff"));
        assert!(matches!(store::Error::from(status), store::Error::Unavailable { .. }));
    }
}
