//! A store that leaves a span and a number for everything it is asked.

use async_trait::async_trait;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};
use proto::store::{
    At, Batch, Entry, Error, Key, List, ListOptions, Op, Result, Scope, Status, Store, WatchOptions, Write, Written,
};
use tokio::time::Instant;
use tracing::{Span, field::Empty, instrument};

/// Traces and counts what goes to the store in it.
#[derive(Debug)]
pub struct Traced<S> {
    store: S,
    metrics: Metrics,
}

/// How often each operation ended how, and how long it took.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    requests: Family<Request, Counter>,
    seconds: Family<Operation, Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: &'static str,
}

// === impl Metrics ===

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let seconds = || Histogram::new((0..=14).map(|power| 0.0002 * f64::from(1 << power)));
        let metrics = Self { requests: Family::default(), seconds: Family::new_with_constructor(seconds) };
        let registry = registry.sub_registry_with_prefix("outrigger_store");
        registry.register("requests", "What the store was asked, and how that ended", metrics.requests.clone());
        let help = "How long the store took, to the first byte where it streams";
        registry.register("request_duration_seconds", help, metrics.seconds.clone());
        metrics
    }

    fn count<T>(&self, operation: &'static str, start: Instant, result: &Result<T>) {
        let outcome = result.as_ref().map_or_else(outcome, |_| "ok");
        self.requests.get_or_create(&Request { operation, outcome }).inc();
        self.seconds.get_or_create(&Operation { operation }).observe(start.elapsed().as_secs_f64());
    }
}

fn outcome(error: &Error) -> &'static str {
    match error {
        Error::NotFound { .. } => "not_found",
        Error::AlreadyExists { .. } => "already_exists",
        Error::Conflict { .. } => "conflict",
        Error::Compacted { .. } => "compacted",
        Error::Future { .. } => "future",
        Error::Invalid { .. } => "invalid",
        Error::OutOfSpace { .. } => "out_of_space",
        Error::Unavailable { .. } => "unavailable",
        Error::Internal { .. } => "internal",
    }
}

// === impl Traced ===

impl<S> Traced<S> {
    pub(crate) fn new(store: S, metrics: Metrics) -> Self {
        Self { store, metrics }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: Store> Store for Traced<S> {
    #[instrument(name = "store.get", skip_all, fields(%key), err(level = "debug"))]
    async fn get(&self, key: &Key, at: At) -> Result<Option<Entry>> {
        let start = Instant::now();
        let result = self.store.get(key, at).await;
        self.metrics.count("get", start, &result);
        result
    }

    #[instrument(name = "store.list", skip_all, fields(resource = scope.resource, rev = Empty), err(level = "debug"))]
    async fn list(&self, scope: &Scope, options: ListOptions) -> Result<List> {
        let start = Instant::now();
        let result = self.store.list(scope, options).await;
        self.metrics.count("list", start, &result);
        let List { revision, count, chunks } = result?;
        Span::current().record("rev", revision);
        Ok(List { revision, count, chunks: in_span(chunks) })
    }

    #[instrument(name = "store.watch", skip_all, fields(resource = scope.resource, after = options.after), err(level = "debug"))]
    async fn watch(&self, scope: &Scope, options: WatchOptions) -> Result<BoxStream<'static, Result<Batch>>> {
        let start = Instant::now();
        let result = self.store.watch(scope, options).await;
        self.metrics.count("watch", start, &result);
        result.map(in_span)
    }

    #[instrument(name = "store.write", skip_all, fields(key = %write.key, rev = Empty), err(level = "debug"))]
    async fn write(&self, write: Write) -> Result<Written> {
        let operation = match write.op {
            Op::Create(_) => "create",
            Op::Update(..) => "update",
            Op::Delete(_) => "delete",
        };
        let start = Instant::now();
        let result = self.store.write(write).await;
        self.metrics.count(operation, start, &result);
        if let Ok(written) = &result {
            Span::current().record("rev", written.revision);
        }
        result
    }

    #[instrument(name = "store.status", level = "debug", skip_all, err(level = "debug"))]
    async fn status(&self) -> Result<Status> {
        self.store.status().await
    }
}

/// A stream that does its work in the current span.
fn in_span<T: Send + 'static>(mut stream: BoxStream<'static, T>) -> BoxStream<'static, T> {
    let span = Span::current();
    stream::poll_fn(move |cx| span.in_scope(|| stream.poll_next_unpin(cx))).boxed()
}
