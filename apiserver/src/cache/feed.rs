//! The feed: keeps one ring filled from one upstream watch, and starts over where it stopped when that breaks.

use std::{
    sync::{Arc, PoisonError, RwLock, Weak},
    time::Duration,
};

use futures::StreamExt;
use proto::store::{self, Error, Revision, Scope, Store, WatchOptions};
use runtime::Tasks;
use tokio::sync::watch;
use tracing::{debug, warn};

use super::ring::{Channel, Read, Ring};

const RETRY_AFTER: Duration = Duration::from_millis(200);
const RETRY_AT_MOST: Duration = Duration::from_secs(5);

pub(super) struct Feed {
    scope: Scope,
    ring: RwLock<Ring>,
    started: watch::Sender<State>,
}

#[derive(Debug, Clone)]
enum State {
    Starting,
    Failing(Error),
    Running,
}

// === impl Feed ===

impl Feed {
    pub(super) fn start(store: Arc<dyn Store>, scope: Scope, limit: usize, tasks: &Tasks) -> Arc<Self> {
        let started = watch::Sender::new(State::Starting);
        let feed = Arc::new(Self { scope, ring: RwLock::new(Ring::new(0, limit)), started });
        let (follow, draining) = (follow(Arc::downgrade(&feed), store), tasks.shutdown().draining());
        tasks.spawn("watch cache", async move {
            tokio::select! {
                () = draining => {}
                () = follow => {}
            }
        });
        feed
    }

    /// Waits until the ring knows where it begins. A store that cannot be reached is an error, not a wait.
    pub(super) async fn started(&self) -> store::Result<()> {
        let mut started = self.started.subscribe();
        let state = started.wait_for(|state| !matches!(state, State::Starting)).await.map(|state| state.clone());
        match state {
            Ok(State::Failing(error)) => Err(error),
            Ok(_) => Ok(()),
            Err(_) => Err(Error::Unavailable { reason: "the watch cache is closing".to_owned() }),
        }
    }

    pub(super) fn begins_after(&self) -> Revision {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).after()
    }

    pub(super) fn read(&self, at: Revision, channel: &Channel) -> Read {
        self.ring.read().unwrap_or_else(PoisonError::into_inner).read(at, channel)
    }

    pub(super) fn subscribe(&self, namespace: Option<&str>) -> (Arc<Channel>, watch::Receiver<Revision>) {
        let channel = self.ring.write().unwrap_or_else(PoisonError::into_inner).channel(namespace);
        let wake = channel.subscribe();
        (channel, wake)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Ring> {
        self.ring.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> bool {
        matches!(*self.started.borrow(), State::Running)
    }

    /// One upstream watch, from where the ring ends until it breaks. `Ok` is a clean end.
    async fn fill(feed: &Weak<Self>, store: &Arc<dyn Store>) -> store::Result<()> {
        let Some(this) = feed.upgrade() else { return Ok(()) };
        if !this.running() {
            let revision = store.status().await?.revision;
            this.write().reset(revision);
        }
        let after = this.ring.read().unwrap_or_else(PoisonError::into_inner).upto();
        let mut upstream = store.watch(&this.scope, WatchOptions { after }).await?;
        drop(this);
        while let Some(batch) = upstream.next().await {
            let batch = batch?;
            let Some(this) = feed.upgrade() else { return Ok(()) };
            this.write().push(batch.events, batch.upto);
            this.started.send_if_modified(|state| !matches!(std::mem::replace(state, State::Running), State::Running));
        }
        Ok(())
    }

    fn broke(&self, error: Error) {
        if let Error::Compacted { oldest, .. } = error {
            warn!(k8s.resource = %self.scope.resource, oldest, "the watch cache was overtaken by compaction: watchers start over");
            self.write().reset(oldest);
            return;
        }
        debug!(k8s.resource = %self.scope.resource, error = %error, "the watch cache lost its store");
        if !self.running() {
            self.started.send_replace(State::Failing(error));
        }
    }
}

/// Runs until the process ends or nobody holds the feed any more.
async fn follow(feed: Weak<Feed>, store: Arc<dyn Store>) {
    let mut pause = RETRY_AFTER;
    loop {
        let ended = Feed::fill(&feed, &store).await;
        let Some(this) = feed.upgrade() else { return };
        match ended {
            Ok(()) => pause = RETRY_AFTER,
            Err(error) => {
                this.broke(error);
                pause = (pause * 2).min(RETRY_AT_MOST);
            }
        }
        drop(this);
        tokio::time::sleep(pause).await;
    }
}
