//! A panic costs its request, never the process.

use std::panic::AssertUnwindSafe;

use axum::body::Body;
use futures::FutureExt;
use http::Response;
use machinery::status::Status;

use crate::{request::RequestInfo, respond};

/// The answer, or 500 when making it panicked.
pub(super) async fn caught(info: &RequestInfo, answer: impl Future<Output = Response<Body>>) -> Response<Body> {
    match AssertUnwindSafe(answer).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            let what = panic.downcast_ref::<&str>().copied().map(str::to_owned);
            let what = what.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            tracing::error!(http.path = %info.path, verb = %info.verb, panic = what, "a request panicked");
            let text = format!("apiserver panic'd on {} {}", info.verb, info.path);
            respond::status(&Status::internal(&text), info)
        }
    }
}
