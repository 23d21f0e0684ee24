//! What a case is given: requests to the API in as few words as can be, and records of its own.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use kit::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::server::Target;

/// Where the API is.
pub const API: &str = "/api/hyperfleet/v1";

/// One case's view of a server.
#[derive(Debug)]
pub struct Cx {
    /// What the names of its records begin with, and the value of their label `run`.
    pub run: String,
    target: Target,
}

// === impl Cx ===

impl Cx {
    /// For a new run.
    pub fn new(target: Target) -> Result<Self> {
        let run = getrandom::u32().context("making up a name")?;
        Ok(Self { run: format!("r{run:08x}"), target })
    }

    /// Sends a request; a path is the API's own unless it begins with `//`, which stands for the root.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Response> {
        let target = match path.strip_prefix('/') {
            Some(root) if root.starts_with('/') => root.to_owned(),
            _ => format!("{API}{path}"),
        };
        let bearer = self.target.token.as_ref().map(|token| format!("Bearer {token}"));
        let mut headers = headers.to_vec();
        headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
        crate::http::send(&self.target.authority, method, &target, &headers, body).await
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Result<Response> {
        self.send("GET", path, &[], "").await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Response> {
        self.write("POST", path, body).await
    }

    /// PATCH by JSON.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Response> {
        self.write("PATCH", path, body).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Result<Response> {
        self.send("DELETE", path, &[], "").await
    }

    /// Any method with JSON.
    pub async fn write(&self, method: &str, path: &str, body: &Value) -> Result<Response> {
        self.send(method, path, &[("content-type", "application/json")], body.to_string()).await
    }

    /// The name of one of its records.
    #[must_use]
    pub fn name(&self, suffix: &str) -> String {
        format!("{}-{suffix}", self.run)
    }

    /// The body that creates a cluster of its own.
    #[must_use]
    pub fn body(&self, suffix: &str) -> Value {
        json!({"kind": "Cluster", "name": self.name(suffix), "labels": {"run": self.run}, "spec": {}})
    }

    /// Creates a cluster of its own and returns it.
    pub async fn cluster(&self, suffix: &str) -> Result<Value> {
        self.post("/clusters", &self.body(suffix)).await?.success()
    }

    /// Creates a node pool and returns it.
    pub async fn nodepool(&self, cluster: &Value, name: &str) -> Result<Value> {
        let body = json!({"kind": "NodePool", "name": name, "labels": {"run": self.run}, "spec": {}});
        self.post(&format!("{}/nodepools", path(cluster)), &body).await?.success()
    }

    /// Reads a record again.
    pub async fn read(&self, record: &Value) -> Result<Value> {
        self.get(&path(record)).await?.success()
    }

    /// Reports of a record, as an adapter does; the answer.
    pub async fn report(&self, record: &Value, report: &Value) -> Result<Response> {
        self.post(&format!("{}/statuses", path(record)), report).await
    }

    /// A list of clusters: its own that also match, with more parameters.
    pub async fn search(&self, search: &str, more: &str) -> Result<Response> {
        let search = match search {
            "" => format!("labels.run = '{}'", self.run),
            search => format!("({search}) and labels.run = '{}'", self.run),
        };
        self.get(&format!("/clusters?search={}{more}", encode(&search))).await
    }

    /// The suffixes of its clusters that match, in order of their names; those of one letter stand side by side.
    pub async fn matching(&self, search: &str) -> Result<String> {
        let list = self.search(search, "&orderBy=name").await?;
        Ok(self.suffixes(&list.success().with_context(|| search.to_owned())?))
    }

    /// The suffixes in a list.
    #[must_use]
    pub fn suffixes(&self, list: &Value) -> String {
        let names = list["items"].as_array().into_iter().flatten().filter_map(|item| item["name"].as_str());
        names.map(|name| name.trim_start_matches(&self.run).trim_start_matches('-')).collect()
    }
}

/// The path of a record below the API's.
///
/// # Panics
/// If it has no href.
#[must_use]
pub fn path(record: &Value) -> String {
    let href = record["href"].as_str().expect("records have an href");
    href.trim_start_matches(API).to_owned()
}

/// The id of a record.
///
/// # Panics
/// If it has none.
#[must_use]
pub fn id(record: &Value) -> &str {
    record["id"].as_str().expect("records have an id")
}

/// Text as a value in a query.
#[must_use]
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// A report as adapters send it.
#[must_use]
pub fn report(adapter: &str, generation: i64, conditions: &[(&str, &str)]) -> Value {
    let conditions: Vec<Value> =
        conditions.iter().map(|(kind, status)| json!({"type": kind, "status": status})).collect();
    json!({"adapter": adapter, "observed_generation": generation, "conditions": conditions})
}
