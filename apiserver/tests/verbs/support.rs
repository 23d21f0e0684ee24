//! A server without sockets: requests in, answers out, over the log in memory.

use std::sync::Arc;

use apiserver::{Api, Inflight, Kinds, Metrics, Namespaces, Parts};
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
pub(crate) struct Server {
    api: Arc<Api>,
    log: Option<Arc<Log<Memory>>>,
    accept: &'static str,
}

/// A whole answer.
pub(crate) struct Answer {
    /// The code.
    pub(crate) status: StatusCode,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Vec<u8>,
}

/// A watch, event by event.
pub(crate) struct Watch {
    /// The headers.
    pub(crate) headers: HeaderMap,
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

/// Everybody is the administrator.
struct Everybody;

#[async_trait]
impl Authenticator for Everybody {
    async fn authenticate(&self, _: &HeaderMap, _: &Peer) -> auth::Result<Option<User>> {
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
    pub(crate) async fn new() -> Self {
        let context = runtime::Context::new();
        let options = revlog::Options::default();
        let (log, work) = Log::open(Memory::default(), options, revlog::Metrics::default()).await.expect("a log");
        context.tasks.spawn("log", work);
        let store: Arc<dyn Store> = log.clone();
        Self { log: Some(log), ..Self::on(store, &context) }
    }

    /// A server of widgets on some store.
    pub(crate) fn on(store: Arc<dyn Store>, context: &runtime::Context) -> Self {
        let definitions = schema::Definition::parse(WIDGETS).expect("a definition");
        let api = Api::new(Parts {
            store,
            kinds: Kinds::new(definitions).expect("kinds"),
            authenticator: Arc::new(Everybody),
            authorizer: Arc::new(Everybody),
            namespaces: Namespaces::implicit(),
            health: context.health.clone(),
            metrics: Metrics::new(context.metrics.clone()),
            inflight: Inflight::new(400, 200),
            tasks: context.tasks.clone(),
            shutdown: context.shutdown.clone(),
            clock: Arc::new(Stopped),
            rng: apiserver::os_rng(),
            watch_cache_bytes: 1 << 20,
        });
        Self { api, log: None, accept: "application/json" }
    }

    /// Forgets the history below `revision`.
    pub(crate) async fn compact(&self, revision: u64) {
        self.log.as_ref().expect("a log in memory").compact(revision).await.expect("a compaction");
    }

    /// The same server as a client sees it that accepts this.
    pub(crate) fn accepting(&self, accept: &'static str) -> Self {
        Self { api: Arc::clone(&self.api), log: self.log.clone(), accept }
    }

    async fn answer(&self, method: &str, uri: &str, content_type: &str, body: String) -> http::Response<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(uri)
            .header("user-agent", "verbs-test/1")
            .header("accept", self.accept);
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        let mut request = request.body(Body::from(body)).expect("a request");
        request.extensions_mut().insert(Peer { address: Address::Unix, certificates: Arc::new([]) });
        apiserver::handle(Arc::clone(&self.api), request).await
    }

    /// Any request.
    pub(crate) async fn send(&self, method: &str, uri: &str, content_type: &str, body: String) -> Answer {
        let (head, body) = self.answer(method, uri, content_type, body).await.into_parts();
        let body = body.collect().await.expect("a body").to_bytes().to_vec();
        Answer { status: head.status, headers: head.headers, body }
    }

    /// GET
    pub(crate) async fn get(&self, uri: &str) -> Answer {
        self.send("GET", uri, "", String::new()).await
    }

    /// DELETE without a body
    pub(crate) async fn delete(&self, uri: &str) -> Answer {
        self.send("DELETE", uri, "", String::new()).await
    }

    /// POST of JSON
    pub(crate) async fn post(&self, uri: &str, body: &Value) -> Answer {
        self.send("POST", uri, "application/json", body.to_string()).await
    }

    /// PUT of JSON
    pub(crate) async fn put(&self, uri: &str, body: &Value) -> Answer {
        self.send("PUT", uri, "application/json", body.to_string()).await
    }

    /// PATCH with a merge patch
    pub(crate) async fn merge(&self, uri: &str, body: &Value) -> Answer {
        self.send("PATCH", uri, "application/merge-patch+json", body.to_string()).await
    }

    /// GET of a watch
    pub(crate) async fn watch(&self, uri: &str) -> Watch {
        let response = self.answer("GET", uri, "", String::new()).await;
        assert_eq!(response.status(), StatusCode::OK);
        let (head, body) = response.into_parts();
        Watch { headers: head.headers, body: body.into_data_stream(), rest: Vec::new() }
    }
}

// === impl Answer ===

impl Answer {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

// === impl Watch ===

impl Watch {
    /// The next event.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return serde_json::from_slice(&line).expect("an event is JSON");
            }
            self.read().await;
        }
    }

    /// So many bytes.
    pub(crate) async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.rest.len() < count {
            self.read().await;
        }
        self.rest.drain(..count).collect()
    }

    async fn read(&mut self) {
        let more = tokio::time::timeout(std::time::Duration::from_secs(10), self.body.next()).await;
        let more = more.expect("an event within ten seconds").expect("the watch goes on").expect("no error");
        self.rest.extend_from_slice(&more);
    }
}
