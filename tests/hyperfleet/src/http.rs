//! Requests as they are written, over HTTP/1.1 without TLS: a connection each.

use std::time::Duration;

use ::http::{Method, Request};
use anyhow::{Context as _, Result};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use kit::Response;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// No answer takes longer.
const LIMIT: Duration = Duration::from_secs(60);

/// Sends a request to `authority` (`HOST:PORT`) and reads the whole answer.
pub async fn send(
    authority: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Result<Response> {
    let mut request = Request::builder()
        .method(Method::from_bytes(method.as_bytes()).context("naming the method")?)
        .uri(target)
        .header("host", authority);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body.into())).with_context(|| format!("building {method} {target}"))?;
    let exchanged = timeout(LIMIT, exchange(authority, request));
    exchanged.await.context("no answer in time").flatten().with_context(|| format!("{method} {target}"))
}

async fn exchange(authority: &str, request: Request<Full<Bytes>>) -> Result<Response> {
    let stream = TcpStream::connect(authority).await.with_context(|| format!("connecting to {authority}"))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.context("starting HTTP/1.1")?;
    let answered = async {
        let (parts, body) = sender.send_request(request).await.context("sending")?.into_parts();
        let body = body.collect().await.context("reading the answer")?.to_bytes();
        Ok(Response { status: parts.status.as_u16(), headers: parts.headers, body })
    };
    tokio::pin!(answered);
    // The connection works while the answer is awaited, and goes with it.
    tokio::select! {
        answer = &mut answered => answer,
        ended = connection => {
            ended.context("serving the connection")?;
            answered.await
        }
    }
}
