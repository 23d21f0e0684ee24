//! The cluster's nodes, followed by a watch. Of each only what is shown is kept.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use futures::StreamExt;
use k8s_openapi::api::core::v1 as core;
use kube::{
    Api, Client,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event, watcher},
    },
};
use machinery::{meta::ObjectMeta, status::Status};
use proto::store::Revision;
use runtime::Tasks;
use serde_json::Value;
use tokio::{sync::watch, time::timeout};

use super::view;

/// A list waits so long for the nodes to be known.
const PATIENCE: Duration = Duration::from_secs(5);

/// The nodes, as far as they are known.
pub(crate) struct Cluster {
    api: Api<core::Node>,
    known: RwLock<Known>,
    /// Whether all of them have been seen once.
    complete: watch::Sender<bool>,
}

/// Nodes of this group by name, and the newest revision of the cluster's that was heard of.
#[derive(Default)]
struct Known {
    nodes: BTreeMap<String, Value>,
    revision: Revision,
}

// === impl Cluster ===

impl Cluster {
    /// Follows the nodes until the process drains.
    pub(crate) fn follow(client: Client, tasks: &Tasks) -> Arc<Self> {
        let (api, complete) = (Api::all(client), watch::Sender::new(false));
        let cluster = Arc::new(Self { api, known: RwLock::default(), complete });
        let (following, shutdown) = (Arc::clone(&cluster), tasks.shutdown().clone());
        tasks.spawn("nodes", async move {
            tokio::select! {
                () = shutdown.draining() => {}
                () = following.run() => {}
            }
        });
        cluster
    }

    /// All nodes by name, and as of when; 503 while they are not known.
    pub(super) async fn list(&self) -> Result<(Revision, Vec<Value>), Status> {
        let mut complete = self.complete.subscribe();
        let complete = timeout(PATIENCE, complete.wait_for(|complete| *complete)).await;
        if !matches!(complete, Ok(Ok(_))) {
            return Err(Status::unavailable("the cluster has not yet told which nodes there are", 1));
        }
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        Ok((known.revision, known.nodes.values().cloned().collect()))
    }

    /// One node. The cluster is asked for one that is not known.
    pub(super) async fn get(&self, name: &str) -> Result<Option<Value>, Status> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).nodes.get(name).cloned();
        if known.is_some() {
            return Ok(known);
        }
        match self.api.get_opt(name).await {
            Ok(node) => Ok(node.map(view::node)),
            Err(error) => {
                tracing::warn!(k8s.name = name, error = %error, "a node cannot be looked up");
                Err(Status::unavailable("the cluster cannot be asked for the node", 1))
            }
        }
    }

    async fn run(&self) {
        let mut events = pin!(watcher(self.api.clone(), watcher::Config::default()).default_backoff());
        let mut first = Known::default();
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => self.take(event, &mut first),
                Err(error) => tracing::warn!(error = %error, "the cluster's nodes cannot be followed"),
            }
        }
    }

    /// Takes one event in; `first` gathers what is there when a watch begins.
    fn take(&self, event: Event<core::Node>, first: &mut Known) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Init => *first = Known::default(),
            Event::InitApply(node) => first.apply(view::node(node)),
            Event::InitDone => {
                *known = std::mem::take(first);
                self.complete.send_replace(true);
            }
            Event::Apply(node) => known.apply(view::node(node)),
            Event::Delete(node) => known.delete(&view::node(node)),
        }
    }
}

// === impl Known ===

impl Known {
    fn apply(&mut self, node: Value) {
        self.reach(&node);
        self.nodes.insert(ObjectMeta::of(&node).name().to_owned(), node);
    }

    fn delete(&mut self, node: &Value) {
        self.reach(node);
        self.nodes.remove(ObjectMeta::of(node).name());
    }

    fn reach(&mut self, node: &Value) {
        let revision = ObjectMeta::of(node).resource_version().parse().unwrap_or_default();
        self.revision = self.revision.max(revision);
    }
}
