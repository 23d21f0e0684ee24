//! Data that can be read at any place: what is compared, and what tokens are for.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use proto::cbt::Result;

use crate::ranges::{Ask, Ranges, Step};

/// How much is asked about at once, in bytes. Ranges of allocated data are cut here.
const WINDOW: u64 = 256 << 20;

/// The data of a snapshot. What lies beyond its end is zeros.
pub(crate) trait Image: Send + Sync {
    /// In bytes.
    fn size(&self) -> u64;

    /// A place at or after `from` before which there are only zeros; `None` if there are only zeros from there on. That
    /// there are no zeros after it is not said.
    fn skip(&self, from: u64) -> Result<Option<u64>>;

    /// The parts of `within` that may be other than zeros, in order, those that touch as one.
    fn data(&self, within: Range<u64>) -> Result<Vec<Range<u64>>>;

    /// Fills `buffer` with what is at `offset`.
    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()>;

    /// Fails when it is not what it was when it was opened.
    fn check(&self) -> Result<()>;
}

/// The ranges of an image that are allocated.
pub(crate) struct Allocated {
    image: Arc<dyn Image>,
    at: u64,
    found: VecDeque<Range<u64>>,
}

// === impl Allocated ===

impl Allocated {
    pub(crate) fn new(image: Arc<dyn Image>, ask: Ask) -> Self {
        Self { image, at: ask.start / WINDOW * WINDOW, found: VecDeque::new() }
    }
}

impl Ranges for Allocated {
    fn step(&mut self) -> Result<Step> {
        if let Some(found) = self.found.pop_front() {
            return Ok(Step::Found(found));
        }
        self.image.check()?;
        let Some(next) = self.image.skip(self.at)? else {
            return Ok(Step::End);
        };
        let start = next.max(self.at) / WINDOW * WINDOW;
        let end = start.saturating_add(WINDOW).min(self.image.size());
        if start >= end {
            return Ok(Step::End);
        }
        self.found = self.image.data(start..end)?.into();
        self.at = end;
        Ok(self.found.pop_front().map_or(Step::Passed, Step::Found))
    }
}
