//! What is asked of the server.

use futures::Stream;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use kube::{Client, core::WatchEvent};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use plugin::Refusal;
use serde_json::Value;

const GROUP: &str = "/apis/infraops.michael.io/v1";
/// What cannot stand in a path or a query as it is.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The server.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
}

// === impl Api ===

impl Api {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Asks for a restart. Whether it was there already, and what it is.
    pub(crate) async fn restart(
        &self,
        node: &str,
        options: Option<&Value>,
        dry_run: bool,
    ) -> anyhow::Result<(bool, Value)> {
        let query = if dry_run { "?dryRun=All" } else { "" };
        let request = Request::post(format!("{GROUP}/nodes/{}/restart{query}", encoded(node)))
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .body(options.map(Value::to_string).unwrap_or_default().into_bytes())?;
        let (code, restart) = self.answer(request).await?;
        Ok((code == StatusCode::OK, restart))
    }

    /// The names of the nodes that a selector matches, in their order.
    pub(crate) async fn nodes(&self, selector: &str) -> anyhow::Result<Vec<String>> {
        let list = self.get(&format!("{GROUP}/nodes?labelSelector={}", encoded(selector))).await?;
        let items = list["items"].as_array().into_iter().flatten();
        Ok(items.filter_map(|node| node["metadata"]["name"].as_str()).map(str::to_owned).collect())
    }

    /// A NodeRestart; `None` when it is gone.
    pub(crate) async fn node_restart(&self, name: &str) -> anyhow::Result<Option<Value>> {
        match self.get(&format!("{GROUP}/noderestarts/{}", encoded(name))).await {
            Ok(restart) => Ok(Some(restart)),
            Err(error) => match error.downcast_ref::<Refusal>() {
                Some(Refusal { code: StatusCode::NOT_FOUND, .. }) => Ok(None),
                _ => Err(error),
            },
        }
    }

    /// What becomes of a NodeRestart after `revision`.
    pub(crate) async fn watch(
        &self,
        name: &str,
        revision: &str,
    ) -> anyhow::Result<impl Stream<Item = kube::Result<WatchEvent<Value>>> + use<>> {
        let field = encoded(&format!("metadata.name={name}"));
        let path = format!("{GROUP}/noderestarts?watch=1&fieldSelector={field}&resourceVersion={}", encoded(revision));
        let request = Request::get(path).header(header::ACCEPT, "application/json").body(Vec::new())?;
        Ok(self.client.request_events(request).await?)
    }

    async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let request = Request::get(path).header(header::ACCEPT, "application/json").body(Vec::new())?;
        Ok(self.answer(request).await?.1)
    }

    async fn answer(&self, request: Request<Vec<u8>>) -> anyhow::Result<(StatusCode, Value)> {
        let response = plugin::answer(&self.client, request).await?;
        let code = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((code, serde_json::from_slice(&body)?))
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}
