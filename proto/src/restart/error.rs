//! Refusals: the `metav1.Status` that the API answers with, as JSON in the details of the gRPC status.

use bytes::Bytes;
use machinery::status::Status;
use tonic::Code;

/// The result of a method of the seam.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why not, ready to be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub Box<Status>);

// === impl Error ===

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Self(Box::new(status))
    }
}

impl From<Error> for tonic::Status {
    fn from(Error(status): Error) -> Self {
        tonic::Status::with_details(code(status.code), status.message.clone(), Bytes::from(status.to_json()))
    }
}

impl From<tonic::Status> for Error {
    fn from(status: tonic::Status) -> Self {
        Status::from_json(status.details()).unwrap_or_else(|| bare(&status)).into()
    }
}

/// The gRPC code that stands for an HTTP one.
fn code(http: u16) -> Code {
    match http {
        400 | 422 => Code::InvalidArgument,
        403 => Code::PermissionDenied,
        404 => Code::NotFound,
        409 => Code::FailedPrecondition,
        429 => Code::ResourceExhausted,
        503 => Code::Unavailable,
        _ => Code::Internal,
    }
}

/// A status without details never came from a worker: it is the transport speaking.
fn bare(status: &tonic::Status) -> Status {
    let said = format!("{}: {}", status.code().description(), status.message());
    match status.code() {
        Code::Unimplemented => Status::internal(&format!("the restart worker is of another version: {said}")),
        _ => Status::unavailable(&format!("the restart worker did not answer: {said}"), 1),
    }
}

#[cfg(test)]
mod tests {
    use machinery::{
        GroupResource,
        status::{Cause, Reason},
    };

    use super::*;

    #[test]
    fn every_status_crosses_the_wire_whole() {
        let nodes = GroupResource::new("infraops.michael.io", "nodes");
        let mut guarded = Status::forbidden(&nodes, "a", "it is a control-plane node");
        let cause = Cause { reason: "ControlPlane".into(), message: "x".into(), field: "node".into() };
        guarded.details.get_or_insert_default().causes.push(cause);
        for status in [
            Status::bad_request("x"),
            guarded,
            Status::not_found(&nodes, "a"),
            Status::conflict(&nodes, "a", "x"),
            Status::new(422, Some(Reason::Invalid), "x"),
            Status::too_many_requests("x", 7),
            Status::unavailable("x", 0),
            Status::internal("x"),
            Status::new(418, None, "x"),
        ] {
            let error = Error::from(status);
            assert_eq!(Error::from(tonic::Status::from(error.clone())), error);
        }
    }

    #[test]
    fn a_status_without_details_is_the_transport_speaking() {
        for (code, expected) in [
            (Code::Unavailable, 503),
            (Code::Unknown, 503),
            (Code::NotFound, 503),
            (Code::PermissionDenied, 503),
            (Code::Unimplemented, 500),
        ] {
            assert_eq!(Error::from(tonic::Status::new(code, "x")).0.code, expected, "{code:?}");
        }
        let odd = tonic::Status::with_details(Code::NotFound, "x", Bytes::from_static(b"{}"));
        assert_eq!(Error::from(odd).0.code, 503);
    }
}
