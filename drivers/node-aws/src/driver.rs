//! The driver.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_ec2::{
    Client,
    config::{self, http::HttpResponse, retry::RetryConfig, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use futures::stream::BoxStream;
use power::{asked, follow};
use proto::node::{Error, Info, Instance, Mode, Node, NodePower, Plan, Progress, Result, State, Step, Take};
use tracing::{info, instrument};

use crate::{Config, instance, provider_id, refusal, region};

/// To connect, with the TLS handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// EC2. Clones share its connections and credentials.
#[derive(Debug, Clone)]
pub struct Driver {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    client: Client,
    /// Where instances are whose providerID names no zone.
    region: Option<Region>,
    allow_stop_start: bool,
}

/// One instance, and where it is.
struct Target {
    id: String,
    region: Region,
}

/// The calls that a step makes.
#[derive(Debug, Clone, Copy)]
enum Call {
    Reboot,
    Stop,
    Start,
}

// === impl Driver ===

impl Driver {
    /// A driver with the credentials, the region and the endpoints that the AWS SDK finds. It asks EC2 nothing yet.
    pub async fn new(args: &Config) -> Self {
        // A connection is used once: nobody knows whether a request on an idle one that the other end closes was read.
        let http = aws_smithy_http_client::Builder::new()
            .pool_max_idle_per_host(0)
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let shared = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http).load().await;
        let timeouts =
            TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_timeout(args.call_timeout).build();
        let ec2 = config::Builder::from(&shared).retry_config(RetryConfig::disabled()).timeout_config(timeouts);
        let inner = Inner {
            client: Client::from_conf(ec2.build()),
            region: shared.region().cloned(),
            allow_stop_start: args.allow_stop_start,
        };
        Self { inner: Arc::new(inner) }
    }

    fn target(&self, node: &Node) -> Result<Target> {
        let id = provider_id::parse(&node.provider_id)?;
        let named = id.zone.and_then(region::of_zone).map(|region| Region::new(region.to_owned()));
        let region = named.or_else(|| self.inner.region.clone()).ok_or_else(|| {
            Error::Invalid(format!("providerID {:?} names no zone; set AWS_REGION for the driver", node.provider_id))
        })?;
        Ok(Target { id: id.instance.to_owned(), region })
    }

    fn calls(&self, mode: Mode) -> Result<&'static [Call]> {
        match mode {
            Mode::Soft => Ok(&[Call::Reboot]),
            Mode::Hard if self.inner.allow_stop_start => Ok(&[Call::Stop, Call::Start]),
            Mode::Hard => Err(no_reset()),
        }
    }

    fn call(&self, step: Step) -> Result<Call> {
        match step {
            Step::Reboot => Ok(Call::Reboot),
            Step::Stop if self.inner.allow_stop_start => Ok(Call::Stop),
            Step::Start if self.inner.allow_stop_start => Ok(Call::Start),
            Step::Reset | Step::Stop | Step::Start => Err(no_reset()),
        }
    }

    async fn look_up(&self, target: &Target) -> Result<Instance> {
        let request = self.inner.client.describe_instances().instance_ids(&target.id).customize();
        let answer = request.config_override(target.at()).send().await;
        let answer = answer.map_err(|error| asked(refusal::of("DescribeInstances", error)))?;
        let instances = answer.reservations().iter().flat_map(|reservation| reservation.instances());
        let found = { instances }.find(|instance| instance.instance_id() == Some(&target.id));
        let found = found.map(|instance| instance::describe(instance, target.region.to_string()));
        found.ok_or_else(|| {
            Error::NotFound(format!("DescribeInstances: {} has no instance {}", target.region, target.id))
        })
    }

    /// What EC2 says to a call that it is not to execute.
    async fn dry_run(&self, call: Call, target: &Target) -> Result<String> {
        match self.send(call, target, true).await {
            Err(Refused::DryRun(verdict)) => Ok(format!("{}: {verdict}", call.name())),
            Err(Refused::For(error)) => Err(asked(error)),
            Ok(_) => Err(Error::Unsupported(format!("{}: what answers as EC2 does not heed DryRun", call.name()))),
        }
    }

    /// Makes a call once and answers EC2's id of the request.
    async fn send(&self, call: Call, target: &Target, dry_run: bool) -> std::result::Result<String, Refused> {
        let (client, at, ids) = (&self.inner.client, target.at(), Some(vec![target.id.clone()]));
        match call {
            Call::Reboot => {
                let request = client.reboot_instances().set_instance_ids(ids).dry_run(dry_run).customize();
                let answer = request.config_override(at).send().await.map_err(|error| refused(call, error))?;
                accepted(call, &answer)
            }
            Call::Stop => {
                // Forced: the instance is stopped even if its operating system is no longer there to do so.
                let request = client.stop_instances().set_instance_ids(ids).force(true).dry_run(dry_run).customize();
                let answer = request.config_override(at).send().await.map_err(|error| refused(call, error))?;
                accepted(call, &answer)
            }
            Call::Start => {
                let request = client.start_instances().set_instance_ids(ids).dry_run(dry_run).customize();
                let answer = request.config_override(at).send().await.map_err(|error| refused(call, error))?;
                accepted(call, &answer)
            }
        }
    }
}

