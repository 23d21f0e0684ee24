//! The server's end.

use std::{io, net::SocketAddr, path::Path, time::Duration};

use anyhow::{Context as _, bail};
use futures::Stream;
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::{
    body::Body,
    codegen::Service,
    server::NamedService,
    service::Routes,
    transport::{Server, server::Connected},
};

use super::certificate;
use crate::{
    Context, Tasks,
    args::{ListenArgs, PeerTlsArgs},
    serve::{Listener, Settings, incoming},
    telemetry::ExtractLayer,
    tls::{Identity, ServerTls},
};

/// Bytes of one stream that may be on their way to us: one object of the largest size should not wait.
const STREAM_WINDOW: u32 = 4 << 20;

/// Bytes of all streams of a connection that may be on their way to us.
const CONNECTION_WINDOW: u32 = 16 << 20;

/// How many requests a connection may have at a time: an apiserver has one connection, and one watch per resource.
const STREAMS: u32 = 10_000;

/// How often a client is asked whether it is still there: a stream may be silent for long.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// A service, and the health service that says of it that it serves.
pub async fn routes<S>(service: S) -> Routes
where
    S: Service<http::Request<Body>, Response: axum::response::IntoResponse, Error = std::convert::Infallible>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<S>().await;
    Routes::new(service).add_service(health_service)
}

/// Serves where the flags say, until the process drains and what runs is finished.
pub async fn serve(routes: Routes, args: &ListenArgs, context: &Context) -> anyhow::Result<()> {
    let listener = listen(&args.listen, &args.peer, &context.tasks).await?;
    serve_on(routes, incoming(listener, Settings::default(), &context.tasks), context).await
}

/// Serves on the connections that come in, until the process drains and what runs is finished.
pub async fn serve_on<I, C>(routes: Routes, incoming: I, context: &Context) -> anyhow::Result<()>
where
    I: Stream<Item = io::Result<C>>,
    C: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
{
    let _guard = context.shutdown.guard();
    Server::builder()
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_concurrent_streams(STREAMS)
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .tcp_nodelay(true)
        .layer(ExtractLayer)
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, context.shutdown.draining())
        .await
        .context("serving gRPC")
}

/// Listens at `address`: `https://IP:PORT`, believing only those who show a certificate, or `unix:///PATH`.
pub async fn listen(address: &str, peer: &PeerTlsArgs, tasks: &Tasks) -> anyhow::Result<Listener> {
    if let Some(path) = address.strip_prefix("unix:") {
        let path = Path::new(path.strip_prefix("//").unwrap_or(path));
        return Listener::unix(path).with_context(|| format!("listening on --listen {address}"));
    }
    let Some(socket) = address.strip_prefix("https://") else {
        bail!("--listen {address:?} is neither https://IP:PORT nor unix:///PATH");
    };
    let socket: SocketAddr = socket.parse().with_context(|| format!("--listen {address:?} is not https://IP:PORT"))?;
    let Some((pair, ca)) = certificate(peer) else {
        bail!(
            "--listen {address} needs --peer-ca-file, --peer-cert-file and --peer-key-file: nobody is believed without a certificate"
        );
    };
    let identity = Identity::load(&pair, tasks).context("loading --peer-cert-file")?;
    let tls = ServerTls::requiring(identity, ca, tasks).context("loading --peer-ca-file")?;
    Listener::tls(socket, tls).await.with_context(|| format!("listening on --listen {address}"))
}
