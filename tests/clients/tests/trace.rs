//! One request is one trace, from who asks to the transaction, as a collector of OTLP sees it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use clients::{bundle_deployment, collection};
use kit::{Client, Cluster, Identity, Options, Outrigger, Response, eventually};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
    trace_service_server::{TraceService, TraceServiceServer},
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use tonic::transport::{Server, server::TcpIncoming};

/// The caller's span.
const CALLER: &str = "00f067aa0ba902b7";

/// What was exported so far, in the order of its arrival.
#[derive(Clone, Debug, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

#[derive(Clone, Debug)]
struct Span {
    trace: String,
    id: String,
    /// Empty in the first span of a trace.
    parent: String,
    /// Which process did what.
    title: String,
    audit_id: Option<String>,
}

/// Asks with a traceparent and an audit id.
struct Caller(Client);

// === impl Collector ===

impl Collector {
    /// Starts one, and says what processes need in their environment to export to it soon.
    async fn start() -> (Self, [(&'static str, String); 2]) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let collector = Self::default();
        let serving = Server::builder()
            .add_service(TraceServiceServer::new(collector.clone()))
            .serve_with_incoming(TcpIncoming::from(listener));
        #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
        tokio::spawn(serving);
        (collector, [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned())])
    }

    fn spans(&self) -> Vec<Span> {
        self.0.lock().unwrap().clone()
    }

    /// The span of a request to an apiserver.
    fn request(&self, audit_id: &str) -> Option<Span> {
        self.spans().into_iter().find(|span| span.audit_id.as_deref() == Some(audit_id))
    }

    /// What led to a span of a trace, outermost first; begins with the span's id that nobody exported.
    fn path(&self, trace: &str, title: &str) -> Vec<String> {
        let spans: Vec<Span> = self.spans().into_iter().filter(|span| span.trace == trace).collect();
        let mut path = Vec::new();
        let mut at = spans.iter().find(|span| span.title == title);
        while let Some(span) = at {
            path.push(span.title.clone());
            at = spans.iter().find(|parent| parent.id == span.parent);
            if at.is_none() {
                path.push(span.parent.clone());
            }
        }
        path.reverse();
        path
    }

    /// Waits until the spans from the caller's to the last of `path` are there.
    fn await_path(&self, trace: &str, path: &[&str]) {
        let expected: Vec<&str> = [CALLER].iter().chain(path).copied().collect();
        eventually!(self.path(trace, path[path.len() - 1]) == expected, "{expected:?} in {:#?}", self.spans());
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        let mut spans = self.0.lock().unwrap();
        for process in request.into_inner().resource_spans {
            let service = text(&process.resource.unwrap().attributes, "service.name").unwrap();
            for span in process.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                spans.push(Span {
                    title: match span.kind() {
                        SpanKind::Internal => format!("{service}: {}", span.name),
                        kind => format!("{service}: {} ({kind:?})", span.name),
                    },
                    audit_id: text(&span.attributes, "audit_id"),
                    trace: hex(&span.trace_id),
                    id: hex(&span.span_id),
                    parent: hex(&span.parent_span_id),
                });
            }
        }
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    match attributes.iter().find(|attribute| attribute.key == key)?.value.clone()?.value? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

// === impl Caller ===

impl Caller {
    /// Lists objects.
    async fn list(&self, audit_id: &str, traceparent: Option<&str>) -> Response {
        self.send("GET", &collection("default"), audit_id, traceparent, String::new()).await
    }

    /// Creates an object.
    async fn create(&self, name: &str, audit_id: &str, traceparent: Option<&str>) -> Response {
        let object = bundle_deployment(name, "s-1:a").to_string();
        self.send("POST", &collection("default"), audit_id, traceparent, object).await
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        audit_id: &str,
        traceparent: Option<&str>,
        body: String,
    ) -> Response {
        let mut headers = vec![("audit-id", audit_id), ("content-type", "application/json")];
        headers.extend(traceparent.map(|traceparent| ("traceparent", traceparent)));
        self.0.send(method, path, &headers, body).await.unwrap()
    }
}

/// The trace of a request, by a number.
fn trace(number: u8) -> String {
    format!("0af7651916cd43dd8448eb211c8031{number:02x}")
}

/// The header that says so, and whether the caller wants it recorded.
fn traceparent(number: u8, sampled: bool) -> String {
    format!("00-{}-{CALLER}-0{}", trace(number), u8::from(sampled))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_to_two_processes_is_one_trace_from_the_caller_to_the_transaction() {
    let (collector, env) = Collector::start().await;
    let env = env.each_ref().map(|(name, value)| (*name, value.as_str()));
    let cluster = Cluster::start(&Options::default()).unwrap();
    let split = Outrigger::split_with(&cluster, &[], &[], &env).unwrap();
    split.apiserver.register(&cluster, "fleet.cattle.io", "v1alpha1").await.unwrap();
    let (direct, aggregated) = (Caller(split.apiserver.admin().unwrap()), Caller(cluster.admin()));

    let created = aggregated.create("a", "create-aggregated", Some(&traceparent(1, true))).await;
    assert_eq!(created.status, 201, "{}", created.text());
    assert_eq!(direct.create("b", "create-direct", Some(&traceparent(2, true))).await.status, 201);
    let path = format!("{}/a", collection("default"));
    let got = direct.send("GET", &path, "get", Some(&traceparent(3, true)), String::new()).await;
    assert_eq!(got.status, 200);
    assert_eq!(direct.list("list", Some(&traceparent(4, true))).await.status, 200);

    for number in [1, 2] {
        let written = [
            "outrigger-apiserver: verb.create (Server)",
            "outrigger-apiserver: /outrigger.store.v1.Store/Write (Client)",
            "outrigger-storage: /outrigger.store.v1.Store/Write (Server)",
            "outrigger-storage: store.write",
            "outrigger-storage: engine.append",
        ];
        collector.await_path(&trace(number), &written);
    }
    for (number, verb, rpc, operation) in [(3, "verb.get", "Get", "store.get"), (4, "verb.list", "List", "store.list")]
    {
        let read = [
            format!("outrigger-apiserver: {verb} (Server)"),
            format!("outrigger-apiserver: /outrigger.store.v1.Store/{rpc} (Client)"),
            format!("outrigger-storage: /outrigger.store.v1.Store/{rpc} (Server)"),
            format!("outrigger-storage: {operation}"),
        ];
        collector.await_path(&trace(number), &read.each_ref().map(String::as_str));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_to_one_process_is_one_trace_from_the_caller_to_the_transaction() {
    let (collector, env) = Collector::start().await;
    let env = env.each_ref().map(|(name, value)| (*name, value.as_str()));
    let outrigger = Outrigger::standalone_with(&[], &[], &env).unwrap();
    let admin = Caller(outrigger.admin().unwrap());
    let nobody = Caller(outrigger.client_for(&Identity::Anonymous).unwrap());

    assert_eq!(admin.list("not-sampled", Some(&traceparent(1, false))).await.status, 200);
    assert_eq!(admin.list("no-trace", None).await.status, 200);
    assert_eq!(nobody.list("stranger", Some(&traceparent(2, true))).await.status, 401);
    assert_eq!(admin.create("a", "create", Some(&traceparent(3, true))).await.status, 201);

    let written = ["outrigger: verb.create (Server)", "outrigger: store.write", "outrigger: engine.append"];
    collector.await_path(&trace(3), &written);
    assert!(collector.request("not-sampled").is_none(), "a caller may decide against it");
    for audit_id in ["no-trace", "stranger"] {
        let request = collector.request(audit_id).unwrap();
        assert_eq!(request.parent, "", "{request:?} has no caller that counts");
        assert_ne!(request.trace, trace(2));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_a_trace_is_recorded_is_up_to_the_sampler_and_to_callers_who_are_known() {
    let (collector, env) = Collector::start().await;
    let env = env.each_ref().map(|(name, value)| (*name, value.as_str()));
    let env = [env[0], env[1], ("OTEL_TRACES_SAMPLER", "parentbased_always_off")];
    let outrigger = Outrigger::standalone_with(&[], &[], &env).unwrap();
    let admin = Caller(outrigger.admin().unwrap());
    let nobody = Caller(outrigger.client_for(&Identity::Anonymous).unwrap());

    assert_eq!(admin.list("no-trace", None).await.status, 200);
    assert_eq!(admin.list("not-sampled", Some(&traceparent(1, false))).await.status, 200);
    assert_eq!(nobody.list("stranger", Some(&traceparent(2, true))).await.status, 401);
    let health = nobody.send("GET", "/readyz", "health", Some(&traceparent(3, true)), String::new()).await;
    assert_eq!(health.status, 200);
    assert_eq!(admin.list("sampled", Some(&traceparent(4, true))).await.status, 200);

    // Spans are exported in the order of their ends.
    collector.await_path(&trace(4), &["outrigger: verb.list (Server)", "outrigger: store.list"]);
    eventually!(collector.request("sampled").is_some(), "the request is exported");
    let others: Vec<Span> = collector.spans().into_iter().filter(|span| span.trace != trace(4)).collect();
    assert!(others.is_empty(), "{others:#?}");
}
