//! What every request passes on its way to a verb, outermost first.
//!
//! ```text
//!   operation id ▸ gzip ▸ metrics, log ▸ panics ▸ CORS ▸ token ▸ route ▸ origin ▸ body ▸ deadline ▸ verb
//! ```
//!
//! The chain is these functions, so that its order can be read.

mod compress;
mod origins;

use std::{error::Error as StdError, panic::AssertUnwindSafe, sync::Arc};

use bytes::Bytes;
use futures::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body::Body;
use jiff::Timestamp;
use runtime::{serve::LastResponse, telemetry};
use tokio::time::Instant;
use tracing::{Instrument, Span};

use crate::{
    api::Api,
    body,
    error::{Code, Error, Result, Told},
    jwt::Caller,
    params::Params,
    reply::{self, Answer},
    route::{self, BASE, Target, Verb},
    verbs,
};

pub(crate) use self::origins::Origins;

const OPERATION_ID: HeaderName = HeaderName::from_static("x-operation-id");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request without its body.
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) params: Params,
    pub(crate) headers: HeaderMap,
    pub(crate) target: Option<Target>,
    pub(crate) operation: String,
    pub(crate) now: Timestamp,
}

/// Answers one request.
pub(crate) async fn handle<B>(api: Arc<Api>, request: Request<B>) -> Answer
where
    B: Body<Data = Bytes, Error: Into<Box<dyn StdError + Send + Sync>>>,
{
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let now = api.now();
    let asked = Asked {
        target: route::target(parts.uri.path()),
        params: Params::read(parts.uri.query()),
        path: parts.uri.path().to_owned(),
        method: parts.method,
        headers: parts.headers,
        operation: api.operation(now),
        now,
    };
    let span = asked.span();
    let answering = caught(&asked, answered(&api, &asked, &span, body));
    let mut answer = answering.instrument(span.clone()).await;
    api.origins.mark(&asked.headers, &mut answer);
    reply::set(&mut answer, OPERATION_ID, &asked.operation);
    reply::set(&mut answer, REQUEST_ID, &asked.operation);
    span.record("http.response.status_code", answer.status().as_u16());
    let took = began.elapsed();
    let (path, status) = (asked.target.as_ref().map_or("-", Target::template), answer.status().as_u16());
    api.metrics.answered(&asked.method, path, status, took);
    span.in_scope(|| asked.log(status, took));
    compress::large(&asked.headers, answer)
}

/// A panic costs its request, never the process.
async fn caught(asked: &Asked, answer: impl Future<Output = Result<Answer>>) -> Answer {
    let outcome = AssertUnwindSafe(answer).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(url.path = asked.path, "a request panicked");
        Err(Error::new(Code::General, "Unspecified error"))
    });
    outcome.unwrap_or_else(|error| asked.failure(&error))
}

async fn answered<B>(api: &Arc<Api>, asked: &Asked, span: &Span, body: B) -> Result<Answer>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn StdError + Send + Sync>>>,
{
    if let Some(preflight) = api.origins.preflight(asked) {
        return Ok(preflight);
    }
    let caller = match &api.authenticator {
        Some(authenticator) if !asked.public() => authenticator.identify(&asked.headers).await?,
        _ => Caller::default(),
    };
    // Strangers must not decide what is recorded.
    if !asked.public() {
        telemetry::set_parent(span, &asked.headers);
    }
    let Some(target) = &asked.target else {
        let reason = format!("The requested resource '{}' doesn't exist", asked.path);
        return Err(Error::new(Code::NoSuchPath, reason));
    };
    let Some(verb) = target.verb(&asked.method) else {
        let mut answer = reply::empty(StatusCode::METHOD_NOT_ALLOWED);
        reply::set(&mut answer, header::ALLOW, &target.allowed());
        return Ok(answer);
    };
    api.origins.check(asked)?;
    let body = match verb {
        Verb::Create | Verb::Patch | Verb::Report | Verb::ForceDelete => body::read(body, api.read_timeout).await?,
        _ => Bytes::new(),
    };
    // On the heap, once: the state of the largest verb would otherwise be copied through every filter.
    let answer = Box::pin(verbs::dispatch(api, asked, verb, target, &body, &caller));
    tokio::time::timeout(api.write_timeout, answer).await.unwrap_or_else(|_| {
        Err(Error::new(
            Code::Unavailable,
            format!("There is no answer within {:?}: try again later", api.write_timeout),
        ))
    })
}

// === impl Asked ===

impl Asked {
    /// Whether anybody may ask this.
    fn public(&self) -> bool {
        let path = self.path.strip_suffix('/').unwrap_or(&self.path);
        let errors = || path.strip_prefix(BASE).is_some_and(|rest| rest.is_empty() || rest.starts_with("/errors/"));
        self.target.as_ref().map_or_else(errors, Target::public)
    }

    fn failure(&self, error: &Error) -> Answer {
        let told = Told { path: &self.path, operation: &self.operation, now: self.now };
        let mut answer = reply::failure(error, self.accepts_problems(), &told);
        if error.code == Code::Unauthenticated {
            answer.extensions_mut().insert(LastResponse);
        }
        answer
    }

    fn accepts_problems(&self) -> bool {
        let accepted = self.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        accepted.flat_map(|value| value.split(',')).any(|range| {
            let (media, parameters) = range.split_once(';').unwrap_or((range, ""));
            let refused = parameters.split(';').any(|it| matches!(it.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
            media.trim().eq_ignore_ascii_case("application/problem+json") && !refused
        })
    }

    fn span(&self) -> Span {
        let template = self.target.as_ref().map_or("-", Target::template);
        tracing::info_span!(
            "request",
            otel.name = format!("{} {template}", self.method),
            otel.kind = "server",
            url.path = %self.path,
            operation_id = %self.operation,
            http.response.status_code = tracing::field::Empty,
        )
    }

    /// One line for each request, but for those that say which API this is, which balancers ask.
    fn log(&self, status: u16, took: std::time::Duration) {
        let duration_ms = took.as_micros() as f64 / 1000.0;
        let Self { method, path, operation, .. } = self;
        match status {
            500.. => tracing::error!(operation_id = %operation, duration_ms, "{method} {path} {status}"),
            _ if self.target == Some(Target::Metadata) => {}
            _ => tracing::info!(operation_id = %operation, duration_ms, "{method} {path} {status}"),
        }
    }
}

/// The value of a header as text.
fn text(value: Option<&HeaderValue>) -> Option<&str> {
    value.and_then(|value| value.to_str().ok())
}
