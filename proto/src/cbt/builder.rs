//! Making messages.

use super::{
    Block, Blocks, Kind,
    scan::{self, Summary},
};

/// Entries in a message when nobody says how many: some 50 KiB.
const PER_MESSAGE: usize = 4096;

/// Makes messages.
#[derive(Debug)]
pub struct Builder {
    encoded: Vec<u8>,
    summary: Summary,
}

// === impl Builder ===

impl Builder {
    /// A message of entries of one kind, of a volume of `capacity` bytes.
    pub fn new(kind: Kind, capacity: u64) -> Self {
        let mut encoded = Vec::new();
        let number = match kind {
            Kind::Fixed => 1,
            Kind::Variable => 2,
        };
        for (key, value) in [(scan::KIND, number), (scan::CAPACITY, capacity)] {
            varint(&mut encoded, key);
            varint(&mut encoded, value);
        }
        Self { encoded, summary: Summary { kind: Some(kind), capacity, ..Summary::new() } }
    }

    /// Says when the tokens were issued (seconds since 1970), and for how many seconds they are good.
    pub fn validity(&mut self, issued: i64, ttl: i64) {
        let (issued, ttl) = (issued.max(0).cast_unsigned(), ttl.max(0).cast_unsigned());
        for (key, value) in [(scan::ISSUED, issued), (scan::TTL, ttl)] {
            varint(&mut self.encoded, key);
            varint(&mut self.encoded, value);
        }
        self.summary = Summary { issued, ttl, ..self.summary };
    }

    /// Appends an entry. The caller keeps the order, and to sizes that are not 0.
    #[inline]
    pub fn push(&mut self, block: Block<'_>) {
        self.summary.add(block);
        // Two keys of one byte, two numbers of up to ten; the length is known afterwards.
        let mut fields = [0; 24];
        let mut length = 2;
        if block.offset > 0 {
            length = put(&mut fields, length, scan::OFFSET);
            length = put(&mut fields, length, block.offset);
        }
        length = put(&mut fields, length, scan::SIZE);
        length = put(&mut fields, length, block.size);
        if block.token.is_empty() {
            fields[0] = scan::ENTRY as u8;
            fields[1] = (length - 2) as u8;
            self.encoded.extend_from_slice(&fields[..length]);
        } else {
            self.with_token(&fields[2..length], block.token);
        }
    }

    fn with_token(&mut self, fields: &[u8], token: &[u8]) {
        let mut head = [0; 12];
        let length = put(&mut head, 0, scan::TOKEN);
        let length = put(&mut head, length, token.len() as u64);
        varint(&mut self.encoded, scan::ENTRY);
        varint(&mut self.encoded, (fields.len() + length + token.len()) as u64);
        self.encoded.extend_from_slice(fields);
        self.encoded.extend_from_slice(&head[..length]);
        self.encoded.extend_from_slice(token);
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.summary.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is time to send it: when it has as many entries as were asked for ([`super::Query::per_message`], 0 is
    /// a good number), or weighs what a message should weigh at most.
    pub fn is_full(&self, per_message: u32) -> bool {
        let entries = if per_message == 0 { PER_MESSAGE } else { per_message as usize };
        self.len() >= entries || self.encoded.len() >= crate::MESSAGE_TARGET
    }

    /// The message.
    pub fn finish(self) -> Blocks {
        Blocks { encoded: self.encoded.into(), summary: self.summary }
    }
}

fn varint(encoded: &mut Vec<u8>, value: u64) {
    let mut bytes = [0; 10];
    let length = put(&mut bytes, 0, value);
    encoded.extend_from_slice(&bytes[..length]);
}

/// Puts `value` at `at`, and says where it ends.
#[inline]
fn put(bytes: &mut [u8], mut at: usize, mut value: u64) -> usize {
    while value >= 0x80 {
        bytes[at] = value as u8 | 0x80;
        value >>= 7;
        at += 1;
    }
    bytes[at] = value as u8;
    at + 1
}
