//! kill -9 at each edge, times each fault of the cloud.
//!
//! A worker dies before or after the nth thing that it does to the store, the cluster or the cloud, for every n until it
//! ends without having died; or that thing fails, whether it has happened or not. The next worker finds what is left.
//! Whatever happened: at most one accepted call per intent, no node left cordoned, and an end.

use std::{
    collections::BTreeMap,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::stream::BoxStream;
use proto::{
    node::{
        self, Info, Instance, Mode, NodePower, Plan, Progress, Take,
        suite::{Fault, fake::Fake},
    },
    restart::Restarts,
    store::{self, At, Batch, Entry, Key, List, ListOptions, Scope, Status, Store, WatchOptions, Write, Written},
};
use restart::{
    Phase, RESOURCE,
    cluster::{self, Budget, Cluster, Event, Evicted, Node, Pod},
    node_restart::NodeRestart,
};
use tokio::sync::Notify;

use crate::{
    kubelet::Machine,
    world::{World, request},
};

/// What becomes of a worker at an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It dies before it does it.
    DiesBefore,
    /// It dies after it has done it.
    DiesAfter,
    /// It cannot do it.
    Fails,
    /// It has done it, and is told that it could not.
    Unacknowledged,
}

/// Counts what a worker does, up to its fate.
pub(crate) struct Edge {
    done: AtomicUsize,
    /// Which of them it is.
    at: usize,
    fate: Fate,
    died: Notify,
}

// === impl Edge ===

impl Edge {
    pub(crate) fn new(at: usize, fate: Fate) -> Arc<Self> {
        Arc::new(Self { done: AtomicUsize::new(0), at, fate, died: Notify::new() })
    }

    /// Whether the worker has come to it.
    pub(crate) fn reached(&self) -> bool {
        self.done.load(Ordering::SeqCst) > self.at
    }

    /// Does it, unless it is the worker's fate that it cannot; `error` is what it is told then.
    async fn cross<T, E>(&self, error: E, act: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        if self.done.fetch_add(1, Ordering::SeqCst) != self.at {
            return act.await;
        }
        if matches!(self.fate, Fate::DiesAfter | Fate::Unacknowledged) {
            // What becomes of it nobody is told.
            let _ = act.await;
        }
        if matches!(self.fate, Fate::Fails | Fate::Unacknowledged) {
            return Err(error);
        }
        self.died.notify_one();
        pending().await
    }
}

/// Something that a worker uses, and may die of.
pub(crate) struct Mortal<T> {
    pub(crate) inner: T,
    pub(crate) edge: Arc<Edge>,
}

#[async_trait]
impl Store for Mortal<Arc<dyn Store>> {
    async fn get(&self, key: &Key, at: At) -> store::Result<Option<Entry>> {
        self.inner.get(key, at).await
    }

    async fn list(&self, scope: &Scope, options: ListOptions) -> store::Result<List> {
        self.inner.list(scope, options).await
    }

    async fn watch(
        &self,
        scope: &Scope,
        options: WatchOptions,
    ) -> store::Result<BoxStream<'static, store::Result<Batch>>> {
        self.inner.watch(scope, options).await
    }

    async fn write(&self, write: Write) -> store::Result<Written> {
        match write.key.resource == RESOURCE {
            true => {
                let error = store::Error::Unavailable { reason: "fate".to_owned() };
                self.edge.cross(error, self.inner.write(write)).await
            }
            false => self.inner.write(write).await,
        }
    }

    async fn status(&self) -> store::Result<Status> {
        self.inner.status().await
    }
}

fn fate() -> cluster::Error {
    cluster::Error::Unavailable("fate".to_owned())
}

#[async_trait]
impl Cluster for Mortal<Arc<dyn Cluster>> {
    async fn nodes(&self) -> cluster::Result<Vec<Node>> {
        self.inner.nodes().await
    }

    async fn node(&self, name: &str) -> cluster::Result<Option<Node>> {
        self.inner.node(name).await
    }

