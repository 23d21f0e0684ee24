//! The ring: the newest events of one resource, bounded in bytes, and who is to be woken for what.
//!
//! The rule to know: a cursor of one namespace is behind only when an event *of its namespace* has fallen out unread.
//! An idle watcher of a quiet namespace is not slow, however busy the others are.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use proto::store::{Event, Revision};
use tokio::sync::watch;

use super::frame::Cached;

/// At most so many events are handed to a cursor at once.
const READ_LIMIT: usize = 256;

pub(super) struct Ring {
    events: VecDeque<Arc<Cached>>,
    bytes: usize,
    limit: usize,
    /// Every event after this revision, up to `upto`, is in `events`.
    after: Revision,
    upto: Revision,
    all: Arc<Channel>,
    by_namespace: HashMap<String, Weak<Channel>>,
}

/// What the cursors of one namespace, or of all, wait on.
pub(super) struct Channel {
    namespace: Option<String>,
    wake: watch::Sender<Revision>,
    /// The newest event of this channel that has fallen out of the ring.
    lost: AtomicU64,
}

pub(super) enum Read {
    /// Something the cursor has not read has fallen out.
    Behind,
    /// Events, and the revision up to which the cursor has now read everything.
    Events(Vec<Arc<Cached>>, Revision),
}

// === impl Ring ===

impl Ring {
    pub(super) fn new(after: Revision, limit: usize) -> Self {
        let all = Arc::new(Channel::new(None, after));
        Self { events: VecDeque::new(), bytes: 0, limit, after, upto: after, all, by_namespace: HashMap::new() }
    }

    pub(super) fn after(&self) -> Revision {
        self.after
    }

    pub(super) fn upto(&self) -> Revision {
        self.upto
    }

    /// Appends what the upstream watch delivered and wakes whom it concerns.
    pub(super) fn push(&mut self, events: Vec<Event>, upto: Revision) {
        let any = !events.is_empty();
        let mut woken: Vec<Arc<Channel>> = Vec::new();
        for event in events {
            if let Some(channel) = self.channel_of(&event.entry.key.namespace)
                && !woken.iter().any(|other| Arc::ptr_eq(other, &channel))
            {
                woken.push(channel);
            }
            let cached = Arc::new(Cached::new(event));
            self.bytes += cached.bytes();
            self.events.push_back(cached);
        }
        self.upto = self.upto.max(upto);
        self.evict();
        for channel in woken {
            channel.wake.send_replace(self.upto);
        }
        if any {
            self.all.wake.send_replace(self.upto);
        }
    }

    /// Forgets everything at or below `after`: there is a gap that no cursor may cross.
    pub(super) fn reset(&mut self, after: Revision) {
        self.events.clear();
        self.bytes = 0;
        self.after = after;
        self.upto = after;
        let channels = self.by_namespace.values().filter_map(Weak::upgrade).chain([Arc::clone(&self.all)]);
        for channel in channels {
            channel.lost.store(after, Ordering::Release);
            channel.wake.send_replace(after);
        }
    }

    /// The events after `at` that concern `channel`.
    pub(super) fn read(&self, at: Revision, channel: &Channel) -> Read {
        if channel.lost.load(Ordering::Acquire) > at {
            return Read::Behind;
        }
        let start = self.events.partition_point(|cached| cached.revision() <= at);
        let mut found = Vec::new();
        for cached in self.events.range(start..) {
            if channel.concerns(cached) {
                found.push(Arc::clone(cached));
                if found.len() == READ_LIMIT {
                    return Read::Events(found, cached.revision());
                }
            }
        }
        Read::Events(found, self.upto)
    }

    pub(super) fn channel(&mut self, namespace: Option<&str>) -> Arc<Channel> {
        let Some(namespace) = namespace else { return Arc::clone(&self.all) };
        if let Some(channel) = self.channel_of(namespace) {
            return channel;
        }
        self.by_namespace.retain(|_, channel| channel.strong_count() > 0);
        // What fell out before this channel was known may have been of its namespace.
        let channel = Arc::new(Channel::new(Some(namespace.to_owned()), self.after));
        self.by_namespace.insert(namespace.to_owned(), Arc::downgrade(&channel));
        channel
    }

    fn channel_of(&self, namespace: &str) -> Option<Arc<Channel>> {
        self.by_namespace.get(namespace).and_then(Weak::upgrade)
    }

    fn evict(&mut self) {
        while self.bytes > self.limit
            && let Some(oldest) = self.events.pop_front()
        {
            self.bytes -= oldest.bytes();
            self.after = oldest.revision();
            self.all.lost.store(self.after, Ordering::Release);
            if let Some(channel) = self.channel_of(oldest.namespace()) {
                channel.lost.store(self.after, Ordering::Release);
            }
        }
    }
}

