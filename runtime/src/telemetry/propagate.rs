//! The W3C trace context over HTTP and gRPC, so that a request is one trace through all processes.
//!
//! ```text
//!   kube-apiserver ──traceparent──▶ set_parent      apiserver      Inject ──traceparent──▶ Extract   storage
//! ```
//!
//! A request between processes has a span at either end, until its answer's last byte.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tower::{Layer, Service};
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Makes the span that `headers` name the parent of `span`. Call it before anything is recorded in `span`.
pub fn set_parent(span: &Span, headers: &HeaderMap) {
    if headers.contains_key("traceparent") {
        // A span that nobody records cannot have a parent: that is no failure.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&Incoming(headers)));
    }
}

/// The headers by which [`set_parent`] makes `span` the parent of another, here or elsewhere, now or later.
pub fn parent_headers(span: &Span) -> HeaderMap {
    let mut headers = HeaderMap::new();
    TraceContextPropagator::new().inject_context(&span.context(), &mut Outgoing(&mut headers));
    headers
}

/// Makes each request that goes out in a span of its own, and names that in its headers.
#[derive(Debug, Clone, Copy, Default)]
pub struct InjectLayer;

/// A client with [`InjectLayer`] applied.
#[derive(Debug, Clone)]
pub struct Inject<S> {
    inner: S,
}

/// Handles each request in a span of its own, whose parent the request's headers name.
#[derive(Debug, Clone, Copy, Default)]
pub struct ExtractLayer;

/// A server with [`ExtractLayer`] applied.
#[derive(Debug, Clone)]
pub struct Extract<S> {
    inner: S,
}

/// A body that is made inside a span: what a stream does per chunk belongs to its request.
#[derive(Debug)]
pub struct SpanBody<B> {
    inner: B,
    span: Span,
}

struct Incoming<'a>(&'a HeaderMap);

struct Outgoing<'a>(&'a mut HeaderMap);

// === impl Inject ===

impl<S> Layer<S> for InjectLayer {
    type Service = Inject<S>;

    fn layer(&self, inner: S) -> Inject<S> {
        Inject { inner }
    }
}

impl<S, A, B> Service<Request<A>> for Inject<S>
where
    S: Service<Request<A>, Response = Response<B>, Future: Send + 'static>,
{
    type Response = Response<SpanBody<B>>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        let span = rpc("client", request.uri().path());
        request.headers_mut().extend(parent_headers(&span));
        within(span, || self.inner.call(request))
    }
}

// === impl Extract ===

impl<S> Layer<S> for ExtractLayer {
    type Service = Extract<S>;

    fn layer(&self, inner: S) -> Extract<S> {
        Extract { inner }
    }
}

impl<S, A, B> Service<Request<A>> for Extract<S>
where
    S: Service<Request<A>, Response = Response<B>, Future: Send + 'static>,
{
    type Response = Response<SpanBody<B>>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let span = rpc("server", request.uri().path());
        set_parent(&span, request.headers());
        within(span, || self.inner.call(request))
    }
}

/// The span of a request between processes, at one end.
fn rpc(end: &str, path: &str) -> Span {
    tracing::info_span!("rpc", otel.kind = end, otel.name = path)
}

/// Makes or handles a request inside `span`, up to the last byte of the answer.
fn within<F, B, E>(span: Span, call: impl FnOnce() -> F) -> BoxFuture<'static, Result<Response<SpanBody<B>>, E>>
where
    F: Future<Output = Result<Response<B>, E>> + Send + 'static,
{
    let answer = span.in_scope(call).instrument(span.clone());
    Box::pin(async move { Ok(answer.await?.map(|inner| SpanBody { inner, span })) })
}

// === impl SpanBody ===

impl<B: Body + Unpin> Body for SpanBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let Self { inner, span } = &mut *self;
        span.in_scope(|| Pin::new(inner).poll_frame(cx))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

// === impl Incoming, Outgoing ===

impl Extractor for Incoming<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

impl Injector for Outgoing<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}
