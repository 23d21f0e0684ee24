//! A webhook that each call is sent to.

use std::path::PathBuf;

use bytes::Bytes;
use http::{Request as HttpRequest, Response, header::RETRY_AFTER};
use power::{
    Secret,
    http::{Client, Endpoint},
};
use proto::node::{Error, Result};
use runtime::telemetry::{chain, parent_headers};
use tracing::Span;

use crate::protocol::{self, Call, Request};

/// The webhook.
#[derive(Debug)]
pub(crate) struct Webhook {
    pub(crate) client: Client,
    pub(crate) endpoint: Endpoint,
    pub(crate) token_file: Option<PathBuf>,
}

// === impl Webhook ===

impl Webhook {
    /// For errors: its path may hold a token.
    pub(crate) fn name(&self) -> String {
        self.endpoint.to_string()
    }

    /// Sends it once and answers what came back.
    pub(crate) async fn ask(&self, request: &Request<'_>) -> Result<Vec<u8>> {
        let answer = self.client.send(&self.endpoint, self.request(request)?).await?;
        if answer.status().is_success() { Ok(answer.into_body().to_vec()) } else { Err(self.judge(&answer)) }
    }

    fn request(&self, request: &Request<'_>) -> Result<HttpRequest<Bytes>> {
        let mut http = HttpRequest::post("/").header("content-type", "application/json");
        if let Call::Take { token, .. } = request.call {
            http = http.header("idempotency-key", token);
        }
        if let Some(path) = &self.token_file {
            let token = Secret::read(path)
                .map_err(|error| Error::Forbidden(format!("--webhook-token-file: {}", chain(&error))))?;
            http = http.header("authorization", format!("Bearer {}", token.expose()));
        }
        let unfit = |_| Error::Forbidden("the token of --webhook-token-file cannot be a header".to_owned());
        let mut http = http.body(Bytes::from(request.bytes())).map_err(unfit)?;
        http.headers_mut().extend(parent_headers(&Span::current()));
        Ok(http)
    }

    fn judge(&self, answer: &Response<Bytes>) -> Error {
        let (name, status) = (self.name(), answer.status());
        let text = format!("{name} answered {status}");
        if status.is_redirection() {
            return Error::Invalid(format!("{text}; redirects are not followed: set --webhook to where it leads"));
        }
        if !status.is_client_error() {
            return Error::Ambiguous(text);
        }
        protocol::refusal(&name, answer.body()).unwrap_or_else(|| match status.as_u16() {
            401 | 403 => Error::Forbidden(text),
            404 | 410 => Error::NotFound(text),
            405 => Error::Unsupported(text),
            409 | 412 => Error::Conflict(text),
            429 => Error::Throttled { message: text, retry_after: retry_after(answer) },
            _ => Error::Invalid(text),
        })
    }
}

fn retry_after(answer: &Response<Bytes>) -> u32 {
    let seconds = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    seconds.and_then(|seconds| seconds.parse().ok()).unwrap_or(0)
}
