//! Entries as they travel: an encoded message that is read in place, and forwarded unread.

use bytes::Bytes;

use super::{
    Error, Result,
    scan::{Cursor, Summary},
};

/// Whether entries have one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// All entries of the stream have the same size.
    Fixed,
    /// Each has its own.
    Variable,
}

/// One entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'a> {
    /// Bytes from the start of the volume.
    pub offset: u64,
    /// Bytes; never 0.
    pub size: u64,
    /// What its data can be read with; empty when there is none. Text without characters that JSON escapes.
    pub token: &'a [u8],
}

/// A message of a stream: `outrigger.cbt.v1.BlocksResponse` in its encoding, which is also CSI's.
///
/// That it can be read is checked once; that a stream keeps the contract is [`super::Checker`]'s to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocks {
    pub(super) encoded: Bytes,
    pub(super) summary: Summary,
}

// === impl Blocks ===

impl Blocks {
    /// Takes a message as it came; [`super::Error::Broken`] when it is none.
    ///
    /// A message that does not say its kind is taken if it has no entries, as CSI allows.
    pub fn decode(encoded: Bytes) -> Result<Self> {
        let summary = Summary::read(&encoded);
        let summary = summary.map_err(|fault| Error::Broken(format!("a message of blocks cannot be read: {fault}")))?;
        Ok(Self { encoded, summary })
    }

    /// The message, to be sent on.
    pub fn encoded(&self) -> &Bytes {
        &self.encoded
    }

    /// Whether entries have one size.
    pub fn kind(&self) -> Kind {
        self.summary.kind.unwrap_or(Kind::Variable)
    }

    /// The volume's size in bytes; 0 in a message without entries that does not say it.
    pub fn capacity(&self) -> u64 {
        self.summary.capacity
    }

    /// When the tokens were issued (seconds since 1970), and for how many seconds they are good; zeros without tokens.
    pub fn validity(&self) -> (i64, i64) {
        // Both were no larger when they were read.
        (self.summary.issued.cast_signed(), self.summary.ttl.cast_signed())
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.summary.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the last entry ends, in bytes: what to go on from. 0 without entries.
    pub fn end(&self) -> u64 {
        self.summary.end
    }

    /// The entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = Block<'_>> {
        let mut cursor = Cursor::new(&self.encoded);
        // It was read before, or made here.
        std::iter::from_fn(move || cursor.next_entry().ok().flatten())
    }
}
