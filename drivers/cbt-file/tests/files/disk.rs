//! A volume that is written to at random, in memory: what is true of an image to which the same was done.

use std::ops::Range;

/// What file systems allocate, in bytes.
pub(crate) const CELL: u64 = 4096;

/// A volume.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    pub(crate) bytes: Vec<u8>,
    /// Of each cell, whether it was written to.
    written: Vec<bool>,
}

/// Something done to a volume, in whole cells.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    /// Fills a range with a byte that is not 0.
    Write(Range<u64>, u8),
    /// Makes a range a hole.
    Punch(Range<u64>),
}

/// Numbers that look random, the same for each seed.
#[derive(Debug)]
pub(crate) struct Random(u64);

// === impl Disk ===

impl Disk {
    /// All zeros.
    pub(crate) fn new(size: u64) -> Self {
        Self { bytes: vec![0; size as usize], written: vec![false; size.div_ceil(CELL) as usize] }
    }

    pub(crate) fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub(crate) fn apply(&mut self, ops: &[Op]) {
        for op in ops {
            let (range, byte) = match op {
                Op::Write(range, byte) => (range, *byte),
                Op::Punch(range) => (range, 0),
            };
            self.bytes[range.start as usize..range.end as usize].fill(byte);
            self.written[(range.start / CELL) as usize..range.end.div_ceil(CELL) as usize].fill(byte != 0);
        }
    }

    /// The ranges that were written to.
    pub(crate) fn allocated(&self) -> Vec<Range<u64>> {
        let cells = self.written.iter().enumerate().filter(|(_, written)| **written);
        merged(cells.map(|(cell, _)| self.cell(cell)))
    }

    /// The ranges that are not as in `base`, beyond whose end are zeros: in whole cells, found by looking at everything.
    pub(crate) fn differs(&self, base: &Self) -> Vec<Range<u64>> {
        let differs = |range: &Range<u64>| {
            let range = range.start as usize..range.end as usize;
            let there = &base.bytes[range.start.min(base.bytes.len())..range.end.min(base.bytes.len())];
            let (here, beyond) = self.bytes[range].split_at(there.len());
            here != there || beyond.iter().any(|byte| *byte != 0)
        };
        merged((0..self.written.len()).map(|cell| self.cell(cell)).filter(differs))
    }

    fn cell(&self, cell: usize) -> Range<u64> {
        let start = cell as u64 * CELL;
        start..(start + CELL).min(self.size())
    }
}

// === impl Random ===

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Less than `below`.
    pub(crate) fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let value = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (value ^ value >> 31) % below
    }

    /// Some cells of a volume, few or many.
    pub(crate) fn range(&mut self, size: u64) -> Range<u64> {
        let cells = size / CELL;
        let longest = [1, 3, 20, 200][self.next(4) as usize];
        let length = 1 + self.next(longest).min(cells - 1);
        let start = self.next(cells - length + 1);
        start * CELL..(start + length) * CELL
    }

    /// `count` writes, and one at the end of the volume.
    pub(crate) fn writes(&mut self, size: u64, count: usize) -> Vec<Op> {
        let last = size.div_ceil(CELL) * CELL - CELL..size;
        let ranges: Vec<_> = (0..count).map(|_| self.range(size)).chain([last]).collect();
        ranges.into_iter().map(|range| Op::Write(range, 1 + self.next(255) as u8)).collect()
    }

    /// `count` holes.
    pub(crate) fn holes(&mut self, size: u64, count: usize) -> Vec<Op> {
        (0..count).map(|_| Op::Punch(self.range(size))).collect()
    }
}

/// Ranges in order, those that touch or overlap as one.
pub(crate) fn merged(ranges: impl IntoIterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut merged: Vec<Range<u64>> = Vec::new();
    for range in ranges.into_iter().filter(|range| !range.is_empty()) {
        match merged.last_mut() {
            Some(last) if last.end >= range.start => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// Ranges widened to multiples of `unit`, but not beyond `size`.
pub(crate) fn outward(ranges: &[Range<u64>], unit: u64, size: u64) -> Vec<Range<u64>> {
    merged(ranges.iter().map(|range| range.start / unit * unit..range.end.next_multiple_of(unit).min(size)))
}
