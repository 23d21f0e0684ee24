//! A CSI driver that does what a test tells it to, and remembers what it was asked.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_stream::stream;
use bytes::Bytes;
use futures::stream::BoxStream;
use kit::Scratch;
use proto::cbt::{
    Block, Builder, Encoded, Kind,
    csi::{
        GetMetadataAllocatedRequest, GetMetadataDeltaRequest, GetPluginCapabilitiesRequest,
        GetPluginCapabilitiesResponse, GetPluginInfoRequest, GetPluginInfoResponse, PluginCapability, ProbeRequest,
        ProbeResponse,
        identity_server::{Identity, IdentityServer},
        plugin_capability::{self, service},
        snapshot_metadata_server::{SnapshotMetadata, SnapshotMetadataServer},
    },
};
use tokio::{net::UnixListener, runtime::Runtime};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::{Request, Response, Status, async_trait, transport::Server};

/// A step of an answer.
#[derive(Clone)]
pub(crate) enum Act {
    /// Sends a message.
    Send(Bytes),
    /// Sends blocks of 4 KiB for ever, all at their places, 4096 in a message.
    Flood,
    /// Sends a message for ever.
    Repeat(Bytes),
    /// Ends with a status.
    Fail(Status),
    /// Neither goes on nor ends.
    Hang,
}

/// What the driver was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) base: Option<String>,
    pub(crate) target: String,
    pub(crate) start: i64,
    pub(crate) most: i32,
    pub(crate) secrets: BTreeMap<String, String>,
    /// Whether the request had a deadline.
    pub(crate) deadline: bool,
}

/// What a test and the driver share.
#[derive(Default)]
pub(crate) struct State {
    acts: Mutex<Vec<Act>>,
    asked: Mutex<Vec<Asked>>,
    running: AtomicUsize,
    sent: AtomicUsize,
    /// Who it says it is.
    pub(crate) name: Mutex<String>,
    /// Which services it says it has.
    pub(crate) capabilities: Mutex<Vec<service::Type>>,
    /// Whether it says it is ready.
    pub(crate) ready: Mutex<Option<bool>>,
}

/// The driver behind a socket; it can be stopped and started.
pub(crate) struct Hostile {
    pub(crate) state: Arc<State>,
    pub(crate) scratch: Scratch,
    /// Its own, so that its connections end with it.
    runtime: Option<Runtime>,
}

struct Service(Arc<State>);

/// Counts the answers that are being given.
struct Running(Arc<State>);

// === impl Hostile ===

impl Hostile {
    /// One that is there, and does the same for whatever it is asked.
    pub(crate) fn new(acts: impl IntoIterator<Item = Act>) -> Self {
        let mut hostile = Self::absent(acts);
        hostile.start();
        hostile
    }

    /// One that is not there yet.
    pub(crate) fn absent(acts: impl IntoIterator<Item = Act>) -> Self {
        let state = State {
            acts: Mutex::new(acts.into_iter().collect()),
            name: Mutex::new("hostile.csi.example.com".to_owned()),
            capabilities: Mutex::new(vec![service::Type::ControllerService, service::Type::SnapshotMetadataService]),
            ..State::default()
        };
        Self { state: Arc::new(state), scratch: Scratch::new("hostile").unwrap(), runtime: None }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.scratch.file("socket")
    }

