//! Reading a message in place: one pass over its wire that learns all there is to know, and trusts nothing.

use prost::encoding::{DecodeContext, WireType, skip_field};

use super::{Block, Kind};

/// Why a message cannot be read.
pub(super) type Fault = &'static str;

/// What one pass over a message learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Summary {
    /// `None` where the message does not say, which only one without entries may.
    pub(super) kind: Option<Kind>,
    pub(super) capacity: u64,
    pub(super) issued: u64,
    pub(super) ttl: u64,
    pub(super) count: usize,
    /// Offset and end of the first entry.
    pub(super) first: (u64, u64),
    /// The end of the last entry.
    pub(super) end: u64,
    /// Whether no entry begins before the end of the one before it.
    pub(super) ordered: bool,
    /// The size of the first entry, and whether it is that of all.
    pub(super) size: (u64, bool),
    /// All offsets, or-ed: their common alignment.
    pub(super) offsets: u64,
}

/// What is left of a message.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a>(&'a [u8]);

/// The number and the wire type of a field, as they travel.
const fn key(number: u64, wire: WireType) -> u64 {
    number << 3 | wire as u64
}

pub(super) const KIND: u64 = key(1, WireType::Varint);
pub(super) const CAPACITY: u64 = key(2, WireType::Varint);
pub(super) const ENTRY: u64 = key(3, WireType::LengthDelimited);
pub(super) const ISSUED: u64 = key(16, WireType::Varint);
pub(super) const TTL: u64 = key(17, WireType::Varint);
pub(super) const OFFSET: u64 = key(1, WireType::Varint);
pub(super) const SIZE: u64 = key(2, WireType::Varint);
pub(super) const TOKEN: u64 = key(16, WireType::LengthDelimited);

/// Numbers are int64 on the wire.
const LARGEST: u64 = i64::MAX as u64;

const TRUNCATED: Fault = "it is cut off";
const NEGATIVE: Fault = "a number in it is negative or too large";
const EMPTY: Fault = "an entry in it has no size";
const UNKNOWN_KIND: Fault = "it does not say whether its entries have one size";
const WIRE: Fault = "it is no protobuf message of this type";

// === impl Summary ===

impl Summary {
    /// Reads a message.
    pub(super) fn read(message: &[u8]) -> Result<Self, Fault> {
        let mut summary = Self::new();
        let mut cursor = Cursor(message);
        while !cursor.0.is_empty() {
            match cursor.varint()? {
                ENTRY => summary.add(cursor.entry()?),
                KIND => summary.kind = kind(cursor.varint()?),
                CAPACITY => summary.capacity = cursor.varint()?,
                ISSUED => summary.issued = cursor.varint()?,
                TTL => summary.ttl = cursor.varint()?,
                other => cursor.skip(other, &[1, 2, 3, 16, 17])?,
            }
        }
        if summary.capacity.max(summary.issued).max(summary.ttl) > LARGEST {
            return Err(NEGATIVE);
        }
        if summary.count > 0 && summary.kind.is_none() {
            return Err(UNKNOWN_KIND);
        }
        Ok(summary)
    }

    /// Of a message without anything.
    pub(super) fn new() -> Self {
        Self { ordered: true, size: (0, true), ..Self::default() }
    }

    /// Counts an entry in.
    #[inline]
    pub(super) fn add(&mut self, Block { offset, size, .. }: Block<'_>) {
        let end = offset.saturating_add(size);
        if self.count == 0 {
            self.first = (offset, end);
            self.size.0 = size;
        }
        self.ordered &= offset >= self.end;
        self.size.1 &= size == self.size.0;
        self.offsets |= offset;
        self.end = end;
        self.count += 1;
    }
}

// === impl Cursor ===

impl<'a> Cursor<'a> {
    pub(super) fn new(message: &'a [u8]) -> Self {
        Self(message)
    }

