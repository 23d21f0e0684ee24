//! Answers: objects, collections and statuses in the media type that was asked for.

mod collection;
mod list_writer;

use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use machinery::{
    json,
    negotiate::{self, Encoding, Output, View},
    status::Status,
    yaml,
};
use openapi::Document;
use proto::store::Entry;
use serde_json::Value;

use crate::{context::Context, error::Result, object, request::RequestInfo, verbs::Outcome, view};

pub(crate) use self::{
    collection::collection,
    list_writer::{ListEnd, ListWriter},
};

/// The content type of JSON, also of JSON streams.
pub(crate) const JSON: &str = "application/json";
const YAML: &str = Encoding::Yaml.media_type();
const PROTOBUF: &str = Encoding::Protobuf.media_type();
const TEXT: &str = "text/plain; charset=utf-8";

/// A stored object.
pub(crate) fn entry(context: &Context, code: StatusCode, entry: &Entry) -> Result<Response<Body>> {
    let plain = context.output.view == View::Object && context.output.encoding == Encoding::Json;
    if plain && !context.output.pretty {
        return Ok(bytes(code, JSON, object::json(&context.kind, entry)?));
    }
    self::object(context, code, &object::decode(&context.kind, &entry.content, entry.revision)?)
}

/// An object that is not stored as it is.
pub(crate) fn object(context: &Context, code: StatusCode, object: &Value) -> Result<Response<Body>> {
    let include = view::IncludeObject::parse(context)?;
    let body = view::one(&context.kind, context.output, include, object, context.now, true);
    Ok(encoded(code, &context.output, body))
}

/// The scale of an object.
pub(crate) fn scale(context: &Context, scale: &Value) -> Result<Response<Body>> {
    let include = view::IncludeObject::parse(context)?;
    let body = crate::scale::encode(context.output, include, scale, context.now);
    Ok(encoded(StatusCode::OK, &context.output, body))
}

/// What a write left.
pub(crate) fn outcome(context: &Context, code: StatusCode, outcome: Outcome) -> Result<Response<Body>> {
    let told = match (&context.session, context.output.view, &outcome) {
        (Some(session), View::Object, Outcome::Stored(stored)) => {
            let mut value = object::decode(&context.kind, &stored.content, stored.revision)?;
            session.answering(&mut value).then_some(value)
        }
        _ => None,
    };
    match (told, outcome) {
        (Some(value), _) | (None, Outcome::Object(value)) => object(context, code, &value),
        (None, Outcome::Stored(stored)) => entry(context, code, &stored),
    }
}

/// A status for a request whose answer's media type is known.
pub(crate) fn status_for(status: &Status, output: &Output) -> Response<Body> {
    let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = encoded(code, output, view::status(status, output.encoding));
    if let Some(seconds) = status.retry_after_seconds() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A status for a request that may have been refused before its media type was looked at.
pub(crate) fn status(status: &Status, info: &RequestInfo) -> Response<Body> {
    status_for(status, &negotiate::status(&info.accept, info.pretty))
}

/// The text that Go's multiplexer answers for a path it does not know.
pub(crate) fn not_found() -> Response<Body> {
    let mut response = text(StatusCode::NOT_FOUND, "404 page not found\n");
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The client has it already.
pub(crate) fn not_modified() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response
}

/// Whether the client has this very document already.
pub(crate) fn is_known(headers: &HeaderMap, document: &Document) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    known.split(',').any(|known| known.trim() == document.etag())
}

/// Says which document this is.
pub(crate) fn tag(response: &mut Response<Body>, document: &Document) {
    let etag = HeaderValue::from_str(&document.etag()).expect("a quoted hash is a header value");
    response.headers_mut().insert(header::ETAG, etag);
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
}

/// A body that holds on to `kept` until it ends.
pub(crate) fn held<T: Send + Unpin + 'static>(body: Body, kept: T) -> Body {
    let kept = Some(kept);
    Body::from_stream(body.into_data_stream().map(move |data| {
        let _held = &kept;
        data
    }))
}

/// Plain text.
pub(crate) fn text(code: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    bytes(code, TEXT, text.into())
}

/// A body that is known.
pub(crate) fn bytes(code: StatusCode, content_type: &'static str, body: Bytes) -> Response<Body> {
    stream(code, content_type, Body::from(body))
}

/// A body that comes bit by bit.
pub(crate) fn stream(code: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// Protobuf as it is, or JSON in the encoding asked for. Kubernetes ends a JSON document with a line feed.
fn encoded(code: StatusCode, output: &Output, mut body: Vec<u8>) -> Response<Body> {
    match output.encoding {
        Encoding::Protobuf => bytes(code, PROTOBUF, body.into()),
        Encoding::Yaml => match serde_json::from_slice::<Value>(&body) {
            Ok(value) => bytes(code, YAML, yaml::encode(&value).into()),
            Err(_) => bytes(code, JSON, body.into()),
        },
        Encoding::Json if output.pretty => bytes(code, JSON, json::pretty(&body).into()),
        Encoding::Json => {
            body.push(b'\n');
            bytes(code, JSON, body.into())
        }
    }
}
