//! The driver.

use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use futures::stream::BoxStream;
use power::{follow, http::Limits};
use proto::node::{Error, Info, Instance, Mode, Node, NodePower, Plan, Progress, Result, State, Step, Take};
use runtime::telemetry::chain;
use tracing::{info, instrument};

use crate::{
    Config,
    bmc::Bmc,
    machines::{self, Machine},
    system::Offer,
};

/// The BMCs of a file.
#[derive(Debug, Clone)]
pub struct Driver {
    config: Arc<Config>,
}

// === impl Driver ===

impl Driver {
    /// A driver for the machines of a file, which must be in order now. It asks no BMC yet.
    pub fn new(config: Config) -> anyhow::Result<Self> {
        machines::read(&config.redfish_machines).context("--redfish-machines")?;
        Ok(Self { config: Arc::new(config) })
    }

    /// The machine of a node, as the file says it now.
    fn machine(&self, node: &Node) -> Result<Machine> {
        let machines = machines::read(&self.config.redfish_machines)
            .map_err(|error| Error::Unreachable(format!("--redfish-machines: {}", chain(&error))))?;
        machines::find(&machines, node).cloned()
    }

    fn bmc<'a>(&self, machine: &'a Machine) -> Result<Bmc<'a>> {
        Bmc::new(machine, Limits::answer_within(self.config.call_timeout))
    }
}

#[async_trait]
impl NodePower for Driver {
    async fn info(&self) -> Result<Info> {
        Ok(Info { provider: "redfish".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() })
    }

    #[instrument(name = "node_redfish.describe", skip_all, fields(k8s.node = %node.name), err(level = "debug"))]
    async fn describe(&self, node: &Node) -> Result<Instance> {
        let machine = self.machine(node)?;
        let system = self.bmc(&machine)?.system().await?;
        Ok(system.describe(machine.node.as_deref()))
    }

    #[instrument(name = "node_redfish.plan", skip_all, fields(k8s.node = %node.name, ?mode), err(level = "debug"))]
    async fn plan(&self, node: &Node, mode: Mode) -> Result<Plan> {
        let machine = self.machine(node)?;
        let bmc = self.bmc(&machine)?;
        let offer = bmc.offer(&bmc.system().await?).await?;
        let steps = steps(&offer, mode).ok_or_else(|| unsupported(&machine, &offer, &format!("{mode:?} restart")))?;
        Ok(Plan { steps, verdict: offer.text() })
    }

    #[instrument(name = "node_redfish.take", skip_all, fields(k8s.node = %take.node.name, step = ?take.step), err(level = "debug"))]
    async fn take(&self, take: Take) -> Result<BoxStream<'static, Result<Progress>>> {
        let machine = self.machine(&take.node)?;
        let bmc = self.bmc(&machine)?;
        let system = bmc.system().await?;
        let offer = bmc.offer(&system).await?;
        let kind = offer.reset(take.step).ok_or_else(|| unsupported(&machine, &offer, &format!("{:?}", take.step)))?;
        let instance = system.describe(None);
        if instance.state != needed(take.step) {
            return Err(Error::Conflict(format!("{}: the system is {}", machine.url, instance.provider_state)));
        }
        let request_id = bmc.reset(&system, kind).await?;
        info!(k8s.node = %take.node.name, bmc = %machine.url, "the BMC accepted {kind} of {}", take.node.name);
        Ok(follow(self.clone(), take.node, take.step, request_id))
    }
}

/// The steps of a restart, of what is offered; `None` when that is not enough.
fn steps(offer: &Offer, mode: Mode) -> Option<Vec<Step>> {
    let ways: &[&[Step]] = match mode {
        Mode::Soft => &[&[Step::Reboot]],
        Mode::Hard => &[&[Step::Reset], &[Step::Stop, Step::Start]],
    };
    let offered = |way: &&&[Step]| way.iter().all(|step| offer.reset(*step).is_some());
    ways.iter().find(offered).map(|way| way.to_vec())
}

/// The state that a step begins in. A BMC may well switch on what was off.
fn needed(step: Step) -> State {
    match step {
        Step::Reboot | Step::Reset | Step::Stop => State::Running,
        Step::Start => State::Stopped,
    }
}

fn unsupported(machine: &Machine, offer: &Offer, what: &str) -> Error {
    Error::Unsupported(format!("{}: no {what}: {}", machine.url, offer.text()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(types: &[&str]) -> Offer {
        Offer(Some(types.iter().map(|&name| name.to_owned()).collect()))
    }

    #[test]
    fn a_hard_restart_is_a_reset_or_off_and_on() {
        assert_eq!(steps(&offer(&["GracefulRestart"]), Mode::Soft), Some(vec![Step::Reboot]));
        assert_eq!(steps(&offer(&["ForceRestart", "On", "ForceOff"]), Mode::Hard), Some(vec![Step::Reset]));
        assert_eq!(steps(&offer(&["On", "ForceOff"]), Mode::Hard), Some(vec![Step::Stop, Step::Start]));
        assert_eq!(steps(&offer(&["ForceOff"]), Mode::Hard), None);
        assert_eq!(steps(&offer(&["On", "ForceOff", "ForceRestart"]), Mode::Soft), None);
    }
}
