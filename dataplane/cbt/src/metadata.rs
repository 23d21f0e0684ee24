//! The `SnapshotMetadata` service, as Kubernetes defines it for backup software (KEP-3314).
//!
//! ```text
//!   arguments ──▶ token: whose, for which audience ──▶ may they get volumesnapshots there ──▶ the VolumeSnapshot
//!   INVALID_ARGUMENT      UNAUTHENTICATED                    PERMISSION_DENIED                 NOT_FOUND …
//! ```
//!
//! In this order, so that nobody learns what is in a namespace who may not look there. One service answers for all
//! drivers, so a token may be for the audience of any; that it was for the right one is seen when the driver is known.

mod audiences;
mod reviews;

use std::sync::Arc;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use proto::{
    MESSAGE_LIMIT,
    cbt::{
        Encoded, Error, Query, Snapshot,
        kubernetes::{
            GetMetadataAllocatedRequest, GetMetadataDeltaRequest,
            snapshot_metadata_server::{SnapshotMetadata, SnapshotMetadataServer},
        },
    },
};
use tonic::{Request, Response, Status};
use tracing::{field::Empty, instrument};

use crate::Relay;

pub(crate) use audiences::Audiences;
pub use reviews::Reviews;

/// Says who may ask.
#[async_trait]
pub trait Admit: Send + Sync + 'static {
    /// Whether the owner of `token` may look at the VolumeSnapshots of `namespace`.
    async fn admit(&self, token: &str, namespace: &str) -> Result<Box<dyn Caller>, Status>;
}

/// Somebody who may look at the VolumeSnapshots of a namespace.
pub trait Caller: Send + Sync {
    /// Refuses the snapshots of a driver that the token was not for.
    fn may_ask(&self, driver: &str) -> Result<(), Status>;
}

/// Serves a relay. Made by [`service`].
pub struct Service {
    relay: Arc<Relay>,
    admit: Arc<dyn Admit>,
}

/// The gRPC service over `relay`, for those whom `admit` lets in; ready for a `tonic` router.
pub fn service(relay: Arc<Relay>, admit: Arc<dyn Admit>) -> SnapshotMetadataServer<Service> {
    SnapshotMetadataServer::new(Service { relay, admit }).max_encoding_message_size(MESSAGE_LIMIT)
}

/// What both requests ask.
struct Asked {
    token: String,
    namespace: String,
    target: String,
    base: Option<String>,
    start: u64,
    per_message: u32,
}

type Messages = BoxStream<'static, Result<Encoded, Status>>;

// === impl Service ===

impl Service {
    async fn answer(&self, asked: Asked) -> Result<Response<Messages>, Status> {
        let caller = self.admit.admit(&asked.token, &asked.namespace).await?;
        let target = Snapshot::Named { namespace: asked.namespace, name: asked.target };
        let base = asked.base.map(Snapshot::Handle);
        let route = self.relay.route(&target, base.as_ref()).await.map_err(plain)?;
        caller.may_ask(&route.driver)?;
        let query = Query { base, start: asked.start, per_message: asked.per_message, ..Query::allocated(target) };
        let messages = self.relay.follow(route, query).await.map_err(plain)?;
        Ok(Response::new(messages.map_ok(Encoded::from).map_err(plain).boxed()))
    }
}

#[async_trait]
impl SnapshotMetadata for Service {
    type GetMetadataAllocatedStream = Messages;
    type GetMetadataDeltaStream = Messages;

    #[instrument(name = "cbt.metadata", skip_all, fields(
        k8s.namespace = Empty, k8s.name = Empty, cbt.driver = Empty, cbt.target = Empty, cbt.base = Empty
    ))]
    async fn get_metadata_allocated(
        &self,
        request: Request<GetMetadataAllocatedRequest>,
    ) -> Result<Response<Messages>, Status> {
        self.answer(Asked::try_from(request.into_inner()).map_err(plain)?.recorded()).await
    }

    #[instrument(name = "cbt.metadata", skip_all, fields(
        k8s.namespace = Empty, k8s.name = Empty, cbt.driver = Empty, cbt.target = Empty, cbt.base = Empty
    ))]
    async fn get_metadata_delta(
        &self,
        request: Request<GetMetadataDeltaRequest>,
    ) -> Result<Response<Messages>, Status> {
        self.answer(Asked::try_from(request.into_inner()).map_err(plain)?.recorded()).await
    }
}

