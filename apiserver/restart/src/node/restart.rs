//! `nodes/restart`: asks for a restart, and answers with the NodeRestart that it is.
//!
//! | answer | |
//! |---|---|
//! | 201 | a new NodeRestart; with `dryRun=All` its plan, which is nowhere |
//! | 200 | one that was there: the idempotencyKey is its, or it has not ended and nothing else was asked for |
//!
//! Both name it in `Location`. To a client that sends no `Accept` at all, the answer is 200 and a line of text, which is
//! what older clients understand.

use std::time::Duration;

use apiserver::{Annotations, Call};
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use machinery::{meta::ObjectMeta, options::WriteOptions, status::Status};
use proto::restart::{Error, Request, Restarts, Submitted};
use schema::Schema;
use serde_json::Value;

use crate::{GROUP, NODE_RESTARTS, options::Options, phase, user, wait};

pub(super) async fn restart(
    restarts: &dyn Restarts,
    options: &Schema,
    call: &mut Call<'_>,
) -> Result<Response<Body>, Status> {
    call.acceptable()?;
    let dry_run = WriteOptions::create(call.query())?.dry_run;
    let body = call.body().await?;
    let Options { json, wait } = Options::read(options, call.headers(), &body)?;
    let request =
        Request { node: call.name().unwrap_or_default().to_owned(), options: json, user: user::of(call.user()) };
    call.turn_to(NODE_RESTARTS)?;
    if dry_run {
        let plan = restarts.plan(request).await.map_err(|Error(refusal)| *refusal)?;
        return call.object(StatusCode::CREATED, &planned(&plan)?);
    }
    let Submitted { name, existing } = restarts.submit(request).await.map_err(|Error(refusal)| *refusal)?;
    // From here on the restart happens: whatever goes wrong must say so.
    let restart = accepted(call, &name, wait).await.map_err(|error| {
        Status::unavailable(&format!("the restart is accepted as {NODE_RESTARTS} {name:?}, but {}", error.message), 1)
    })?;
    answer(call, &name, &restart, existing)
}

/// The NodeRestart as it is when it has ended, or when that was waited for long enough.
async fn accepted(call: &Call<'_>, name: &str, wait: Option<Duration>) -> Result<Value, Status> {
    if let Some(limit) = wait {
        wait::until_ended(call, name, limit).await;
    }
    let restart = call.find(name).await?;
    restart.ok_or_else(|| Status::not_found(&call.kind().group_resource(), name))
}

fn answer(call: &Call<'_>, name: &str, restart: &Value, existing: bool) -> Result<Response<Body>, Status> {
    let mut response = match call.accept() {
        "" => text(restart),
        _ if existing => call.object(StatusCode::OK, restart)?,
        _ => call.object(StatusCode::CREATED, restart)?,
    };
    // Relative to nodes/NAME/restart: of an absolute path the aggregator would make a URL with our own address.
    let location = HeaderValue::try_from(format!("../../{NODE_RESTARTS}/{name}"));
    let location = location.map_err(|_| Status::internal("the name of the NodeRestart is no name"))?;
    response.headers_mut().insert(header::LOCATION, location);
    response.extensions_mut().insert(annotations(name, restart));
    Ok(response)
}

/// What the audit log tells of it.
fn annotations(name: &str, restart: &Value) -> Annotations {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let spec = &restart["spec"];
    let said = [("restart", name.to_owned()), ("mode", text(&spec["mode"])), ("reason", text(&spec["reason"]))];
    let said = said.into_iter().filter(|(_, value)| !value.is_empty());
    Annotations(said.map(|(key, value)| (format!("{GROUP}/{key}"), value)).collect())
}

/// Names and phases are words: there is nothing in it that a browser would take for more.
fn text(restart: &Value) -> Response<Body> {
    let (node, name) = (restart["spec"]["nodeName"].as_str().unwrap_or_default(), ObjectMeta::of(restart).name());
    let phase = phase::of(restart);
    let mut response = Response::new(Body::from(format!("Node {node}: restart {name} is {phase}\n")));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn planned(plan: &Bytes) -> Result<Value, Status> {
    serde_json::from_slice(plan).map_err(|error| Status::internal(&format!("the worker's plan is not JSON: {error}")))
}
