//! Requests as they are written: any path, any headers, any bytes, over HTTP/2 or HTTP/1.1. A Kubernetes client would refuse
//! to send most of what the tests want to see answered.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, Method, Request, Uri};
use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::Pair;

/// No answer takes longer: the server's own limit is 60 s.
const LIMIT: Duration = Duration::from_secs(90);

type Http2 = http2::SendRequest<Full<Bytes>>;

/// Who a client says it is.
#[derive(Clone, Debug)]
pub enum Identity {
    /// Nobody.
    Anonymous,
    /// The owner of a bearer token.
    Token(String),
    /// The subject of a client certificate.
    Certificate(Pair),
}

/// One server, as one identity. Requests share one HTTP/2 connection; a clone has its own.
#[derive(Debug)]
pub struct Client {
    host: String,
    port: u16,
    tls: Arc<ClientConfig>,
    token: Option<String>,
    connection: Mutex<Option<Http2>>,
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as sent (compressed if it was).
    pub body: Bytes,
}

/// The lines of an answer that is still being written: a watch.
#[derive(Debug)]
pub struct Lines {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    body: Incoming,
    partial: Vec<u8>,
    ready: VecDeque<String>,
}

// === impl Client ===

impl Client {
    /// A client of `https://host:port` that trusts only `ca` (PEM).
    pub fn new(host: &str, port: u16, ca: &str, identity: &Identity) -> Result<Self> {
        let mut tls = configure(ca, identity)?;
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let token = match identity {
            Identity::Token(token) => Some(token.clone()),
            Identity::Anonymous | Identity::Certificate(_) => None,
        };
        Ok(Self { host: host.to_owned(), port, tls: Arc::new(tls), token, connection: Mutex::new(None) })
    }

    /// GET with no headers of note.
    pub async fn get(&self, path: &str) -> Result<Response> {
        self.send("GET", path, &[], Bytes::new()).await
    }

    /// POST of a JSON document.
    pub async fn post(&self, path: &str, body: &serde_json::Value) -> Result<Response> {
        self.send("POST", path, &[("content-type", "application/json")], body.to_string()).await
    }

    /// Sends a request over HTTP/2 and reads the whole answer.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Response> {
        let request = self.request(method, path, headers, body.into())?;
        timeout(LIMIT, async { Response::read(self.start(request).await?).await })
            .await
            .with_context(|| format!("{method} {path}: no answer within {LIMIT:?}"))?
            .with_context(|| format!("{method} {path}"))
    }

    /// Sends a request over a new HTTP/1.1 connection and reads the whole answer.
    pub async fn send_http1(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Response> {
        let mut tls = ClientConfig::clone(&self.tls);
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(self.connect(tls.into()).await?)).await.context("starting HTTP/1.1")?;
        spawn(connection);
        let mut request = self.request(method, path, headers, body.into())?;
        request.headers_mut().insert("host", self.authority().parse().context("naming the host")?);
        *request.uri_mut() = path.parse().with_context(|| format!("{path} is no path"))?;
        timeout(LIMIT, async { Response::read(sender.send_request(request).await.context("sending")?).await })
            .await
            .with_context(|| format!("{method} {path}: no answer within {LIMIT:?}"))?
    }

    /// Sends a GET and hands the answer out line by line.
    pub async fn lines(&self, path: &str, headers: &[(&str, &str)]) -> Result<Lines> {
        let request = self.request("GET", path, headers, Bytes::new())?;
        let answer = timeout(LIMIT, self.start(request))
            .await
            .with_context(|| format!("GET {path}: no answer within {LIMIT:?}"))??;
        let (parts, body) = answer.into_parts();
        let (partial, ready) = (Vec::new(), VecDeque::new());
        Ok(Lines { status: parts.status.as_u16(), headers: parts.headers, body, partial, ready })
    }

    /// A connection on which a test says itself what is sent, over TLS with this protocol: `h2` or `http/1.1`.
    pub async fn raw(&self, protocol: &str) -> Result<TlsStream<TcpStream>> {
        let mut tls = ClientConfig::clone(&self.tls);
        tls.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        self.connect(tls.into()).await
    }

    fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Bytes) -> Result<Request<Full<Bytes>>> {
        let uri = Uri::builder()
            .scheme("https")
            .authority(self.authority())
            .path_and_query(path)
            .build()
            .with_context(|| format!("{path} is no path"))?;
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes())?).uri(uri);
        let agent = ("user-agent", "kit/v1 (tests)");
        let given = |name: &str| headers.iter().any(|(header, _)| header.eq_ignore_ascii_case(name));
        if !given(agent.0) {
            request = request.header(agent.0, agent.1);
        }
        if let Some(token) = self.token.as_ref().filter(|_| !given("authorization")) {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Full::new(body)).context("building a request")
    }

    /// Sends over the shared connection; opens a new one when the server closed it.
    async fn start(&self, request: Request<Full<Bytes>>) -> Result<::http::Response<Incoming>> {
        for _ in 0..2 {
            let mut connection = self.shared().await?;
            match connection.try_send_request(request.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(mut failed) => match failed.take_message() {
                    Some(_unsent) => *self.connection.lock().await = None,
                    None => return Err(failed.into_error()).context("sending"),
                },
            }
        }
        bail!("the connection closed twice before the request was sent")
    }

    async fn shared(&self) -> Result<Http2> {
        let mut shared = self.connection.lock().await;
        if let Some(open) = shared.as_ref().filter(|open| !open.is_closed()) {
            return Ok(open.clone());
        }
        let stream = TokioIo::new(self.connect(Arc::clone(&self.tls)).await?);
        let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await.context("starting HTTP/2")?;
        spawn(connection);
        *shared = Some(sender.clone());
        Ok(sender)
    }

    async fn connect(&self, tls: Arc<ClientConfig>) -> Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect((self.host.as_str(), self.port))
            .await
            .with_context(|| format!("connecting to {}", self.authority()))?;
        stream.set_nodelay(true).context("setting TCP_NODELAY")?;
        let name = ServerName::try_from(self.host.clone()).context("naming the server")?;
        TlsConnector::from(tls).connect(name, stream).await.context("the TLS handshake")
    }
}

