//! When history is let go of: by age, and by size before that.
//!
//! How old a revision is, is known from marks that are set as the log grows; what was there before this process began
//! counts as just written.

use std::{collections::VecDeque, time::Duration};

use proto::store::Revision;
use tokio::time::Instant;

/// How much history to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keep {
    /// At least for so long,
    pub(crate) age: Duration,
    /// unless it has written more bytes than this.
    pub(crate) bytes: u64,
}

/// How far the log was, and when.
#[derive(Debug, Clone, Copy)]
struct Mark {
    at: Instant,
    head: Revision,
    /// Bytes that had been written by then.
    bytes: u64,
}

/// The marks of the history that is kept.
#[derive(Debug)]
pub(crate) struct Age {
    keep: Keep,
    marks: VecDeque<Mark>,
}

// === impl Keep ===

impl Keep {
    /// How often to look.
    pub(crate) fn interval(self) -> Duration {
        (self.age / 20).clamp(Duration::from_millis(50), Duration::from_secs(1))
    }
}

// === impl Age ===

impl Age {
    pub(crate) fn new(keep: Keep) -> Self {
        Self { keep, marks: VecDeque::new() }
    }

    /// Notes that by `now` the log stands at `head` and has written `bytes`; returns below what it may be compacted.
    pub(crate) fn mark(&mut self, now: Instant, head: Revision, bytes: u64) -> Option<Revision> {
        if self.marks.back().is_none_or(|mark| mark.head < head) {
            self.marks.push_back(Mark { at: now, head, bytes });
        }
        let over = |mark: &Mark| now - mark.at >= self.keep.age || bytes - mark.bytes > self.keep.bytes;
        let count = self.marks.iter().take_while(|mark| over(mark)).count();
        self.marks.drain(..count).next_back().map(|mark| mark.head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn history_is_let_go_of_by_age_and_by_size() {
        let start = Instant::now();
        let mut age = Age::new(Keep { age: 10 * SECOND, bytes: 1000 });
        for (seconds, head, bytes, expected) in [
            (0, 5, 0, None),
            (5, 8, 300, None),
            (9, 8, 300, None),
            (10, 9, 400, Some(5)),
            (11, 9, 400, None),
            (15, 10, 500, Some(8)),
            (16, 20, 1450, Some(9)),
            (17, 21, 9000, Some(20)),
            (26, 21, 9000, None),
            (27, 21, 9000, Some(21)),
            (99, 21, 9000, None),
        ] {
            let target = age.mark(start + seconds * SECOND, head, bytes);
            assert_eq!(target, expected, "after {seconds} s");
        }
    }

    #[test]
    fn it_looks_often_enough_for_a_short_history_and_seldom_for_a_long_one() {
        let interval = |age| Keep { age, bytes: 0 }.interval();
        assert_eq!(interval(300 * SECOND), SECOND);
        assert_eq!(interval(10 * SECOND), SECOND / 2);
        assert_eq!(interval(Duration::ZERO), Duration::from_millis(50));
    }
}
