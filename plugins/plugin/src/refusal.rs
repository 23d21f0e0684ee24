//! What a server that refuses says, in kubectl's words.

use std::{fmt, time::Duration};

use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use kube::client::{Body, Client};
use serde_json::Value;

use crate::login;

/// An answer that is no success: its code, and the `metav1.Status` in it where there is one.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The HTTP code.
    pub code: StatusCode,
    /// The machine's word for it, such as `NotFound`; empty when there is none.
    pub reason: String,
    /// The server's words.
    pub message: String,
    /// The words for each thing that was wrong, as `details.causes[].reason` has them.
    pub causes: Vec<String>,
    /// When to ask again, if the server says it.
    pub retry_after: Option<Duration>,
}

/// Sends a request; an answer that is no success is a [`Refusal`].
pub async fn answer(client: &Client, request: Request<Vec<u8>>) -> anyhow::Result<Response<Body>> {
    let response = client.send(request.map(Body::from)).await.map_err(login::shown)?;
    if response.status().is_success() {
        return Ok(response);
    }
    let (head, body) = response.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    Err(Refusal { retry_after: retry_after(&head.headers), ..Refusal::read(head.status, &body) }.into())
}

// === impl Refusal ===

impl Refusal {
    fn read(code: StatusCode, body: &[u8]) -> Self {
        let status: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |field: &str| status[field].as_str().unwrap_or_default().to_owned();
        let message = match text("message") {
            message if message.is_empty() => String::from_utf8_lossy(body).trim().to_owned(),
            message => message,
        };
        let causes = status["details"]["causes"].as_array().into_iter().flatten();
        let causes = causes.filter_map(|cause| cause["reason"].as_str()).map(str::to_owned).collect();
        Self { code, reason: text("reason"), message, causes, retry_after: None }
    }
}

/// `Retry-After` in seconds, which is how Kubernetes says it.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.reason.as_str(), self.message.as_str()) {
            ("", "") => write!(f, "Error from server: {}", self.code),
            ("", message) => write!(f, "Error from server: {message}"),
            (reason, message) => write!(f, "Error from server ({reason}): {message}"),
        }
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_shown_as_kubectl_shows_it() {
        let status = br#"{"kind":"Status","reason":"NotFound","message":"nodes \"a\" not found","code":404}"#;
        let cases: [(&[u8], &str); 3] = [
            (status, "Error from server (NotFound): nodes \"a\" not found"),
            (b"404 page not found\n", "Error from server: 404 page not found"),
            (b"", "Error from server: 404 Not Found"),
        ];
        for (body, expected) in cases {
            assert_eq!(Refusal::read(StatusCode::NOT_FOUND, body).to_string(), expected);
        }
    }

    #[test]
    fn a_server_says_when_to_come_again() {
        let said =
            |text: &str| retry_after(&HeaderMap::from_iter([(header::RETRY_AFTER, text.parse().expect("text"))]));
        assert_eq!(said("7"), Some(Duration::from_secs(7)));
        assert_eq!((said("soon"), said("-1"), retry_after(&HeaderMap::new())), (None, None, None));
    }

    #[test]
    fn causes_are_kept_by_their_words() {
        let status = br#"{"details":{"causes":[{"reason":"InFlight","message":"x"},{"message":"y"}]}}"#;
        assert_eq!(Refusal::read(StatusCode::CONFLICT, status).causes, ["InFlight"]);
    }
}
