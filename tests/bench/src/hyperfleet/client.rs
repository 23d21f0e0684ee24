//! A client of one connection over HTTP/1.1, as HyperFleet's clients are: they read the whole answer, then ask again.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The longest that one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection.
pub(crate) struct Client {
    send: SendRequest<Full<Bytes>>,
    authority: String,
    /// Drives the connection.
    _driver: JoinSet<()>,
}

// === impl Client ===

impl Client {
    /// Connects to `HOST:PORT`.
    pub(crate) async fn connect(authority: &str) -> Result<Self> {
        let stream = TcpStream::connect(authority).await.with_context(|| format!("connecting to {authority}"))?;
        stream.set_nodelay(true).context("setting TCP_NODELAY")?;
        let (send, connection) = handshake(TokioIo::new(stream)).await.context("starting HTTP/1.1")?;
        let mut driver = JoinSet::new();
        // How a connection ended is told by the requests that it fails.
        driver.spawn(async move { drop(connection.await) });
        Ok(Self { send, authority: authority.to_owned(), _driver: driver })
    }

    /// Sends a request and reads the whole answer; one that is not 2xx is an error.
    pub(crate) async fn call(&mut self, method: Method, target: &str, body: Bytes) -> Result<Bytes> {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header(HOST, &self.authority)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .context("building a request")?;
        let exchanged = async {
            self.send.ready().await?;
            let (head, body) = self.send.send_request(request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            ensure!(head.status.is_success(), "{}: {}", head.status, String::from_utf8_lossy(&body));
            Ok(body)
        };
        timeout(PATIENCE, exchanged).await.with_context(|| format!("no answer within {PATIENCE:?}"))?
    }
}
