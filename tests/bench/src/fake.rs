//! A server that answers as little of the Kubernetes API as the load needs, for tests of the load itself.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::target::{Auth, Endpoint, Peers, Target};

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// A server until it is dropped.
pub(crate) struct Fake {
    endpoint: Endpoint,
    _files: kit::Scratch,
    _tasks: JoinSet<()>,
}

/// Objects by path, and the events of their changes.
struct State {
    objects: Mutex<(u64, BTreeMap<String, Value>)>,
    events: broadcast::Sender<(String, Bytes)>,
    /// A path under which everything is refused.
    broken: &'static str,
}

// === impl Fake ===

impl Fake {
    /// Starts one that refuses every path that contains `broken`, unless that is empty.
    pub(crate) async fn start(broken: &'static str) -> Self {
        let files = kit::Scratch::new("fake").unwrap();
        let authority = kit::Authority::new("fake").unwrap();
        let pair = authority.server(&["127.0.0.1"]).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Endpoint {
            url: format!("https://{}", listener.local_addr().unwrap()),
            ca: files.write("ca", authority.cert()).unwrap(),
            auth: Auth::Token(files.write("token", "secret\n").unwrap()),
        };
        let state = Arc::new(State { objects: Mutex::default(), events: broadcast::channel(10_000).0, broken });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, acceptor(&pair), state));
        Self { endpoint, _files: files, _tasks: tasks }
    }

    /// It as the only target.
    pub(crate) fn peers(&self) -> Peers {
        let target = Target {
            name: "fake".into(),
            baseline: true,
            endpoint: self.endpoint.clone(),
            group: "g".into(),
            version: "v1".into(),
            plural: "things".into(),
            kind: "Thing".into(),
            store: "memory".into(),
            namespaces: Some(self.endpoint.clone()),
        };
        Peers { targets: vec![target], stores: Vec::new(), processes: Vec::new(), notes: Vec::new() }
    }
}

fn acceptor(pair: &kit::Pair) -> TlsAcceptor {
    let chain = vec![CertificateDer::from_pem_slice(pair.cert.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config = builder.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, state: Arc<State>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, state) = (acceptor.clone(), Arc::clone(&state));
        connections.spawn(async move {
            let stream = TokioIo::new(acceptor.accept(stream).await.unwrap());
            let service = service_fn(move |request| answer(request, Arc::clone(&state)));
            // The client ends connections as it likes.
            drop(http2::Builder::new(TokioExecutor::new()).serve_connection(stream, service).await);
        });
    }
}

async fn answer(request: Request<Incoming>, state: Arc<State>) -> Result<Answer, Infallible> {
    assert_eq!(request.headers()["authorization"], "Bearer secret");
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let watch = request.uri().query().is_some_and(|query| query.contains("watch=true"));
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    Ok(match method {
        _ if !state.broken.is_empty() && path.contains(state.broken) => refuse(StatusCode::FORBIDDEN),
        Method::GET if path == "/version" => reply(&json!({"gitVersion": "v0"})),
        Method::POST if path == "/api/v1/namespaces" => reply(&body),
        Method::GET if watch => state.watch(path),
        Method::GET if path.ends_with("/things") => state.list(&path),
        Method::GET => state.objects.lock().unwrap().1.get(&path).map_or_else(|| refuse(StatusCode::NOT_FOUND), reply),
        Method::POST => state.create(&path, body),
        Method::PUT => state.update(path, body),
        _ if path.ends_with("/status") => state.patch_status(&path, &body),
        // An apply of the whole object.
        _ => state.store(path, body),
    })
}

fn reply(body: &Value) -> Answer {
    Response::new(Full::new(crate::object::encode(body)).boxed_unsync())
}

fn refuse(status: StatusCode) -> Answer {
    let mut answer = reply(&json!({"kind": "Status", "message": "refused"}));
    *answer.status_mut() = status;
    answer
}

// === impl State ===

impl State {
    fn create(&self, collection: &str, object: Value) -> Answer {
        let path = format!("{collection}/{}", object["metadata"]["name"].as_str().unwrap());
        if self.objects.lock().unwrap().1.contains_key(&path) {
            return refuse(StatusCode::CONFLICT);
        }
        self.store(path, object)
    }

    fn update(&self, path: String, object: Value) -> Answer {
        let current = self.objects.lock().unwrap().1[&path]["metadata"]["resourceVersion"].clone();
        if object["metadata"]["resourceVersion"] != current {
            return refuse(StatusCode::CONFLICT);
        }
        self.store(path, object)
    }

    fn patch_status(&self, path: &str, patch: &Value) -> Answer {
        let path = path.strip_suffix("/status").unwrap().to_owned();
        let mut object = self.objects.lock().unwrap().1[&path].clone();
        object["status"] = patch["status"].clone();
        self.store(path, object)
    }

    fn store(&self, path: String, mut object: Value) -> Answer {
        let mut state = self.objects.lock().unwrap();
        state.0 += 1;
        object["metadata"]["resourceVersion"] = state.0.to_string().into();
        state.1.insert(path.clone(), object.clone());
        let line = format!("{}\n", json!({"type": "MODIFIED", "object": object}));
        // Nobody need be watching.
        let _ = self.events.send((path, line.into()));
        reply(&object)
    }

    fn list(&self, collection: &str) -> Answer {
        let state = self.objects.lock().unwrap();
        let items: Vec<&Value> = state.1.iter().filter(|(path, _)| covers(collection, path)).map(|(_, o)| o).collect();
        reply(&json!({"metadata": {"resourceVersion": state.0.to_string()}, "items": items}))
    }

    fn watch(&self, collection: String) -> Answer {
        let events = (self.events.subscribe(), collection);
        let stream = futures::stream::unfold(events, |(mut events, collection)| async {
            loop {
                let (path, line) = events.recv().await.ok()?;
                if covers(&collection, &path) {
                    return Some((Ok(Frame::data(line)), (events, collection)));
                }
            }
        });
        Response::new(BodyExt::boxed_unsync(StreamBody::new(stream)))
    }
}

/// Whether a collection, of one namespace or of all, holds the object at a path.
fn covers(collection: &str, path: &str) -> bool {
    !collection.contains("/namespaces/") || path.starts_with(&format!("{collection}/"))
}