impl Clone for Client {
    fn clone(&self) -> Self {
        Self {
            host: self.host.clone(),
            port: self.port,
            tls: Arc::clone(&self.tls),
            token: self.token.clone(),
            connection: Mutex::new(None),
        }
    }
}

// === impl Response ===

impl Response {
    async fn read(answer: ::http::Response<Incoming>) -> Result<Self> {
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.context("reading the answer")?.to_bytes();
        Ok(Self { status: parts.status.as_u16(), headers: parts.headers, body })
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("{}: not JSON: {}", self.status, self.text()))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header, if it is there and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON, if the request succeeded.
    pub fn success(&self) -> Result<serde_json::Value> {
        anyhow::ensure!((200..300).contains(&self.status), "answered {}: {}", self.status, self.text());
        self.json()
    }
}

// === impl Lines ===

impl Lines {
    /// The next line; `None` when the answer has ended.
    pub async fn next(&mut self, patience: Duration) -> Result<Option<String>> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Ok(Some(line));
            }
            let frame = timeout(patience, self.body.frame()).await.context("no line within the time given")?;
            let Some(frame) = frame else {
                let rest = std::mem::take(&mut self.partial);
                return Ok((!rest.is_empty()).then(|| String::from_utf8_lossy(&rest).into_owned()));
            };
            if let Ok(data) = frame.context("reading a line")?.into_data() {
                self.take(&data);
            }
        }
    }

    /// All lines until the server ends the answer.
    pub async fn rest(&mut self, patience: Duration) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        while let Some(line) = self.next(patience).await? {
            lines.push(line);
        }
        Ok(lines)
    }

    fn take(&mut self, data: &[u8]) {
        self.partial.extend_from_slice(data);
        while let Some(end) = self.partial.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.partial.drain(..=end).collect();
            self.ready.push_back(String::from_utf8_lossy(&line[..end]).into_owned());
        }
    }
}

fn configure(ca: &str, identity: &Identity) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for cert in CertificateDer::pem_slice_iter(ca.as_bytes()) {
        roots.add(cert.context("reading a CA certificate")?).context("trusting a CA certificate")?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .context("choosing TLS versions")?
        .with_root_certificates(roots);
    let Identity::Certificate(pair) = identity else { return Ok(builder.with_no_client_auth()) };
    let chain = CertificateDer::pem_slice_iter(pair.cert.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .context("reading a client certificate")?;
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).context("reading a client key")?;
    builder.with_client_auth_cert(chain, key).context("using a client certificate")
}

#[expect(clippy::disallowed_methods, reason = "the connection lives as long as its sender; nothing waits for its end")]
fn spawn<E>(connection: impl Future<Output = Result<(), E>> + Send + 'static) {
    tokio::spawn(async move {
        let _ = connection.await;
    });
}
