//! How an object's bytes are kept: as they are, or compressed when they are many.
//!
//! Small ones stay plain, so that any SQL tool can read them; large ones are zstd, because most of a large object is
//! repetition and the disk is what a commit waits for.

use std::borrow::Cow;

use bytes::Bytes;
use proto::store::{Error, Result};

/// Above this, an object's bytes are not what we stored.
const SANE: u64 = 64 << 20;

/// How bytes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As they are.
    Plain,
    /// As one zstd frame.
    Zstd,
}

/// Bytes as an engine keeps them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// How.
    pub encoding: Encoding,
    /// The kept bytes.
    pub bytes: Bytes,
}

// === impl Encoding ===

impl Encoding {
    /// The number that stands for it in a database.
    pub fn number(self) -> i64 {
        match self {
            Encoding::Plain => 0,
            Encoding::Zstd => 1,
        }
    }

    /// The encoding that `number` stands for.
    pub fn from_number(number: i64) -> Result<Self> {
        match number {
            0 => Ok(Encoding::Plain),
            1 => Ok(Encoding::Zstd),
            _ => Err(corrupt(format!("no encoding has the number {number}"))),
        }
    }

    /// The object's bytes that were kept as `stored`.
    pub fn decode<'a>(self, stored: Cow<'a, [u8]>) -> Result<Cow<'a, [u8]>> {
        match self {
            Encoding::Plain => Ok(stored),
            Encoding::Zstd => {
                let size = zstd::zstd_safe::get_frame_content_size(&stored).ok().flatten().filter(|size| *size <= SANE);
                let size = size.ok_or_else(|| corrupt("a compressed object has no sane size"))?;
                zstd::bulk::decompress(&stored, usize::try_from(size).unwrap_or(usize::MAX))
                    .map(Cow::Owned)
                    .map_err(|error| corrupt(format!("a compressed object cannot be read: {error}")))
            }
        }
    }
}

// === impl Stored ===

impl Stored {
    /// `json` compressed when it has at least `threshold` bytes and gains by it.
    pub fn new(json: &Bytes, threshold: usize) -> Self {
        let plain = || Stored { encoding: Encoding::Plain, bytes: json.clone() };
        if json.len() < threshold {
            return plain();
        }
        match zstd::bulk::compress(json, 1) {
            Ok(bytes) if bytes.len() < json.len() => Stored { encoding: Encoding::Zstd, bytes: bytes.into() },
            _ => plain(),
        }
    }
}

fn corrupt(reason: impl Into<String>) -> Error {
    Error::Internal { reason: reason.into() }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn only_large_values_that_shrink_are_compressed() {
        let step = |state: &u64| Some(state ^ (state << 13) ^ ((state ^ (state << 13)) >> 7));
        let noise: Vec<u8> = std::iter::successors(Some(0x9e37_79b9_7f4a_7c15), step)
            .map(|state| (state >> 32) as u8)
            .take(20_000)
            .collect();
        for (json, encoding) in [
            (Bytes::from_static(b"{}"), Encoding::Plain),
            (Bytes::from(vec![b'a'; 8191]), Encoding::Plain),
            (Bytes::from(vec![b'a'; 8192]), Encoding::Zstd),
            (Bytes::from(noise), Encoding::Plain),
        ] {
            let stored = Stored::new(&json, 8192);
            assert_eq!(stored.encoding, encoding, "{} bytes", json.len());
            assert_eq!(stored.encoding.decode(Cow::Borrowed(&stored.bytes)).unwrap(), &json[..]);
        }
    }

    #[test]
    fn what_is_not_a_frame_is_an_error() {
        assert!(Encoding::Zstd.decode(Cow::Borrowed(b"not zstd")).is_err());
        assert!(Encoding::from_number(2).is_err());
    }
}
