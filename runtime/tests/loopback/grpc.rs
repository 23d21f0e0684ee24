//! gRPC between our processes: who gets in, and one trace over both ends.

use std::{path::Path, sync::Arc};

use opentelemetry::trace::{SpanKind, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use runtime::{
    Shutdown, Tasks, grpc,
    serve::{self, Listener},
    telemetry::ExtractLayer,
    tls::{ClientTls, Identity, ServerTls, bootstrap},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tracing::Instrument;
use tracing_subscriber::layer::SubscriberExt;

/// Serves gRPC's own health service on `listener`.
fn serve(listener: Listener, tasks: &Tasks) {
    let incoming = serve::incoming(listener, Default::default(), tasks);
    let draining = tasks.shutdown().draining();
    tasks.critical("server", async move {
        let (_reporter, service) = tonic_health::server::health_reporter();
        let server = tonic::transport::Server::builder().layer(ExtractLayer).add_service(service);
        server.serve_with_incoming_shutdown(incoming, draining).await
    });
}

async fn serve_tls(peers: &bootstrap::Peers, tasks: &Tasks) -> String {
    let tls = ServerTls::requiring(Identity::load(&peers.server, tasks).unwrap(), &peers.ca, tasks).unwrap();
    let listener = Listener::tls("127.0.0.1:0".parse().unwrap(), tls).await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    serve(listener, tasks);
    address
}

fn client(identity: &bootstrap::Pair, ca: &Path, tasks: &Tasks) -> ClientTls {
    ClientTls::new(Identity::load(identity, tasks).unwrap(), ca, tasks).unwrap()
}

async fn check(address: &str, tls: Option<&ClientTls>) -> Result<(), tonic::Status> {
    let channel = grpc::channel(address, tls).unwrap();
    HealthClient::new(channel).check(HealthCheckRequest::default()).await.map(|_| ())
}

fn peers(dir: &Path) -> bootstrap::Peers {
    runtime::tls::install_provider();
    bootstrap::peers(dir, &[], runtime::clock::system()()).unwrap()
}

#[tokio::test]
async fn only_our_own_processes_get_in_and_only_to_our_own() {
    let (dir, other_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (ours, theirs) = (peers(dir.path()), peers(other_dir.path()));
    let tasks = Tasks::new(Shutdown::new());
    let address = serve_tls(&ours, &tasks).await;

    let get_in = async |tls: &ClientTls| check(&address, Some(tls)).await.is_ok();
    assert!(get_in(&client(&ours.client, &ours.ca, &tasks)).await);
    assert!(!get_in(&client(&theirs.client, &ours.ca, &tasks)).await, "a client of another CA");
    assert!(!get_in(&client(&ours.server, &ours.ca, &tasks)).await, "a server that poses as a client");
    assert!(!get_in(&client(&ours.client, &theirs.ca, &tasks)).await, "a server of another CA");

    tasks.shutdown().drain();
    tasks.ended().await;
    assert!(!tasks.failed());
}

#[tokio::test]
async fn a_unix_socket_needs_no_certificate() {
    runtime::tls::install_provider();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.sock");
    let tasks = Tasks::new(Shutdown::new());
    serve(Listener::unix(&path).unwrap(), &tasks);
    check(&format!("unix://{}", path.display()), None).await.unwrap();
}

#[tokio::test]
async fn a_request_is_one_trace_over_both_ends() {
    let dir = tempfile::tempdir().unwrap();
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_context_activation(false).with_tracer(provider.tracer("test"));
    let filter = tracing_subscriber::filter::LevelFilter::INFO;
    let _installed = tracing::subscriber::set_default(tracing_subscriber::registry().with(filter).with(layer));

    let path = dir.path().join("store.sock");
    let tasks = Tasks::new(Shutdown::new());
    serve(Listener::unix(&path).unwrap(), &tasks);
    let address = Arc::new(format!("unix://{}", path.display()));
    let request = tracing::info_span!("verb.get");
    check(&address, None).instrument(request).await.unwrap();
    tasks.shutdown().drain();
    tasks.ended().await;

    let spans = exporter.get_finished_spans().unwrap();
    let find = |name: &str, kind: SpanKind| {
        let found = spans.iter().find(|span| span.name == name && span.span_kind == kind);
        found.unwrap_or_else(|| panic!("{name} in {spans:?}"))
    };
    let rpc = |kind| find("/grpc.health.v1.Health/Check", kind);
    let (request, client, server) =
        (find("verb.get", SpanKind::Internal), rpc(SpanKind::Client), rpc(SpanKind::Server));
    assert_eq!(server.span_context.trace_id(), request.span_context.trace_id());
    assert_eq!(client.parent_span_id, request.span_context.span_id());
    assert_eq!(server.parent_span_id, client.span_context.span_id());
    assert!(server.parent_span_is_remote && !client.parent_span_is_remote);
}
