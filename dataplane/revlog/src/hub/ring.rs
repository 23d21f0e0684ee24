//! The newest events, without gaps, in about a bounded number of bytes.

use std::{
    borrow::Borrow,
    collections::{HashSet, VecDeque},
    hash::{Hash, Hasher},
    sync::Arc,
};

use proto::store::{Event, Key, Revision, Scope};

/// How many events one read looks at: what bounds the time that it holds the hub's lock.
const GLANCE: usize = 1024;

/// How many bytes of events one read returns, but one event always.
const HANDFUL: usize = 1 << 20;

/// Events from `floor + 1` on, each one revision after the one before it.
pub(super) struct Ring {
    events: VecDeque<Arc<Event>>,
    /// Of each key in `events` the newest.
    newest: HashSet<Newest>,
    floor: Revision,
    bytes: usize,
    limit: usize,
}

/// An event that stands for its key.
struct Newest(Arc<Event>);

// === impl Ring ===

impl Ring {
    /// An empty ring of a log that stands at `head`.
    pub(super) fn new(head: Revision, limit: usize) -> Self {
        Self { events: VecDeque::new(), newest: HashSet::new(), floor: head, bytes: 0, limit }
    }

    /// About how many bytes it holds.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds the next event, and lets go of the oldest until the limit holds. The newest always stays.
    pub(super) fn push(&mut self, event: Arc<Event>) {
        debug_assert_eq!(event.entry.revision, self.floor + self.events.len() as Revision + 1, "a gap in the ring");
        self.bytes += event.weight();
        self.newest.replace(Newest(event.clone()));
        self.events.push_back(event);
        while self.bytes > self.limit && self.events.len() > 1 {
            let oldest = self.events.pop_front().expect("there are at least two");
            self.bytes -= oldest.weight();
            self.floor += 1;
            if self.newest(&oldest.entry.key).is_some_and(|newest| Arc::ptr_eq(newest, &oldest)) {
                self.newest.remove(&oldest.entry.key);
            }
        }
    }

    /// The newest event of `key`, if it is still here. There is no newer one anywhere.
    pub(super) fn newest(&self, key: &Key) -> Option<&Arc<Event>> {
        self.newest.get(key).map(|Newest(event)| event)
    }

    /// Forgets everything; the log stands at `head`.
    pub(super) fn reset(&mut self, head: Revision) {
        *self = Self::new(head, self.limit);
    }

    /// Some events of `scope` after `cursor`, and up to which revision that is complete. `None`: they are not all here.
    pub(super) fn read(&self, cursor: Revision, scope: &Scope) -> Option<(Vec<Arc<Event>>, Revision)> {
        let skip = usize::try_from(cursor.checked_sub(self.floor)?).unwrap_or(usize::MAX);
        let (mut events, mut upto, mut bytes) = (Vec::new(), cursor, 0);
        for event in self.events.range(skip.min(self.events.len())..).take(GLANCE) {
            if scope.contains(&event.entry.key) {
                bytes += event.weight();
                if bytes > HANDFUL && !events.is_empty() {
                    break;
                }
                events.push(event.clone());
            }
            upto = event.entry.revision;
        }
        Some((events, upto))
    }
}

// === impl Newest ===

impl Borrow<Key> for Newest {
    fn borrow(&self) -> &Key {
        &self.0.entry.key
    }
}

impl Hash for Newest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.entry.key.hash(state);
    }
}

impl PartialEq for Newest {
    fn eq(&self, other: &Self) -> bool {
        self.0.entry.key == other.0.entry.key
    }
}

impl Eq for Newest {}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
pub(super) mod tests {
    use bytes::Bytes;
    use proto::store::{Change, Content, Entry, Key, Labels, Value};

    use super::*;

