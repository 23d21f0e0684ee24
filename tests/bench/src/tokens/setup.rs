//! A control plane with tokens in it, us behind it, and us alone.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::Method;
use kit::{Authority, Cluster, Outrigger, Scratch};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::client::{Call, Client, Connector};
use crate::target::{Auth, Endpoint};

/// Where the tokens are.
pub(super) const NAMESPACE: &str = "default";
/// The collection of them.
pub(super) const TOKENS: &str = "/apis/tomlebreux.com/v1alpha2/namespaces/default/ranchertokens";
/// So many are made at once.
const AT_ONCE: usize = 16;
/// So many are enough where there is nothing to list.
const ALONE: usize = 100;

/// What runs until the report is written.
pub(super) struct Setup {
    cluster: Cluster,
    behind: Outrigger,
    alone: Outrigger,
    authority: Authority,
    callers: Authority,
    ports: [u16; 2],
    files: Scratch,
    presented: Vec<String>,
    presented_alone: Vec<String>,
}

// === impl Setup ===

impl Setup {
    /// Starts everything, and makes so many tokens.
    pub(super) async fn start(tokens: usize) -> Result<Self> {
        let options = kit::Options { durable: true, ..kit::Options::default() };
        let cluster = Cluster::start(&options).context("starting etcd and the kube-apiserver")?;
        for namespace in ["outrigger-system", "outrigger-tokens"] {
            cluster.namespace(namespace).await?;
        }
        let (authority, callers) = (Authority::new("outrigger-ca")?, Authority::new("webhook-ca")?);
        let files = Scratch::new("bench-tokens")?;
        let ca = files.write("callers.crt", callers.cert())?;
        let ports: [u16; 2] = kit::free_ports()?;
        let flags = |port: u16| {
            [
                format!("--token-webhook-listen=127.0.0.1:{port}"),
                format!("--token-webhook-client-ca-file={}", ca.display()),
                "--token-reviews-per-second=1000000".to_owned(),
            ]
        };
        let behind: Vec<String> = flags(ports[0]).into_iter().chain(["--tokens".to_owned()]).collect();
        let behind: Vec<&str> = behind.iter().map(String::as_str).collect();
        let behind = Outrigger::behind_as(&cluster, &authority, &behind, &[]).context("starting outrigger")?;
        let alone = flags(ports[1]);
        let alone: Vec<&str> = alone.iter().map(String::as_str).collect();
        let alone = Outrigger::standalone(&[], &alone).context("starting outrigger alone")?;
        let presented_alone = made_alone(&alone).await?;
        let presented = Vec::new();
        let mut setup = Self { cluster, behind, alone, authority, callers, ports, files, presented, presented_alone };
        setup.presented = made(&setup.direct()?, tokens).await?;
        Ok(setup)
    }

    /// The kube-apiserver.
    pub(super) fn kube(&self) -> Result<Connector> {
        self.connector("kube", self.cluster.port(), self.cluster.authority().cert(), self.cluster.authority())
    }

    /// Us, past the aggregator.
    pub(super) fn direct(&self) -> Result<Connector> {
        self.connector("direct", self.behind.port(), self.behind_ca(), self.cluster.authority())
    }

    /// Our reviews of tokens in Secrets.
    pub(super) fn webhook(&self) -> Result<Connector> {
        self.connector("webhook", self.ports[0], self.behind_ca(), &self.callers)
    }

    /// Our reviews of tokens in SQLite.
    pub(super) fn standalone_webhook(&self) -> Result<Connector> {
        self.connector("alone", self.ports[1], self.alone.ca(), &self.callers)
    }

    /// What is presented to the first.
    pub(super) fn presented(&self) -> &[String] {
        &self.presented
    }

    /// What is presented to the other.
    pub(super) fn presented_alone(&self) -> &[String] {
        &self.presented_alone
    }

    /// The names of the tokens in Secrets.
    pub(super) fn names(&self) -> Vec<&str> {
        self.presented.iter().filter_map(|presented| presented.split('/').nth(2)).collect()
    }

    fn behind_ca(&self) -> &str {
        self.authority.cert()
    }

    /// As somebody with a certificate of `issuer`.
    fn connector(&self, name: &str, port: u16, ca: &str, issuer: &Authority) -> Result<Connector> {
        let pair = issuer.client("bench", Some("system:masters"))?;
        let file = |end: &str, text: &str| self.files.write(&format!("{name}.{end}"), text);
        let auth = Auth::Certificate { cert: file("crt", &pair.cert)?, key: file("key", &pair.key)? };
        Connector::new(&Endpoint { url: format!("https://127.0.0.1:{port}"), ca: file("ca", ca)?, auth })
    }
}

/// Makes tokens, several at once.
async fn made(connector: &Connector, tokens: usize) -> Result<Vec<String>> {
    let mut tasks = JoinSet::new();
    for (worker, client) in connector.clients(AT_ONCE, 4).await?.into_iter().enumerate() {
        tasks.spawn(async move { some(&client, (worker..tokens).step_by(AT_ONCE)).await });
    }
    let made: Result<Vec<Vec<String>>> = tasks.join_all().await.into_iter().collect();
    Ok(made?.concat())
}

async fn some(client: &Client, numbers: impl Iterator<Item = usize>) -> Result<Vec<String>> {
    let mut made = Vec::new();
    for number in numbers {
        let body = Bytes::from(token(number).to_string());
        let answer = client.call(Call::json(Method::POST, TOKENS.to_owned(), body)).await?;
        made.push(plaintext(&serde_json::from_slice(&answer)?)?);
    }
    Ok(made)
}

async fn made_alone(outrigger: &Outrigger) -> Result<Vec<String>> {
    let admin = outrigger.admin()?;
    let mut made = Vec::new();
    for number in 0..ALONE {
        made.push(plaintext(&admin.post(TOKENS, &token(number)).await?.success()?)?);
    }
    Ok(made)
}

fn token(number: usize) -> Value {
    let metadata = json!({ "name": format!("token-{number}"), "labels": { "team": (number % 10).to_string() } });
    let spec = json!({ "clusterName": "local", "description": "One of many.", "ttl": "720h" });
    json!({ "apiVersion": "tomlebreux.com/v1alpha2", "kind": "RancherToken", "metadata": metadata, "spec": spec })
}

fn plaintext(made: &Value) -> Result<String> {
    made["status"]["plaintextToken"].as_str().map(str::to_owned).context("a token that was made shows its plaintext")
}
