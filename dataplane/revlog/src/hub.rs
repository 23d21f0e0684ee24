//! The hub: what is published, and who is woken by it.
//!
//! ```text
//!   publish ─▶ ring [ floor+1 ······ head ]      byte-bounded; the oldest fall out
//!                      ▲          ▲       ▲
//!                  watcher A   watcher B  watcher C     a cursor each, pulled at its own pace
//! ```
//!
//! The rule: **a publisher never waits for a watcher**, and wakes only those whose scope it wrote to. Nobody polls. A
//! watcher whose scope is quiet is told how far the log is at most once per [`PROGRESS`], and only when it has moved.

mod ring;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use proto::store::{Change, Entry, Error, Event, Key, Result, Revision, Scope};
use tokio::{
    sync::{Notify, futures::OwnedNotified, watch},
    time,
};

use self::ring::Ring;
use crate::{engine::Current, metrics::Metrics};

/// How long a read waits for a revision that is not there yet.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often, at most, watchers of a quiet scope hear how far the log is.
const PROGRESS: Duration = Duration::from_millis(250);

/// What has been published, and who wants to hear of it.
pub(crate) struct Hub {
    state: Mutex<State>,
    head: watch::Sender<Revision>,
    moved: Notify,
    metrics: Metrics,
}

struct State {
    ring: Ring,
    topics: HashMap<Scope, Arc<Notify>>,
    progress: Revision,
    closed: bool,
}

/// A watcher's subscription to what concerns its scope.
pub(crate) struct Topic {
    hub: Arc<Hub>,
    scope: Scope,
    wake: Arc<Notify>,
}

/// What a watcher finds behind its cursor.
pub(crate) enum Pull {
    /// These events; complete up to the revision.
    Events(Vec<Arc<Event>>, Revision),
    /// The ring begins above the cursor: the history up to the revision has what is missing.
    Behind(Revision),
    /// The store is shutting down.
    Closed,
}

// === impl Hub ===

impl Hub {
    /// A hub of a log that stands at `head`, keeping about `limit` bytes of events.
    pub(crate) fn new(head: Revision, limit: usize, metrics: Metrics) -> Self {
        metrics.head.set(head as i64);
        let state = State { ring: Ring::new(head, limit), topics: HashMap::new(), progress: head, closed: false };
        Self { state: Mutex::new(state), head: watch::Sender::new(head), moved: Notify::new(), metrics }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest published revision.
    pub(crate) fn head(&self) -> Revision {
        *self.head.borrow()
    }

    /// What `key` is as of the head, where that is in memory: its newest event.
    pub(crate) fn newest(&self, key: &Key) -> Option<Arc<Event>> {
        self.state().ring.newest(key).cloned()
    }

    /// Of `keys` what is in memory, and the head as of which that is.
    pub(crate) fn current(&self, keys: &[Key]) -> (Revision, HashMap<Key, Current>) {
        let state = self.state();
        let current = |key: &Key| {
            let Event { change, entry: Entry { key, revision, content }, .. } = &**state.ring.newest(key)?;
            let content = (*change != Change::Deleted).then(|| Arc::new(content.clone()));
            Some((key.clone(), Current { revision: *revision, content }))
        };
        (self.head(), keys.iter().filter_map(current).collect())
    }

    /// Waits until `revision` is published, though not for ever, and returns the newest published one.
    pub(crate) async fn reach(&self, revision: Revision) -> Result<Revision> {
        let mut head = self.head.subscribe();
        let reached = time::timeout(PATIENCE, head.wait_for(|head| *head >= revision)).await;
        match reached {
            Ok(Ok(head)) => Ok(*head),
            _ => Err(Error::Future { requested: revision, current: self.head() }),
        }
    }

    /// Shows `events`, which follow on the head without a gap, to everybody.
    pub(crate) fn publish(&self, events: Vec<Event>) {
        let Some(head) = events.last().map(|event| event.entry.revision) else { return };
        let events: Vec<_> = events.into_iter().map(Arc::new).collect();
        let mut state = self.state();
        for event in &events {
            state.ring.push(event.clone());
        }
        self.metrics.ring_bytes.set(state.ring.bytes() as i64);
        self.advance(head);
        state.wake(&events);
        drop(state);
        self.moved.notify_one();
    }

    /// Says that the log stands at `head` by writes that were not published here: they are in the history.
    pub(crate) fn skip_to(&self, head: Revision) {
        let mut state = self.state();
        state.ring.reset(head);
        self.advance(head);
        state.progress = head;
        state.wake_all();
    }

    fn advance(&self, head: Revision) {
        self.head.send_replace(head);
        self.metrics.head.set(head as i64);
    }

    /// Subscribes to what concerns `scope`.
    pub(crate) fn subscribe(self: &Arc<Self>, scope: &Scope) -> Topic {
        let wake = self.state().topics.entry(scope.clone()).or_default().clone();
        self.metrics.watchers.inc();
        Topic { hub: self.clone(), scope: scope.clone(), wake }
    }

    /// Up to which revision watchers of quiet scopes shall have heard by now.
    pub(crate) fn progress(&self) -> Revision {
        self.state().progress
    }

    /// Tells the watchers of quiet scopes how far the log is, some time after it moved. Never returns.
    pub(crate) async fn tell_progress(&self) {
        loop {
            self.moved.notified().await;
            time::sleep(PROGRESS).await;
            let mut state = self.state();
            state.progress = self.head();
            state.wake_all();
        }
    }

    /// Ends all watches.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.wake_all();
    }
}

