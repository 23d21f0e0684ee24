//! Servers on Unix sockets that can be killed: each has threads of its own, and what they do ends with them.

use std::{path::Path, sync::Arc, time::Duration};

use proto::cbt::{ChangedBlocks, client::Client, server};
use runtime::{
    Context, Tasks,
    args::PeerTlsArgs,
    grpc::{self, Channel},
    serve::{Settings, incoming},
};
use tokio::runtime::Runtime;

/// What serves on a socket until it is killed, or dropped.
pub(crate) struct Host {
    runtime: Option<Runtime>,
}

// === impl Host ===

impl Host {
    /// Serves; whoever connects from now on is served. Not to be called within a runtime.
    pub(crate) fn serve(socket: &Path, blocks: Arc<dyn ChangedBlocks>) -> Self {
        Self::with(socket, |_| blocks)
    }

    /// Serves what is made within the threads that serve it.
    pub(crate) fn with(socket: &Path, make: impl FnOnce(&Tasks) -> Arc<dyn ChangedBlocks>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let context = Context::new();
        runtime.block_on(async {
            let address = format!("unix://{}", socket.display());
            let listener = grpc::listen(&address, &PeerTlsArgs::default(), &context.tasks).await.expect("it listens");
            let connections = incoming(listener, Settings::default(), &context.tasks);
            let routes = grpc::routes(server::service(make(&context.tasks))).await;
            context.tasks.clone().spawn("server", async move { grpc::serve_on(routes, connections, &context).await });
        });
        Self { runtime: Some(runtime) }
    }

    /// Ends it as a signal 9 would: connections close, and nothing is said. Not to be called within a runtime.
    pub(crate) fn kill(mut self) {
        let runtime = self.runtime.take().expect("it is killed once");
        runtime.shutdown_timeout(Duration::from_secs(20));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A client of what serves on a socket.
pub(crate) fn connect(socket: &Path) -> Client<Channel> {
    let address = format!("unix://{}", socket.display());
    Client::new(grpc::channel(&address, None).expect("it is an address"))
}