    pub(crate) fn start(&mut self) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = {
            let _entered = runtime.enter();
            listen(&self.socket())
        };
        let service = || Service(self.state.clone());
        let serving = Server::builder()
            .add_service(IdentityServer::new(service()))
            .add_service(SnapshotMetadataServer::new(service()).max_encoding_message_size(usize::MAX))
            .serve_with_incoming(listener);
        runtime.spawn(async move { serving.await.unwrap() });
        self.runtime = Some(runtime);
    }

    /// Ends as a process does: its connections break.
    pub(crate) fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    pub(crate) fn act(&self, acts: impl IntoIterator<Item = Act>) {
        *self.state.acts.lock().unwrap() = acts.into_iter().collect();
    }

    /// What it was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state.asked.lock().unwrap())
    }

    /// How many answers it is giving.
    pub(crate) fn running(&self) -> usize {
        self.state.running.load(Ordering::SeqCst)
    }

    /// How many messages it has sent.
    pub(crate) fn sent(&self) -> usize {
        self.state.sent.load(Ordering::SeqCst)
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Listens at a socket that may have been somebody else's.
pub(crate) fn listen(socket: &Path) -> UnixListenerStream {
    let _ = std::fs::remove_file(socket);
    UnixListenerStream::new(UnixListener::bind(socket).unwrap())
}

// === impl Service ===

impl Service {
    fn answer(&self, asked: Asked) -> Response<BoxStream<'static, Result<Encoded, Status>>> {
        let state = self.0.clone();
        state.asked.lock().unwrap().push(asked);
        state.running.fetch_add(1, Ordering::SeqCst);
        let acts = state.acts.lock().unwrap().clone();
        let running = Running(state);
        Response::new(Box::pin(stream! {
            for act in acts {
                match act {
                    Act::Send(message) => yield Ok(Encoded(message)),
                    Act::Repeat(message) => loop {
                        running.0.sent.fetch_add(1, Ordering::SeqCst);
                        yield Ok(Encoded(message.clone()));
                    },
                    Act::Flood => for index in 0.. {
                        let mut builder = Builder::new(Kind::Fixed, 1 << 60);
                        for block in index * 4096..(index + 1) * 4096 {
                            builder.push(Block { offset: block * 4096, size: 4096, token: &[] });
                        }
                        running.0.sent.fetch_add(1, Ordering::SeqCst);
                        yield Ok(Encoded(builder.finish().encoded().clone()));
                    },
                    Act::Fail(status) => yield Err(status),
                    Act::Hang => std::future::pending().await,
                }
            }
        }))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl SnapshotMetadata for Service {
    type GetMetadataAllocatedStream = BoxStream<'static, Result<Encoded, Status>>;
    type GetMetadataDeltaStream = BoxStream<'static, Result<Encoded, Status>>;

    async fn get_metadata_allocated(
        &self,
        request: Request<GetMetadataAllocatedRequest>,
    ) -> Result<Response<Self::GetMetadataAllocatedStream>, Status> {
        let deadline = request.metadata().contains_key("grpc-timeout");
        let GetMetadataAllocatedRequest { snapshot_id: target, starting_offset: start, max_results: most, secrets } =
            request.into_inner();
        Ok(self.answer(Asked { base: None, target, start, most, secrets, deadline }))
    }

    async fn get_metadata_delta(
        &self,
        request: Request<GetMetadataDeltaRequest>,
    ) -> Result<Response<Self::GetMetadataDeltaStream>, Status> {
        let deadline = request.metadata().contains_key("grpc-timeout");
        let request = request.into_inner();
        Ok(self.answer(Asked {
            base: Some(request.base_snapshot_id),
            target: request.target_snapshot_id,
            start: request.starting_offset,
            most: request.max_results,
            secrets: request.secrets,
            deadline,
        }))
    }
}

#[async_trait]
impl Identity for Service {
    async fn get_plugin_info(
        &self,
        _: Request<GetPluginInfoRequest>,
    ) -> Result<Response<GetPluginInfoResponse>, Status> {
        let name = self.0.name.lock().unwrap().clone();
        Ok(Response::new(GetPluginInfoResponse { name, vendor_version: "v1".to_owned() }))
    }

    async fn get_plugin_capabilities(
        &self,
        _: Request<GetPluginCapabilitiesRequest>,
    ) -> Result<Response<GetPluginCapabilitiesResponse>, Status> {
        let service = |kind: service::Type| plugin_capability::Service { r#type: kind.into() };
        let capability = |kind| PluginCapability { r#type: Some(plugin_capability::Type::Service(service(kind))) };
        let capabilities = self.0.capabilities.lock().unwrap().iter().copied().map(capability).collect();
        Ok(Response::new(GetPluginCapabilitiesResponse { capabilities }))
    }

    async fn probe(&self, _: Request<ProbeRequest>) -> Result<Response<ProbeResponse>, Status> {
        Ok(Response::new(ProbeResponse { ready: *self.0.ready.lock().unwrap() }))
    }
}

/// What must happen happens within this time.
pub(crate) const SOON: Duration = Duration::from_secs(60);
