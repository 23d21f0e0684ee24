//! The driver that everything here asks: volumes that are computed, and all changed. A snapshot's handle is how many
//! entries it has.
//!
//! It is served as our seam and as CSI's, so that our relay and the sidecar of Kubernetes have the same one.

use std::path::PathBuf;

use anyhow::Result;
use async_trait::async_trait;
use futures::TryStreamExt as _;
use futures::stream::{BoxStream, StreamExt as _};
use proto::cbt::csi::identity_server::{Identity, IdentityServer};
use proto::cbt::csi::plugin_capability::{Service, Type, service};
use proto::cbt::csi::snapshot_metadata_server::{SnapshotMetadata, SnapshotMetadataServer};
use proto::cbt::csi::{
    GetMetadataAllocatedRequest, GetMetadataDeltaRequest, GetPluginCapabilitiesRequest, GetPluginCapabilitiesResponse,
    GetPluginInfoRequest, GetPluginInfoResponse, PluginCapability, ProbeRequest, ProbeResponse,
};
use proto::cbt::suite::Synthetic;
use proto::cbt::{self, Blocks, ChangedBlocks, Data, Encoded, Error, Info, Query, Read, Snapshot};
use runtime::Context;
use runtime::args::PeerTlsArgs;
use runtime::grpc;
use runtime::serve::{Settings, incoming};
use tonic::{Request, Response, Status};

/// The CSI driver that it is.
pub(crate) const NAME: &str = "synthetic.example.com";

/// The size of its blocks.
pub(crate) const BLOCK: u64 = 64 << 10;

/// Serves until it is killed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The Unix socket to listen on
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
}

/// All volumes.
struct Volumes;

/// The same for who speaks CSI.
struct Csi;

/// Serves until the process is killed.
pub(crate) async fn serve(args: &Args) -> Result<()> {
    let context = Context::new();
    let address = format!("unix://{}", args.socket.display());
    let listener = grpc::listen(&address, &PeerTlsArgs::default(), &context.tasks).await?;
    let routes = grpc::routes(cbt::server::service(Volumes)).await;
    let routes = routes.add_service(IdentityServer::new(Csi)).add_service(SnapshotMetadataServer::new(Csi));
    grpc::serve_on(routes, incoming(listener, Settings::default(), &context.tasks), &context).await
}

/// The volume of a snapshot.
fn volume(snapshot: &Snapshot) -> cbt::Result<Synthetic> {
    let Snapshot::Handle(handle) = snapshot else { return Err(Error::Invalid("a handle is asked for".to_owned())) };
    let entries = handle.parse().map_err(|_| Error::NotFound(format!("{handle:?} is no number of entries")))?;
    Ok(Synthetic::full(entries, BLOCK))
}

// === impl Volumes ===

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ChangedBlocks for Volumes {
    async fn info(&self) -> cbt::Result<Info> {
        Ok(Info { driver: NAME.to_owned(), version: "v1".to_owned(), reads: false })
    }

    async fn blocks(&self, query: Query) -> cbt::Result<BoxStream<'static, cbt::Result<Blocks>>> {
        let target = Snapshot::Handle("target".to_owned());
        volume(&query.target)?.blocks(Query { base: None, target, ..query }).await
    }

    async fn read(&self, _: Read) -> cbt::Result<BoxStream<'static, cbt::Result<Data>>> {
        Err(Error::Invalid("there is no data".to_owned()))
    }
}

// === impl Csi ===

type Messages = BoxStream<'static, Result<Encoded, Status>>;

#[async_trait]
impl SnapshotMetadata for Csi {
    type GetMetadataAllocatedStream = Messages;
    type GetMetadataDeltaStream = Messages;

    async fn get_metadata_allocated(
        &self,
        request: Request<GetMetadataAllocatedRequest>,
    ) -> Result<Response<Messages>, Status> {
        let GetMetadataAllocatedRequest { snapshot_id, starting_offset, max_results, .. } = request.into_inner();
        let query = Query {
            start: u64::try_from(starting_offset).map_err(|_| Status::out_of_range("starting_offset"))?,
            per_message: u32::try_from(max_results).map_err(|_| Status::invalid_argument("max_results"))?,
            ..Query::allocated(Snapshot::Handle(snapshot_id))
        };
        let blocks = Volumes.blocks(query).await?;
        Ok(Response::new(blocks.map_ok(Encoded::from).map_err(Status::from).boxed()))
    }

    async fn get_metadata_delta(&self, _: Request<GetMetadataDeltaRequest>) -> Result<Response<Messages>, Status> {
        Err(Status::unimplemented("only what is allocated is measured"))
    }
}

#[async_trait]
impl Identity for Csi {
    async fn get_plugin_info(
        &self,
        _: Request<GetPluginInfoRequest>,
    ) -> Result<Response<GetPluginInfoResponse>, Status> {
        Ok(Response::new(GetPluginInfoResponse { name: NAME.to_owned(), vendor_version: "v1".to_owned() }))
    }

    async fn get_plugin_capabilities(
        &self,
        _: Request<GetPluginCapabilitiesRequest>,
    ) -> Result<Response<GetPluginCapabilitiesResponse>, Status> {
        let service = Service { r#type: service::Type::SnapshotMetadataService.into() };
        let capabilities = vec![PluginCapability { r#type: Some(Type::Service(service)) }];
        Ok(Response::new(GetPluginCapabilitiesResponse { capabilities }))
    }

    async fn probe(&self, _: Request<ProbeRequest>) -> Result<Response<ProbeResponse>, Status> {
        Ok(Response::new(ProbeResponse { ready: Some(true) }))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn handle(entries: &str) -> Snapshot {
        Snapshot::Handle(entries.to_owned())
    }

    #[tokio::test]
    async fn a_handle_is_a_number_of_entries() {
        let messages: Vec<Blocks> =
            Volumes.blocks(Query::allocated(handle("5000"))).await.unwrap().try_collect().await.unwrap();
        assert_eq!(messages.iter().map(Blocks::len).sum::<usize>(), 5000);
        assert!(matches!(Volumes.blocks(Query::allocated(handle("many"))).await, Err(Error::NotFound(_))));
    }

    #[tokio::test]
    async fn csi_says_the_same() {
        let request = GetMetadataAllocatedRequest {
            snapshot_id: "5000".to_owned(),
            starting_offset: 4000 * i64::try_from(BLOCK).unwrap(),
            max_results: 256,
            ..Default::default()
        };
        let answer = Csi.get_metadata_allocated(Request::new(request)).await.unwrap();
        let messages: Vec<Encoded> = answer.into_inner().try_collect().await.unwrap();
        let messages: Vec<Blocks> =
            messages.into_iter().map(|Encoded(message)| Blocks::decode(message).unwrap()).collect();
        assert_eq!(messages.iter().map(Blocks::len).collect::<Vec<_>>(), [256, 256, 256, 232]);
    }
}
