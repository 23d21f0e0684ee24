//! A server without sockets, for the tests of verbs and of kinds that act: requests in, answers out, over the log in memory.

use std::sync::Arc;
use std::time::Duration;

use admission::Chain;
use apiserver::{Api, Extension, Inflight, Kinds, Metrics, Namespaces, Parts};
use async_trait::async_trait;
use auth::{Attributes, Authenticator, Authorizer, Decision, User};
use axum::body::{Body, BodyDataStream};
use futures::StreamExt;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use machinery::time::{Clock, Timestamp};
use proto::store::Store;
use revlog::{Log, Memory};
use runtime::serve::{Address, Peer};
use serde_json::Value;

const WIDGETS: &[u8] = include_bytes!("../../../tests/examples/crds/widgets.yaml");

/// A server that lets everybody do everything.
pub struct Server {
    api: Arc<Api>,
    log: Option<Arc<Log<Memory>>>,
    accept: &'static str,
    headers: Vec<(&'static str, &'static str)>,
}

/// An event that is on its way comes sooner.
const PATIENCE: Duration = Duration::from_secs(10);

/// The header that names who asks.
pub const USER: &str = "test-user";

/// A whole answer.
pub struct Answer {
    /// The code.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

/// A watch, event by event.
pub struct Watch {
    /// The headers.
    pub headers: HeaderMap,
    body: BodyDataStream,
    rest: Vec<u8>,
}

/// The same second for ever.
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(1_700_000_000)
    }
}

/// Everybody is the administrator, unless [`USER`] says otherwise, and everything is allowed.
pub struct Everybody;

#[async_trait]
impl Authenticator for Everybody {
    async fn authenticate(&self, headers: &HeaderMap, _: &Peer) -> auth::Result<Option<User>> {
        if let Some(name) = headers.get(USER).and_then(|name| name.to_str().ok()) {
            let groups = vec!["system:authenticated".to_owned()];
            return Ok(Some(User { name: name.to_owned(), groups, ..User::default() }));
        }
        Ok(Some(User { name: "admin".to_owned(), groups: vec!["system:masters".to_owned()], ..User::default() }))
    }
}

#[async_trait]
impl Authorizer for Everybody {
    async fn authorize(&self, _: &User, _: &Attributes) -> auth::Result<Decision> {
        Ok(Decision::Allow)
    }
}

// === impl Server ===

impl Server {
    /// A server of widgets.
    pub async fn new() -> Self {
        Self::with(&[], Arc::new(Everybody)).await
    }

    /// A server of widgets and of kinds that act, to which everybody comes as the administrator.
    pub async fn with(extensions: &[Extension], authorizer: Arc<dyn Authorizer>) -> Self {
        Self::opened(extensions, authorizer, Chain::default()).await
    }

    /// A server of widgets whose writes pass these stages.
    pub async fn admitting(admission: Chain) -> Self {
        Self::opened(&[], Arc::new(Everybody), admission).await
    }

    async fn opened(extensions: &[Extension], authorizer: Arc<dyn Authorizer>, admission: Chain) -> Self {
        let context = runtime::Context::new();
        let options = revlog::Options::default();
        let (log, work) = Log::open(Memory::default(), options, revlog::Metrics::default()).await.expect("a log");
        context.tasks.spawn("log", work);
        let store: Arc<dyn Store> = log.clone();
        Self { log: Some(log), ..Self::of(store, &context, extensions, authorizer, admission) }
    }

    /// A server of widgets on some store.
    pub fn on(store: Arc<dyn Store>, context: &runtime::Context) -> Self {
        Self::of(store, context, &[], Arc::new(Everybody), Chain::default())
    }

    fn of(
        store: Arc<dyn Store>,
        context: &runtime::Context,
        extensions: &[Extension],
        authorizer: Arc<dyn Authorizer>,
        admission: Chain,
    ) -> Self {
        let definitions = schema::Definition::parse(WIDGETS).expect("a definition");
        let api = Api::new(Parts {
            store,
            kinds: Kinds::new(definitions, extensions).expect("kinds"),
            authenticator: Arc::new(Everybody),
            authorizer,
            namespaces: Namespaces::implicit(),
            admission,
            services: Default::default(),
            health: context.health.clone(),
            metrics: Metrics::new(context.metrics.clone()),
            inflight: Inflight::new(400, 200),
            audit: None,
            tasks: context.tasks.clone(),
            shutdown: context.shutdown.clone(),
            clock: Arc::new(Stopped),
            rng: apiserver::os_rng(),
            watch_cache_bytes: 1 << 20,
        });
        Self { api, log: None, accept: "application/json", headers: Vec::new() }
    }

