//! The `NodePower` seam: what a provider of machines can do to the one behind a node.
//!
//! The contract that every implementation keeps, and that `suite` checks:
//!
//! * **One call at most.** [`NodePower::take`] makes at most one call that changes anything, and never repeats one: no
//!   retries, not even the provider's own library's.
//! * **Sure or ambiguous.** Every error but [`Error::Ambiguous`] means that nothing was done and nothing will be. A
//!   timeout, a broken connection after the request was sent, and a 5xx are [`Error::Ambiguous`].
//! * **Nothing else changes anything.** [`NodePower::describe`] and [`NodePower::plan`] may be called at any time.
//! * **The provider's own view.** Addresses and names of an [`Instance`] come from the provider, never from the node.
//! * **Nothing secret** in errors and logs.

pub mod client;
mod convert;
mod error;
pub mod server;
mod status;
#[cfg(feature = "suite")]
pub mod suite;
#[path = "gen/outrigger.node.v1.rs"]
#[rustfmt::skip]
#[expect(clippy::allow_attributes, unreachable_pub, reason = "generated")]
pub(crate) mod wire;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use futures::stream::BoxStream;

pub use error::{Error, Result};

/// A provider of machines. The module's documentation is the contract.
#[async_trait]
pub trait NodePower: Send + Sync + 'static {
    /// What serves.
    async fn info(&self) -> Result<Info>;

    /// The instance behind a node, as its provider sees it now.
    async fn describe(&self, node: &Node) -> Result<Instance>;

    /// Which steps a restart takes, and what the provider would say to them.
    async fn plan(&self, node: &Node, mode: Mode) -> Result<Plan>;

    /// Takes one step. The first item is [`Progress::Accepted`], once the provider has accepted; then, as long as there
    /// is something to tell, the instance each time that it changes. The caller may drop the stream after the first.
    async fn take(&self, take: Take) -> Result<BoxStream<'static, Result<Progress>>>;
}

/// The answer to [`NodePower::info`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// The provider, such as `aws`.
    pub provider: String,
    /// The driver's version.
    pub version: String,
}

/// What a node says of itself: hints for the driver, and nothing that it may trust.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Its `spec.providerID`.
    pub provider_id: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// A machine, as its provider sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The provider's id, such as `i-0123456789abcdef0`.
    pub id: String,
    /// Where it is; empty when that means nothing.
    pub region: String,
    /// What it is doing.
    pub state: State,
    /// The provider's word for that.
    pub provider_state: String,
    /// Its addresses, private ones too.
    pub addresses: Vec<String>,
    /// Its DNS names and host names.
    pub names: Vec<String>,
}

/// What a machine is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It runs.
    Running,
    /// It restarts.
    Restarting,
    /// It is about to be off.
    Stopping,
    /// It is off.
    Stopped,
    /// It is about to run.
    Starting,
    /// It is there no more.
    Gone,
    /// Something that the driver has no word for.
    Other,
}

/// How hard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The operating system is asked.
    Soft,
    /// It is not.
    Hard,
}

/// One thing that a provider is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Restart, asking the operating system.
    Reboot,
    /// Restart without asking.
    Reset,
    /// Switch off.
    Stop,
    /// Switch on.
    Start,
}

/// The answer to [`NodePower::plan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The steps, in order. After [`Step::Stop`] the next is taken once the instance is stopped.
    pub steps: Vec<Step>,
    /// What the provider itself says to a dry run, for people; empty where it knows none.
    pub verdict: String,
}

/// One step of one restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Take {
    /// Whose machine.
    pub node: Node,
    /// What to do.
    pub step: Step,
    /// The same for the same step of the same restart, for providers that know retries by it.
    pub token: String,
    /// For the provider's own records.
    pub reason: String,
}

/// What [`NodePower::take`] tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The provider has accepted; its id of the request may be empty.
    Accepted {
        /// The provider's id of the request, for its support.
        request_id: String,
    },
    /// What the machine is doing now.
    Instance(Instance),
}

// === impl NodePower ===

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<N: NodePower + ?Sized> NodePower for Arc<N> {
    async fn info(&self) -> Result<Info> {
        N::info(self).await
    }

    async fn describe(&self, node: &Node) -> Result<Instance> {
        N::describe(self, node).await
    }

    async fn plan(&self, node: &Node, mode: Mode) -> Result<Plan> {
        N::plan(self, node, mode).await
    }

    async fn take(&self, take: Take) -> Result<BoxStream<'static, Result<Progress>>> {
        N::take(self, take).await
    }
}
