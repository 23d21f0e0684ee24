//! A cluster in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use async_trait::async_trait;
use restart::cluster::{Budget, CORDONED_BY, Cluster, Error, Event, Evicted, Node, Pod, Result};

use crate::kubelet::Hand;

/// The cluster. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct FakeCluster {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) nodes: BTreeMap<String, Node>,
    pub(crate) pods: Vec<(String, Pod)>,
    pub(crate) budgets: Vec<Budget>,
    pub(crate) daemon_sets: BTreeSet<String>,
    /// Pods that budgets keep.
    pub(crate) kept: BTreeSet<String>,
    pub(crate) events: Vec<Event>,
    /// What was evicted or deleted, in order.
    pub(crate) gone: Vec<String>,
    writes: u64,
}

// === impl FakeCluster ===

impl FakeCluster {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Adds a pod of a ReplicaSet to a node.
    pub(crate) fn pod(&self, node: &str, name: &str) {
        let controller = Some(("ReplicaSet".to_owned(), "rs".to_owned()));
        let (namespace, name) = ("default".to_owned(), name.to_owned());
        let pod = Pod { namespace, uid: format!("uid-{name}"), name, controller, ..Pod::default() };
        self.lock().pods.push((node.to_owned(), pod));
    }
}

// === impl Inner ===

impl Inner {
    fn write(&mut self, seen: &Node, change: impl FnOnce(&mut Node)) -> Result<()> {
        self.writes += 1;
        let version = format!("w{}", self.writes);
        let node = self.nodes.get_mut(&seen.name).ok_or_else(|| Error::Refused("not found".to_owned()))?;
        if node.resource_version != seen.resource_version || node.uid != seen.uid {
            return Err(Error::Conflict("modified".to_owned()));
        }
        change(node);
        node.resource_version = version;
        Ok(())
    }
}

#[async_trait]
impl Cluster for FakeCluster {
    async fn nodes(&self) -> Result<Vec<Node>> {
        Ok(self.lock().nodes.values().cloned().collect())
    }

    async fn node(&self, name: &str) -> Result<Option<Node>> {
        Ok(self.lock().nodes.get(name).cloned())
    }

    async fn cordon(&self, node: &Node, by: &str) -> Result<()> {
        self.lock().write(node, |node| {
            node.unschedulable = true;
            node.annotations.insert(CORDONED_BY.to_owned(), by.to_owned());
        })
    }

    async fn uncordon(&self, node: &Node) -> Result<()> {
        self.lock().write(node, |node| {
            node.unschedulable = false;
            node.annotations.remove(CORDONED_BY);
        })
    }

    async fn pods(&self, node: &str) -> Result<Vec<Pod>> {
        Ok(self.lock().pods.iter().filter(|(on, _)| on == node).map(|(_, pod)| pod.clone()).collect())
    }

    async fn has_daemon_set(&self, _: &str, name: &str) -> Result<bool> {
        Ok(self.lock().daemon_sets.contains(name))
    }

    async fn budgets(&self) -> Result<Vec<Budget>> {
        Ok(self.lock().budgets.clone())
    }

    async fn evict(&self, pod: &Pod, grace: Option<i64>) -> Result<Evicted> {
        if self.lock().kept.contains(&pod.name) {
            return Ok(Evicted::Blocked("the budget keep-it allows no disruption".to_owned()));
        }
        self.delete(pod, grace).await?;
        Ok(Evicted::Going)
    }

    async fn delete(&self, pod: &Pod, _: Option<i64>) -> Result<()> {
        let mut inner = self.lock();
        inner.pods.retain(|(_, other)| other.uid != pod.uid);
        inner.gone.push(pod.name.clone());
        Ok(())
    }

    async fn tell(&self, event: &Event) -> Result<()> {
        let mut inner = self.lock();
        if inner.events.iter().all(|other| other.name != event.name) {
            inner.events.push(event.clone());
        }
        Ok(())
    }
}

#[async_trait]
impl Hand for FakeCluster {
    async fn add(&self, node: Node) {
        self.lock().nodes.insert(node.name.clone(), node);
    }

    async fn remove(&self, name: &str) {
        self.lock().nodes.remove(name);
    }

    async fn report(&self, name: &str, boot_id: &str, ready: bool) {
        let mut inner = self.lock();
        let Some(seen) = inner.nodes.get(name).cloned() else { return };
        let write = inner.write(&seen, |node| {
            node.boot_id = boot_id.to_owned();
            node.ready = ready;
        });
        write.unwrap();
    }
}
