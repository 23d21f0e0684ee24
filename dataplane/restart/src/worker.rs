//! The worker: answers requests, and, of all workers, works at the restarts while it holds the lease.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{BoxStream, FuturesUnordered},
};
use proto::{
    restart::{Cancel, Request, Restarts, Result, Submitted},
    store::{self, Store},
};
use runtime::Context;
use tokio::{sync::Notify, time::sleep};
use tracing::{info, instrument, warn};

use crate::{
    Config, cancel, cluster::Cluster, drivers::Drivers, lease::Lease, metrics::Metrics, parts::Parts, plan,
    records::Records, submit, work::work,
};

/// How often what has ended long ago is removed, and forgotten cordons are looked for.
const SWEEP: Duration = Duration::from_secs(3600);

/// How long to wait before the store is asked again.
const RETRY: Duration = Duration::from_secs(1);

/// The worker. [`Restarts`] is served by any; [`Worker::run`] makes it work.
pub struct Worker {
    parts: Parts,
    lease: Lease,
    context: Context,
}

// === impl Worker ===

impl Worker {
    /// A worker on these.
    pub fn new(
        config: &Config,
        store: Arc<dyn Store>,
        cluster: Arc<dyn Cluster>,
        drivers: Drivers,
        context: &Context,
    ) -> Self {
        let id = uuid::Uuid::new_v4().to_string();
        let lease = Lease::new(Arc::clone(&store), &id, config.restart_lease);
        let parts = Parts {
            records: Records::new(store),
            cluster,
            drivers,
            clock: Arc::clone(&context.clock),
            metrics: context.metrics.register(Metrics::register),
            id,
            config: config.clone(),
            beginning: Default::default(),
        };
        Self { parts, lease, context: context.clone() }
    }

    /// Works whenever it holds the lease, until the process drains and what has begun is finished.
    pub async fn run(&self) {
        loop {
            let held = tokio::select! {
                () = self.context.shutdown.draining() => return,
                held = self.lease.acquire() => held,
            };
            info!(worker = self.parts.id, "the restart worker works");
            self.parts.metrics.leads(true);
            let drained = tokio::select! {
                // What was going on is dropped: whoever takes over finds it as after a crash.
                () = self.lease.keep(held) => false,
                () = self.lead() => true,
                () = self.sweep() => false,
            };
            self.parts.metrics.leads(false);
            if drained {
                return self.lease.release().await;
            }
        }
    }

    /// Works at every restart until the process drains.
    async fn lead(&self) {
        let mut draining = self.context.shutdown.draining().boxed();
        let mut names = self.names();
        let mut works: FuturesUnordered<BoxFuture<'_, String>> = FuturesUnordered::new();
        let mut wakes: HashMap<String, Arc<Notify>> = HashMap::new();
        loop {
            tokio::select! {
                () = &mut draining => break,
                Some(name) = names.next() => match wakes.get(&name) {
                    Some(wake) => wake.notify_one(),
                    None => {
                        let wake = Arc::new(Notify::new());
                        wakes.insert(name.clone(), Arc::clone(&wake));
                        works.push(self.work(name, wake).boxed());
                    }
                },
                Some(name) = works.next(), if !works.is_empty() => {
                    wakes.remove(&name);
                }
            }
        }
        while works.next().await.is_some() {}
    }

    async fn work(&self, name: String, wake: Arc<Notify>) -> String {
        work(&self.parts, &self.lease, &name, &wake, self.context.shutdown.draining().boxed()).await;
        name
    }

    /// The names of the restarts that have not ended, then of those that are written.
    fn names(&self) -> BoxStream<'_, String> {
        let names = futures::stream::unfold((), move |()| async move {
            match self.follow().await {
                Ok(names) => Some((names, ())),
                Err(error) => {
                    warn!("the restarts cannot be watched: {error}");
                    sleep(RETRY).await;
                    Some((futures::stream::empty().boxed(), ()))
                }
            }
        });
        names.flatten().boxed()
    }

    /// The same, until the store ends the watch.
    async fn follow(&self) -> store::Result<BoxStream<'_, String>> {
        let (revision, unended) = self.parts.records.unended().await?;
        let written = self.parts.records.written(revision).await?;
        let first = futures::stream::iter(unended.into_iter().map(|kept| kept.restart.metadata.name));
        let rest = written.filter_map(|names| async move {
            match names {
                Ok(names) => Some(futures::stream::iter(names)),
                Err(error) => {
                    warn!("the watch of the restarts has ended: {error}");
                    sleep(RETRY).await;
                    None
                }
            }
        });
        Ok(first.chain(rest.flatten()).boxed())
    }

    /// Removes what is kept no longer, and takes back the cordons of restarts that are over, again and again.
    async fn sweep(&self) {
        loop {
            if let Err(error) = self.trim().await {
                warn!("restarts that have ended cannot be removed: {error}");
            }
            if let Err(error) = self.uncordon().await {
                warn!("nodes cannot be looked through for forgotten cordons: {error}");
            }
            sleep(SWEEP).await;
        }
    }

    async fn trim(&self) -> store::Result<()> {
        let all = self.parts.records.all().await?;
        for kept in self.parts.retention().spent(all, self.parts.now()) {
            match self.parts.records.remove(&kept).await {
                Ok(()) | Err(store::Error::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn uncordon(&self) -> anyhow::Result<()> {
        for node in self.parts.cluster.nodes().await? {
            let Some((name, uid)) = node.cordoned_by().and_then(|by| by.split_once('/')) else { continue };
            let kept = self.parts.records.get(name).await?.filter(|kept| kept.restart.metadata.uid == uid);
            if kept.is_none_or(|kept| kept.restart.ended()) {
                warn!(k8s.node = node.name, "node {} is cordoned by {name}, which is over: uncordoning it", node.name);
                self.parts.cluster.uncordon(&node).await?;
            }
        }
        Ok(())
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Restarts for Worker {
    #[instrument(name = "restart.plan", skip_all, fields(k8s.node = request.node), err(level = "debug"))]
    async fn plan(&self, request: Request) -> Result<Bytes> {
        Ok(plan::plan(&self.parts, request).await?)
    }

    #[instrument(name = "restart.submit", skip_all, fields(k8s.node = request.node), err(level = "debug"))]
    async fn submit(&self, request: Request) -> Result<Submitted> {
        Ok(submit::submit(&self.parts, request).await?)
    }

    #[instrument(name = "restart.cancel", skip_all, fields(k8s.name = cancel.name), err(level = "debug"))]
    async fn cancel(&self, cancel: Cancel) -> Result<()> {
        Ok(cancel::cancel(&self.parts, cancel).await?)
    }
}
