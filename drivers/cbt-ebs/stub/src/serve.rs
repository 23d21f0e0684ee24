//! From a request to its answer.

use std::{
    convert::Infallible,
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{Request, Response, request::Parts};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;

use crate::{
    Call, Trouble,
    answer::Answer,
    body::{Body, cut, whole},
    model,
    refusal::Refusal,
    signature,
    state::State,
};

pub(crate) type Shared = Arc<Mutex<State>>;

/// Counts a call while it waits for its answer, however that ends.
struct Waiting(Shared);

/// Answers one request.
pub(crate) async fn serve(shared: Shared, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let _waiting = Waiting::enter(&shared);
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let (outcome, trouble) = handle(&mut lock(&shared), &parts, &body);
    if trouble == Some(Trouble::Silence) {
        pending::<()>().await;
    }
    let body = |bytes: Vec<u8>| if trouble == Some(Trouble::Cut) { cut(bytes) } else { whole(bytes) };
    let response = Response::builder().header("x-amzn-requestid", "00000000-0000-4000-8000-000000000000");
    let json = |bytes: &serde_json::Value| body(bytes.to_string().into_bytes());
    let response = match outcome {
        Ok(Answer::Page(page)) => response.header("content-type", "application/json").body(json(&page)),
        Ok(Answer::Block { data, checksum }) => response
            .header("content-type", "application/octet-stream")
            .header("x-amz-data-length", data.len())
            .header("x-amz-checksum", checksum)
            .header("x-amz-checksum-algorithm", "SHA256")
            .body(body(data)),
        // What stands in front of the service does not speak its language.
        Err(refusal) if refusal.code.is_empty() => {
            response.status(refusal.status).header("content-type", "text/html").body(whole(b"<html></html>".to_vec()))
        }
        Err(refusal) => response
            .status(refusal.status)
            .header("content-type", "application/json")
            .header("x-amzn-errortype", refusal.code)
            .body(json(&refusal.body())),
    };
    Ok(response.expect("headers that are text"))
}

/// Everything that needs the state, in one go.
fn handle(state: &mut State, parts: &Parts, body: &[u8]) -> (Result<Answer, Refusal>, Option<Trouble>) {
    let known = read(state, parts, body);
    let operation = known.as_ref().map(|request| request.operation.clone()).unwrap_or_default();
    let mut call = Call {
        number: state.calls.iter().filter(|call| call.operation == operation).count(),
        operation,
        members: known.as_ref().map(|request| request.members.clone()).unwrap_or_default(),
        error: None,
        foul: known.as_ref().is_err_and(|refusal| refusal.foul),
    };
    let trouble = known.as_ref().ok().and(state.plan.as_mut()).and_then(|plan| plan(&call));
    let outcome = known.and_then(|request| {
        let within = state.quotas.get_mut(&request.operation).is_none_or(|quota| quota.take());
        let trouble = if within { trouble.clone() } else { Some(Trouble::Throttled) };
        match trouble.as_ref().and_then(refusal) {
            Some(refusal) => Err(refusal),
            None => state.answer(&request, trouble.as_ref()),
        }
        .inspect_err(|refusal| modelled(state, &request, refusal))
    });
    call.error = outcome.as_ref().err().map(|refusal| refusal.code);
    state.calls.push(call);
    (outcome, trouble)
}

/// The request, if it is one of an official SDK, of somebody we know.
fn read(state: &State, parts: &Parts, body: &[u8]) -> Result<model::Request, Refusal> {
    signature::verify(parts, body, &state.keys, &state.region, (state.clock)())?;
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let path: Vec<_> = parts.uri.path().split('/').skip(1).map(decoded).collect();
    let pairs = parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let query: Vec<_> = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(key, value)| (decoded(key), decoded(value)))
        .collect();
    let odd = |name: &str| {
        name.starts_with("x-amz-")
            && !["x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "x-amz-user-agent"].contains(&name)
    };
    if let Some(name) = parts.headers.keys().map(http::HeaderName::as_str).find(|name| odd(name)) {
        return Err(Refusal::bad(name, "there is no such header"));
    }
    if !body.is_empty() {
        return Err(Refusal::bad("body", "a GET has none"));
    }
    state.model.request(parts.method.as_str(), &path, &query)
}

/// The error that trouble is, if it is one.
fn refusal(trouble: &Trouble) -> Option<Refusal> {
    let refusal = match trouble {
        Trouble::Throttled => {
            Refusal::new(400, "RequestThrottledException", Some("ACCOUNT_THROTTLED"), "Request limit exceeded.")
        }
        Trouble::Throttling => Refusal::new(400, "ThrottlingException", None, "Rate exceeded"),
        Trouble::Failure(500) => Refusal::new(500, "InternalServerException", None, "An internal error has occurred"),
        Trouble::Failure(status) => Refusal::new(*status, "", None, ""),
        Trouble::Denied => Refusal::new(403, "AccessDeniedException", Some("UNAUTHORIZED_ACCOUNT"), "You may not."),
        Trouble::QuotaExceeded => Refusal::new(
            402,
            "ServiceQuotaExceededException",
            Some("DEPENDENCY_SERVICE_QUOTA_EXCEEDED"),
            "A quota is used up.",
        ),
        Trouble::PageToken => Refusal::validation("INVALID_PAGE_TOKEN", "The page token has expired."),
        _ => return None,
    };
    Some(refusal)
}

/// Panics when the model does not know an error that only the API has.
fn modelled(state: &State, request: &model::Request, refusal: &Refusal) {
    if !matches!(refusal.code, "" | "ThrottlingException")
        && let Err(why) = state.model.check_error(&request.operation, refusal.code, refusal.status, &refusal.body())
    {
        panic!("an error that the model does not allow: {why}");
    }
}

// === impl Waiting ===

impl Waiting {
    fn enter(shared: &Shared) -> Self {
        lock(shared).waiting += 1;
        Self(Arc::clone(shared))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        lock(&self.0).waiting -= 1;
    }
}

pub(crate) fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
