//! Finds what differs between two images by reading both, where at least one of them has data.
//!
//! One segment at a time: what must be read of it is cut into pieces, and a few threads take them. The images are read
//! rather than mapped: a file that is cut short while it is compared is then an error and not a signal that ends the
//! process, and it costs no more, since both sides are read once and in order.

use std::{
    collections::VecDeque,
    ops::Range,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use proto::cbt::Result;

use crate::{
    image::Image,
    ranges::{Ask, Ranges, Step, segment},
};

/// What a thread takes at once, in bytes, when grains are smaller.
const PIECE: u64 = 2 << 20;
/// What is read at once, in bytes.
const CHUNK: u64 = 256 << 10;
/// Threads at most, for one answer.
const THREADS: usize = 4;

/// The ranges in which two images differ, in multiples of the grain.
pub(crate) struct Compare {
    base: Arc<dyn Image>,
    target: Arc<dyn Image>,
    grain: u64,
    /// What is not compared yet.
    left: Range<u64>,
    found: VecDeque<Range<u64>>,
}

/// One image within a segment, and where it has data there.
struct Side<'a> {
    image: &'a dyn Image,
    data: Vec<Range<u64>>,
}

/// What was read of one side.
struct Buffer {
    bytes: Vec<u8>,
    /// Whether all of it is zeros, and known to be.
    zeros: bool,
}

// === impl Compare ===

impl Compare {
    /// Compares all of `target`; what it is longer than `base` is compared with zeros.
    pub(crate) fn new(base: Arc<dyn Image>, target: Arc<dyn Image>, ask: Ask) -> Self {
        let left = segment(ask.start, ask.grain).start..target.size();
        Self { base, target, grain: ask.grain, left, found: VecDeque::new() }
    }

    /// Compares only `within`.
    pub(crate) fn within(base: Arc<dyn Image>, target: Arc<dyn Image>, ask: Ask, within: &Range<u64>) -> Self {
        let all = Self::new(base, target, ask);
        let left = all.left.start.max(within.start)..all.left.end.min(within.end);
        Self { left, ..all }
    }

    /// The next segment in which there is data, as far as it is to be compared.
    fn next(&self) -> Result<Option<Range<u64>>> {
        let Range { start, end } = self.left;
        if start >= end {
            return Ok(None);
        }
        let data = match (self.base.skip(start)?, self.target.skip(start)?) {
            (Some(base), Some(target)) => base.min(target).max(start),
            (base, target) => match base.or(target) {
                Some(only) => only.max(start),
                None => return Ok(None),
            },
        };
        if data >= end {
            return Ok(None);
        }
        let segment = segment(data, self.grain);
        Ok(Some(segment.start.max(start)..segment.end.min(end)))
    }
}

impl Ranges for Compare {
    fn step(&mut self) -> Result<Step> {
        if let Some(found) = self.found.pop_front() {
            return Ok(Step::Found(found));
        }
        self.base.check()?;
        self.target.check()?;
        let Some(next) = self.next()? else {
            return Ok(Step::End);
        };
        self.left.start = next.end;
        let base = Side { image: &*self.base, data: self.base.data(next.clone())? };
        let target = Side { image: &*self.target, data: self.target.data(next.clone())? };
        let pieces = pieces(&base.data, &target.data, &next, self.grain);
        self.found = merge(differ(&base, &target, &pieces, self.grain)?);
        Ok(self.found.pop_front().map_or(Step::Passed, Step::Found))
    }
}

// === impl Side ===

impl Side<'_> {
    fn read(&self, range: &Range<u64>, buffer: &mut Buffer) -> Result<()> {
        let length = (range.end - range.start) as usize;
        let after = self.data.partition_point(|data| data.end <= range.start);
        let has_data = self.data.get(after).is_some_and(|data| data.start < range.end);
        if has_data {
            buffer.bytes.resize(length, 0);
            buffer.zeros = false;
            return self.image.read(range.start, &mut buffer.bytes);
        }
        if !buffer.zeros {
            buffer.bytes.fill(0);
            buffer.zeros = true;
        }
        buffer.bytes.resize(length, 0);
        Ok(())
    }
}

