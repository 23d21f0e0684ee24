//! The exchange itself.

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri, header::HOST};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use proto::node::{Error, Result};
use runtime::telemetry::chain;
use rustls_pki_types::ServerName;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{Endpoint, Trust, TrustError};

/// The largest answer that is read.
const LARGEST: usize = 1 << 20;

/// How long the two halves of an exchange may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// To connect, with the TLS handshake.
    pub connect: Duration,
    /// To send the request and read the answer.
    pub answer: Duration,
}

/// Makes exchanges. A clone is as good.
#[derive(Debug, Clone)]
pub struct Client {
    trust: Trust,
    limits: Limits,
}

// === impl Limits ===

impl Limits {
    /// Five seconds to connect, and `answer` from then on.
    #[must_use]
    pub fn answer_within(answer: Duration) -> Self {
        Self { connect: Duration::from_secs(5), answer }
    }
}

// === impl Client ===

impl Client {
    /// A client that believes `trust`, which must be readable now.
    pub fn new(trust: Trust, limits: Limits) -> Result<Self, TrustError> {
        trust.config()?;
        Ok(Self { trust, limits })
    }

    /// Sends a request and reads the whole answer, whatever its status. The URI and `Host` are the endpoint's.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when nothing was sent, else [`Error::Ambiguous`].
    pub async fn send(&self, endpoint: &Endpoint, request: Request<Bytes>) -> Result<Response<Bytes>> {
        let stream = match timeout(self.limits.connect, self.connect(endpoint)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(Error::Unreachable(format!("connecting to {endpoint}: {error}"))),
            Err(_) => {
                return Err(Error::Unreachable(format!(
                    "connecting to {endpoint}: not within {:?}",
                    self.limits.connect
                )));
            }
        };
        match timeout(self.limits.answer, exchange(stream, addressed(endpoint, request))).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(Error::Ambiguous(format!("{endpoint} did not answer: {error}"))),
            Err(_) => Err(Error::Ambiguous(format!("{endpoint} did not answer within {:?}", self.limits.answer))),
        }
    }

    async fn connect(&self, endpoint: &Endpoint) -> Result<TlsStream<TcpStream>, String> {
        let config = self.trust.config().map_err(|error| chain(&error))?;
        let name = ServerName::try_from(endpoint.host().to_owned()).map_err(|error| error.to_string())?;
        let stream = TcpStream::connect((endpoint.host(), endpoint.port())).await.map_err(|error| error.to_string())?;
        TlsConnector::from(config).connect(name, stream).await.map_err(|error| error.to_string())
    }
}

fn addressed(endpoint: &Endpoint, request: Request<Bytes>) -> Request<Full<Bytes>> {
    let (mut parts, body) = request.into_parts();
    let path = endpoint.uri().path_and_query().map_or("/", |path| path.as_str());
    parts.uri = path.parse().unwrap_or_else(|_| Uri::from_static("/"));
    let host = HeaderValue::from_str(endpoint.authority()).expect("the authority of a URL is ASCII");
    parts.headers.insert(HOST, host);
    Request::from_parts(parts, Full::new(body))
}

/// Drives the connection beside the request, and no longer than that.
async fn exchange(stream: TlsStream<TcpStream>, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, String> {
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error: hyper::Error| chain(&error))?;
    let answer = async move {
        let (parts, body) = sender.send_request(request).await.map_err(|error| chain(&error))?.into_parts();
        let body = Limited::new(body, LARGEST).collect().await.map_err(|error| chain(error.as_ref()))?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    };
    let (mut connection, mut answer) = (pin!(connection), pin!(answer));
    let mut open = true;
    loop {
        tokio::select! {
            answer = &mut answer => return answer,
            // Its end says nothing: what it has read is with the answer, and so is its error.
            _ = &mut connection, if open => open = false,
        }
    }
}
