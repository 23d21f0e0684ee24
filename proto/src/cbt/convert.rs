//! Between the seam's types and its wire.
//!
//! Outward nothing can fail. Inward a message may lack what proto3 cannot require: that is [`Error::Invalid`].

use super::{
    Data, Error, Info, Query, Read, Result, Shape, Snapshot,
    wire::{self, blocks_request, error::Reason, snapshot},
};

/// A field that must be there.
fn required<T>(field: Option<T>, name: &str) -> Result<T> {
    field.ok_or_else(|| Error::Invalid(format!("the request has no {name}")))
}

impl From<Info> for wire::InfoResponse {
    fn from(Info { driver, version, reads }: Info) -> Self {
        Self { driver, version, reads }
    }
}

impl From<wire::InfoResponse> for Info {
    fn from(wire::InfoResponse { driver, version, reads }: wire::InfoResponse) -> Self {
        Self { driver, version, reads }
    }
}

impl From<Snapshot> for wire::Snapshot {
    fn from(snapshot: Snapshot) -> Self {
        let snapshot = match snapshot {
            Snapshot::Named { namespace, name } => snapshot::Snapshot::Named(snapshot::Named { namespace, name }),
            Snapshot::Handle(handle) => snapshot::Snapshot::Handle(handle),
        };
        Self { snapshot: Some(snapshot) }
    }
}

impl TryFrom<wire::Snapshot> for Snapshot {
    type Error = Error;

    fn try_from(snapshot: wire::Snapshot) -> Result<Self> {
        Ok(match required(snapshot.snapshot, "snapshot")? {
            snapshot::Snapshot::Named(snapshot::Named { namespace, name }) => Self::Named { namespace, name },
            snapshot::Snapshot::Handle(handle) => Self::Handle(handle),
        })
    }
}

impl From<Query> for wire::BlocksRequest {
    fn from(query: Query) -> Self {
        let shape = match query.shape {
            Shape::Ranges => blocks_request::Shape::Ranges,
            Shape::Blocks => blocks_request::Shape::Blocks,
        };
        Self {
            base: query.base.map(Into::into),
            target: Some(query.target.into()),
            shape: shape.into(),
            start: query.start,
            limit: query.limit,
            per_message: query.per_message,
            tokens: query.tokens,
            secrets: query.secrets,
        }
    }
}

impl TryFrom<wire::BlocksRequest> for Query {
    type Error = Error;

    fn try_from(request: wire::BlocksRequest) -> Result<Self> {
        let shape = match request.shape() {
            blocks_request::Shape::Unspecified => return Err(Error::Invalid("the request has no shape".to_owned())),
            blocks_request::Shape::Ranges => Shape::Ranges,
            blocks_request::Shape::Blocks => Shape::Blocks,
        };
        Ok(Self {
            base: request.base.map(Snapshot::try_from).transpose()?,
            target: required(request.target, "target")?.try_into()?,
            shape,
            start: request.start,
            limit: request.limit,
            per_message: request.per_message,
            tokens: request.tokens,
            secrets: request.secrets,
        })
    }
}

impl From<Read> for wire::ReadBlocksRequest {
    fn from(Read { target, tokens, secrets }: Read) -> Self {
        Self { target: Some(target.into()), tokens, secrets }
    }
}

impl TryFrom<wire::ReadBlocksRequest> for Read {
    type Error = Error;

    fn try_from(request: wire::ReadBlocksRequest) -> Result<Self> {
        let wire::ReadBlocksRequest { target, tokens, secrets } = request;
        Ok(Self { target: required(target, "target")?.try_into()?, tokens, secrets })
    }
}

impl From<Data> for wire::ReadBlocksResponse {
    fn from(Data { offset, bytes }: Data) -> Self {
        Self { byte_offset: offset, data: bytes }
    }
}

impl From<wire::ReadBlocksResponse> for Data {
    fn from(wire::ReadBlocksResponse { byte_offset, data }: wire::ReadBlocksResponse) -> Self {
        Self { offset: byte_offset, bytes: data }
    }
}

impl From<Error> for wire::Error {
    fn from(error: Error) -> Self {
        let mut after = 0;
        let (reason, message) = match error {
            Error::NotFound(message) => (Reason::NotFound, message),
            Error::NotReady(message) => (Reason::NotReady, message),
            Error::NoDelta(message) => (Reason::NoDelta, message),
            Error::OutOfRange(message) => (Reason::OutOfRange, message),
            Error::Invalid(message) => (Reason::Invalid, message),
            Error::Forbidden(message) => (Reason::Forbidden, message),
            Error::Expired(message) => (Reason::Expired, message),
            Error::Throttled { message, retry_after } => {
                after = retry_after;
                (Reason::Throttled, message)
            }
            Error::Unavailable(message) => (Reason::Unavailable, message),
            Error::Broken(message) => (Reason::Broken, message),
            Error::Internal(message) => (Reason::Internal, message),
        };
        Self { reason: reason.into(), message, retry_after: after }
    }
}

impl wire::Error {
    /// The error that this is; `None` for one of a later version.
    pub(crate) fn known(self) -> Option<Error> {
        Some(match self.reason() {
            Reason::Unspecified => return None,
            Reason::NotFound => Error::NotFound(self.message),
            Reason::NotReady => Error::NotReady(self.message),
            Reason::NoDelta => Error::NoDelta(self.message),
            Reason::OutOfRange => Error::OutOfRange(self.message),
            Reason::Invalid => Error::Invalid(self.message),
            Reason::Forbidden => Error::Forbidden(self.message),
            Reason::Expired => Error::Expired(self.message),
            Reason::Throttled => Error::Throttled { message: self.message, retry_after: self.retry_after },
            Reason::Unavailable => Error::Unavailable(self.message),
            Reason::Broken => Error::Broken(self.message),
            Reason::Internal => Error::Internal(self.message),
        })
    }
}