    async fn cordon(&self, node: &Node, by: &str) -> cluster::Result<()> {
        self.edge.cross(fate(), self.inner.cordon(node, by)).await
    }

    async fn uncordon(&self, node: &Node) -> cluster::Result<()> {
        self.edge.cross(fate(), self.inner.uncordon(node)).await
    }

    async fn pods(&self, node: &str) -> cluster::Result<Vec<Pod>> {
        self.inner.pods(node).await
    }

    async fn has_daemon_set(&self, namespace: &str, name: &str) -> cluster::Result<bool> {
        self.inner.has_daemon_set(namespace, name).await
    }

    async fn budgets(&self) -> cluster::Result<Vec<Budget>> {
        self.inner.budgets().await
    }

    async fn evict(&self, pod: &Pod, grace: Option<i64>) -> cluster::Result<Evicted> {
        self.edge.cross(fate(), self.inner.evict(pod, grace)).await
    }

    async fn delete(&self, pod: &Pod, grace: Option<i64>) -> cluster::Result<()> {
        self.edge.cross(fate(), self.inner.delete(pod, grace)).await
    }

    async fn tell(&self, event: &Event) -> cluster::Result<()> {
        self.edge.cross(fate(), self.inner.tell(event)).await
    }
}

/// A cloud that fails once it has been asked for the last plan: when the restart has been let begin.
struct Failing {
    cloud: Fake,
    fault: Option<Fault>,
    last: Mode,
}

#[async_trait]
impl NodePower for Mortal<Failing> {
    async fn info(&self) -> node::Result<Info> {
        self.inner.cloud.info().await
    }

    async fn describe(&self, node: &node::Node) -> node::Result<Instance> {
        self.inner.cloud.describe(node).await
    }

    async fn plan(&self, node: &node::Node, mode: Mode) -> node::Result<Plan> {
        let plan = self.inner.cloud.plan(node, mode).await;
        if mode == self.inner.last {
            self.inner.cloud.break_down(self.inner.fault);
        }
        plan
    }

    async fn take(&self, take: Take) -> node::Result<BoxStream<'static, node::Result<Progress>>> {
        let said = "fate".to_owned();
        let error = match self.edge.fate {
            Fate::Fails => node::Error::Unreachable(said),
            _ => node::Error::Ambiguous(said),
        };
        self.edge.cross(error, self.inner.cloud.take(take)).await
    }
}

/// A restart, and a fault from its begin until the worker has died, or for ever.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trial {
    pub(crate) options: &'static str,
    pub(crate) machine: Machine,
    pub(crate) fault: Option<Fault>,
    pub(crate) heals: bool,
}

/// How the restart ended.
pub(crate) async fn trial(world: &World, trial: Trial, edge: &Arc<Edge>) -> NodeRestart {
    let Trial { options, machine, fault, heals } = trial;
    world.machine(machine);
    let (patient, _context) =
        world.idle(Arc::clone(&world.store), Arc::clone(&world.cluster), Arc::new(world.cloud.clone()));
    let name = patient.submit(request(&world.node, options)).await.unwrap().name;
    let last = if options == SOFT_THEN_HARD { Mode::Hard } else { Mode::Soft };
    let failing = Failing { cloud: world.cloud.clone(), fault, last };
    let mortal = world.worker_on(
        Arc::new(Mortal { inner: Arc::clone(&world.store), edge: Arc::clone(edge) }),
        Arc::new(Mortal { inner: Arc::clone(&world.cluster), edge: Arc::clone(edge) }),
        Arc::new(Mortal { inner: failing, edge: Arc::clone(edge) }),
    );
    tokio::select! {
        () = edge.died.notified() => {}
        _ = world.ended(&name) => {}
    }
    mortal.kill().await;
    if heals {
        world.cloud.break_down(None);
    }
    let next = world.worker();
    let ended = world.ended(&name).await;
    assert!(world.is_uncordoned().await, "{trial:?}: {ended:?}");
    next.stop().await;
    ended
}

