//! Calling a webhook: one HTTPS POST of a review, as `clientConfig` says where. Errors are in the words of the kube-apiserver,
//! whose operators know them.
//!
//! Connections are kept, per webhook. Like the kube-apiserver this speaks HTTP/1.1, so that the connections of a Service reach
//! all that is behind it.

mod answer;
mod dial;
mod services;

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, Client},
    rt::TokioExecutor,
};
use rustls::ClientConfig;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

pub use services::Services;

/// An answer is no longer than that.
const ANSWER_LIMIT: usize = 16 << 20;

/// A webhook that can be called.
#[derive(Debug)]
pub struct Hook {
    url: String,
    client: Result<Client<HttpsConnector<dial::Dialer>, Full<Bytes>>, String>,
}

// === impl Hook ===

impl Hook {
    /// The webhook that a `clientConfig` names. What is wrong with it is said by each call.
    pub fn new(config: &Value, services: &Services) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let service = &config["service"];
        let (url, dialer) = match service.is_object() {
            true => {
                let (namespace, name) = (text(&service["namespace"]), text(&service["name"]));
                let port = service["port"].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or(443);
                let url = format!("https://{name}.{namespace}.svc:{port}{}", rooted(&text(&service["path"])));
                (url, dial::Dialer::service(services.clone(), &namespace, &name, port))
            }
            false => (with_path(&text(&config["url"])), dial::Dialer::direct()),
        };
        let bundle =
            STANDARD.decode(text(&config["caBundle"])).map_err(|error| format!("reading the caBundle: {error}"));
        let client = bundle.and_then(|bundle| believing(&bundle)).map(|tls| {
            let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1();
            Client::builder(TokioExecutor::new()).build(connector.wrap_connector(dialer))
        });
        Self { url, client }
    }

    /// Posts `review` and returns the document that is the answer, within so many seconds.
    pub async fn call(&self, review: &Value, seconds: u64) -> Result<Value, String> {
        let client = self.client.as_ref().map_err(Clone::clone)?;
        let url = format!("{}?timeout={seconds}s", self.url);
        let posted = |problem: &str| format!("Post {url:?}: {problem}");
        let request = Request::post(&url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json, */*")
            .header(header::USER_AGENT, "outrigger")
            .body(Full::new(Bytes::from(machinery::json::encode(review))))
            .map_err(|error| posted(&error.to_string()))?;
        let deadline = Instant::now() + Duration::from_secs(seconds);
        let late = |_| posted("context deadline exceeded");
        let response = timeout_at(deadline, client.request(request)).await.map_err(late)?;
        let (head, body) = response.map_err(|error| posted(&reason(&error)))?.into_parts();
        let body = timeout_at(deadline, Limited::new(body, ANSWER_LIMIT).collect()).await.map_err(|_| {
            "unexpected error when reading response body. Please retry. Original error: context deadline exceeded"
                .to_owned()
        })?;
        let body = body.map_err(|error| {
            format!("unexpected error when reading response body. Please retry. Original error: {error}")
        })?;
        let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        answer::read(head.status.as_u16(), content_type, &body.to_bytes())
    }
}

/// Believes the CAs of `bundle`, or of the machine where there are none.
fn believing(bundle: &[u8]) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    if bundle.is_empty() {
        let builder = builder.with_native_roots().map_err(|error| format!("reading the machine's CAs: {error}"))?;
        return Ok(builder.with_no_client_auth());
    }
    let roots = runtime::tls::roots(bundle).map_err(|error| {
        format!(
            "unable to load root certificates: unable to parse bytes as PEM block: {}",
            runtime::telemetry::chain(&error)
        )
    })?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// A path that begins with a slash.
fn rooted(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

/// A URL that has a path, without query and fragment, which a webhook must not have.
fn with_path(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let authority = url.split_once("://").map_or("", |(_, rest)| rest);
    if authority.contains('/') { url.to_owned() } else { format!("{url}/") }
}

/// Why a request failed, as Go says it.
fn reason(error: &legacy::Error) -> String {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut last = String::new();
    while let Some(error) = cause {
        if let Some(problem) = error.downcast_ref::<dial::Problem>() {
            return problem.to_string();
        }
        if let Some(problem) = error.downcast_ref::<std::io::Error>().and_then(inside).or_else(|| error.downcast_ref())
        {
            return dial::tls_problem(problem);
        }
        if error.downcast_ref::<hyper::Error>().is_some_and(|error| error.is_incomplete_message() || error.is_closed())
        {
            return "EOF".to_owned();
        }
        last = error.to_string();
        cause = error.source();
    }
    last
}

/// The TLS error that an error of input or output holds, however deep.
fn inside(error: &std::io::Error) -> Option<&rustls::Error> {
    let held = error.get_ref()?;
    held.downcast_ref().or_else(|| held.downcast_ref::<std::io::Error>().and_then(inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_a_path() {
        assert_eq!(with_path("https://a:1"), "https://a:1/");
        assert_eq!(with_path("https://a:1/x"), "https://a:1/x");
        assert_eq!(rooted("x"), "/x");
        assert_eq!(rooted(""), "/");
    }
}
