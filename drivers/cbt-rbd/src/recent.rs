//! The lists that were asked for lately, for whoever pages through one. Whoever gets one has just been told by the cluster
//! which snapshots the image has: a list is kept, and no permission.

use std::{collections::VecDeque, sync::Arc, sync::Mutex, sync::PoisonError, time::Duration};

use tokio::time::Instant;

use crate::{diff::Diff, handle::Image};

/// How long a list is kept after it was last wanted.
const LIFETIME: Duration = Duration::from_secs(600);

/// Which list. Snapshots go by their numbers: a name may have been given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) image: Image,
    pub(crate) target: u64,
    pub(crate) base: Option<u64>,
}

/// As many lists as there may be, the latest last.
#[derive(Debug)]
pub(crate) struct Recent {
    keep: usize,
    lists: Mutex<VecDeque<(Key, Instant, Arc<Diff>)>>,
}

// === impl Recent ===

impl Recent {
    /// Keeps up to `keep` lists.
    pub(crate) fn new(keep: usize) -> Self {
        Self { keep, lists: Mutex::default() }
    }

    /// A list, if it is still there.
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Diff>> {
        let now = Instant::now();
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        lists.retain(|(_, wanted, _)| now - *wanted < LIFETIME);
        let at = lists.iter().position(|(other, ..)| other == key)?;
        let (key, _, diff) = lists.remove(at)?;
        lists.push_back((key, now, diff.clone()));
        Some(diff)
    }

    /// Keeps a list, and lets go of the one that nobody wanted for longest.
    pub(crate) fn put(&self, key: Key, diff: Arc<Diff>) {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        lists.retain(|(other, ..)| *other != key);
        lists.push_back((key, Instant::now(), diff));
        let beyond = lists.len().saturating_sub(self.keep);
        lists.drain(..beyond);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn key(target: u64) -> Key {
        let image = Image { pool: "p".into(), namespace: String::new(), name: "i".into() };
        Key { image, target, base: None }
    }

    fn diff() -> Arc<Diff> {
        Arc::new(Diff::take(&b"[]"[..], true, 1, &std::env::temp_dir()).unwrap())
    }

    #[tokio::test]
    async fn the_least_wanted_goes_first() {
        let recent = Recent::new(2);
        recent.put(key(1), diff());
        recent.put(key(2), diff());
        assert!(recent.get(&key(1)).is_some());
        recent.put(key(3), diff());
        let there: Vec<bool> = (1..=3).map(|target| recent.get(&key(target)).is_some()).collect();
        assert_eq!(there, [true, false, true]);
        assert!(recent.get(&Key { base: Some(1), ..key(1) }).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_wants_goes_with_time() {
        let recent = Recent::new(2);
        recent.put(key(1), diff());
        tokio::time::advance(LIFETIME - Duration::from_secs(1)).await;
        assert!(recent.get(&key(1)).is_some());
        tokio::time::advance(LIFETIME).await;
        assert!(recent.get(&key(1)).is_none());
    }

    #[tokio::test]
    async fn none_are_kept_if_none_may_be() {
        let recent = Recent::new(0);
        recent.put(key(1), diff());
        assert!(recent.get(&key(1)).is_none());
    }
}