    /// Forgets the history below `revision`.
    pub async fn compact(&self, revision: u64) {
        self.log.as_ref().expect("a log in memory").compact(revision).await.expect("a compaction");
    }

    /// The same server as a client sees it that accepts this.
    pub fn accepting(&self, accept: &'static str) -> Self {
        Self { api: Arc::clone(&self.api), log: self.log.clone(), accept, headers: self.headers.clone() }
    }

    /// The same server as a client sees it that sends this header too.
    pub fn sending(&self, name: &'static str, value: &'static str) -> Self {
        let mut sending = self.accepting(self.accept);
        sending.headers.push((name, value));
        sending
    }

    /// The store, to look past the API.
    pub fn store(&self) -> &Arc<dyn Store> {
        self.api.stores().own()
    }

    /// Any request's answer, its body not yet read.
    pub async fn answer(&self, method: &str, uri: &str, content_type: &str, body: String) -> http::Response<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header("user-agent", "verbs-test/1")
            .header("accept", self.accept);
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(body)).expect("a request");
        request.extensions_mut().insert(Peer { address: Address::Unix, certificates: Arc::new([]) });
        apiserver::handle(Arc::clone(&self.api), request).await
    }

    /// Any request.
    pub async fn send(&self, method: &str, uri: &str, content_type: &str, body: String) -> Answer {
        let (head, body) = self.answer(method, uri, content_type, body).await.into_parts();
        let body = body.collect().await.expect("a body").to_bytes().to_vec();
        Answer { status: head.status, headers: head.headers, body }
    }

    /// Any request as it is.
    pub async fn request(&self, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(Peer { address: Address::Unix, certificates: Arc::new([]) });
        let (head, body) = apiserver::handle(Arc::clone(&self.api), request).await.into_parts();
        // A body that breaks off is an answer, too.
        let body = body.collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
        Answer { status: head.status, headers: head.headers, body }
    }

    /// GET
    pub async fn get(&self, uri: &str) -> Answer {
        self.send("GET", uri, "", String::new()).await
    }

    /// DELETE without a body
    pub async fn delete(&self, uri: &str) -> Answer {
        self.send("DELETE", uri, "", String::new()).await
    }

    /// POST of JSON
    pub async fn post(&self, uri: &str, body: &Value) -> Answer {
        self.send("POST", uri, "application/json", body.to_string()).await
    }

    /// PUT of JSON
    pub async fn put(&self, uri: &str, body: &Value) -> Answer {
        self.send("PUT", uri, "application/json", body.to_string()).await
    }

    /// PATCH with a merge patch
    pub async fn merge(&self, uri: &str, body: &Value) -> Answer {
        self.send("PATCH", uri, "application/merge-patch+json", body.to_string()).await
    }

    /// GET of a watch
    pub async fn watch(&self, uri: &str) -> Watch {
        let response = self.answer("GET", uri, "", String::new()).await;
        assert_eq!(response.status(), StatusCode::OK);
        let (head, body) = response.into_parts();
        Watch { headers: head.headers, body: body.into_data_stream(), rest: Vec::new() }
    }
}

// === impl Answer ===

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

// === impl Watch ===

impl Watch {
    /// The next event.
    pub async fn next(&mut self) -> Value {
        self.next_within(PATIENCE).await
    }

    /// The next event, however long others would not wait for it.
    pub async fn next_within(&mut self, patience: Duration) -> Value {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return serde_json::from_slice(&line).expect("an event is JSON");
            }
            self.read(patience).await;
        }
    }

    /// So many bytes.
    pub async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.rest.len() < count {
            self.read(PATIENCE).await;
        }
        self.rest.drain(..count).collect()
    }

    async fn read(&mut self, patience: Duration) {
        let more = tokio::time::timeout(patience, self.body.next()).await;
        let more = more.expect("an event in time").expect("the watch goes on").expect("no error");
        self.rest.extend_from_slice(&more);
    }
}
