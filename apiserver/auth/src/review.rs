//! Asking the cluster: TokenReview and SubjectAccessReview.

use std::time::Duration;

use http::{Method, Request, header::CONTENT_TYPE};
use kube::Client;
use serde_json::Value;

/// For one attempt.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Waited before each further attempt.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];

/// The cluster gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be asked, or refused to answer.
    #[error("asking the cluster")]
    Kube(#[source] Box<kube::Error>),
    /// It did not answer in time.
    #[error("no answer from the cluster within {TIMEOUT:?}")]
    Timeout,
    /// Its answer is not a review. What it is instead is not said here: it might hold the token.
    #[error("an answer that cannot be read")]
    Unreadable,
}

// === impl Error ===

impl Error {
    /// Whether the next attempt may go better.
    fn is_transient(&self) -> bool {
        match self {
            Self::Kube(error) => match &**error {
                kube::Error::Api(status) => status.code >= 500 || status.code == 429,
                kube::Error::HyperError(_) | kube::Error::Service(_) => true,
                _ => false,
            },
            Self::Timeout => true,
            Self::Unreadable => false,
        }
    }
}

/// Sends a review and returns its status.
///
/// `kube`'s own typed call logs an answer that it cannot read, with the token in it; hence the text.
#[tracing::instrument(name = "auth.review", skip_all, fields(url.path = path))]
pub(crate) async fn status(client: Client, path: &'static str, review: Vec<u8>) -> Result<Value, Error> {
    let mut pauses = PAUSES.iter();
    loop {
        let attempt = attempt(&client, path, review.clone());
        let answer = tokio::time::timeout(TIMEOUT, attempt).await.unwrap_or(Err(Error::Timeout));
        match (answer, pauses.next()) {
            (Err(error), Some(pause)) if error.is_transient() => {
                tracing::debug!("asking again after {pause:?}: {}", runtime::telemetry::chain(&error));
                tokio::time::sleep(*pause).await;
            }
            (answer, _) => return answer,
        }
    }
}

async fn attempt(client: &Client, path: &str, review: Vec<u8>) -> Result<Value, Error> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(CONTENT_TYPE, "application/json")
        .body(review)
        .expect("a constant path makes a request");
    let text = client.request_text(request).await.map_err(|error| Error::Kube(Box::new(error)))?;
    let mut answer: Value = serde_json::from_str(&text).map_err(|_| Error::Unreadable)?;
    match answer.get_mut("status").map(Value::take) {
        Some(status @ Value::Object(_)) => Ok(status),
        _ => Err(Error::Unreadable),
    }
}