#[async_trait]
impl NodePower for Driver {
    async fn info(&self) -> Result<Info> {
        Ok(Info { provider: "aws".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() })
    }

    #[instrument(name = "node_aws.describe", skip_all, fields(k8s.node = %node.name), err(level = "debug"))]
    async fn describe(&self, node: &Node) -> Result<Instance> {
        self.look_up(&self.target(node)?).await
    }

    #[instrument(name = "node_aws.plan", skip_all, fields(k8s.node = %node.name, ?mode), err(level = "debug"))]
    async fn plan(&self, node: &Node, mode: Mode) -> Result<Plan> {
        let target = self.target(node)?;
        let calls = self.calls(mode)?;
        let mut verdicts = Vec::with_capacity(calls.len());
        for call in calls {
            verdicts.push(self.dry_run(*call, &target).await?);
        }
        Ok(Plan { steps: calls.iter().map(|call| call.step()).collect(), verdict: verdicts.join("; ") })
    }

    #[instrument(name = "node_aws.take", skip_all, fields(k8s.node = %take.node.name, step = ?take.step), err(level = "debug"))]
    async fn take(&self, take: Take) -> Result<BoxStream<'static, Result<Progress>>> {
        let target = self.target(&take.node)?;
        let call = self.call(take.step)?;
        call.possible(&self.look_up(&target).await?)?;
        let request_id = match self.send(call, &target, false).await {
            Ok(request_id) => request_id,
            Err(Refused::For(error)) => return Err(error),
            Err(Refused::DryRun(verdict)) => return Err(Error::Unsupported(verdict)),
        };
        info!(
            k8s.node = %take.node.name, instance = %target.id, aws.request_id = %request_id,
            "EC2 accepted {} of {}", call.name(), target.id,
        );
        Ok(follow(self.clone(), take.node, take.step, request_id))
    }
}

// === impl Target ===

impl Target {
    fn at(&self) -> config::Builder {
        config::Builder::new().region(self.region.clone())
    }
}

// === impl Call ===

impl Call {
    fn name(self) -> &'static str {
        match self {
            Self::Reboot => "RebootInstances",
            Self::Stop => "StopInstances",
            Self::Start => "StartInstances",
        }
    }

    fn step(self) -> Step {
        match self {
            Self::Reboot => Step::Reboot,
            Self::Stop => Step::Stop,
            Self::Start => Step::Start,
        }
    }

    /// EC2 ignores a reboot of what is terminated and takes a start of what runs: neither restarts anything.
    fn possible(self, instance: &Instance) -> Result<()> {
        let needed = match self {
            Self::Reboot | Self::Stop => State::Running,
            Self::Start => State::Stopped,
        };
        if instance.state == needed {
            return Ok(());
        }
        Err(Error::Conflict(format!("{}: {} is {}", self.name(), instance.id, instance.provider_state)))
    }
}

/// Why a call was not executed, or may not have been.
enum Refused {
    /// It was a dry run, and would have been.
    DryRun(String),
    /// Anything else.
    For(Error),
}

fn refused<E>(call: Call, error: SdkError<E, HttpResponse>) -> Refused
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    match error.as_service_error().filter(|error| error.code() == Some(refusal::DRY_RUN)) {
        Some(verdict) => Refused::DryRun(verdict.message().unwrap_or(refusal::DRY_RUN).to_owned()),
        None => Refused::For(refusal::of(call.name(), error)),
    }
}

/// EC2 gives every request an id. A proxy that answers in its place does not, and then nobody knows.
fn accepted(call: Call, answer: &impl RequestId) -> std::result::Result<String, Refused> {
    let nobody = || Refused::For(Error::Ambiguous(format!("{}: the answer is not EC2's: it has no id", call.name())));
    answer.request_id().filter(|id| !id.is_empty()).map(str::to_owned).ok_or_else(nobody)
}

fn no_reset() -> Error {
    Error::Unsupported(
        "EC2 has no reset: a hard restart stops the instance and starts it again, which the driver's --allow-stop-start allows"
            .to_owned(),
    )
}