    /// The next entry of a message, past whatever else is in it.
    pub(super) fn next_entry(&mut self) -> Result<Option<Block<'a>>, Fault> {
        while !self.0.is_empty() {
            match self.varint()? {
                ENTRY => return self.entry().map(Some),
                other => self.skip(other, &[3])?,
            }
        }
        Ok(None)
    }

    /// An entry, its key read.
    #[inline]
    fn entry(&mut self) -> Result<Block<'a>, Fault> {
        let mut inner = Cursor(self.delimited()?);
        let mut block = Block { offset: 0, size: 0, token: &[] };
        while !inner.0.is_empty() {
            match inner.varint()? {
                OFFSET => block.offset = inner.varint()?,
                SIZE => block.size = inner.varint()?,
                TOKEN => block.token = inner.delimited()?,
                other => inner.skip(other, &[1, 2, 16])?,
            }
        }
        if block.size == 0 {
            return Err(EMPTY);
        }
        // Both are int64: what is negative is beyond the largest, too.
        match block.offset.checked_add(block.size) {
            Some(end) if end <= LARGEST => Ok(block),
            _ => Err(NEGATIVE),
        }
    }

    #[inline]
    fn delimited(&mut self) -> Result<&'a [u8], Fault> {
        let length = usize::try_from(self.varint()?).map_err(|_| TRUNCATED)?;
        let (inner, rest) = self.0.split_at_checked(length).ok_or(TRUNCATED)?;
        self.0 = rest;
        Ok(inner)
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, Fault> {
        match self.0 {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.0 = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    /// A varint of up to 8 bytes in one word, if the message has as many: the last byte is the first without its top bit.
    #[inline]
    fn long_varint(&mut self) -> Result<u64, Fault> {
        let Some((word, _)) = self.0.split_first_chunk::<8>() else { return self.any_varint() };
        let word = u64::from_le_bytes(*word);
        let stops = !word & 0x8080_8080_8080_8080;
        if stops == 0 {
            return self.any_varint();
        }
        self.0 = &self.0[(stops.trailing_zeros() as usize + 1) / 8..];
        let word = word & (stops ^ (stops - 1)) & 0x7f7f_7f7f_7f7f_7f7f;
        let word = word & 0x007f_007f_007f_007f | (word & 0x7f00_7f00_7f00_7f00) >> 1;
        let word = word & 0x0000_3fff_0000_3fff | (word & 0x3fff_0000_3fff_0000) >> 2;
        Ok(word & 0x0fff_ffff | (word & 0x0fff_ffff_0000_0000) >> 4)
    }

    #[cold]
    fn any_varint(&mut self) -> Result<u64, Fault> {
        let mut value = 0;
        for (index, byte) in self.0.iter().take(10).enumerate() {
            if index == 9 && *byte > 1 {
                return Err(WIRE);
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if *byte < 0x80 {
                self.0 = &self.0[index + 1..];
                return Ok(value);
            }
        }
        Err(TRUNCATED)
    }

    /// Passes over a field whose key is read. One with a `known` number was not of its type.
    #[cold]
    fn skip(&mut self, key: u64, known: &[u32]) -> Result<(), Fault> {
        let key = u32::try_from(key).map_err(|_| WIRE)?;
        let (number, wire) = (key >> 3, WireType::try_from(u64::from(key & 7)).map_err(|_| WIRE)?);
        // Entries are looked for in messages that were read before; what else they have was of its type then.
        if number == 0 || known.contains(&number) {
            return Err(WIRE);
        }
        skip_field(wire, number, &mut self.0, DecodeContext::default()).map_err(|_| WIRE)
    }
}

/// Entries have one size, or not; or nobody says.
fn kind(value: u64) -> Option<Kind> {
    // An enumeration is 32 bits wide, whatever was sent.
    match value as u32 {
        1 => Some(Kind::Fixed),
        2 => Some(Kind::Variable),
        _ => None,
    }
}