// === impl State ===

impl State {
    fn wake_all(&self) {
        self.topics.values().for_each(|topic| topic.notify_waiters());
    }

    /// Wakes whoever watches something that is among `events`.
    fn wake(&self, events: &[Arc<Event>]) {
        if self.topics.is_empty() {
            return;
        }
        let mut last = None;
        for event in events {
            let key = &event.entry.key;
            let place = (&key.group, &key.resource, &key.namespace);
            if last.replace(place) != Some(place) {
                let mut scope = Scope { group: key.group.clone(), resource: key.resource.clone(), namespace: None };
                self.wake_scope(&scope);
                scope.namespace = Some(key.namespace.clone());
                self.wake_scope(&scope);
            }
        }
    }

    fn wake_scope(&self, scope: &Scope) {
        if let Some(topic) = self.topics.get(scope) {
            topic.notify_waiters();
        }
    }
}

// === impl Topic ===

impl Topic {
    /// Completes once something is published to the scope after this call.
    pub(crate) fn wake(&self) -> OwnedNotified {
        self.wake.clone().notified_owned()
    }

    /// What there is behind `cursor`.
    pub(crate) fn pull(&self, cursor: Revision) -> Pull {
        let state = self.hub.state();
        match (state.closed, state.ring.read(cursor, &self.scope)) {
            (true, _) => Pull::Closed,
            (false, Some((events, upto))) => Pull::Events(events, upto),
            (false, None) => Pull::Behind(self.hub.head()),
        }
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        self.hub.metrics.watchers.dec();
        let mut state = self.hub.state();
        // The map's and ours: nobody else watches this scope. Subscribing takes the same lock.
        if Arc::strong_count(&self.wake) == 2 {
            state.topics.remove(&self.scope);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::hub::ring::tests::event;

    fn hub() -> Arc<Hub> {
        Arc::new(Hub::new(10, 1 << 20, Metrics::default()))
    }

    fn scope(resource: &str, namespace: Option<&str>) -> Scope {
        Scope { group: "g".into(), resource: resource.into(), namespace: namespace.map(Into::into) }
    }

    #[test]
    fn only_watchers_of_what_was_written_are_woken() {
        let hub = hub();
        let all = hub.subscribe(&scope("r", None));
        let here = hub.subscribe(&scope("r", Some("n")));
        let there = hub.subscribe(&scope("r", Some("m")));
        let other = hub.subscribe(&scope("rs", None));
        let wakes = [all.wake(), here.wake(), there.wake(), other.wake()];
        hub.publish(vec![event(11, "r", "n")]);
        assert_eq!(wakes.map(|wake| wake.now_or_never().is_some()), [true, true, false, false]);
    }

    #[test]
    fn a_topic_is_forgotten_with_its_last_watcher() {
        let hub = hub();
        let (one, two) = (hub.subscribe(&scope("r", None)), hub.subscribe(&scope("r", None)));
        drop(one);
        assert_eq!(hub.state().topics.len(), 1);
        drop(two);
        assert_eq!(hub.state().topics.len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_scope_hears_how_far_the_log_is() {
        let hub = hub();
        let quiet = hub.subscribe(&scope("quiet", None));
        let wake = quiet.wake();
        hub.publish(vec![event(11, "r", "n")]);
        assert_eq!(hub.progress(), 10);
        tokio::select! {
            () = hub.tell_progress() => unreachable!("it never returns"),
            () = wake => assert_eq!(hub.progress(), 11),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_a_revision_ends_when_it_comes_or_patience_does() {
        let hub = hub();
        assert_eq!(hub.reach(10).await, Ok(10));
        assert_eq!(hub.reach(11).await, Err(Error::Future { requested: 11, current: 10 }));
        let (reached, ()) = tokio::join!(hub.reach(11), async { hub.publish(vec![event(11, "r", "n")]) });
        assert_eq!(reached, Ok(11));
    }

    #[test]
    fn what_others_wrote_is_left_to_the_history() {
        let hub = hub();
        let topic = hub.subscribe(&scope("r", None));
        hub.publish(vec![event(11, "r", "n")]);
        hub.skip_to(20);
        assert!(matches!(topic.pull(11), Pull::Behind(20)));
        hub.publish(vec![event(21, "r", "n")]);
        let Pull::Events(events, 21) = topic.pull(20) else { panic!("not in the ring") };
        assert_eq!(events.first().unwrap().entry.revision, 21);
    }
}
