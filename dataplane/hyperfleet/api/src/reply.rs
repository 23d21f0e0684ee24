//! What is answered, before it is sent.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

use crate::error::{Code, Error, Told};

/// The media type of everything but problems and the page.
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");

/// What a client is asked to wait when the database is away, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// An answer.
pub(crate) type Answer = Response<Full<Bytes>>;

/// JSON of a verb: it depends on who asks.
pub(crate) fn json(status: StatusCode, json: impl Into<Bytes>) -> Answer {
    let mut answer = public(json, JSON);
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::VARY, HeaderValue::from_static("Authorization"));
    answer
}

/// What everybody gets.
pub(crate) fn public(body: impl Into<Bytes>, content_type: HeaderValue) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    answer.headers_mut().insert(header::CONTENT_TYPE, content_type);
    answer
}

/// As [`public`], of JSON.
pub(crate) fn public_json(body: impl Into<Bytes>) -> Answer {
    public(body, JSON)
}

/// A status and nothing else.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = status;
    answer
}

/// A failure, in the shape that the client wants.
pub(crate) fn failure(error: &Error, problem: bool, told: &Told<'_>) -> Answer {
    let body = if problem { error.problem(told) } else { error.first(told) };
    let mut answer = json(error.code.row().status, body);
    let headers = answer.headers_mut();
    if problem {
        headers.insert(header::CONTENT_TYPE, PROBLEM);
    }
    match error.code {
        Code::Unavailable => {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        Code::Unauthenticated => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"hyperfleet/v1\""));
        }
        _ => {}
    }
    answer
}

/// Sets a header whose value may not be one; then there is none.
pub(crate) fn set(answer: &mut Answer, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}
