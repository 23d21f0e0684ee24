//! The drivers that there are, by provider, and how long each may take to answer.

use std::{collections::BTreeMap, str::FromStr, sync::Arc, time::Duration};

use futures::StreamExt;
use proto::node::{Error, Instance, Mode as How, Node, NodePower, Progress, Result, Take};
use tokio::time::timeout;
use tracing::instrument;

use crate::node_restart::{Mode, Plan, Planned};

/// How long a driver may take to answer a question.
const QUESTION: Duration = Duration::from_secs(20);

/// A provider, and where its driver is: the value of `--node-driver`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The provider, as `provider_id` names it.
    pub provider: String,
    /// `unix:///PATH` or `https://HOST:PORT`.
    pub url: String,
}

/// Drivers by provider.
pub struct Drivers {
    by_provider: BTreeMap<String, Arc<dyn NodePower>>,
    step: Duration,
}

/// A provider's driver.
pub(crate) struct Driver<'a> {
    power: &'a dyn NodePower,
    step: Duration,
}

// === impl Address ===

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((provider, url)) if !provider.is_empty() && !url.is_empty() => {
                Ok(Self { provider: provider.to_owned(), url: url.to_owned() })
            }
            _ => Err("not PROVIDER=URL, such as aws=unix:///run/outrigger/node-aws.sock".to_owned()),
        }
    }
}

// === impl Drivers ===

impl Drivers {
    /// These drivers. `step` is how long one may take to ask its provider to do something.
    pub fn new(by_provider: BTreeMap<String, Arc<dyn NodePower>>, step: Duration) -> Self {
        Self { by_provider, step }
    }

    pub(crate) fn get(&self, provider: &str) -> Option<Driver<'_>> {
        let power = self.by_provider.get(provider)?;
        Some(Driver { power: &**power, step: self.step })
    }
}

// === impl Driver ===

impl Driver<'_> {
    #[instrument(name = "node.describe", skip_all, fields(k8s.node = node.name), err(level = "debug"))]
    pub(crate) async fn describe(&self, node: &Node) -> Result<Instance> {
        soon(self.power.describe(node)).await
    }

    /// The steps of a mode, those of a softer one first.
    #[instrument(name = "node.plan", skip_all, fields(k8s.node = node.name), err(level = "debug"))]
    pub(crate) async fn plan(&self, node: &Node, mode: Mode) -> Result<Plan> {
        let hows: &[How] = match mode {
            Mode::Soft => &[How::Soft],
            Mode::Hard => &[How::Hard],
            Mode::SoftThenHard => &[How::Soft, How::Hard],
        };
        let mut plan = Plan::default();
        for &how in hows {
            let one = soon(self.power.plan(node, how)).await?;
            plan.steps.extend(one.steps.into_iter().map(|step| Planned { step, mode: how }));
            // The last is the one that matters: it is asked when the first was not enough.
            plan.verdict = one.verdict;
        }
        match plan.steps.is_empty() {
            true => Err(Error::Unsupported(format!("the driver has no steps for mode {mode:?}"))),
            false => Ok(plan),
        }
    }

    /// Takes a step, up to the provider's answer: its id of the request. A driver that does not answer in time is
    /// ambiguous.
    #[instrument(name = "node.take", skip_all, fields(k8s.node = take.node.name, step = ?take.step, token = take.token), err)]
    pub(crate) async fn take(&self, take: Take) -> Result<String> {
        let answer = async {
            let mut progress = self.power.take(take).await?;
            match progress.next().await {
                Some(Ok(Progress::Accepted { request_id })) => Ok(request_id),
                Some(Ok(Progress::Instance(_))) => Ok(String::new()),
                Some(Err(error)) => Err(error),
                None => Err(Error::Ambiguous("the driver answered nothing".to_owned())),
            }
        };
        let late = || Error::Ambiguous(format!("the driver did not answer in {:?}", self.step));
        timeout(self.step, answer).await.unwrap_or_else(|_| Err(late()))
    }
}

async fn soon<T>(question: impl Future<Output = Result<T>>) -> Result<T> {
    let late = || Error::Unreachable(format!("the driver did not answer in {QUESTION:?}"));
    timeout(QUESTION, question).await.unwrap_or_else(|_| Err(late()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_provider_and_a_url() {
        let address = Address { provider: "aws".into(), url: "unix:///a=b".into() };
        assert_eq!("aws=unix:///a=b".parse(), Ok(address));
        for wrong in ["aws", "=unix:///a", "aws=", ""] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }
}
