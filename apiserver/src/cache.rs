//! The watch cache: for each resource one upstream watch into a ring of events, from which all watchers are served.
//!
//! ```text
//!   store ──watch──▶ feed ──▶ ring  [ r+1 ······ upto ]   bounded in bytes; the oldest fall out
//!                              ▲        ▲        ▲
//!                          cursor A  cursor B  cursor C   each pulls at its own pace, nobody waits for anybody
//! ```
//!
//! It is no cache of objects: an initial state is a list from the store at R, joined to a cursor after R. A cursor that
//! begins before the ring reads the store's history until it has caught up. One that falls behind the ring is cut off
//! ([`Cut::Slow`]): a slow client costs its own connection, never memory and never another client's time.

mod feed;
mod frame;
mod ring;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures::{StreamExt, stream::BoxStream};
use proto::store::{self, Batch, Key, Revision, Scope, Store, WatchOptions};
use runtime::Tasks;
use tokio::sync::watch;

use self::{
    feed::Feed,
    ring::{Channel, Read},
};

use crate::{kinds::Kind, stores::Stores};

pub(crate) use self::frame::{Cached, Transition};

/// The watch cache of one apiserver.
pub struct Cache {
    stores: Stores,
    tasks: Tasks,
    limit: usize,
    /// By group, resource and, where versions see different things, version.
    feeds: Mutex<HashMap<(String, String, String), Arc<Feed>>>,
}

/// A place in the order of events, and the way on from there.
pub struct Cursor {
    feed: Arc<Feed>,
    scope: Scope,
    at: Revision,
    backlog: Option<BoxStream<'static, store::Result<Batch>>>,
    channel: Arc<Channel>,
    wake: watch::Receiver<Revision>,
}

/// Why a cursor ended.
#[derive(Debug)]
pub enum Cut {
    /// It fell behind the ring: its client reads too slowly.
    Slow,
    /// The store said so.
    Store(store::Error),
}

// === impl Cache ===

impl Cache {
    /// A cache whose rings hold at most `limit` bytes of events each.
    pub fn new(stores: Stores, tasks: Tasks, limit: usize) -> Self {
        Self { stores, tasks, limit, feeds: Mutex::default() }
    }

    /// A cursor on the events of `scope` after `after`, as `kind` sees them.
    pub async fn watch(&self, kind: &Kind, scope: &Scope, after: Revision) -> store::Result<Cursor> {
        let view = self.stores.view(kind);
        let version = view.map_or("", |_| kind.version().name.as_str());
        let store = view.unwrap_or_else(|| self.stores.of(scope));
        let feed = self.feed(scope, version, store);
        feed.started().await?;
        let (channel, wake) = feed.subscribe(scope.namespace.as_deref());
        let backlog = match feed.begins_after() > after {
            true => Some(store.watch(scope, WatchOptions { after }).await?),
            false => None,
        };
        Ok(Cursor { feed, scope: scope.clone(), at: after, backlog, channel, wake })
    }

    fn feed(&self, scope: &Scope, version: &str, store: &Arc<dyn Store>) -> Arc<Feed> {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (scope.group.clone(), scope.resource.clone(), version.to_owned());
        Arc::clone(feeds.entry(key).or_insert_with(|| {
            let everywhere = Scope { namespace: None, ..scope.clone() };
            Feed::start(Arc::clone(store), everywhere, self.limit, &self.tasks)
        }))
    }
}

// === impl Cursor ===

impl Cursor {
    /// The next events, oldest first and never empty. Cancel safe.
    pub async fn next(&mut self) -> Result<Vec<Arc<Cached>>, Cut> {
        loop {
            if let Some(events) = self.read_backlog().await? {
                return Ok(events);
            }
            // Seen before read: what is written after this line wakes us below.
            self.wake.borrow_and_update();
            match self.feed.read(self.at, &self.channel) {
                Read::Behind => return Err(Cut::Slow),
                Read::Events(events, upto) => {
                    self.at = self.at.max(upto);
                    if !events.is_empty() {
                        return Ok(events);
                    }
                }
            }
            if self.wake.changed().await.is_err() {
                return Err(Cut::Store(store::Error::Unavailable { reason: "the watch cache is closing".to_owned() }));
            }
        }
    }

    /// The revision up to which this cursor has seen everything: what a bookmark may say. It may be later than the last
    /// event that [`Self::next`] gave, when what came since does not concern this cursor.
    pub fn bookmark(&mut self) -> Revision {
        if self.backlog.is_none()
            && let Read::Events(events, upto) = self.feed.read(self.at, &self.channel)
            && events.is_empty()
        {
            self.at = self.at.max(upto);
        }
        self.at
    }

    /// Events from the store's history, until the ring holds all that follows; then `None`.
    async fn read_backlog(&mut self) -> Result<Option<Vec<Arc<Cached>>>, Cut> {
        while let Some(backlog) = &mut self.backlog {
            let batch = match backlog.next().await {
                Some(batch) => batch.map_err(Cut::Store)?,
                None => return Err(Cut::Slow),
            };
            self.at = self.at.max(batch.upto);
            if self.feed.begins_after() <= self.at {
                self.backlog = None;
            }
            let events = batch.events.into_iter().filter(|event| concerns(&self.scope, &event.entry.key));
            let events: Vec<_> = events.map(|event| Arc::new(Cached::new(event))).collect();
            if !events.is_empty() {
                return Ok(Some(events));
            }
        }
        Ok(None)
    }
}

fn concerns(scope: &Scope, key: &Key) -> bool {
    scope.namespace.as_ref().is_none_or(|namespace| *namespace == key.namespace)
}
