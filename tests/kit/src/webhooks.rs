//! A webhook server: HTTPS on loopback, in the test process, whose answers a test makes.
//!
//! Reviews are told apart by the namespace that they are about, so that tests which run at once keep out of each other's way;
//! a review that is about none, such as a conversion, is of the namespace "".

use std::{
    collections::{BTreeMap, HashMap},
    convert::Infallible,
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc},
    time::Duration,
};

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use rustls::{ServerConfig, pki_types::pem::PemObject as _};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{Authority, Pair};

/// What a webhook answers.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A review with this `response`, to which the uid is added.
    Response(Value),
    /// This document, as it is.
    Document(Value),
    /// Something else: status, content type and body.
    Raw(u16, &'static str, String),
    /// Nothing, for so long; then all is allowed.
    Late(Duration),
}

type Behaviour = Arc<dyn Fn(&Value) -> Reply + Send + Sync>;

/// The server.
pub struct Webhooks {
    port: u16,
    authority: Authority,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    behaviours: HashMap<(String, String), Behaviour>,
    seen: BTreeMap<String, Vec<(String, Value)>>,
}

// === impl Webhooks ===

impl Webhooks {
    /// The server that all tests of this process share.
    ///
    /// # Panics
    /// If it does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<Webhooks>> = OnceLock::new();
        match SHARED.get_or_init(Self::start) {
            Ok(webhooks) => webhooks,
            Err(error) => panic!("the webhook server did not start: {error:#}"),
        }
    }

    fn start() -> Result<Self> {
        let authority = Authority::new("webhook-ca")?;
        let acceptor = acceptor(&authority.server(&["localhost", "127.0.0.1"])?)?;
        let state = Arc::new(Mutex::new(State::default()));
        let (tell, told) = mpsc::channel();
        let serving = Arc::clone(&state);
        std::thread::Builder::new()
            .name("webhooks".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let served = runtime.context("building a runtime").and_then(|runtime| {
                    runtime.block_on(async {
                        let listener = TcpListener::bind("127.0.0.1:0").await.context("listening")?;
                        let _ = tell.send(listener.local_addr().context("an address")?.port());
                        serve(listener, acceptor, serving).await
                    })
                });
                drop(served);
            })
            .context("starting the thread")?;
        let port = told.recv().context("the server did not say where it listens")?;
        Ok(Self { port, authority, state })
    }

    /// The `clientConfig` of a path.
    #[must_use]
    pub fn client_config(&self, path: &str) -> Value {
        json!({ "url": format!("https://127.0.0.1:{}{path}", self.port), "caBundle": self.ca_bundle() })
    }

    /// Its CA, as configurations have it.
    #[must_use]
    pub fn ca_bundle(&self) -> String {
        STANDARD.encode(self.authority.cert())
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Says what is answered to reviews about a namespace under a path. Others are allowed.
    pub fn on(&self, namespace: &str, path: &str, behaviour: impl Fn(&Value) -> Reply + Send + Sync + 'static) {
        self.state().behaviours.insert((namespace.to_owned(), path.to_owned()), Arc::new(behaviour));
    }

    /// The paths and reviews that came about a namespace since the last call.
    #[must_use]
    pub fn take(&self, namespace: &str) -> Vec<(String, Value)> {
        self.state().seen.remove(namespace).unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks").field("port", &self.port).finish_non_exhaustive()
    }
}

fn acceptor(pair: &Pair) -> Result<TlsAcceptor> {
    let chain = rustls::pki_types::CertificateDer::pem_slice_iter(pair.cert.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .context("the certificate is our own")?;
    let key = rustls::pki_types::PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).context("the key is our own")?;
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .context("protocol versions")?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("using the certificate")?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[expect(clippy::disallowed_methods, reason = "a server of tests, which ends with their process")]
async fn serve(listener: TcpListener, acceptor: TlsAcceptor, state: Arc<Mutex<State>>) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await.context("accepting")?;
        let (acceptor, state) = (acceptor.clone(), Arc::clone(&state));
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let service = service_fn(|request| answer(Arc::clone(&state), request));
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(state: Arc<Mutex<State>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let review: Value = serde_json::from_slice(&body).unwrap_or_default();
    let namespace = review["request"]["namespace"].as_str().unwrap_or_default().to_owned();
    let behaviour = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.seen.entry(namespace.clone()).or_default().push((path.clone(), review.clone()));
        state.behaviours.get(&(namespace, path)).cloned()
    };
    let reply = behaviour.map_or_else(|| Reply::Response(json!({ "allowed": true })), |behaviour| behaviour(&review));
    Ok(match reply {
        Reply::Response(response) => document(&reviewed(&review, response)),
        Reply::Document(value) => document(&value),
        Reply::Raw(status, content_type, body) => raw(status, content_type, body),
        Reply::Late(delay) => {
            tokio::time::sleep(delay).await;
            document(&reviewed(&review, json!({ "allowed": true })))
        }
    })
}

fn reviewed(review: &Value, mut response: Value) -> Value {
    if response.is_object() && response.get("uid").is_none() {
        response["uid"] = review["request"]["uid"].clone();
    }
    json!({ "kind": review["kind"], "apiVersion": review["apiVersion"], "response": response })
}

fn document(value: &Value) -> Response<Full<Bytes>> {
    raw(200, "application/json", value.to_string())
}

fn raw(status: u16, content_type: &str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    if let Ok(content_type) = content_type.parse() {
        response.headers_mut().insert(http::header::CONTENT_TYPE, content_type);
    }
    response
}