    pub(in crate::hub) fn event(revision: Revision, resource: &str, namespace: &str) -> Event {
        let key = Key {
            group: "g".into(),
            resource: resource.into(),
            namespace: namespace.into(),
            name: revision.to_string(),
        };
        let value = Value { json: Bytes::from(vec![b' '; 743]), splice: 0, schema: String::new() };
        let content = Content { uid: "u".into(), labels: Labels::new(), fields: Labels::new(), value };
        Event { change: Change::Created, entry: Entry { key, revision, content }, previous: None }
    }

    fn filled(limit: usize, upto: Revision) -> Ring {
        let mut ring = Ring::new(10, limit);
        for revision in 11..=upto {
            let namespace = if revision % 2 == 0 { "even" } else { "odd" };
            ring.push(Arc::new(event(revision, "r", namespace)));
        }
        ring
    }

    fn scope(namespace: Option<&str>) -> Scope {
        Scope { group: "g".into(), resource: "r".into(), namespace: namespace.map(Into::into) }
    }

    fn read(ring: &Ring, cursor: Revision, namespace: Option<&str>) -> Option<(Vec<Revision>, Revision)> {
        let (events, upto) = ring.read(cursor, &scope(namespace))?;
        Some((events.iter().map(|event| event.entry.revision).collect(), upto))
    }

    #[test]
    fn a_cursor_gets_what_is_after_it_in_its_scope() {
        let ring = filled(usize::MAX, 14);
        for (cursor, namespace, expected) in [
            (10, None, Some((vec![11, 12, 13, 14], 14))),
            (12, None, Some((vec![13, 14], 14))),
            (14, None, Some((vec![], 14))),
            (20, None, Some((vec![], 20))),
            (10, Some("even"), Some((vec![12, 14], 14))),
            (13, Some("odd"), Some((vec![], 14))),
            (9, None, None),
        ] {
            assert_eq!(read(&ring, cursor, namespace), expected, "after {cursor} in {namespace:?}");
        }
    }

    #[test]
    fn the_oldest_make_room() {
        let ring = filled(2500, 15);
        assert_eq!(read(&ring, 13, None), Some((vec![14, 15], 15)));
        assert_eq!(read(&ring, 12, None), None);
        assert!(ring.bytes() <= 2500);
    }

    #[test]
    fn the_newest_event_of_a_key_is_known_as_long_as_it_is_there() {
        let mut ring = Ring::new(10, 2500);
        let renamed = |revision, name: &str| {
            let mut event = event(revision, "r", "n");
            event.entry.key.name = name.into();
            Arc::new(event)
        };
        let newest =
            |ring: &Ring, name: &str| ring.newest(&renamed(0, name).entry.key).map(|event| event.entry.revision);
        ring.push(renamed(11, "a"));
        ring.push(renamed(12, "b"));
        assert_eq!((newest(&ring, "a"), newest(&ring, "b"), newest(&ring, "c")), (Some(11), Some(12), None));
        ring.push(renamed(13, "a"));
        assert_eq!((newest(&ring, "a"), newest(&ring, "b")), (Some(13), Some(12)), "11 fell out");
        ring.push(renamed(14, "c"));
        ring.push(renamed(15, "c"));
        assert_eq!((newest(&ring, "a"), newest(&ring, "b"), newest(&ring, "c")), (None, None, Some(15)));
        ring.reset(20);
        assert_eq!(newest(&ring, "c"), None);
    }

    #[test]
    fn one_event_larger_than_the_ring_stays_until_the_next() {
        let ring = filled(1, 12);
        assert_eq!(read(&ring, 11, None), Some((vec![12], 12)));
    }

    #[test]
    fn a_long_way_is_read_in_steps() {
        let ring = filled(usize::MAX, 5000);
        let (mut cursor, mut seen) = (10, 0);
        while cursor < 5000 {
            let (events, upto) = ring.read(cursor, &scope(None)).unwrap();
            assert!(upto > cursor && events.len() <= GLANCE);
            seen += events.len();
            cursor = upto;
        }
        assert_eq!(seen, 4990);
    }
}
