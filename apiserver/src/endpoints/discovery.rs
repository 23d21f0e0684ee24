//! `/`, `/api`, `/apis`, `/apis/GROUP` and `/apis/GROUP/VERSION`: what is served. Never waits for a storage.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use machinery::{
    negotiate::{self, Discovery, DiscoveryVersion, Encoding},
    yaml,
};
use openapi::{Aggregated, Document};
use serde_json::json;

use crate::{api::Api, request::RequestInfo, respond};

/// Every path there is.
pub(super) fn index(api: &Arc<Api>) -> Response<Body> {
    let kinds = api.kinds();
    let mut paths = vec!["/api".to_owned(), "/apis".to_owned()];
    for definition in kinds.definitions() {
        paths.push(format!("/apis/{}", definition.group));
        let served = definition.versions.iter().filter(|version| version.served);
        paths.extend(served.map(|version| format!("/apis/{}/{}", definition.group, version.name)));
    }
    let others = ["/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version"];
    paths.extend(others.map(str::to_owned));
    paths.sort();
    paths.dedup();
    let text = json!({ "paths": paths }).to_string();
    respond::bytes(StatusCode::OK, respond::JSON, machinery::json::pretty(text.as_bytes()).into())
}

pub(super) fn core(api: &Arc<Api>, info: &RequestInfo, headers: &HeaderMap) -> Response<Body> {
    let kinds = api.kinds();
    let documents = kinds.documents();
    either(info, headers, documents.core(), |version| documents.aggregated_core(version))
}

pub(super) fn groups(api: &Arc<Api>, info: &RequestInfo, headers: &HeaderMap) -> Response<Body> {
    let kinds = api.kinds();
    let documents = kinds.documents();
    either(info, headers, documents.group_list(), |version| documents.aggregated(version))
}

pub(super) fn group(api: &Arc<Api>, info: &RequestInfo, group: &str) -> Response<Body> {
    match api.kinds().documents().group(group) {
        Some(document) => plain(info, document),
        None => respond::not_found(),
    }
}

pub(super) fn resources(api: &Arc<Api>, info: &RequestInfo, group: &str, version: &str) -> Response<Body> {
    match api.kinds().documents().resource_list(group, version) {
        Some(document) => plain(info, document),
        None => respond::not_found(),
    }
}

/// Group by group, or everything in one document, whichever the client would rather have.
fn either<'a>(
    info: &RequestInfo,
    headers: &HeaderMap,
    groups: &Document,
    aggregated: impl FnOnce(Aggregated) -> &'a Document,
) -> Response<Body> {
    match negotiate::discovery(&info.accept, true) {
        Ok(Discovery::Legacy(encoding)) => encoded(info, encoding, groups),
        Ok(Discovery::Aggregated(version, encoding)) => whole(info, headers, version, encoding, aggregated),
        Err(status) => respond::status(&status, info),
    }
}

fn plain(info: &RequestInfo, document: &Document) -> Response<Body> {
    match negotiate::discovery(&info.accept, false) {
        Ok(Discovery::Legacy(encoding)) => encoded(info, encoding, document),
        Ok(Discovery::Aggregated(..)) => respond::not_found(),
        Err(status) => respond::status(&status, info),
    }
}

fn encoded(info: &RequestInfo, encoding: Encoding, document: &Document) -> Response<Body> {
    match encoding {
        Encoding::Yaml => respond::bytes(StatusCode::OK, encoding.media_type(), yaml::encode(&document.value()).into()),
        Encoding::Protobuf => respond::bytes(StatusCode::OK, encoding.media_type(), document.protobuf().clone()),
        Encoding::Json => respond::bytes(StatusCode::OK, encoding.media_type(), json(info, document)),
    }
}

fn whole<'a>(
    info: &RequestInfo,
    headers: &HeaderMap,
    version: DiscoveryVersion,
    encoding: Encoding,
    aggregated: impl FnOnce(Aggregated) -> &'a Document,
) -> Response<Body> {
    let document = aggregated(match version {
        DiscoveryVersion::V2 => Aggregated::V2,
        DiscoveryVersion::V2Beta1 => Aggregated::V2beta1,
    });
    let mut response = match respond::is_known(headers, document) {
        true => respond::not_modified(),
        false => {
            let mut response = encoded(info, encoding, document);
            let media = HeaderValue::try_from(version.content_type(encoding)).expect("media types are header values");
            response.headers_mut().insert(CONTENT_TYPE, media);
            response
        }
    };
    respond::tag(&mut response, document);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("public"));
    response
}

/// Documents end with a line feed, unless they are indented.
fn json(info: &RequestInfo, document: &Document) -> Bytes {
    match info.pretty {
        true => machinery::json::pretty(document.json().trim_ascii_end()).into(),
        false => document.json().clone(),
    }
}
