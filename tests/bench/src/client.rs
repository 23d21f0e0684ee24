//! An HTTP/2 client of one API server. The one rule: nothing in here that a controller's client would not pay for too, so
//! one TLS connection each, windows as large as Go's, and no parsing of what is read.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::target::{Auth, Endpoint};

/// The longest that one answer may take, the list of everything included.
const PATIENCE: Duration = Duration::from_secs(60);

/// The receive windows that Go's client announces.
const STREAM_WINDOW: u32 = 4 << 20;
const CONNECTION_WINDOW: u32 = 1 << 30;

const JSON: &str = "application/json";

/// One request, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) accept: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) body: Bytes,
}

/// Opens connections to one endpoint.
#[derive(Clone)]
pub(crate) struct Connector {
    tls: TlsConnector,
    host: String,
    origin: Origin,
}

/// One connection; clones share it.
#[derive(Clone)]
pub(crate) struct Client {
    send: SendRequest<Full<Bytes>>,
    origin: Origin,
    /// Drives the connection until the last clone is gone.
    _driver: Arc<JoinSet<()>>,
}

/// An answer that is not 2xx.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    /// The message of the Status, if the body is one.
    message: String,
}

/// What every request to an endpoint begins with.
#[derive(Clone)]
struct Origin {
    authority: Arc<str>,
    token: Option<HeaderValue>,
}

// === impl Call ===

impl Call {
    pub(crate) fn get(path: String) -> Self {
        Self { method: Method::GET, path, accept: JSON, content_type: "", body: Bytes::new() }
    }

    pub(crate) fn json(method: Method, path: String, body: Bytes) -> Self {
        Self { method, path, accept: JSON, content_type: JSON, body }
    }

    /// A server-side apply that gets its way; JSON is YAML.
    pub(crate) fn apply(path: &str, body: Bytes) -> Self {
        let path = format!("{path}?fieldManager=bench-apply&force=true");
        Self { method: Method::PATCH, path, accept: JSON, content_type: "application/apply-patch+yaml", body }
    }

    pub(crate) fn merge_patch(path: String, body: Bytes) -> Self {
        Self { method: Method::PATCH, path, accept: JSON, content_type: "application/merge-patch+json", body }
    }
}

// === impl Connector ===

impl Connector {
    pub(crate) fn new(endpoint: &Endpoint) -> Result<Self> {
        let uri: Uri = endpoint.url.parse().with_context(|| format!("{} is not an address", endpoint.url))?;
        ensure!(uri.scheme_str() == Some("https"), "{} is not an https address", endpoint.url);
        let authority = uri.authority().with_context(|| format!("{} names no host", endpoint.url))?;
        let address = format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(443));
        let origin = Origin { authority: address.into(), token: token(&endpoint.auth)? };
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        Ok(Self { tls: TlsConnector::from(Arc::new(tls(endpoint)?)), host, origin })
    }

    /// A new connection.
    pub(crate) async fn connect(&self) -> Result<Client> {
        timeout(PATIENCE, self.open())
            .await
            .context("it took too long")?
            .with_context(|| format!("connecting to {}", self.origin.authority))
    }

    /// `count` clients, each `per_connection` of which share a connection.
    pub(crate) async fn clients(&self, count: usize, per_connection: usize) -> Result<Vec<Client>> {
        let mut clients: Vec<Client> = Vec::with_capacity(count);
        for i in 0..count {
            let client = match clients.last() {
                Some(last) if i % per_connection != 0 => last.clone(),
                _ => self.connect().await?,
            };
            clients.push(client);
        }
        Ok(clients)
    }

    async fn open(&self) -> Result<Client> {
        let stream = TcpStream::connect(&*self.origin.authority).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from(self.host.clone())?;
        let stream = self.tls.connect(name, stream).await?;
        ensure!(stream.get_ref().1.alpn_protocol() == Some(b"h2"), "the server does not speak HTTP/2");
        let (send, connection) = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .handshake(TokioIo::new(stream))
            .await?;
        let mut driver = JoinSet::new();
        // How a connection ended is told by the requests that it fails.
        driver.spawn(async move { drop(connection.await) });
        Ok(Client { send, origin: self.origin.clone(), _driver: Arc::new(driver) })
    }
}

