//! What every request passes on its way to a verb, outermost first.
//!
//! ```text
//!   trace ▸ panics ▸ late ▸ compress ▸ authenticate ▸ audit ▸ authorize ▸ inflight ▸ deadline ▸ verb or endpoint
//! ```
//!
//! The chain is this one function, so that its order can be read. Each filter is a file. The span of the
//! request is entered after `authenticate`: that decides whose trace it is part of.

mod authenticate;
mod authorize;
mod compress;
mod deadline;
mod inflight;
mod late;
mod panics;
mod trace;

use std::sync::Arc;

use auth::User;
use axum::body::Body;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use runtime::serve::{LastResponse, Peer};

use crate::{
    api::Api,
    endpoints,
    error::{Failure, Result},
    request::{RequestInfo, Target},
    respond, verbs,
};

pub(crate) use self::authorize::allowed;
pub use self::inflight::Inflight;
use self::trace::Trace;

/// Answers one request.
pub async fn handle(api: Arc<Api>, request: Request<Body>) -> Response<Body> {
    let info = RequestInfo::new(request.method(), request.uri(), request.headers());
    let head = request.method() == Method::HEAD;
    let trace = Trace::begin(&api, &info, request.headers());
    let mut response = panics::caught(&info, inner(&api, &info, &trace, request)).await;
    finish(&mut response, head);
    trace.end(&api, &info, response)
}

async fn inner(api: &Arc<Api>, info: &RequestInfo, trace: &Trace, request: Request<Body>) -> Response<Body> {
    if let Some(refusal) = late::refusal(api, info) {
        return refusal;
    }
    let gzip = compress::accepted(info, request.headers());
    let response = match answered(api, info, trace, request).await {
        Ok(response) => response,
        Err(Failure(status)) => respond::status(&status, info),
    };
    if gzip { compress::large(response).await } else { response }
}

async fn answered(
    api: &Arc<Api>,
    info: &RequestInfo,
    trace: &Trace,
    mut request: Request<Body>,
) -> Result<Response<Body>> {
    let peer = request.extensions().get::<Peer>().cloned();
    let user = authenticate::user(api, info, &mut request).await;
    let known = user.as_ref().cloned().unwrap_or_default();
    let record = match api.audit() {
        Some(audit) => {
            audit.begin(info, &known, request.uri(), request.headers(), peer.as_ref(), trace.audit_id()).await
        }
        None => None,
    };
    let Some(mut record) = record else {
        let user = match user {
            Ok(user) => user,
            Err(Failure(status)) => return Ok(authorize::refused(&status, info)),
        };
        trace.authenticated(&user, request.headers());
        return trace.follow(admitted(api, info, &user, request)).await;
    };
    if confidential(api, info) {
        record.withhold();
    }
    let answer = match user {
        Ok(user) => {
            trace.authenticated(&user, request.headers());
            let request = record.request(request).await;
            trace.follow(admitted(api, info, &user, request)).await
        }
        Err(Failure(status)) => Ok(authorize::refused(&status, info)),
    };
    let response = answer.unwrap_or_else(|Failure(status)| respond::status(&status, info));
    let decision = if authorize::was_refused(&response) { "forbid" } else { "allow" };
    record.annotate("authorization.k8s.io/decision", decision);
    Ok(record.answer(info, response).await)
}

/// Whether the kind that is asked for keeps its bodies out of the audit log.
fn confidential(api: &Api, info: &RequestInfo) -> bool {
    let Target::Resource(path) = &info.target else { return false };
    let kinds = api.kinds();
    let kind = kinds.get(&path.group, &path.version, &path.resource);
    kind.and_then(|kind| kind.actor()).is_some_and(|actor| actor.confidential())
}

async fn admitted(api: &Arc<Api>, info: &RequestInfo, user: &User, request: Request<Body>) -> Result<Response<Body>> {
    if let Err(Failure(status)) = authorize::check(api, info, user).await {
        return Ok(authorize::refused(&status, info));
    }
    let _place = api.inflight().enter(info, user)?;
    deadline::within(info, async {
        Ok(match info.target {
            // On the heap, once: the state of the largest verb would otherwise be copied through every filter.
            Target::Resource(_) => Box::pin(verbs::dispatch(api, info, user, request)).await,
            Target::Other => endpoints::dispatch(api, info, request.headers()).await,
        })
    })
    .await
}

/// What every answer has: no caching unless it says otherwise, no more from strangers, and no body for HEAD.
fn finish(response: &mut Response<Body>, head: bool) {
    let no_cache = HeaderValue::from_static("no-cache, private");
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(no_cache);
    if response.status() == StatusCode::UNAUTHORIZED {
        response.extensions_mut().insert(LastResponse);
    }
    if head {
        *response.body_mut() = Body::empty();
    }
}
