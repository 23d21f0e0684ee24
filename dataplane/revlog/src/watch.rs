//! A watch: the log after a revision, from the ring, or from history while it is behind.

use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt};
use proto::store::{Batch, Event, Result, Revision, Scope};

use crate::{
    engine::Engine,
    hub::{Hub, Pull, Topic},
    metrics::Metrics,
};

/// One watcher. Between its batches it holds nothing but a cursor.
struct Watcher<E> {
    engine: Arc<E>,
    hub: Arc<Hub>,
    topic: Topic,
    metrics: Metrics,
    scope: Scope,
    /// Everything at or below has been looked at.
    cursor: Revision,
    /// The last `upto` that was told; `None` before the first batch.
    told: Option<Revision>,
}

/// The events of `scope` after `after`, for ever.
pub(crate) fn stream<E: Engine>(
    engine: Arc<E>,
    hub: Arc<Hub>,
    metrics: Metrics,
    scope: Scope,
    after: Revision,
) -> BoxStream<'static, Result<Batch>> {
    let topic = hub.subscribe(&scope);
    let watcher = Watcher { engine, hub, topic, metrics, scope, cursor: after, told: None };
    stream::try_unfold(watcher, Watcher::next).boxed()
}

// === impl Watcher ===

impl<E: Engine> Watcher<E> {
    /// The next batch worth telling; `None` when the store shuts down.
    async fn next(mut self) -> Result<Option<(Batch, Self)>> {
        loop {
            let wake = self.topic.wake();
            let Batch { events, upto } = match self.topic.pull(self.cursor) {
                Pull::Closed => return Ok(None),
                Pull::Events(events, upto) => Batch { events: events.into_iter().map(owned).collect(), upto },
                Pull::Behind(head) => {
                    self.metrics.behind.inc();
                    self.engine.events(&self.scope, self.cursor, head).await?
                }
            };
            let moved = upto > self.cursor;
            self.cursor = upto;
            if !events.is_empty() || self.due() {
                self.told = Some(upto);
                return Ok(Some((Batch { events, upto }, self)));
            }
            if !moved {
                wake.await;
            }
        }
    }

    /// Whether it is time to tell how far the log is, though there is no event.
    fn due(&self) -> bool {
        self.told.is_none_or(|told| told < self.cursor && told < self.hub.progress())
    }
}

fn owned(event: Arc<Event>) -> Event {
    Arc::unwrap_or_clone(event)
}
