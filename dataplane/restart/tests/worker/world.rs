//! A store, a cluster, a cloud and a kubelet, and workers that come and go.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use proto::{
    node::{NodePower, suite::fake::Fake},
    restart::{Cancel, Request, Restarts, Result, Submitted, User},
    store::{At, Key, ListOptions, Scope, Store},
};
use restart::{
    Config, Drivers, GROUP, Phase, RESOURCE, Worker,
    cluster::{Cluster, Node},
    node_restart::NodeRestart,
};
use revlog::{Log, Memory, Metrics, Options};
use runtime::Context;
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use crate::{
    fake::FakeCluster,
    kubelet::{Hand, Machine, follow, node},
};

/// What must happen happens within this time, paused or not.
const SOON: Duration = Duration::from_secs(24 * 3600);

/// Everything but the worker.
pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) cluster: Arc<dyn Cluster>,
    pub(crate) hand: Arc<dyn Hand>,
    pub(crate) cloud: Fake,
    pub(crate) config: Config,
    /// The name of the node that is restarted.
    pub(crate) node: String,
    pub(crate) pace: Duration,
    begin: Instant,
}

/// A worker that works.
pub(crate) struct Running {
    pub(crate) worker: Arc<Worker>,
    pub(crate) context: Context,
    task: JoinHandle<()>,
}

// === impl World ===

impl World {
    /// In memory, for paused time.
    pub(crate) async fn fake() -> (Self, FakeCluster) {
        let cluster = FakeCluster::default();
        let config = Config { node_name: Some("elsewhere".into()), ..Config::default() };
        let (shared, hand) = (Arc::new(cluster.clone()), Arc::new(cluster.clone()));
        let world = Self::new(shared, hand, config, "node", Duration::from_secs(20)).await;
        (world, cluster)
    }

    /// With three nodes `NAME`, `NAME-b` and `NAME-c`, on machines `i-NAME` and so on.
    pub(crate) async fn new(
        cluster: Arc<dyn Cluster>,
        hand: Arc<dyn Hand>,
        config: Config,
        name: &str,
        pace: Duration,
    ) -> Self {
        let cloud = Fake::default();
        for (suffix, address) in [("", "10.0.0.1"), ("-b", "10.0.0.2"), ("-c", "10.0.0.3")] {
            let (name, id) = (format!("{name}{suffix}"), format!("i-{name}{suffix}"));
            cloud.add(&id, address);
            hand.add(node(&name, &id, address)).await;
        }
        let (log, work) = Log::open(Memory::default(), Options::default(), Metrics::default()).await.unwrap();
        spawn(work);
        let (node, begin) = (name.to_owned(), Instant::now());
        Self { store: log, cluster, hand, cloud, config, node, pace, begin }
    }

    /// Lets a kubelet follow the cloud.
    pub(crate) fn machine(&self, machine: Machine) {
        let (cluster, hand) = (Arc::clone(&self.cluster), Arc::clone(&self.hand));
        spawn(follow(self.cloud.clone(), cluster, hand, machine, self.pace));
    }

    /// A worker that works.
    pub(crate) fn worker(&self) -> Running {
        self.worker_on(Arc::clone(&self.store), Arc::clone(&self.cluster), Arc::new(self.cloud.clone()))
    }

    pub(crate) fn worker_on(
        &self,
        store: Arc<dyn Store>,
        cluster: Arc<dyn Cluster>,
        power: Arc<dyn NodePower>,
    ) -> Running {
        let (worker, context) = self.idle(store, cluster, power);
        let running = Arc::clone(&worker);
        let task = context.tasks.spawn("worker", async move { running.run().await });
        Running { worker, context, task }
    }

