//! Snapshots.

use std::collections::BTreeMap;

/// Bytes of a block.
pub const BLOCK_SIZE: u32 = 512 << 10;

/// A snapshot of a volume.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// `snap-…`.
    pub id: String,
    /// The volume that it is of: only snapshots of one can be compared.
    pub volume: String,
    /// The size of the volume in GiB.
    pub gib: u32,
    /// Whether it can be read.
    pub completed: bool,
    /// The blocks that were ever written.
    pub written: Written,
}

/// Blocks, by index; each with a number that its data are made from.
#[derive(Debug, Clone)]
pub enum Written {
    /// These.
    Some(BTreeMap<u32, u64>),
    /// The first so many, all alike.
    First(u32, u64),
}

// === impl Snapshot ===

impl Snapshot {
    /// A completed snapshot.
    pub fn new(id: &str, volume: &str, gib: u32, written: Written) -> Self {
        Self { id: id.to_owned(), volume: volume.to_owned(), gib, completed: true, written }
    }

    /// How many blocks the volume has.
    pub(crate) fn blocks(&self) -> u32 {
        u32::try_from((u64::from(self.gib) << 30) / u64::from(BLOCK_SIZE)).unwrap_or(u32::MAX)
    }
}

// === impl Written ===

impl Written {
    /// Those from an index on.
    pub(crate) fn from(&self, index: u32) -> Box<dyn Iterator<Item = (u32, u64)> + '_> {
        match self {
            Self::Some(blocks) => Box::new(blocks.range(index..).map(|(index, seed)| (*index, *seed))),
            Self::First(count, seed) => Box::new((index..*count).map(|index| (index, *seed))),
        }
    }

    /// One of them.
    pub(crate) fn get(&self, index: u32) -> Option<u64> {
        match self {
            Self::Some(blocks) => blocks.get(&index).copied(),
            Self::First(count, seed) => (index < *count).then_some(*seed),
        }
    }
}

/// The data of a block that was made from `seed`: no two seeds have the same.
pub fn data(seed: u64) -> Vec<u8> {
    let mut data = Vec::with_capacity(BLOCK_SIZE as usize);
    let mut state = seed;
    while data.len() < BLOCK_SIZE as usize {
        data.extend_from_slice(&state.to_le_bytes());
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    }
    data
}
