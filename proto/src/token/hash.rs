//! What is kept of a token's secret: a salted SHA3-512.
//!
//! The secret has 256 random bits, so there is nothing to guess: a hash that is slow on purpose protects passwords, and would
//! cost every review what it costs an attacker. `docs/decisions/0013-token-hashes.md` has the figures.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use constant_time_eq::constant_time_eq;
use serde::{Deserialize, Serialize};
use sha3::{Digest, Sha3_512};

use super::Secret;

/// Names the function, so that there can be another one day.
const PREFIX: &str = "sha3-512";

/// `sha3-512:SALT:HASH`, both base64 without padding. What is not of this form is no secret's.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash(String);

// === impl Hash ===

impl Hash {
    pub(super) fn of(secret: &str, salt: [u8; 16]) -> Self {
        let (salt_text, hash) =
            (BASE64_STANDARD_NO_PAD.encode(salt), BASE64_STANDARD_NO_PAD.encode(digest(secret, &salt)));
        Self(format!("{PREFIX}:{salt_text}:{hash}"))
    }

    /// What a store kept.
    pub fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As a store keeps it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is that of `secret`, in a time that does not depend on how much of it is.
    pub fn is_of(&self, secret: &Secret) -> bool {
        let Some((salt, hash)) = self.0.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix(':')?.split_once(':'))
        else {
            return false;
        };
        let (Ok(salt), Ok(hash)) = (BASE64_STANDARD_NO_PAD.decode(salt), BASE64_STANDARD_NO_PAD.decode(hash)) else {
            return false;
        };
        constant_time_eq(&hash, &digest(secret.expose(), &salt))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash(…)")
    }
}

fn digest(secret: &str, salt: &[u8]) -> [u8; 64] {
    Sha3_512::new().chain_update(salt).chain_update(secret).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_one_secret_and_its_salt() {
        let (one, other) = (Secret::of([1; 32]), Secret::of([2; 32]));
        let hash = one.hash([7; 16]);
        assert!(hash.is_of(&one) && !hash.is_of(&other));
        assert_ne!(hash, one.hash([8; 16]), "equal secrets do not look equal");
        assert!(!hash.as_str().contains(one.expose()));
        assert_eq!(format!("{hash:?}"), "Hash(…)");
    }

    #[test]
    fn nonsense_is_of_nobody() {
        let secret = Secret::of([1; 32]);
        let hash = secret.hash([7; 16]);
        let cut = &hash.as_str()[..hash.as_str().len() - 2];
        for text in ["", "sha3-512", "sha3-512:", "sha3-512::", "sha3-512:AA:", "md5:AA:AA", "sha3-512:!:!", cut] {
            assert!(!Hash::stored(text).is_of(&secret), "{text}");
        }
        assert!(Hash::stored(hash.as_str()).is_of(&secret));
    }
}