// === impl Buffer ===

impl Buffer {
    fn new() -> Self {
        Self { bytes: Vec::with_capacity(CHUNK as usize), zeros: true }
    }
}

/// Everything in `within` where one of the two has data, widened to grains and cut into pieces.
fn pieces(base: &[Range<u64>], target: &[Range<u64>], within: &Range<u64>, grain: u64) -> Vec<Range<u64>> {
    let mut data: Vec<&Range<u64>> = base.iter().chain(target).collect();
    data.sort_unstable_by_key(|data| data.start);
    let (mut pieces, mut at, size) = (Vec::new(), within.start, PIECE.max(grain));
    for data in data {
        at = at.max(data.start / grain * grain);
        let end = data.end.next_multiple_of(grain).min(within.end);
        while at < end {
            let next = (at / size * size + size).min(end);
            pieces.push(at..next);
            at = next;
        }
    }
    pieces
}

/// What differs in each of the pieces, in their order.
fn differ(base: &Side<'_>, target: &Side<'_>, pieces: &[Range<u64>], grain: u64) -> Result<Vec<Range<u64>>> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || -> Result<()> {
        let mut buffers = (Buffer::new(), Buffer::new());
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(piece) = pieces.get(number) else { return Ok(()) };
            let found = compare(base, target, piece, grain, &mut buffers);
            if found.is_err() {
                next.store(pieces.len(), Ordering::Relaxed);
            }
            done.lock().unwrap_or_else(PoisonError::into_inner).push((number, found?));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS).min(pieces.len());
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let own = work();
        let joined = others.into_iter().map(|other| other.join().expect("comparing does not panic"));
        joined.fold(own, Result::and)
    })?;
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(number, _)| *number);
    Ok(done.into_iter().flat_map(|(_, found)| found).collect())
}

/// What differs in one piece. The rest of a grain is not read once a difference is found in it.
fn compare(
    base: &Side<'_>,
    target: &Side<'_>,
    piece: &Range<u64>,
    grain: u64,
    (left, right): &mut (Buffer, Buffer),
) -> Result<Vec<Range<u64>>> {
    let (mut found, mut at) = (Vec::new(), piece.start);
    while at < piece.end {
        let chunk = at..piece.end.min(at + CHUNK);
        base.read(&chunk, left)?;
        target.read(&chunk, right)?;
        at = chunk.end;
        if (left.zeros && right.zeros) || left.bytes == right.bytes {
            continue;
        }
        for start in grains(&chunk, grain) {
            let end = (start / grain * grain + grain).min(piece.end);
            let here = (start - chunk.start) as usize..(end.min(chunk.end) - chunk.start) as usize;
            if left.bytes[here.clone()] != right.bytes[here] {
                found.push((start / grain * grain).max(piece.start)..end);
                at = at.max(end);
            }
        }
    }
    Ok(found)
}

/// Where the grains of a range begin, the first with the range itself.
fn grains(range: &Range<u64>, grain: u64) -> impl Iterator<Item = u64> + use<> {
    let mut next = range.clone();
    std::iter::from_fn(move || {
        let start = next.start;
        next.start = start / grain * grain + grain;
        (start < next.end).then_some(start)
    })
}

