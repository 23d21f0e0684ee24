//! A volume that is computed: as many entries as one likes, the same each time, from any start at once.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};

use super::{Subject, Truth};
use crate::cbt::{
    Block, Blocks, Builder, ChangedBlocks, Data, Error, Info, Kind, Query, Read, Result, Shape, Snapshot,
};

/// Two snapshots, `base` and `target`, that differ in `entries` blocks, and `other` of another volume.
///
/// All of the target is allocated that differs, and nothing else.
#[derive(Debug, Clone)]
pub struct Synthetic {
    entries: u64,
    block_size: u64,
    /// Blocks for each entry: 1, or 2 of which one is an entry.
    stride: u64,
    truth: Truth,
}

/// When the tokens are issued, and for how long they are good.
const VALIDITY: (i64, i64) = (1_700_000_000, 3600);
/// For a token that is the same each time.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

// === impl Synthetic ===

impl Synthetic {
    /// `entries` blocks one after the other: a volume that is all changed.
    pub fn full(entries: u64, block_size: u64) -> Self {
        Self::new(entries, block_size, 1)
    }

    /// `entries` blocks with gaps of up to two blocks between them, at random and the same each time.
    pub fn sparse(entries: u64, block_size: u64) -> Self {
        Self::new(entries, block_size, 2)
    }

    fn new(entries: u64, block_size: u64, stride: u64) -> Self {
        let handle = |handle: &str| Snapshot::Handle(handle.to_owned());
        let capacity = entries * stride * block_size;
        let truth = Truth::new(handle("base"), handle("target"), capacity, block_size);
        let truth = Truth { foreign: Some(handle("other")), ..truth };
        Self { entries, block_size, stride, truth }
    }

    /// With its truth written out, for the suite; only for volumes that are not large.
    pub fn with_truth(mut self) -> Self {
        let range = |entry| {
            let offset = self.block(entry) * self.block_size;
            offset..offset + self.block_size
        };
        self.truth.changed = (0..self.entries).map(range).collect();
        self.truth.allocated = self.truth.changed.clone();
        self
    }

    /// The size of the volume in bytes.
    pub fn capacity(&self) -> u64 {
        self.truth.capacity
    }

    /// The index of the block of an entry.
    fn block(&self, entry: u64) -> u64 {
        entry * self.stride + if self.stride == 1 { 0 } else { mix(entry) & 1 }
    }

    /// The first entry at or after a block.
    fn entry_at(&self, block: u64) -> u64 {
        let entry = block / self.stride;
        if entry < self.entries && self.block(entry) < block { entry + 1 } else { entry }
    }

    fn message(&self, entries: Range<u64>, per_message: u32, tokens: bool) -> (Blocks, u64) {
        let mut builder = Builder::new(Kind::Fixed, self.capacity());
        if tokens {
            builder.validity(VALIDITY.0, VALIDITY.1);
        }
        let mut next = entries.start;
        while next < entries.end && !builder.is_full(per_message) {
            let block = self.block(next);
            let token = if tokens { token("target", block) } else { String::new() };
            builder.push(Block { offset: block * self.block_size, size: self.block_size, token: token.as_bytes() });
            next += 1;
        }
        (builder.finish(), next)
    }

    /// Which entries, of all or of none.
    fn entries(&self, query: &Query) -> Result<Range<u64>> {
        let base = query.base.as_ref().map(|base| self.handle(base)).transpose()?;
        let target = self.handle(&query.target)?;
        if base.is_some_and(|base| (base == "other") != (target == "other")) {
            return Err(Error::NoDelta("the snapshots are of different volumes".to_owned()));
        }
        let (start, end) = match query.shape {
            Shape::Ranges => (query.start / self.block_size, self.capacity()),
            Shape::Blocks => (query.start, self.entries * self.stride),
        };
        if query.start > end {
            return Err(Error::OutOfRange(format!("the start {} is beyond the end at {end}", query.start)));
        }
        let first = self.entry_at(start);
        let none = base == Some(target) || target == "base" || target == "other";
        let limit = if query.limit == 0 { u64::MAX } else { query.limit };
        Ok(first..if none { first } else { self.entries.min(first.saturating_add(limit)) })
    }

