//! Ranges of any size, made so that they do not depend on how they were asked for.
//!
//! A driver cuts a range where a message ends, and where a list starts. Whoever resumes in the middle would see other
//! entries than before. So ranges that touch are joined, and cut at multiples of [`CHUNK`]; and a list is asked for from
//! such a multiple on.
//!
//! ```text
//!            0              CHUNK                        2 CHUNK
//! driver     [───][──]  [────────────][──────]     [────────]
//! runs       [───────]  [───][───────────────]     [─────][─]
//! ```

use std::{mem, ops::Range};

/// Bytes between the places where runs are always cut; a multiple of every block size.
pub(crate) const CHUNK: u64 = 4 << 20;

/// Joins and cuts ranges that come in order.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    /// What may still grow.
    run: Range<u64>,
    /// What comes after it.
    rest: Range<u64>,
}

// === impl Runs ===

impl Runs {
    /// Takes the next range; take all runs that are ready before.
    pub(crate) fn push(&mut self, range: Range<u64>) {
        if range.start == self.run.end && !self.run.is_empty() {
            self.run.end = range.end;
        } else {
            self.rest = range;
        }
    }

    /// A run that will not grow, if there is one.
    pub(crate) fn ready(&mut self) -> Option<Range<u64>> {
        let cut = (self.run.start / CHUNK + 1) * CHUNK;
        if self.run.end >= cut {
            let ready = self.run.start..cut;
            self.run.start = cut;
            return Some(ready);
        }
        if self.rest.is_empty() {
            return None;
        }
        let ready = mem::replace(&mut self.run, mem::take(&mut self.rest));
        if ready.is_empty() { self.ready() } else { Some(ready) }
    }

    /// The last run, when nothing is ready and nothing comes any more.
    pub(crate) fn finish(self) -> Option<Range<u64>> {
        Some(self.run).filter(|run| !run.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn runs(ranges: impl IntoIterator<Item = Range<u64>>) -> Vec<Range<u64>> {
        let (mut runs, mut all) = (Runs::default(), Vec::new());
        for range in ranges {
            runs.push(range);
            all.extend(std::iter::from_fn(|| runs.ready()));
        }
        all.extend(runs.finish());
        all
    }

    #[test]
    fn what_touches_is_joined_and_chunks_are_cut() {
        assert_eq!(runs([]), []);
        assert_eq!(runs([0..1, 1..5, 6..7]), [0..5, 6..7]);
        let far = [CHUNK - 1..CHUNK, CHUNK..CHUNK + 1, CHUNK + 1..3 * CHUNK + 2, 3 * CHUNK + 2..3 * CHUNK + 3];
        let cut = [CHUNK - 1..CHUNK, CHUNK..2 * CHUNK, 2 * CHUNK..3 * CHUNK, 3 * CHUNK..3 * CHUNK + 3];
        assert_eq!(runs(far), cut);
    }

    /// Ranges in order, in units that make chunks and touching ranges common.
    fn ranges() -> impl Strategy<Value = Vec<Range<u64>>> {
        prop::collection::vec((0..4_u64, 1..12_u64), 0..30).prop_map(|parts| {
            let mut end = 0;
            let unit = CHUNK / 4;
            let mut place = |(gap, length): (u64, u64)| {
                let start = end + gap * unit;
                end = start + length * unit;
                start..end
            };
            parts.into_iter().map(&mut place).collect()
        })
    }

    fn units(ranges: &[Range<u64>]) -> Vec<u64> {
        ranges.iter().flat_map(|range| (range.start..range.end).step_by(CHUNK as usize / 4)).collect()
    }

    proptest! {
        #[test]
        fn runs_are_the_same_bytes(ranges in ranges()) {
            prop_assert_eq!(units(&runs(ranges.clone())), units(&ranges));
        }

        #[test]
        fn runs_do_not_depend_on_where_ranges_are_cut(ranges in ranges()) {
            let unit = CHUNK / 4;
            let pieces = ranges.iter().flat_map(|range| (range.start..range.end).step_by(unit as usize));
            prop_assert_eq!(runs(pieces.map(|start| start..start + unit)), runs(ranges));
        }

        #[test]
        fn runs_from_a_chunk_on_are_the_rest(ranges in ranges(), chunk in 0..50_u64) {
            let from = chunk * CHUNK;
            let clipped = ranges.iter().filter(|range| range.end > from).map(|range| range.start.max(from)..range.end);
            let rest: Vec<_> = runs(ranges.clone()).into_iter().filter(|run| run.end > from).collect();
            prop_assert_eq!(runs(clipped), rest);
        }
    }
}
