//! `/openapi/v2` and `/openapi/v3`: documents that clients keep until their hash changes.
//!
//! A stale hash gets the current document, not a redirect: behind the aggregator a redirect would be an error.

use std::sync::Arc;

use axum::body::Body;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, VARY},
};
use openapi::{Document, V2_PROTOBUF, V3_PROTOBUF};

use crate::{api::Api, request::RequestInfo, respond};

pub(super) fn v2(api: &Arc<Api>, info: &RequestInfo, headers: &HeaderMap) -> Response<Body> {
    answer(api.kinds().documents().v2(), V2_PROTOBUF, info, headers)
}

pub(super) fn v3_root(api: &Arc<Api>) -> Response<Body> {
    respond::bytes(StatusCode::OK, respond::JSON, api.kinds().documents().v3_root().json().clone())
}

pub(super) fn v3(api: &Arc<Api>, info: &RequestInfo, headers: &HeaderMap, path: &str) -> Response<Body> {
    let kinds = api.kinds();
    let Some(document) = kinds.documents().v3(path) else { return respond::not_found() };
    let mut response = answer(document, V3_PROTOBUF, info, headers);
    if info.param("hash").is_some_and(|hash| hash.eq_ignore_ascii_case(document.hash())) {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public, immutable, max-age=31536000"));
    }
    response
}

fn answer(document: &Document, protobuf: &'static str, info: &RequestInfo, headers: &HeaderMap) -> Response<Body> {
    let mut response = match wanted(&info.accept, protobuf) {
        _ if respond::is_known(headers, document) => respond::not_modified(),
        Some(Wanted::Json) => respond::bytes(StatusCode::OK, respond::JSON, document.json().clone()),
        Some(Wanted::Protobuf) => respond::bytes(StatusCode::OK, protobuf, document.protobuf().clone()),
        None => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_ACCEPTABLE;
            response.headers_mut().insert(VARY, HeaderValue::from_static("Accept"));
            return response;
        }
    };
    respond::tag(&mut response, document);
    response
}

enum Wanted {
    Json,
    Protobuf,
}

/// The first media type of `Accept` that there is. The one with an `@` is an older name for the same.
fn wanted(accept: &str, protobuf: &str) -> Option<Wanted> {
    if accept.is_empty() {
        return Some(Wanted::Json);
    }
    accept.split(',').map(|clause| clause.split(';').next().unwrap_or_default().trim()).find_map(|media| match media {
        "*/*" | "application/*" | "application/json" => Some(Wanted::Json),
        media if media.replace('@', ".") == protobuf => Some(Wanted::Protobuf),
        _ => None,
    })
}
