//! Revisions that running lists read as of: compaction stays below them, but not for ever.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use proto::store::Revision;
use tokio::time::Instant;

/// The pins of one log.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    pins: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    until: BTreeMap<(Revision, u64), Instant>,
    next: u64,
}

/// Holds a revision until it is dropped, or its time is over.
#[derive(Debug)]
pub(crate) struct Pin {
    pins: Arc<Pins>,
    id: (Revision, u64),
}

// === impl Pins ===

impl Pins {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pins `revision`, at most until `until`.
    pub(crate) fn pin(self: &Arc<Self>, revision: Revision, until: Instant) -> Pin {
        let mut held = self.held();
        held.next += 1;
        let id = (revision, held.next);
        held.until.insert(id, until);
        Pin { pins: self.clone(), id }
    }

    /// `target`, or the lowest revision below it that is pinned now.
    pub(crate) fn limit(&self, target: Revision, now: Instant) -> Revision {
        let held = self.held();
        let pinned = held.until.iter().find(|(_, until)| **until > now).map(|((revision, _), _)| *revision);
        pinned.map_or(target, |pinned| pinned.min(target))
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.pins.held().until.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_lowest_pin_whose_time_is_not_over_holds_compaction() {
        let pins = Arc::new(Pins::default());
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(pins.limit(100, start), 100);
        let low = pins.pin(50, after(10));
        let _same = pins.pin(70, after(20));
        let high = pins.pin(70, after(30));
        assert_eq!(pins.limit(100, start), 50);
        assert_eq!(pins.limit(40, start), 40);
        assert_eq!(pins.limit(100, after(10)), 70);
        drop(low);
        assert_eq!(pins.limit(100, after(20)), 70);
        drop(high);
        assert_eq!(pins.limit(100, after(20)), 100);
    }
}
