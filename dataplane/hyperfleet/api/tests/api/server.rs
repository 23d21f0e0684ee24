//! A server on free ports with a database of its own, and who asks it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use clap::Parser;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use hyperfleet::{Config, DatabaseArgs, Server};
use runtime::Context;
use serde_json::Value;
use tempfile::TempDir;

/// Where the API begins.
pub(crate) const V1: &str = "/api/hyperfleet/v1";

/// Nothing here takes so long, unless it hangs.
pub(crate) const LONG: Duration = Duration::from_secs(30);

#[derive(Debug, Parser)]
struct Args {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    config: Config,
}

/// A server on free ports with a database of its own.
pub(crate) struct Running {
    pub(crate) api: SocketAddr,
    pub(crate) health: SocketAddr,
    pub(crate) metrics: SocketAddr,
    pub(crate) context: Context,
    client: Client<HttpConnector, Full<Bytes>>,
    _folder: TempDir,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Starts a server with these flags.
pub(crate) async fn start(flags: &[&str]) -> Running {
    start_at(Context::new(), flags).await.expect("the server starts")
}

/// As [`start`], in a process of these properties; what is wrong with its flags is an error.
pub(crate) async fn start_at(context: Context, flags: &[&str]) -> anyhow::Result<Running> {
    runtime::tls::install_provider();
    let folder = tempfile::tempdir()?;
    let database = format!("sqlite:{}", folder.path().join("hyperfleet.db").display());
    let mut line = vec!["x", "--db", &database];
    if !flags.iter().any(|flag| flag.starts_with("--api-server-bindaddress")) {
        line.push("--api-server-bindaddress=127.0.0.1:0");
    }
    line.extend(["--health-check-server-bindaddress=127.0.0.1:0", "--metrics-server-bindaddress=127.0.0.1:0"]);
    line.extend(flags);
    let args = Args::try_parse_from(line)?;
    let records = args.database.open(&context).await?;
    let server = Server::bind(&args.config, records, &context).await?;
    let address = |address: Option<SocketAddr>| address.expect("it listens on TCP");
    let (api, health, metrics) =
        (address(server.local_addr()), address(server.health_addr()), address(server.metrics_addr()));
    context.tasks.critical("server", server.serve());
    let client = Client::builder(TokioExecutor::new()).build_http();
    Ok(Running { api, health, metrics, context, client, _folder: folder })
}

// === impl Running ===

impl Running {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.ask(Method::POST, path, &[], body).await
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send(self.api, method, path, headers, Bytes::from(body.to_owned())).await
    }

    /// Asks whichever of the three servers listens at `to`.
    pub(crate) async fn send(
        &self,
        to: SocketAddr,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("http://{to}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body)).expect("the request is one");
        let answer = tokio::time::timeout(LONG, self.client.request(request)).await.expect("it answers in time");
        let (parts, body) = answer.expect("it answers").into_parts();
        let body = body.collect().await.expect("the answer has an end").to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// A new cluster's id.
    pub(crate) async fn cluster(&self, name: &str) -> String {
        let body = format!(r#"{{"kind":"Cluster","name":"{name}","spec":{{"region":"r"}},"labels":{{"env":"test"}}}}"#);
        let answer = self.post(&format!("{V1}/clusters"), &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["id"].as_str().expect("it has an id").to_owned()
    }

    /// Ends it, and waits until it has ended.
    pub(crate) async fn stop(self) {
        drop(self.client);
        self.context.shutdown.drain();
        tokio::time::timeout(LONG, self.context.tasks.ended()).await.expect("it ends");
        assert!(!self.context.tasks.failed());
    }
}

// === impl Answer ===

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).expect("the answer is text")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("headers are text here"))
    }

    pub(crate) fn reason(&self) -> String {
        self.json()["reason"].as_str().unwrap_or_default().to_owned()
    }
}

/// A process in which it is always the same time, in seconds since 1970.
pub(crate) fn at(seconds: u64) -> Context {
    let mut context = Context::new();
    context.clock = Arc::new(move || std::time::UNIX_EPOCH + Duration::from_secs(seconds));
    context
}