// === impl Client ===

impl Client {
    /// Sends a request and reads the whole answer; one that is not 2xx is an error.
    pub(crate) async fn call(&self, call: Call) -> Result<Bytes> {
        let what = (call.method.clone(), call.path.clone());
        let answered = async { Ok(self.start(call).await?.into_body().collect().await?.to_bytes()) };
        match timeout(PATIENCE, answered).await {
            Ok(answer) => answer,
            Err(_) => bail!("{} {}: no answer within {PATIENCE:?}", what.0, what.1),
        }
    }

    /// Sends a request and returns when the head of the answer has come; one that is not 2xx is an error.
    pub(crate) async fn start(&self, call: Call) -> Result<Response<Incoming>> {
        let (method, path) = (call.method.clone(), call.path.clone());
        let mut send = self.send.clone();
        send.ready().await.with_context(|| format!("{method} {path}"))?;
        let response = send.send_request(self.request(call)?).await.with_context(|| format!("{method} {path}"))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Err(anyhow::Error::new(Refused::new(status, &body)).context(format!("{method} {path}")))
    }

    fn request(&self, call: Call) -> Result<Request<Full<Bytes>>> {
        let uri = format!("https://{}{}", self.origin.authority, call.path);
        let mut request = Request::builder().method(call.method).uri(uri).header(ACCEPT, call.accept);
        if !call.content_type.is_empty() {
            request = request.header(CONTENT_TYPE, call.content_type);
        }
        if let Some(token) = &self.origin.token {
            request = request.header(AUTHORIZATION, token);
        }
        request.body(Full::new(call.body)).context("building a request")
    }
}

// === impl Refused ===

impl Refused {
    fn new(status: StatusCode, body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Status {
            message: String,
        }
        let message = match serde_json::from_slice::<Status>(body) {
            Ok(body) => body.message,
            Err(_) => String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned(),
        };
        Self { status, message }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.message)
    }
}

impl std::error::Error for Refused {}

fn tls(endpoint: &Endpoint) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&endpoint.ca)? {
        roots.add(certificate).with_context(|| format!("reading {}", endpoint.ca.display()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let mut config = match &endpoint.auth {
        Auth::Token(_) => builder.with_no_client_auth(),
        Auth::Certificate { cert, key } => {
            let key = PrivateKeyDer::from_pem_file(key).with_context(|| format!("reading {}", key.display()))?;
            builder.with_client_auth_cert(certificates(cert)?, key)?
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let read = || CertificateDer::pem_file_iter(file)?.collect::<Result<Vec<_>, _>>();
    read().with_context(|| format!("reading {}", file.display()))
}

fn token(auth: &Auth) -> Result<Option<HeaderValue>> {
    let Auth::Token(file) = auth else { return Ok(None) };
    let token = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.trim())).context("the token is not a header")?;
    value.set_sensitive(true);
    Ok(Some(value))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_the_message_of_the_status() {
        let error = Refused::new(StatusCode::CONFLICT, br#"{"kind":"Status","message":"already there","code":409}"#);
        assert_eq!(error.to_string(), "409 Conflict: already there");
        assert_eq!(Refused::new(StatusCode::BAD_GATEWAY, b"no backend").to_string(), "502 Bad Gateway: no backend");
    }

    #[test]
    fn only_https_addresses_are_taken() {
        let endpoint =
            Endpoint { url: "http://127.0.0.1:1".into(), ca: "ca".into(), auth: Auth::Token("token".into()) };
        let error = Connector::new(&endpoint).err().unwrap();
        assert_eq!(error.to_string(), "http://127.0.0.1:1 is not an https address");
    }
}
