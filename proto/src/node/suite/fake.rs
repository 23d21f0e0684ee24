//! A provider in memory, with one machine per providerID: for tests of who uses a [`NodePower`].

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use futures::{
    StreamExt, future,
    stream::{self, BoxStream},
};

use super::{
    super::{Error, Info, Instance, Mode, Node, NodePower, Plan, Progress, Result, State, Step, Take},
    Calls, Fault, Subject,
};

/// The provider. Clones share it. Its providerIDs are `fake:///ID`.
#[derive(Debug, Clone, Default)]
pub struct Fake {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    machines: BTreeMap<String, Instance>,
    fault: Option<Fault>,
    takes: Vec<Take>,
    accepted: Vec<Take>,
    stop_start: bool,
}

// === impl Fake ===

impl Fake {
    /// A provider with one machine that runs.
    pub fn new(id: &str, address: &str) -> Self {
        let fake = Self::default();
        fake.add(id, address);
        fake
    }

    /// Adds a machine that runs.
    pub fn add(&self, id: &str, address: &str) {
        let instance = Instance {
            id: id.to_owned(),
            region: "here".to_owned(),
            state: State::Running,
            provider_state: "Running".to_owned(),
            addresses: vec![address.to_owned()],
            names: vec![format!("{id}.fake.internal")],
        };
        self.lock().machines.insert(id.to_owned(), instance);
    }

    /// Makes a hard restart [`Step::Stop`] and [`Step::Start`] instead of [`Step::Reset`].
    pub fn stop_and_start(&self) {
        self.lock().stop_start = true;
    }

    /// Puts a machine into a state.
    pub fn put(&self, id: &str, state: State) {
        if let Some(machine) = self.lock().machines.get_mut(id) {
            (machine.state, machine.provider_state) = (state, format!("{state:?}"));
        }
    }

    /// Fails from now on; `None` is well again.
    pub fn break_down(&self, fault: Option<Fault>) {
        self.lock().fault = fault;
    }

    /// Every step that reached the provider, in order.
    pub fn takes(&self) -> Vec<Take> {
        self.lock().takes.clone()
    }

    /// Those of them that it acted on.
    pub fn accepted(&self) -> Vec<Take> {
        self.lock().accepted.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What becomes of a step, and whether the provider keeps silent about it.
    fn received(&self, take: Take) -> (Result<()>, bool) {
        let mut inner = self.lock();
        if inner.fault == Some(Fault::Unreachable) {
            return (Err(unreachable()), false);
        }
        let (id, step) = match id(&take.node) {
            Ok(id) => (id.to_owned(), take.step),
            Err(error) => return (Err(error), false),
        };
        inner.takes.push(take.clone());
        match inner.fault {
            Some(Fault::Throttled) => {
                let message = "too many requests".to_owned();
                return (Err(Error::Throttled { message, retry_after: 0 }), false);
            }
            Some(Fault::Forbidden) => return (Err(Error::Forbidden("not allowed".to_owned())), false),
            Some(Fault::Broken) => return (Err(Error::Ambiguous("an internal error".to_owned())), false),
            _ => {}
        }
        let done = inner.act(&id, step);
        if done.is_ok() {
            inner.accepted.push(take);
        }
        match inner.fault {
            Some(Fault::LostReply) if done.is_ok() => (Err(Error::Ambiguous("the connection broke".to_owned())), false),
            fault => (done, fault == Some(Fault::Silence)),
        }
    }
}

// === impl Inner ===

impl Inner {
    fn act(&mut self, id: &str, step: Step) -> Result<()> {
        let machine = self.machines.get_mut(id).ok_or_else(|| missing(id))?;
        let state = match (step, machine.state) {
            (_, State::Gone) => return Err(missing(id)),
            (Step::Reboot | Step::Reset, State::Running) => State::Running,
            (Step::Stop, State::Running) => State::Stopped,
            (Step::Start, State::Stopped) => State::Running,
            (_, state) => return Err(Error::Conflict(format!("{id} is {state:?}"))),
        };
        (machine.state, machine.provider_state) = (state, format!("{state:?}"));
        Ok(())
    }
}

fn id(node: &Node) -> Result<&str> {
    let id = node.provider_id.strip_prefix("fake:///").filter(|id| !id.is_empty());
    id.ok_or_else(|| Error::Invalid(format!("providerID {:?} is not fake:///ID", node.provider_id)))
}

fn missing(id: &str) -> Error {
    Error::NotFound(format!("there is no instance {id}"))
}

fn unreachable() -> Error {
    Error::Unreachable("connection refused".to_owned())
}

#[async_trait]
impl NodePower for Fake {
    async fn info(&self) -> Result<Info> {
        Ok(Info { provider: "fake".to_owned(), version: "1".to_owned() })
    }

    async fn describe(&self, node: &Node) -> Result<Instance> {
        let inner = self.lock();
        if inner.fault == Some(Fault::Unreachable) {
            return Err(unreachable());
        }
        let id = id(node)?;
        inner.machines.get(id).filter(|machine| machine.state != State::Gone).cloned().ok_or_else(|| missing(id))
    }

    async fn plan(&self, node: &Node, mode: Mode) -> Result<Plan> {
        self.describe(node).await?;
        let steps = match (mode, self.lock().stop_start) {
            (Mode::Soft, _) => vec![Step::Reboot],
            (Mode::Hard, false) => vec![Step::Reset],
            (Mode::Hard, true) => vec![Step::Stop, Step::Start],
        };
        Ok(Plan { steps, verdict: "would have been done".to_owned() })
    }

    async fn take(&self, take: Take) -> Result<BoxStream<'static, Result<Progress>>> {
        let (done, silent) = self.received(take);
        if silent {
            // As a driver that gives up on its provider.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            return Err(Error::Ambiguous("no answer".to_owned()));
        }
        done?;
        let accepted = Progress::Accepted { request_id: format!("request-{}", self.lock().takes.len()) };
        Ok(stream::once(future::ready(Ok(accepted))).boxed())
    }
}

#[async_trait]
impl Subject for Fake {
    fn power(&self) -> &dyn NodePower {
        self
    }

    fn node(&self) -> Node {
        let id = self.lock().machines.keys().next().cloned().unwrap_or_default();
        Node { name: "node".to_owned(), provider_id: format!("fake:///{id}"), ..Node::default() }
    }

    fn secrets(&self) -> Vec<String> {
        Vec::new()
    }

    async fn calls(&self) -> Calls {
        let inner = self.lock();
        Calls { received: inner.takes.len(), accepted: inner.accepted.len() }
    }

    async fn set(&self, state: State) {
        let ids: Vec<_> = self.lock().machines.keys().cloned().collect();
        ids.iter().for_each(|id| self.put(id, state));
    }

    async fn fail(&self, fault: Option<Fault>) {
        self.break_down(fault);
    }
}