/// At most one accepted call per intent, none that is not recorded, and a verdict that fits.
pub(crate) fn judge(world: &World, trial: Trial, restart: &NodeRestart) {
    let mut accepted: BTreeMap<String, usize> = BTreeMap::new();
    for take in world.cloud.accepted() {
        *accepted.entry(take.token).or_default() += 1;
    }
    assert!(accepted.values().all(|calls| *calls == 1), "{trial:?}: {accepted:?} {restart:?}");
    let recorded = |token: &String| restart.status.steps.iter().any(|record| record.token == *token);
    assert!(accepted.keys().all(recorded), "{trial:?}: {accepted:?} {restart:?}");
    if restart.status.phase == Phase::Succeeded {
        assert!(!accepted.is_empty(), "{trial:?}: {restart:?}");
    }
}

/// Tries every edge that there is; the phases in which the restarts ended.
async fn at_each_edge(fates: [Fate; 2], trial_of: Trial) -> Vec<Phase> {
    let mut ends = Vec::new();
    for fate in fates {
        for at in 0.. {
            let (mut world, cluster) = World::fake().await;
            world.config.restart_timeout = Duration::from_secs(200);
            world.config.restart_soft_timeout = Duration::from_secs(100);
            world.config.restart_poll = Duration::from_secs(5);
            cluster.pod("node", "a");
            let edge = Edge::new(at, fate);
            let restart = trial(&world, trial_of, &edge).await;
            judge(&world, trial_of, &restart);
            ends.push(restart.status.phase);
            if !edge.reached() {
                assert!(at > 8, "{trial_of:?} has hardly an edge: {at}");
                break;
            }
        }
    }
    ends
}

const DEATHS: [Fate; 2] = [Fate::DiesBefore, Fate::DiesAfter];
const FAILURES: [Fate; 2] = [Fate::Fails, Fate::Unacknowledged];
const DRAIN: &str = r#""drain":{"enabled":true}"#;
const SOFT_THEN_HARD: &str = r#""mode":"SoftThenHard""#;
const FAULTS: [Option<Fault>; 7] = [
    None,
    Some(Fault::Throttled),
    Some(Fault::Forbidden),
    Some(Fault::Broken),
    Some(Fault::LostReply),
    Some(Fault::Silence),
    Some(Fault::Unreachable),
];

#[tokio::test(start_paused = true)]
async fn a_worker_may_die_anywhere_in_a_soft_restart_with_a_drain() {
    for (fault, heals) in FAULTS.into_iter().flat_map(|fault| [(fault, true), (fault, false)]) {
        at_each_edge(DEATHS, Trial { options: DRAIN, machine: Machine::Slow, fault, heals }).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_may_die_anywhere_in_a_restart_that_becomes_hard() {
    for fault in FAULTS {
        at_each_edge(DEATHS, Trial { options: SOFT_THEN_HARD, machine: Machine::Hung, fault, heals: true }).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_may_die_anywhere_before_a_machine_that_does_not_return() {
    for fault in FAULTS {
        at_each_edge(DEATHS, Trial { options: "", machine: Machine::NeverReturns, fault, heals: true }).await;
    }
}

#[tokio::test(start_paused = true)]
async fn anything_may_fail_once_and_may_have_happened() {
    for (options, machine, end) in [
        (DRAIN, Machine::Slow, Phase::Succeeded),
        (SOFT_THEN_HARD, Machine::Hung, Phase::Succeeded),
        ("", Machine::Lost, Phase::Failed),
    ] {
        let ends = at_each_edge(FAILURES, Trial { options, machine, fault: None, heals: true }).await;
        // A lost restart whose acceptance was not told is all that nobody can tell.
        let unknown = ends.iter().filter(|other| **other != end).count();
        assert!(unknown <= usize::from(machine == Machine::Lost), "{ends:?}");
    }
}