    fn handle<'a>(&self, snapshot: &'a Snapshot) -> Result<&'a str> {
        match snapshot {
            Snapshot::Handle(handle) if ["base", "target", "other"].contains(&handle.as_str()) => Ok(handle),
            Snapshot::Handle(handle) => Err(Error::NotFound(format!("there is no snapshot {handle:?}"))),
            Snapshot::Named { .. } => Err(Error::Invalid("a driver knows snapshots by their handles".to_owned())),
        }
    }

    /// The data of a block of the target.
    fn bytes(&self, offset: u64, length: u64) -> Vec<u8> {
        (offset..offset + length).map(|at| mix(at / 8).to_le_bytes()[at as usize % 8]).collect()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ChangedBlocks for Synthetic {
    async fn info(&self) -> Result<Info> {
        Ok(Info { driver: "synthetic.example.com".to_owned(), version: "1".to_owned(), reads: true })
    }

    async fn blocks(&self, query: Query) -> Result<BoxStream<'static, Result<Blocks>>> {
        let entries = self.entries(&query)?;
        let tokens = query.tokens && query.shape == Shape::Blocks;
        if entries.is_empty() {
            let (message, _) = self.message(entries, query.per_message, tokens);
            return Ok(stream::iter([Ok(message)]).boxed());
        }
        let volume = self.clone();
        let messages = stream::iter(std::iter::successors(Some((None, entries.start)), move |(_, next)| {
            if *next >= entries.end {
                return None;
            }
            let (message, next) = volume.message(*next..entries.end, query.per_message, tokens);
            Some((Some(message), next))
        }));
        Ok(messages.filter_map(async |(message, _)| message.map(Ok)).boxed())
    }

    async fn read(&self, read: Read) -> Result<BoxStream<'static, Result<Data>>> {
        let handle = self.handle(&read.target)?;
        if read.tokens.is_empty() {
            return Err(Error::Invalid("no tokens".to_owned()));
        }
        let index = |given: &Bytes| {
            let text = std::str::from_utf8(given).ok()?;
            let block = u64::from_str_radix(text.split_once('-')?.0, 16).ok()?;
            (text == token(handle, block)).then_some(block)
        };
        let blocks: Option<Vec<_>> = read.tokens.iter().map(index).collect();
        let blocks = blocks.ok_or_else(|| Error::Invalid("a token that was not given".to_owned()))?;
        let volume = self.clone();
        Ok(stream::iter(blocks)
            .flat_map(move |block| stream::iter(volume.pieces(block * volume.block_size)))
            .map(Ok)
            .boxed())
    }
}

impl Synthetic {
    fn pieces(&self, offset: u64) -> Vec<Data> {
        let piece = 1 << 16;
        let pieces = (offset..offset + self.block_size).step_by(piece);
        let length = self.block_size.min(piece as u64);
        pieces.map(|at| Data { offset: at, bytes: self.bytes(at, length).into() }).collect()
    }
}

#[async_trait]
impl Subject for Synthetic {
    fn blocks(&self) -> &dyn ChangedBlocks {
        self
    }

    fn truth(&self) -> &Truth {
        &self.truth
    }

    async fn data(&self, range: Range<u64>) -> Vec<u8> {
        self.bytes(range.start, range.end - range.start)
    }
}

fn token(snapshot: &str, block: u64) -> String {
    let snapshot = snapshot.bytes().fold(SEED, |sum, byte| mix(sum ^ u64::from(byte)));
    format!("{block:x}-{:016x}", mix(snapshot ^ block))
}

/// Bits that look random.
fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}
