//! The view: a [`Store`] over the records.
//!
//! Reads are of the records as they are, or as of a revision. A write is one write of a record, with its precondition, or none:
//! what the apiserver is told then is what is there, for the record may know better (a deletion that waits for adapters, a
//! status).

mod list;
mod watch;
mod write;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use futures::stream::BoxStream;
use hyperfleet_records::{Bounds, Kind, Records};
use proto::store::{
    At, Batch, Entry, Error, Key, List, ListOptions, Result, Revision, Scope, Status, Store, WatchOptions, Write,
    Written,
};
use serde_json::value::RawValue;
use tokio::time::{Instant, timeout_at};

use crate::{GROUP, error::of_read, kind, object::Shape};

/// How long a revision that is not reached is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is wrong with a record that is to be made or changed: its kind, name, labels and spec. So kubectl is refused what REST is.
pub type Judge = Arc<dyn Fn(Kind, &str, &BTreeMap<String, String>, &RawValue) -> Vec<String> + Send + Sync>;

/// The clusters and nodepools as a store of Kubernetes objects. Cheap to clone.
#[derive(Clone)]
pub struct View {
    records: Records,
    clusters: Arc<Shape>,
    nodepools: Arc<Shape>,
    judge: Judge,
}

// === impl View ===

impl View {
    /// A view of these records, written as `judge` allows.
    pub fn new(records: Records, judge: Judge) -> Self {
        let shape = |kind| Arc::new(Shape { kind, tag: kind::tag(kind), required: records.required(kind).to_vec() });
        let (clusters, nodepools) = (shape(Kind::Cluster), shape(Kind::NodePool));
        Self { records, clusters, nodepools, judge }
    }

    /// What objects of a resource look like; `None` when there are none here.
    fn shape(&self, group: &str, resource: &str, namespace: &str) -> Option<&Arc<Shape>> {
        if group != GROUP || !namespace.is_empty() {
            return None;
        }
        kind::of(resource).map(|kind| match kind {
            Kind::Cluster => &self.clusters,
            Kind::NodePool => &self.nodepools,
        })
    }

    fn shape_of(&self, scope: &Scope) -> Option<&Arc<Shape>> {
        self.shape(&scope.group, &scope.resource, scope.namespace.as_deref().unwrap_or_default())
    }

    async fn bounds(&self) -> Result<Bounds> {
        self.records.bounds().await.map_err(|error| of_read(error, 0))
    }

    /// The revisions that there are, once `revision` is one of them.
    async fn reached(&self, revision: Revision) -> Result<Bounds> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let bounds = self.bounds().await?;
            if bounds.head >= revision {
                return Ok(bounds);
            }
            match timeout_at(deadline, self.records.changed(bounds.head)).await {
                Ok(changed) => changed.map_err(|error| of_read(error, revision))?,
                Err(_) => return Err(Error::Future { requested: revision, current: bounds.head }),
            }
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Store for View {
    async fn get(&self, key: &Key, at: At) -> Result<Option<Entry>> {
        match at {
            At::Latest | At::NotOlderThan(0) => {}
            At::NotOlderThan(revision) => drop(self.reached(revision).await?),
            At::Exact(_) => {
                return Err(Error::Invalid { reason: "an object cannot be read as of a revision: list it".to_owned() });
            }
        }
        let Some(shape) = self.shape(&key.group, &key.resource, &key.namespace) else { return Ok(None) };
        let found = self.records.by_object_name(shape.kind, &key.name).await.map_err(|error| of_read(error, 0))?;
        Ok(found.map(|resource| shape.entry(&resource)))
    }

    async fn list(&self, scope: &Scope, options: ListOptions) -> Result<List> {
        list::list(self, scope, options).await
    }

    async fn watch(&self, scope: &Scope, options: WatchOptions) -> Result<BoxStream<'static, Result<Batch>>> {
        watch::watch(self, scope, options.after).await
    }

    async fn write(&self, write: Write) -> Result<Written> {
        write::write(self, write).await
    }

    async fn status(&self) -> Result<Status> {
        let Bounds { head, compacted } = self.bounds().await?;
        Ok(Status { revision: head, compacted, bytes: 0 })
    }
}
