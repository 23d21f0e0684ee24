//! The driver.

use std::{sync::Arc, time::UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use futures::stream::BoxStream;
use power::{
    asked, follow,
    http::{Client, Limits, Trust},
};
use proto::node::{Error, Info, Instance, Mode, Node, NodePower, Plan, Progress, Result, Step, Take};
use runtime::clock::Clock;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tracing::{info, instrument};

use crate::{
    Config,
    api::{Api, Auth, Call},
    credentials::Credentials,
    instance::Described,
    provider_id, region,
};

const VERSION: &str = "2017-03-12";

/// CVM. Clones share the keys.
#[derive(Clone)]
pub struct Driver {
    inner: Arc<Inner>,
}

struct Inner {
    cvm: Api,
    credentials: Credentials,
    region: Option<String>,
    clock: Clock,
}

/// One instance, and where it is.
struct Target {
    id: String,
    region: String,
}

/// An answer that says nothing.
#[derive(Deserialize)]
struct Done {}

// === impl Driver ===

impl Driver {
    /// A driver with the keys and endpoints of `config`. It asks Tencent Cloud nothing yet, and misses no key.
    pub fn new(config: Config, clock: Clock) -> anyhow::Result<Self> {
        if let Some(name) = &config.tencent_region {
            ensure!(region::is_region(name), "--tencent-region {name:?} is no region such as ap-guangzhou");
        }
        let trust = Trust::file_or_system(config.tencent_ca_file.clone());
        let client = Client::new(trust, Limits::answer_within(config.call_timeout)).context("--tencent-ca-file")?;
        let sts = Api { client: client.clone(), endpoint: config.tencent_sts_endpoint.clone(), service: "sts" };
        let inner = Inner {
            credentials: Credentials::new(&config, sts),
            cvm: Api { client, endpoint: config.tencent_endpoint, service: "cvm" },
            region: config.tencent_region,
            clock,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    fn target(&self, node: &Node) -> Result<Target> {
        let id = provider_id::parse(&node.provider_id)?;
        let region = region::of(node, id.zone, self.inner.region.as_deref())?;
        Ok(Target { id: id.instance.to_owned(), region })
    }

    async fn look_up(&self, target: &Target) -> Result<Instance> {
        let arguments = json!({ "InstanceIds": [target.id] });
        let answer = self.call::<Described>("DescribeInstances", target, &arguments).await;
        let (Described { instance_set }, _) = answer.map_err(asked)?;
        let found = instance_set.into_iter().find(|machine| machine.is(&target.id));
        let found = found.map(|machine| machine.describe(target.region.clone()));
        found.ok_or_else(|| {
            Error::NotFound(format!("DescribeInstances: {} has no instance {}", target.region, target.id))
        })
    }

    async fn call<T: DeserializeOwned>(
        &self,
        action: &'static str,
        target: &Target,
        arguments: &Value,
    ) -> Result<(T, String)> {
        let Inner { cvm, credentials, clock, .. } = &*self.inner;
        let now = clock().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        let key = credentials.key(now).await?;
        cvm.call(Call { action, version: VERSION, region: &target.region }, arguments, Auth::Key(&key), now).await
    }
}

#[async_trait]
impl NodePower for Driver {
    async fn info(&self) -> Result<Info> {
        Ok(Info { provider: "tencent".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() })
    }

    #[instrument(name = "node_tencent.describe", skip_all, fields(k8s.node = %node.name), err(level = "debug"))]
    async fn describe(&self, node: &Node) -> Result<Instance> {
        self.look_up(&self.target(node)?).await
    }

    async fn plan(&self, node: &Node, mode: Mode) -> Result<Plan> {
        self.target(node)?;
        let step = match mode {
            Mode::Soft => Step::Reboot,
            Mode::Hard => Step::Reset,
        };
        Ok(Plan { steps: vec![step], verdict: String::new() })
    }

    #[instrument(name = "node_tencent.take", skip_all, fields(k8s.node = %take.node.name, step = ?take.step), err(level = "debug"))]
    async fn take(&self, take: Take) -> Result<BoxStream<'static, Result<Progress>>> {
        let target = self.target(&take.node)?;
        let stop_type = stop_type(take.step)?;
        let arguments = json!({ "InstanceIds": [target.id], "StopType": stop_type });
        let (Done {}, request_id) = self.call("RebootInstances", &target, &arguments).await?;
        info!(
            k8s.node = %take.node.name, instance = %target.id, tencent.request_id = %request_id,
            "CVM accepted RebootInstances ({stop_type}) of {}", target.id,
        );
        Ok(follow(self.clone(), take.node, take.step, request_id))
    }
}

fn stop_type(step: Step) -> Result<&'static str> {
    match step {
        Step::Reboot => Ok("SOFT"),
        Step::Reset => Ok("HARD"),
        Step::Stop | Step::Start => {
            Err(Error::Unsupported("on CVM a restart is one step: Reboot or Reset, never Stop and Start".to_owned()))
        }
    }
}