    /// A worker that answers requests only.
    pub(crate) fn idle(
        &self,
        store: Arc<dyn Store>,
        cluster: Arc<dyn Cluster>,
        power: Arc<dyn NodePower>,
    ) -> (Arc<Worker>, Context) {
        let begin = self.begin;
        // 2026-11-21 is a Saturday; the time of day follows the clock that tests pause.
        let clock = move || -> SystemTime { UNIX_EPOCH + Duration::from_secs(1_795_262_400) + begin.elapsed() };
        let context = Context { clock: Arc::new(clock), ..Context::new() };
        let drivers = Drivers::new(BTreeMap::from([("fake".to_owned(), power)]), self.config.node_driver_timeout);
        (Arc::new(Worker::new(&self.config, store, cluster, drivers, &context)), context)
    }

    pub(crate) async fn found(&self) -> Option<Node> {
        self.cluster.node(&self.node).await.unwrap()
    }

    pub(crate) async fn get(&self, name: &str) -> Option<NodeRestart> {
        let (group, resource) = (GROUP.to_owned(), RESOURCE.to_owned());
        let key = Key { group, resource, namespace: String::new(), name: name.to_owned() };
        let entry = self.store.get(&key, At::Latest).await.unwrap()?;
        Some(serde_json::from_slice(&entry.content.value.json).unwrap())
    }

    pub(crate) async fn all(&self) -> Vec<NodeRestart> {
        let scope = Scope { group: GROUP.to_owned(), resource: RESOURCE.to_owned(), namespace: None };
        let list = self.store.list(&scope, ListOptions::default()).await.unwrap();
        let chunks: Vec<_> = futures::TryStreamExt::try_collect(list.chunks).await.unwrap();
        let entries = chunks.concat().into_iter();
        entries.map(|entry| serde_json::from_slice(&entry.content.value.json).unwrap()).collect()
    }

    /// The restart once it satisfies a condition.
    pub(crate) async fn once(&self, name: &str, holds: impl Fn(&NodeRestart) -> bool) -> NodeRestart {
        let wait = async {
            loop {
                match self.get(name).await {
                    Some(restart) if holds(&restart) => return restart,
                    _ => sleep(self.pace / 20).await,
                }
            }
        };
        match timeout(SOON, wait).await {
            Ok(restart) => restart,
            Err(_) => panic!("in vain: {:?}", self.get(name).await),
        }
    }

    pub(crate) async fn ended(&self, name: &str) -> NodeRestart {
        self.once(name, NodeRestart::ended).await
    }

    pub(crate) async fn in_phase(&self, name: &str, phase: Phase) -> NodeRestart {
        self.once(name, |restart| restart.status.phase == phase).await
    }

    /// Submits, works, and gives the restart as it ended. `options` are the fields of the JSON object.
    pub(crate) async fn restarted(&self, machine: Machine, options: &str) -> NodeRestart {
        self.machine(machine);
        let running = self.worker();
        let name = running.submit(&self.node, options).await.unwrap().name;
        let restart = self.ended(&name).await;
        running.stop().await;
        restart
    }

    /// The node is schedulable, and nobody has signed it.
    pub(crate) async fn is_uncordoned(&self) -> bool {
        self.found().await.is_none_or(|node| !node.unschedulable && node.cordoned_by().is_none())
    }
}

// === impl Running ===

impl Running {
    pub(crate) async fn submit(&self, node: &str, options: &str) -> Result<Submitted> {
        self.worker.submit(request(node, options)).await
    }

    pub(crate) async fn cancel(&self, name: &str) -> Result<()> {
        self.worker.cancel(Cancel { name: name.to_owned(), uid: String::new(), user: jane() }).await
    }

    /// As kill -9.
    pub(crate) async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    /// As SIGTERM.
    pub(crate) async fn stop(self) {
        self.context.shutdown.drain();
        self.task.await.unwrap();
    }
}

pub(crate) fn request(node: &str, options: &str) -> Request {
    Request { node: node.to_owned(), options: format!("{{{options}}}").into(), user: jane() }
}

pub(crate) fn jane() -> User {
    User { name: "jane".to_owned(), ..User::default() }
}

#[expect(clippy::disallowed_methods, reason = "what it runs is the test's own")]
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(task);
}
