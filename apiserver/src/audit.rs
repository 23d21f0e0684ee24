//! The audit log: who asked for what, and what came of it, as `audit.k8s.io/v1` events, one JSON line each.
//!
//! A [`policy::Policy`] says how much is told of which request; without one it is `Metadata` of all. An event that cannot be
//! written holds its request up rather than be lost: the queue is bounded, and nobody jumps it. Bodies are told as far as
//! they are whole: a list that streams is not kept for it.

mod event;
mod noted;
mod policy;
mod writer;

use std::{path::PathBuf, sync::Arc};

use anyhow::Context as _;
use axum::body::{Body, HttpBody};
use bytes::Bytes;
use clap::Args;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::BodyExt;
use machinery::yaml;
use runtime::{Context, clock::Clock, serve::Peer};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::{context::headers_text, decode, request::RequestInfo};
use event::Event;
pub(crate) use noted::Noted;
use policy::{Level, Policy, Stage};

/// What is said of requests, and where.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Audit")]
pub struct AuditArgs {
    /// File that an event is appended to for each request, a JSON line of audit.k8s.io/v1; `-` is the standard output.
    #[arg(long, env = "OUTRIGGER_AUDIT_LOG_PATH", value_name = "FILE")]
    pub audit_log_path: Option<PathBuf>,
    /// Policy of audit.k8s.io/v1 that says how much is told of which request; without it, the metadata of each.
    #[arg(long, env = "OUTRIGGER_AUDIT_POLICY_FILE", value_name = "FILE", requires = "audit_log_path")]
    pub audit_policy_file: Option<PathBuf>,
}

/// What an answer adds to its event: an extension of the response.
#[derive(Debug, Clone, Default)]
pub struct Annotations(pub std::collections::BTreeMap<String, String>);

/// The log.
pub struct Audit {
    policy: Policy,
    lines: mpsc::Sender<Vec<u8>>,
    clock: Clock,
}

/// One request's event, as far as it is known.
pub(crate) struct Record {
    audit: Arc<Audit>,
    event: Event,
    omit: Vec<Stage>,
    omit_managed_fields: bool,
    withheld: bool,
}

/// Bodies of more bytes are not kept to be told.
const BODY_LIMIT: u64 = 3 << 20;

// === impl Audit ===

impl Audit {
    /// The log that the flags ask for.
    pub async fn open(args: &AuditArgs, context: &Context) -> anyhow::Result<Option<Arc<Self>>> {
        let Some(path) = &args.audit_log_path else { return Ok(None) };
        let policy = match &args.audit_policy_file {
            Some(path) => {
                let text =
                    std::fs::read(path).with_context(|| format!("reading --audit-policy-file {}", path.display()))?;
                let shown = || format!("--audit-policy-file {} is no audit.k8s.io/v1 Policy", path.display());
                let document = yaml::decode(&text).map_err(|error| anyhow::anyhow!("{error}")).with_context(shown)?;
                Policy::parse(document.value).map_err(anyhow::Error::msg).with_context(shown)?
            }
            None => Policy::metadata(),
        };
        let lines = writer::start(path, context).await?;
        Ok(Some(Arc::new(Self { policy, lines, clock: Arc::clone(&context.clock) })))
    }

    /// A request has come, and `user` asks; none if nothing is to be said of it.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        info: &RequestInfo,
        user: &auth::User,
        uri: &http::Uri,
        headers: &HeaderMap,
        source: Option<&Peer>,
        audit_id: &HeaderValue,
    ) -> Option<Record> {
        let rule = self.policy.rule(info, user)?;
        let event = Event {
            level: rule.level,
            audit_id: audit_id.to_str().unwrap_or_default().to_owned(),
            uri: uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            verb: event::verb(info),
            user: user.clone(),
            sources: event::sources(headers, source),
            user_agent: headers_text(headers, "user-agent").to_owned(),
            object: event::object(info),
            received: (self.clock)(),
            ..Event::default()
        };
        let record = Record {
            audit: Arc::clone(self),
            event,
            omit: rule.omit_stages.clone(),
            omit_managed_fields: rule.omit_managed_fields,
            withheld: false,
        };
        record.write(Stage::RequestReceived).await;
        Some(record)
    }
}

// === impl Record ===

impl Record {
    /// Keeps what follows out of the log, but for what a refusal says.
    pub(crate) fn withhold(&mut self) {
        self.withheld = true;
    }

    /// Keeps the body of a request that writes, if it is to be told.
    pub(crate) async fn request(&mut self, request: Request<Body>) -> Request<Body> {
        if self.withheld
            || self.event.level < Level::Request
            || !matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH | Method::DELETE)
        {
            return request;
        }
        let (parts, body) = request.into_parts();
        if body.size_hint().upper().is_none_or(|bytes| bytes > BODY_LIMIT) {
            return Request::from_parts(parts, body);
        }
        match body.collect().await {
            Ok(body) => {
                let bytes = body.to_bytes();
                self.event.request = self.told(decode::content_type(&parts.headers), &bytes);
                Request::from_parts(parts, Body::from(bytes))
            }
            // Whoever reads it finds the same.
            Err(error) => {
                Request::from_parts(parts, Body::from_stream(futures::stream::iter([Err::<Bytes, _>(error)])))
            }
        }
    }

    /// The answer is ready. What goes on for long has begun with it, and ends with its body.
    pub(crate) async fn answer(mut self, info: &RequestInfo, response: Response<Body>) -> Response<Body> {
        let (parts, mut body) = response.into_parts();
        self.event.code = parts.status.as_u16();
        if let Some(Annotations(annotations)) = parts.extensions.get() {
            let told = annotations.iter().filter(|(key, _)| noted::is_told(key, self.event.level));
            self.event.annotations.extend(told.map(|(key, value)| (key.clone(), value.clone())));
        }
        let whole = body.size_hint().exact().is_some_and(|bytes| bytes <= BODY_LIMIT);
        if whole && (self.event.level == Level::RequestResponse && !self.withheld || !parts.status.is_success()) {
            let bytes = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            let told = self.told(decode::content_type(&parts.headers), &bytes);
            match parts.status.is_success() {
                true => self.event.response = told,
                false => self.event.status = told,
            }
            body = Body::from(bytes);
        }
        if !info.long_running() {
            self.write(Stage::ResponseComplete).await;
            return Response::from_parts(parts, body);
        }
        self.write(Stage::ResponseStarted).await;
        let body = Body::from_stream(async_stream::stream! {
            for await data in body.into_data_stream() {
                yield data;
            }
            self.write(Stage::ResponseComplete).await;
        });
        Response::from_parts(parts, body)
    }

    /// Adds what is known besides.
    pub(crate) fn annotate(&mut self, key: &str, value: &str) {
        self.event.annotations.insert(key.to_owned(), value.to_owned());
    }

    async fn write(&self, stage: Stage) {
        if self.omit.contains(&stage) {
            return;
        }
        let line = self.event.line(stage, (self.audit.clock)());
        // Who writes has ended only when the process has.
        let _ = self.audit.lines.send(line).await;
    }

    /// A body as it is told: an object, without its managed fields where the policy says so.
    fn told(&self, content_type: &str, body: &[u8]) -> Value {
        let mut value = match content_type.contains("yaml") {
            true => yaml::decode(body).map(|decoded| decoded.value).unwrap_or_default(),
            false => serde_json::from_slice(body).unwrap_or_default(),
        };
        if self.omit_managed_fields {
            event::without_managed_fields(&mut value);
        }
        value
    }
}
