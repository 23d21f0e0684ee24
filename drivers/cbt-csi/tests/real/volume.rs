//! Two snapshots of a volume, as bytes, and what a comparison of all of them says.

use std::ops::Range;

/// What both drivers compare by.
pub(crate) const BLOCK: u64 = 4096;

/// The same each time.
pub(crate) struct Random(pub(crate) u64);

/// Two snapshots.
pub(crate) struct Volume {
    pub(crate) base: Vec<u8>,
    pub(crate) target: Vec<u8>,
}

// === impl Random ===

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    /// Writes to places at random: some in a row, some alone, some zeros.
    fn write(&mut self, content: &mut [u8]) {
        for _ in 0..1 + self.below(40) {
            let start = self.below(content.len() as u64);
            let magnitude = 1 + self.below(20);
            let length = 1 + self.below(1 << magnitude);
            let byte = self.below(4) as u8;
            let end = (start + length).min(content.len() as u64);
            content[start as usize..end as usize].fill(byte);
        }
    }
}

// === impl Volume ===

impl Volume {
    /// Of `size` bytes, written to before and between.
    pub(crate) fn random(random: &mut Random, size: u64) -> Self {
        let mut base = vec![0; size as usize];
        random.write(&mut base);
        let mut target = base.clone();
        random.write(&mut target);
        Self { base, target }
    }

    /// With differences in several places, the last of which is the end, and rows of them across every 4 MiB.
    pub(crate) fn regular(size: u64) -> Self {
        let mut base = vec![0; size as usize];
        for start in (0..size).step_by(1 << 20) {
            base[start as usize..][..20_000.min((size - start) as usize)].fill(1);
        }
        let mut target = base.clone();
        for start in (0..size).step_by(1 << 20).skip(1) {
            target[start as usize - 30_000..][..50_000.min((size - start) as usize)].fill(2);
        }
        target[size as usize - 1] = 3;
        Self { base, target }
    }

    /// The blocks of the target that are not zeros.
    pub(crate) fn allocated(&self) -> Vec<Range<u64>> {
        different(&vec![0; self.target.len()], &self.target)
    }

    /// The blocks that differ.
    pub(crate) fn changed(&self) -> Vec<Range<u64>> {
        different(&self.base, &self.target)
    }
}

/// One range a block.
fn different(base: &[u8], target: &[u8]) -> Vec<Range<u64>> {
    let blocks = base.chunks(BLOCK as usize).zip(target.chunks(BLOCK as usize)).zip((0..).step_by(BLOCK as usize));
    blocks.filter(|((base, target), _)| base != target).map(|((base, _), at)| at..at + base.len() as u64).collect()
}
