//! Serves a store to other processes.

use std::{io, sync::Arc, time::Duration};

use anyhow::Context as _;
use futures::Stream;
use proto::store::{Store, server};
use runtime::{Context, telemetry::ExtractLayer};
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::{
    server::NamedService,
    transport::{Server, server::Connected},
};
use tonic_health::server::HealthReporter;

/// Bytes of one stream that may be on their way to us: one object of the largest size should not wait.
const STREAM_WINDOW: u32 = 4 << 20;

/// Bytes of all streams of a connection that may be on their way to us.
const CONNECTION_WINDOW: u32 = 16 << 20;

/// How many requests a connection may have at a time: an apiserver has one connection, and one watch per resource.
const STREAMS: u32 = 10_000;

/// How often a client is asked whether it is still there: a watch may be silent for long.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Serves `store`, and the health service beside it, on the connections that come in, until the process drains and what
/// runs is finished.
pub async fn serve<I, C>(store: Arc<dyn Store>, incoming: I, context: &Context) -> anyhow::Result<()>
where
    I: Stream<Item = io::Result<C>>,
    C: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
{
    let _guard = context.shutdown.guard();
    let store = server::service(store);
    let (health, health_service) = tonic_health::server::health_reporter();
    serving(&health, &store).await;
    Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(STREAMS)
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .tcp_nodelay(true)
        .layer(ExtractLayer)
        .add_service(store)
        .add_service(health_service)
        .serve_with_incoming_shutdown(incoming, context.shutdown.draining())
        .await
        .context("serving the store")
}

/// Says that `service` serves; as an argument, because its type is too long to be written.
async fn serving<S: NamedService>(health: &HealthReporter, _service: &S) {
    health.set_serving::<S>().await;
}