/// Ranges that touch as one.
fn merge(ranges: Vec<Range<u64>>) -> VecDeque<Range<u64>> {
    let mut merged: VecDeque<Range<u64>> = VecDeque::new();
    for range in ranges {
        match merged.back_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => merged.push_back(range),
        }
    }
    merged
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::single_range_in_vec_init, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Data at one place, zeros around it; `data` says more than there is, as file systems do.
    struct Patch {
        size: u64,
        at: u64,
        bytes: Vec<u8>,
    }

    impl Patch {
        fn range(&self) -> Range<u64> {
            self.at..(self.at + self.bytes.len() as u64).min(self.size)
        }
    }

    impl Image for Patch {
        fn size(&self) -> u64 {
            self.size
        }

        fn skip(&self, from: u64) -> Result<Option<u64>> {
            let Range { start, end } = self.range();
            Ok((from < end).then_some(start.max(from)))
        }

        fn data(&self, within: Range<u64>) -> Result<Vec<Range<u64>>> {
            let range = self.range().start.max(within.start)..self.range().end.min(within.end);
            Ok(if range.is_empty() { vec![] } else { vec![range] })
        }

        fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
            let range = self.range();
            for (at, byte) in (offset..).zip(buffer) {
                *byte = if range.contains(&at) { self.bytes[(at - self.at) as usize] } else { 0 };
            }
            Ok(())
        }

        fn check(&self) -> Result<()> {
            Ok(())
        }
    }

    fn all(mut ranges: impl Ranges) -> Vec<Range<u64>> {
        let mut found = Vec::new();
        loop {
            match ranges.step().unwrap() {
                Step::Found(range) => found.push(range),
                Step::Passed => {}
                Step::End => return found,
            }
        }
    }

    fn patch(size: u64, at: u64, bytes: &[u8]) -> Arc<dyn Image> {
        Arc::new(Patch { size, at, bytes: bytes.to_vec() })
    }

    fn compare_all(base: &Arc<dyn Image>, target: &Arc<dyn Image>, ask: Ask) -> Vec<Range<u64>> {
        all(Compare::new(Arc::clone(base), Arc::clone(target), ask))
    }

    #[test]
    fn terabytes_of_holes_are_passed_over() {
        let (size, far) = (1 << 50, (1 << 49) + 12_345);
        let (base, target) = (patch(size, 0, &[]), patch(size, far, &[1]));
        let ask = Ask { start: 0, grain: 4096 };
        assert_eq!(compare_all(&base, &target, ask), [far / 4096 * 4096..far / 4096 * 4096 + 4096]);
        let ask = Ask { start: 0, grain: 1 << 30 };
        assert_eq!(compare_all(&target, &base, ask), [1 << 49..(1 << 49) + (1 << 30)]);
    }

    #[test]
    fn what_the_base_had_beyond_the_target_is_not_compared() {
        let (base, target) = (patch(10_000, 9000, &[1; 500]), patch(9100, 0, &[]));
        assert_eq!(compare_all(&base, &target, Ask { start: 0, grain: 512 }), [8704..9100]);
    }

    proptest! {
        /// Cells are found as by looking at each byte, from any start, across pieces, chunks and segments.
        #[test]
        fn it_finds_what_each_byte_says(
            grain in (9u32..21).prop_map(|power| 1u64 << power),
            near in prop_oneof![Just(0), Just(CHUNK), Just(PIECE), Just(crate::ranges::SEGMENT)],
            shift in 0u64..20_000,
            before in proptest::collection::vec(0u8..2, 0..9000),
            after in proptest::collection::vec(0u8..2, 0..9000),
            moved in 0u64..9000,
        ) {
            let size = near + 40_000;
            let at = (near + shift).saturating_sub(10_000);
            let (base, target) = (patch(size, at, &before), patch(size, at + moved, &after));
            let found = compare_all(&base, &target, Ask { start: 0, grain });
            let byte = |image: &Arc<dyn Image>, at| {
                let mut byte = [0];
                image.read(at, &mut byte).unwrap();
                byte[0]
            };
            let cells = at / grain..(at + 18_000).min(size).div_ceil(grain);
            let differs = |cell: &u64| {
                let cell = (cell * grain).max(at)..((cell + 1) * grain).min(at + 18_000).min(size);
                cell.into_iter().any(|at| byte(&base, at) != byte(&target, at))
            };
            let expected: Vec<_> = cells.filter(differs).collect();
            let listed: Vec<_> = found.iter().flat_map(|range| range.start / grain..range.end.div_ceil(grain)).collect();
            prop_assert_eq!(&listed, &expected);
            // Ranges do not depend on where it began.
            let start = at + moved;
            let rest = compare_all(&base, &target, Ask { start, grain });
            let rest: Vec<_> = rest.into_iter().filter(|range| range.end > start).collect();
            prop_assert_eq!(rest, found.into_iter().filter(|range| range.end > start).collect::<Vec<_>>());
        }
    }
}