// === impl Asked ===

impl TryFrom<GetMetadataAllocatedRequest> for Asked {
    type Error = Error;

    fn try_from(request: GetMetadataAllocatedRequest) -> Result<Self, Error> {
        Ok(Self {
            token: filled(request.security_token, "security_token")?,
            namespace: filled(request.namespace, "namespace")?,
            target: filled(request.snapshot_name, "snapshot_name")?,
            base: None,
            start: start(request.starting_offset)?,
            per_message: per_message(request.max_results)?,
        })
    }
}

impl TryFrom<GetMetadataDeltaRequest> for Asked {
    type Error = Error;

    fn try_from(request: GetMetadataDeltaRequest) -> Result<Self, Error> {
        Ok(Self {
            token: filled(request.security_token, "security_token")?,
            namespace: filled(request.namespace, "namespace")?,
            target: filled(request.target_snapshot_name, "target_snapshot_name")?,
            base: Some(filled(request.base_snapshot_id, "base_snapshot_id")?),
            start: start(request.starting_offset)?,
            per_message: per_message(request.max_results)?,
        })
    }
}

impl Asked {
    fn recorded(self) -> Self {
        let span = tracing::Span::current();
        span.record("k8s.namespace", &self.namespace).record("k8s.name", &self.target);
        self
    }
}

/// Without our details: Go's clients take details for `google.rpc.Status`, and what is none for a fault of the server.
fn plain(error: Error) -> Status {
    let status = Status::from(error);
    Status::new(status.code(), status.message())
}

fn filled(value: String, field: &str) -> Result<String, Error> {
    if value.is_empty() { Err(Error::Invalid(format!("{field} is missing"))) } else { Ok(value) }
}

fn start(starting_offset: i64) -> Result<u64, Error> {
    u64::try_from(starting_offset)
        .map_err(|_| Error::OutOfRange(format!("starting_offset {starting_offset} is negative")))
}

fn per_message(max_results: i32) -> Result<u32, Error> {
    u32::try_from(max_results).map_err(|_| Error::Invalid(format!("max_results {max_results} is negative")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> GetMetadataDeltaRequest {
        GetMetadataDeltaRequest {
            security_token: "t".to_owned(),
            namespace: "n".to_owned(),
            base_snapshot_id: "b".to_owned(),
            target_snapshot_name: "s".to_owned(),
            starting_offset: 7,
            max_results: 9,
        }
    }

    #[test]
    fn arguments_are_taken_as_they_are_meant() {
        let asked = Asked::try_from(request()).expect("it is a good request");
        assert_eq!((asked.start, asked.per_message, asked.base.as_deref()), (7, 9, Some("b")));
    }

    #[test]
    fn what_is_missing_or_negative_is_named() {
        let empty = String::new;
        for (request, what) in [
            (GetMetadataDeltaRequest { security_token: empty(), ..request() }, "security_token is missing"),
            (GetMetadataDeltaRequest { namespace: empty(), ..request() }, "namespace is missing"),
            (GetMetadataDeltaRequest { base_snapshot_id: empty(), ..request() }, "base_snapshot_id is missing"),
            (GetMetadataDeltaRequest { target_snapshot_name: empty(), ..request() }, "target_snapshot_name is missing"),
            (GetMetadataDeltaRequest { starting_offset: -1, ..request() }, "starting_offset -1 is negative"),
            (GetMetadataDeltaRequest { max_results: -1, ..request() }, "max_results -1 is negative"),
        ] {
            assert_eq!(Asked::try_from(request).err().map(|error| error.to_string()), Some(what.to_owned()));
        }
    }
}
