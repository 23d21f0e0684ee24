//! Every request has an audit id, a span, and its place in the metrics.
//!
//! The span goes on with the caller's trace when the caller is known: strangers must not decide what is recorded. Whose
//! trace a span is part of is settled once something happens in it, so nothing does before authentication.

use auth::User;
use axum::body::Body;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use tokio::time::Instant;
use tracing::{Instrument, Span};

use crate::{
    api::Api,
    metrics::UnderWay,
    request::{RequestInfo, Target},
};

const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");

/// One request, from its first byte to its answer's first.
pub(super) struct Trace {
    audit_id: HeaderValue,
    span: Span,
    began: Instant,
    under_way: UnderWay,
}

// === impl Trace ===

impl Trace {
    /// The request has come. An audit id of the caller's is kept, so that logs of both sides can be joined.
    pub(super) fn begin(api: &Api, info: &RequestInfo, headers: &HeaderMap) -> Self {
        let given = headers.get(&AUDIT_ID).filter(|id| id.len() <= 64).cloned();
        let audit_id = given.or_else(|| HeaderValue::from_str(&api.new_uid()).ok());
        let audit_id = audit_id.unwrap_or_else(|| HeaderValue::from_static("unknown"));
        let span = span(info, &audit_id);
        Self { audit_id, span, began: Instant::now(), under_way: api.metrics().under_way(info) }
    }

    /// What the request is known by in all logs.
    pub(super) fn audit_id(&self) -> &HeaderValue {
        &self.audit_id
    }

    /// `user` asks: if that is somebody, the span becomes part of the trace that the headers name.
    pub(super) fn authenticated(&self, user: &User, headers: &HeaderMap) {
        if !user.is_anonymous() {
            runtime::telemetry::set_parent(&self.span, headers);
        }
    }

    /// Runs what answers the request inside its span.
    pub(super) async fn follow<T>(&self, answer: impl Future<Output = T>) -> T {
        answer.instrument(self.span.clone()).await
    }

    /// The answer is ready to go; a watch is under way until its body ends.
    pub(super) fn end(self, api: &Api, info: &RequestInfo, mut response: Response<Body>) -> Response<Body> {
        let code = response.status().as_u16();
        self.span.record("http.response.status_code", code);
        let bytes = axum::body::HttpBody::size_hint(response.body()).exact();
        api.metrics().answered(info, code, bytes, self.began.elapsed());
        response.headers_mut().insert(AUDIT_ID, self.audit_id);
        let under_way = self.under_way;
        match info.long_running() {
            true => response.map(|body| crate::respond::held(body, under_way)),
            false => response,
        }
    }
}

fn span(info: &RequestInfo, audit_id: &HeaderValue) -> Span {
    let (resource, namespace, name) = match &info.target {
        Target::Resource(path) => (path.resource.as_str(), path.namespace.as_deref(), path.name.as_deref()),
        Target::Other => ("", None, None),
    };
    tracing::info_span!(
        "request",
        otel.name = format!("verb.{}", info.verb),
        otel.kind = "server",
        url.path = %info.path,
        k8s.resource = resource,
        k8s.namespace = namespace,
        k8s.name = name,
        audit_id = audit_id.to_str().unwrap_or_default(),
        http.response.status_code = tracing::field::Empty,
    )
}
