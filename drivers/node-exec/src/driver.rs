//! The driver.

use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use async_trait::async_trait;
use futures::stream::BoxStream;
use power::{
    asked, follow,
    http::{Client, Endpoint, Limits, Trust},
};
use proto::node::{Error, Info, Instance, Mode, Node, NodePower, Plan, Progress, Result, Take};
use runtime::Tasks;
use tracing::{info, instrument};

use crate::{
    Config,
    config::PeerArgs,
    program::Program,
    protocol::{self, Described, Planned, Request, Taken},
    webhook::Webhook,
};

/// An operator's program or webhook. Clones share it.
#[derive(Clone)]
pub struct Driver {
    inner: Arc<Inner>,
}

struct Inner {
    peer: Peer,
    provider: String,
    prefixes: Vec<String>,
}

enum Peer {
    Program(Program),
    Webhook(Webhook),
}

// === impl Driver ===

impl Driver {
    /// A driver for what `config` names. It asks nothing yet. Programs run as `tasks`.
    pub fn new(config: Config, tasks: &Tasks) -> anyhow::Result<Self> {
        let peer = Peer::new(&config, tasks)?;
        let inner = Inner { peer, provider: config.provider, prefixes: config.provider_id_prefix };
        Ok(Self { inner: Arc::new(inner) })
    }

    fn is_ours(&self, node: &Node) -> Result<()> {
        let Node { provider_id, .. } = node;
        if provider_id.is_empty() {
            return Err(Error::Invalid(format!("node {:?} has no providerID", node.name)));
        }
        let prefixes = &self.inner.prefixes;
        if prefixes.is_empty() || prefixes.iter().any(|prefix| provider_id.starts_with(prefix)) {
            return Ok(());
        }
        Err(Error::Invalid(format!(
            "providerID {provider_id:?} does not begin with {} (--provider-id-prefix)",
            prefixes.join(" or ")
        )))
    }
}

#[async_trait]
impl NodePower for Driver {
    async fn info(&self) -> Result<Info> {
        Ok(Info { provider: self.inner.provider.clone(), version: env!("CARGO_PKG_VERSION").to_owned() })
    }

    #[instrument(name = "node_exec.describe", skip_all, fields(k8s.node = %node.name), err(level = "debug"))]
    async fn describe(&self, node: &Node) -> Result<Instance> {
        self.is_ours(node)?;
        let peer = &self.inner.peer;
        let answer = peer.ask(&Request::describe(node)).await.map_err(asked)?;
        protocol::read::<Described>(&peer.name(), &answer).map(Instance::from).map_err(asked)
    }

    #[instrument(name = "node_exec.plan", skip_all, fields(k8s.node = %node.name, ?mode), err(level = "debug"))]
    async fn plan(&self, node: &Node, mode: Mode) -> Result<Plan> {
        self.is_ours(node)?;
        let peer = &self.inner.peer;
        let answer = peer.ask(&Request::plan(node, mode)).await.map_err(asked)?;
        let plan = protocol::read::<Planned>(&peer.name(), &answer).map(Plan::from).map_err(asked)?;
        if plan.steps.is_empty() {
            return Err(Error::Unsupported(format!("{}: the plan has no steps", peer.name())));
        }
        Ok(plan)
    }

    #[instrument(name = "node_exec.take", skip_all, fields(k8s.node = %take.node.name, step = ?take.step), err(level = "debug"))]
    async fn take(&self, take: Take) -> Result<BoxStream<'static, Result<Progress>>> {
        self.is_ours(&take.node)?;
        let peer = &self.inner.peer;
        let answer = peer.ask(&Request::take(&take)).await?;
        let Taken { request_id } = match answer.trim_ascii() {
            [] => Taken::default(),
            answer => protocol::read(&peer.name(), answer)?,
        };
        info!(k8s.node = %take.node.name, request_id, "{} accepted {:?} of {}", peer.name(), take.step, take.node.name);
        Ok(follow(self.clone(), take.node, take.step, request_id))
    }
}

// === impl Peer ===

impl Peer {
    fn new(config: &Config, tasks: &Tasks) -> anyhow::Result<Self> {
        let PeerArgs { exec, webhook } = &config.peer;
        if let Some(path) = exec {
            let (path, tasks) = (path.clone(), tasks.clone());
            return Ok(Self::Program(Program { path, limit: config.call_timeout, tasks }));
        }
        let Some(url) = webhook else { bail!("neither --exec nor --webhook is set") };
        let endpoint: Endpoint = url.expose().parse().map_err(|error| anyhow!("--webhook: {error}"))?;
        let trust = Trust::file_or_system(config.webhook_ca_file.clone());
        let client = Client::new(trust, Limits::answer_within(config.call_timeout)).context("--webhook-ca-file")?;
        Ok(Self::Webhook(Webhook { client, endpoint, token_file: config.webhook_token_file.clone() }))
    }

    fn name(&self) -> String {
        match self {
            Self::Program(program) => program.name(),
            Self::Webhook(webhook) => webhook.name(),
        }
    }

    async fn ask(&self, request: &Request<'_>) -> Result<Vec<u8>> {
        match self {
            Self::Program(program) => program.ask(request).await,
            Self::Webhook(webhook) => webhook.ask(request).await,
        }
    }
}
