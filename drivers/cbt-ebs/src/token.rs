//! Tokens of blocks, which say all that is needed to read one: nothing is kept between listing and reading.
//!
//! ```text
//! 1234.6a3f91c0.AAABAf_…      block 1234, good until that second (hexadecimal), the API's own token
//! 1234x4096.6a3f91c0.AAAB…    the same, where blocks do not have the usual 512 KiB
//! 1234.6a3f91c0..0123…        the snapshot has no such block: it is all zeros (its id follows)
//! ```
//!
//! The API documents its tokens to be base64, written here in the alphabet for URLs, so that a token needs no escaping in
//! a query. Other characters, if there should be any, are `~` and their hexadecimal byte.

use std::io::Write as _;

use proto::cbt::{Error, Result};

use crate::{handle::SnapshotId, page::BLOCK_SIZE};

/// No block is larger, so that its data is one piece.
const LARGEST: u32 = 1 << 20;

/// A token, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) index: u32,
    /// Bytes of the block.
    pub(crate) size: u32,
    /// When it stops being good, in seconds since 1970.
    pub(crate) expires: i64,
    /// The API's token; without one the block is all zeros.
    pub(crate) block: Option<String>,
}

// === impl Token ===

impl Token {
    /// Appends the token of a block of `snapshot` to `text`.
    pub(crate) fn write(&self, snapshot: &SnapshotId, text: &mut Vec<u8>) {
        let written = if self.size == BLOCK_SIZE {
            write!(text, "{}.{:x}.", self.index, self.expires)
        } else {
            write!(text, "{}x{}.{:x}.", self.index, self.size, self.expires)
        };
        written.expect("a vector takes what is written to it");
        match &self.block {
            None => {
                text.push(b'.');
                text.extend_from_slice(snapshot.digits().as_bytes());
            }
            Some(block) => block.bytes().for_each(|byte| escape(byte, text)),
        }
    }

    /// Takes a token of a block of `snapshot` apart; [`Error::Invalid`] when it never was one.
    pub(crate) fn read(text: &[u8], snapshot: &SnapshotId) -> Result<Self> {
        let token = std::str::from_utf8(text).ok().and_then(|text| split(text, snapshot));
        // There is one way to write a token: whoever changed a letter does not have one.
        let token = token.filter(|token| {
            let mut again = Vec::with_capacity(text.len());
            token.write(snapshot, &mut again);
            again == text
        });
        token.ok_or_else(|| Error::Invalid(format!("this is not the token of a block of {snapshot}")))
    }

    /// Where the block begins, in bytes from the start of the volume.
    pub(crate) fn offset(&self) -> u64 {
        u64::from(self.index) * u64::from(self.size)
    }
}

fn split(text: &str, snapshot: &SnapshotId) -> Option<Token> {
    let mut parts = text.splitn(3, '.');
    let (place, expires, block) = (parts.next()?, parts.next()?, parts.next()?);
    let (index, size) = match place.split_once('x') {
        Some((index, size)) => (index, size.parse().ok()?),
        None => (place, BLOCK_SIZE),
    };
    let index: u32 = index.parse().ok()?;
    let block = match block.strip_prefix('.') {
        Some(digits) => (digits == snapshot.digits()).then_some(None)?,
        None => Some(unescape(block).filter(|block| !block.is_empty())?),
    };
    let good = size > 0 && size <= LARGEST && i32::try_from(index).is_ok();
    good.then(|| Some(Token { index, size, expires: i64::from_str_radix(expires, 16).ok()?, block }))?
}

fn escape(byte: u8, text: &mut Vec<u8>) {
    match byte {
        b'+' => text.push(b'-'),
        b'/' => text.push(b'_'),
        b'=' => text.push(b'='),
        byte if byte.is_ascii_alphanumeric() => text.push(byte),
        byte => write!(text, "~{byte:02x}").expect("a vector takes what is written to it"),
    }
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut block = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        block.push(match byte {
            b'-' => b'+',
            b'_' => b'/',
            b'~' => {
                let hex = [bytes.next()?, bytes.next()?];
                u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(block).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proto::cbt::Snapshot;

    use super::*;

    fn snapshot(id: &str) -> SnapshotId {
        SnapshotId::parse(&Snapshot::Handle(id.to_owned())).unwrap()
    }

    fn written(token: &Token) -> String {
        let mut text = Vec::new();
        token.write(&snapshot("snap-0abc"), &mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn what_is_written_can_be_read() {
        let cases = [
            (Some("AAA+B/cd=="), BLOCK_SIZE, "7.6a3f91c0.AAA-B_cd=="),
            (Some("A"), 512, "7x512.6a3f91c0.A"),
            (Some("a-_~ü"), BLOCK_SIZE, "7.6a3f91c0.a~2d~5f~7e~c3~bc"),
            (None, BLOCK_SIZE, "7.6a3f91c0..0abc"),
        ];
        for (block, size, text) in cases {
            let token = Token { index: 7, size, expires: 0x6a3f_91c0, block: block.map(str::to_owned) };
            assert_eq!(written(&token), text);
            assert_eq!(Token::read(text.as_bytes(), &snapshot("snap-0abc")), Ok(token));
        }
    }

    #[test]
    fn what_was_never_a_token_is_invalid() {
        let odd = [
            "",
            ".",
            "..",
            "7",
            "7.1",
            "7.1.",
            "7.x.A",
            "-7.1.A",
            "7x0.1.A",
            "7x9999999.1.A",
            "7.1.A\"B",
            "7.1.A B",
            "7.1.~",
            "7.1.A~2",
            "7.1.A~41",
            "7.1..0abd",
            "4294967295.1.A",
            "99999999999.1.A",
            "7x.1.A",
        ];
        for text in odd {
            assert!(matches!(Token::read(text.as_bytes(), &snapshot("snap-0abc")), Err(Error::Invalid(_))), "{text}");
        }
        assert!(Token::read(b"7.1.\xff", &snapshot("snap-0abc")).is_err());
    }
}
