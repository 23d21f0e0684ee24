//! Tokens that say for themselves what they are good for, so that nothing is looked up and nothing is kept.
//!
//! ```text
//! base64url( block size, log2: 1 │ block: 7 │ expires: 6 │ keyed BLAKE3 of the 14 before: 16 )   40 characters
//! ```
//! Numbers are big-endian; times are seconds since 1970. The key of the hash is made from the driver's own key, the
//! snapshot's handle and what its file is known by: a token says nothing about another snapshot, nor about a file that
//! took the place of this one.

pub(crate) mod key;

use std::ops::Range;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use blake3::Hash;
use constant_time_eq::constant_time_eq_16;
use proto::cbt::{Error, Result};

/// A token's length in characters.
const LENGTH: usize = 40;
/// What is signed of it, and the whole, in bytes.
const SIGNED: usize = 14;
const BYTES: usize = SIGNED + 16;

/// Makes and reads the tokens of one snapshot.
#[derive(Clone)]
pub(crate) struct Mint {
    key: [u8; blake3::KEY_LEN],
}

// === impl Mint ===

impl Mint {
    /// For the snapshot called `handle`, which is now what `fingerprint` says.
    pub(crate) fn new(key: &key::Key, handle: &str, fingerprint: &Hash) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(key.bytes());
        hasher.update(&(handle.len() as u64).to_le_bytes());
        hasher.update(handle.as_bytes());
        hasher.update(fingerprint.as_bytes());
        Self { key: hasher.finalize().into() }
    }

    /// Appends the token of the block at `offset`, which is good until `expires`. Block sizes are powers of two.
    pub(crate) fn make(&self, offset: u64, size: u64, expires: u64, token: &mut Vec<u8>) {
        let mut bytes = [0; BYTES];
        let power = size.ilog2();
        bytes[..8].copy_from_slice(&(offset >> power).to_be_bytes());
        bytes[0] = power as u8;
        bytes[8..SIGNED].copy_from_slice(&expires.to_be_bytes()[2..]);
        let (signed, mac) = bytes.split_at_mut(SIGNED);
        mac.copy_from_slice(&self.mac(signed));
        let at = token.len();
        token.resize(at + LENGTH, 0);
        BASE64_URL_SAFE_NO_PAD.encode_slice(bytes, &mut token[at..]).expect("30 bytes are 40 characters");
    }

    /// The block that a token is for.
    pub(crate) fn read(&self, token: &[u8], now: u64) -> Result<Range<u64>> {
        let never_good = || Error::Invalid("a token is not one of this snapshot as it is now".to_owned());
        let mut bytes = [0; BYTES];
        let length = (token.len() == LENGTH).then(|| BASE64_URL_SAFE_NO_PAD.decode_slice(token, &mut bytes));
        if !matches!(length, Some(Ok(BYTES))) {
            return Err(never_good());
        }
        let (signed, mac) = bytes.split_at(SIGNED);
        let mac: &[u8; 16] = mac.try_into().expect("it is 16 bytes");
        if !constant_time_eq_16(mac, &self.mac(signed)) {
            return Err(never_good());
        }
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        if number(&signed[8..]) <= now {
            return Err(Error::Expired("a token has expired: list the blocks again".to_owned()));
        }
        // It was signed here: the size is a power of two, and the block is within a volume.
        let (size, block) = (1 << signed[0], number(&signed[1..8]));
        Ok(block * size..(block + 1) * size)
    }

    fn mac(&self, signed: &[u8]) -> [u8; 16] {
        let hash = blake3::keyed_hash(&self.key, signed);
        *hash.as_bytes().first_chunk().expect("a hash is 32 bytes")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mint(handle: &str, fingerprint: &[u8]) -> Mint {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, [1; 16]).unwrap();
        Mint::new(&key::Key::load(&path).unwrap(), handle, &blake3::hash(fingerprint))
    }

    fn token(mint: &Mint, offset: u64) -> Vec<u8> {
        let mut token = b"before".to_vec();
        mint.make(offset, 4096, 1000, &mut token);
        token.split_off(6)
    }

    #[test]
    fn a_token_is_good_for_one_block_of_one_snapshot_for_a_while() {
        let own = mint("default/monday", b"x");
        let token = token(&own, 7 * 4096);
        assert_eq!(own.read(&token, 999), Ok(7 * 4096..8 * 4096));
        assert!(matches!(own.read(&token, 1000), Err(Error::Expired(_))));
        for other in [mint("default/tuesday", b"x"), mint("default/monday", b"y")] {
            assert!(matches!(other.read(&token, 0), Err(Error::Invalid(_))));
        }
    }

    #[test]
    fn the_largest_volume_has_tokens() {
        let own = mint("default/monday", b"x");
        let (last, mut token) = ((1 << 63) - 512, Vec::new());
        own.make(last, 512, (1 << 48) - 1, &mut token);
        assert_eq!(own.read(&token, 0), Ok(last..1 << 63));
    }

    proptest! {
        #[test]
        fn no_other_token_is_good(place in 0..LENGTH, byte: u8, garbage in proptest::collection::vec(any::<u8>(), 0..60)) {
            let own = mint("default/monday", b"x");
            let good = token(&own, 4096);
            let mut other = good.clone();
            other[place] = byte;
            prop_assert_eq!(own.read(&other, 0).is_ok(), other == good);
            prop_assert!(matches!(own.read(&garbage, 0), Err(Error::Invalid(_))));
        }
    }
}
