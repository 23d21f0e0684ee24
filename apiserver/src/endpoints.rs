//! What is served beside resources: discovery, OpenAPI, health, version, metrics and the index.

mod discovery;
mod namespace;
mod openapi;
mod version;

use std::sync::Arc;

use axum::body::Body;
use http::{HeaderMap, Response, StatusCode};

use crate::{api::Api, request::RequestInfo, respond};

/// Answers a path that names no resource.
pub(crate) async fn dispatch(api: &Arc<Api>, info: &RequestInfo, headers: &HeaderMap) -> Response<Body> {
    let path = info.path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(&info.path);
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    match segments.as_slice() {
        [""] => discovery::index(api),
        ["healthz" | "livez" | "readyz", ..] => health(api, info, path).await,
        ["version"] => version::version(),
        ["metrics"] => respond::bytes(StatusCode::OK, runtime::metrics::CONTENT_TYPE, api.metrics().encode().into()),
        ["api", "v1", "namespaces", name] if api.namespaces().are_implicit() => namespace::namespace(name),
        ["api"] => discovery::core(api, info, headers),
        ["apis"] => discovery::groups(api, info, headers),
        ["apis", group] => discovery::group(api, info, group),
        ["apis", group, version] => discovery::resources(api, info, group, version),
        ["openapi", "v2"] => openapi::v2(api, info, headers),
        ["openapi", "v3"] => openapi::v3_root(api),
        ["openapi", "v3", rest @ ..] => openapi::v3(api, info, headers, &rest.join("/")),
        _ => respond::not_found(),
    }
}

async fn health(api: &Arc<Api>, info: &RequestInfo, path: &str) -> Response<Body> {
    let Some(answer) = api.health().answer(path, &info.query).await else { return respond::not_found() };
    let mut response = respond::text(answer.status, answer.body);
    response.headers_mut().insert("x-content-type-options", http::HeaderValue::from_static("nosniff"));
    response
}
