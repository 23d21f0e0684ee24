//! What a driver's answers say of a volume: its size, and whether its blocks have one.
//!
//! A list that starts in the middle needs both before it can be asked for. They are learned from any answer about the same
//! snapshots, or by asking for a single entry.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use proto::cbt::{Blocks, Kind, Packer, Query, Result, Volume};

use crate::runs::CHUNK;

/// For how many lists it is remembered.
const REMEMBERED: usize = 4096;

/// Of one list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    capacity: u64,
    /// The size of the blocks, if they have one.
    block: Option<u64>,
}

/// Which list: base and target.
pub(crate) type Key = (Option<String>, String);

/// What was learned lately.
#[derive(Debug, Default)]
pub(crate) struct Layouts {
    known: Mutex<HashMap<Key, Layout>>,
}

// === impl Layout ===

impl Layout {
    /// Of an answer, by a message with entries.
    pub(crate) fn of(blocks: &Blocks) -> Self {
        let size = blocks.iter().next().map(|block| block.size);
        Self { capacity: blocks.capacity(), block: size.filter(|_| blocks.kind() == Kind::Fixed) }
    }

    /// What entries are made of; `block_size` is for those who have no size of their own.
    pub(crate) fn volume(self, block_size: u64) -> Volume {
        let kind = if self.block.is_some() { Kind::Fixed } else { Kind::Variable };
        Volume { capacity: self.capacity, block_size: self.block.unwrap_or(block_size), kind }
    }

    /// From which byte on a list is asked for; `None` if nothing can be there.
    ///
    /// It is where an entry begins, whoever asks: some drivers compare what does not belong together when they are asked
    /// to start within a block.
    pub(crate) fn start(self, query: &Query, block_size: u64) -> Result<Option<u64>> {
        let from = Packer::new(query, self.volume(block_size), None)?.from();
        let unit = self.block.unwrap_or(CHUNK);
        Ok((from < self.capacity).then_some(from / unit * unit))
    }
}

// === impl Layouts ===

impl Layouts {
    /// What is known of a list.
    pub(crate) fn get(&self, key: &Key) -> Option<Layout> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(key).copied()
    }

    /// Forgets what may have been wrong.
    pub(crate) fn forget(&self, key: &Key) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Remembers what was seen.
    pub(crate) fn learn(&self, key: Key, layout: Layout) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(key, layout);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proto::cbt::{Error, Shape, Snapshot};

    use super::*;

    fn query(shape: Shape, start: u64) -> Query {
        Query { shape, start, ..Query::allocated(Snapshot::Handle("s".into())) }
    }

    #[test]
    fn lists_are_asked_for_from_where_an_entry_begins() {
        let fixed = Layout { capacity: 10 * 4096, block: Some(4096) };
        let variable = Layout { capacity: 3 * CHUNK + 7, block: None };
        let starts = [
            (fixed, Shape::Ranges, 65537, None),
            (fixed, Shape::Ranges, 4095, Some(0)),
            (fixed, Shape::Ranges, 4097, Some(4096)),
            (fixed, Shape::Blocks, 3, Some(3 * 4096)),
            (fixed, Shape::Blocks, 11, None),
            (variable, Shape::Ranges, CHUNK - 1, Some(0)),
            (variable, Shape::Ranges, CHUNK + 1, Some(CHUNK)),
            (variable, Shape::Blocks, CHUNK / 65536, Some(CHUNK)),
            (variable, Shape::Blocks, CHUNK / 65536 - 1, Some(0)),
        ];
        for (layout, shape, start, expected) in starts {
            let found = layout.start(&query(shape, start), 65536);
            match expected {
                Some(byte) => assert_eq!(found, Ok(Some(byte)), "{shape:?} {start}"),
                None => assert!(matches!(found, Err(Error::OutOfRange(_))), "{shape:?} {start}: {found:?}"),
            }
        }
        assert_eq!(fixed.start(&query(Shape::Ranges, 10 * 4096), 65536).unwrap(), None);
        assert_eq!(fixed.start(&query(Shape::Blocks, 10), 65536).unwrap(), None);
    }

    #[test]
    fn not_everything_is_remembered_for_ever() {
        let (layouts, layout) = (Layouts::default(), Layout { capacity: 1, block: None });
        for index in 0..=REMEMBERED {
            layouts.learn((None, index.to_string()), layout);
        }
        assert_eq!(layouts.get(&(None, "0".into())), None);
        assert_eq!(layouts.get(&(None, REMEMBERED.to_string())), Some(layout));
    }
}
