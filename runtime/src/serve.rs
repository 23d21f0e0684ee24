//! The accept loop, over TCP with or without TLS or a Unix socket, for HTTP/1.1 and HTTP/2 on one port.
//!
//! ```text
//!   Listener ──accept──▶ handshake (concurrent, with a timeout) ──▶ [`serve`]: HTTP, one task per connection
//!                                                              └──▶ [`incoming`]: a stream of connections for tonic
//! ```
//!
//! Rules: an accept that fails ends nothing; a slow handshake holds up nobody; every request carries its [`Peer`] as an
//! extension; when the process drains, the listener closes, clients are told (`GOAWAY`, `Connection: close`) and what
//! runs is finished. There are no protocol upgrades.

mod activity;
mod connection;
mod handshake;
mod incoming;
mod listener;
mod peer;

use std::{convert::Infallible, io, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming as RequestBody;
use tower::Service;

use crate::Tasks;

pub use handshake::Connection;
pub use incoming::incoming;
pub use listener::{Listener, UnixSocket};
pub use peer::{Address, Peer};

/// An error of any kind, as hyper takes it.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How long clients may take, and how much they may send. The defaults are those of Kubernetes' servers.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// For the TLS handshake.
    pub handshake_timeout: Duration,
    /// For a request's headers; a connection that has not asked anything by then is closed.
    pub header_timeout: Duration,
    /// A connection on which nothing is asked for so long is closed.
    pub idle_timeout: Duration,
    /// How often an HTTP/2 client is asked whether it is still there,
    pub keep_alive_interval: Duration,
    /// and how long it may take to say so.
    pub keep_alive_timeout: Duration,
    /// Requests at a time on one HTTP/2 connection.
    pub max_streams: u32,
    /// Bytes of a request's headers.
    pub max_header_bytes: u32,
    /// Headers of an HTTP/1.1 request.
    pub max_headers: usize,
}

/// An extension of a response that is to be its connection's last: the client is told so (`GOAWAY`,
/// `Connection: close`), and what else runs is finished. It is for those who have shown no identity, so that they cannot
/// flood a connection that is cheap for them with requests that are not cheap for us.
#[derive(Debug, Clone, Copy)]
pub struct LastResponse;

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        Self {
            handshake_timeout: Duration::from_secs(10),
            header_timeout: Duration::from_secs(32),
            idle_timeout: Duration::from_secs(90),
            keep_alive_interval: Duration::from_secs(30),
            keep_alive_timeout: Duration::from_secs(15),
            max_streams: 1000,
            max_header_bytes: 1 << 20,
            max_headers: 1000,
        }
    }
}

/// Serves HTTP until the process drains. Connections go on in tasks of their own, which `tasks` waits for.
pub async fn serve<S, B>(mut listener: Listener, service: S, settings: Settings, tasks: &Tasks) -> io::Result<()>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Infallible, Future: Send> + Clone + Send + 'static,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    tracing::info!("serving on {}", listener.address());
    let draining = tasks.shutdown().draining();
    let mut draining = std::pin::pin!(draining);
    loop {
        let accepted = tokio::select! {
            () = &mut draining => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        let (service, shutdown) = (service.clone(), tasks.shutdown().clone());
        tasks.spawn("connection", async move {
            if let Some(connection) = handshake::shake(accepted, settings.handshake_timeout).await {
                connection::run(connection, service, settings, shutdown).await;
            }
        });
    }
}
