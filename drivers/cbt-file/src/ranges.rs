//! Where ranges come from: one small trait over all the ways to find them.

use std::ops::Range;

use proto::cbt::Result;

/// What a scan of data is cut at, in bytes: ranges do not reach from one segment into the next. So it does not matter
/// where a scan began, and what a start falls into is found without going back further than this.
pub(crate) const SEGMENT: u64 = 32 << 20;

/// What a source is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask {
    /// Nothing that ends at or before this byte matters.
    pub(crate) start: u64,
    /// How fine the answer should be, in bytes: a power of two. Ranges may be finer.
    pub(crate) grain: u64,
}

/// How far a step came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The next range.
    Found(Range<u64>),
    /// Nothing in what was looked at; there is more to look at.
    Passed,
    /// There are no more.
    End,
}

/// Ranges in order, none twice, found by blocking work.
///
/// A step takes some 10 ms at most unless an outer process keeps it waiting, and notices within 50 ms when nobody waits.
/// The ranges are the same wherever the scan began, but for those that end at or before [`Ask::start`].
pub(crate) trait Ranges: Send {
    /// Looks on.
    fn step(&mut self) -> Result<Step>;
}

/// No ranges at all.
pub(crate) struct Nothing;

impl Ranges for Nothing {
    fn step(&mut self) -> Result<Step> {
        Ok(Step::End)
    }
}

/// The start of the segment that a byte is in, when segments are at least as large as grains.
pub(crate) fn segment(start: u64, grain: u64) -> Range<u64> {
    let size = SEGMENT.max(grain);
    let start = start / size * size;
    start..start.saturating_add(size)
}