// === impl Channel ===

impl Channel {
    fn new(namespace: Option<String>, after: Revision) -> Self {
        Self { namespace, wake: watch::Sender::new(after), lost: AtomicU64::new(after) }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Revision> {
        self.wake.subscribe()
    }

    fn concerns(&self, cached: &Cached) -> bool {
        self.namespace.as_deref().is_none_or(|namespace| namespace == cached.namespace())
    }
}

#[cfg(test)]
#[expect(clippy::panic, reason = "tests")]
mod tests {
    use proto::store::{Change, Content, Entry, Key, Labels, Value};

    use super::*;

    fn event(revision: Revision, namespace: &str) -> Event {
        let key = Key {
            group: "g".to_owned(),
            resource: "widgets".to_owned(),
            namespace: namespace.to_owned(),
            name: format!("w{revision}"),
        };
        let value = Value { json: vec![b'x'; 1000].into(), splice: 0, schema: String::new() };
        let content = Content { uid: "u".to_owned(), labels: Labels::new(), fields: Labels::new(), value };
        Event { change: Change::Created, entry: Entry { key, revision, content }, previous: None }
    }

    fn revisions(read: Read) -> (Vec<Revision>, Revision) {
        match read {
            Read::Behind => panic!("behind"),
            Read::Events(events, upto) => (events.iter().map(|cached| cached.revision()).collect(), upto),
        }
    }

    #[test]
    fn a_cursor_reads_what_follows_it_once() {
        let mut ring = Ring::new(10, 1 << 20);
        let all = ring.channel(None);
        ring.push(vec![event(11, "a"), event(13, "b")], 14);
        assert_eq!(revisions(ring.read(10, &all)), (vec![11, 13], 14));
        assert_eq!(revisions(ring.read(11, &all)), (vec![13], 14));
        assert_eq!(revisions(ring.read(14, &all)), (vec![], 14));
        assert_eq!(revisions(ring.read(99, &all)), (vec![], 14), "a cursor in the future waits");
    }

    #[test]
    fn a_namespace_wakes_only_its_own() {
        let mut ring = Ring::new(0, 1 << 20);
        let (a, b) = (ring.channel(Some("a")), ring.channel(Some("b")));
        let (mut on_a, mut on_b) = (a.subscribe(), b.subscribe());
        on_a.borrow_and_update();
        on_b.borrow_and_update();
        ring.push(vec![event(1, "a")], 1);
        assert!(on_a.has_changed().unwrap_or(false));
        assert!(!on_b.has_changed().unwrap_or(true));
        assert_eq!(revisions(ring.read(0, &b)), (vec![], 1));
    }

    #[test]
    fn only_a_cursor_whose_own_events_fell_out_is_behind() {
        let mut ring = Ring::new(0, 4000);
        let (all, quiet, busy) = (ring.channel(None), ring.channel(Some("quiet")), ring.channel(Some("busy")));
        for revision in 1..=20 {
            ring.push(vec![event(revision, "busy")], revision);
        }
        assert!(matches!(ring.read(0, &all), Read::Behind));
        assert!(matches!(ring.read(0, &busy), Read::Behind));
        assert_eq!(revisions(ring.read(0, &quiet)), (vec![], 20));
        assert_eq!(revisions(ring.read(19, &busy)), (vec![20], 20));
        let late = ring.channel(Some("late"));
        assert!(matches!(ring.read(0, &late), Read::Behind), "nobody knows what fell out before it came");
    }

    #[test]
    fn a_reset_cuts_everybody() {
        let mut ring = Ring::new(0, 4000);
        let quiet = ring.channel(Some("quiet"));
        ring.push(vec![event(1, "busy")], 1);
        ring.reset(50);
        assert!(matches!(ring.read(1, &quiet), Read::Behind));
        assert_eq!(revisions(ring.read(50, &quiet)), (vec![], 50));
    }

    #[test]
    fn a_read_is_bounded_and_goes_on_where_it_ended() {
        let mut ring = Ring::new(0, 1 << 30);
        let all = ring.channel(None);
        ring.push((1..=300).map(|revision| event(revision, "a")).collect(), 300);
        let (first, upto) = revisions(ring.read(0, &all));
        assert_eq!((first.len(), upto), (READ_LIMIT, READ_LIMIT as u64));
        assert_eq!(revisions(ring.read(upto, &all)).0.len(), 300 - READ_LIMIT);
    }
}
