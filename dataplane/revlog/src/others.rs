//! Following what other logs append to the same database, and showing everything to the hub in one order.

use std::time::Duration;

use proto::store::{Error, Event, Result, Revision};
use tokio::time;
use tracing::{debug, warn};

use crate::{
    engine::{Bounds, Engine, Others},
    log::Shared,
};

/// How long to wait after a failure before asking again.
const PAUSE: Duration = Duration::from_millis(250);

// === impl Shared ===

impl<E: Engine> Shared<E> {
    /// Shows the hub what this log has appended, and before it what others had. What cannot be read now is left to
    /// [`Shared::follow_others`]: it is durable, and watchers see it a little later.
    pub(crate) async fn show(&self, events: Vec<Event>) {
        let Some(others) = self.engine.others() else { return self.hub.publish(events) };
        let (Some(first), Some(last)) = (revision(events.first()), revision(events.last())) else { return };
        let _showing = self.showing.lock().await;
        while self.hub.head() + 1 < first {
            if let Err(error) = self.catch_up(others).await {
                debug!("what others appended cannot be read yet: {error}");
                return;
            }
        }
        // Whoever caught up may have read ours already.
        if self.hub.head() < last {
            let head = self.hub.head();
            self.hub.publish(events.into_iter().filter(|event| event.entry.revision > head).collect());
        }
    }

    /// Shows the hub what others append, for ever.
    pub(crate) async fn follow_others(&self) {
        let Some(others) = self.engine.others() else { return std::future::pending().await };
        let mut failed = false;
        loop {
            others.appended(self.hub.head()).await;
            let caught_up = {
                let _showing = self.showing.lock().await;
                self.catch_up(others).await
            };
            match caught_up {
                Ok(()) => failed = false,
                Err(error) => {
                    if !std::mem::replace(&mut failed, true) {
                        warn!("what others append cannot be read, it will be tried again: {error}");
                    }
                    time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Shows the hub some of what follows on its head. Where the history begins above that, the hub goes on from the head
    /// of the log, and watchers below are told that what they want is compacted.
    async fn catch_up(&self, others: &dyn Others) -> Result<()> {
        match others.events(self.hub.head()).await {
            Ok(events) => {
                let head = self.hub.head();
                debug_assert!(events.iter().zip(head + 1..).all(|(event, revision)| event.entry.revision == revision));
                self.hub.publish(events);
                Ok(())
            }
            Err(Error::Compacted { .. }) => {
                let Bounds { head, compacted } = self.engine.bounds().await?;
                self.forgot(compacted);
                self.hub.skip_to(head);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

fn revision(event: Option<&Event>) -> Option<Revision> {
    event.map(|event| event.entry.revision)
}
