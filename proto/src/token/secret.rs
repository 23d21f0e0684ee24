//! The secret of a token.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};

use super::Hash;

/// 256 random bits, as 43 characters of base64url. It is wiped from memory when it is dropped.
pub struct Secret(SecretString);

// === impl Secret ===

impl Secret {
    /// The secret of these bits.
    pub fn of(bits: [u8; 32]) -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(bits).into())
    }

    /// What somebody says is one.
    pub(super) fn claimed(text: &str) -> Self {
        Self(text.to_owned().into())
    }

    /// What is kept of it.
    pub fn hash(&self, salt: [u8; 16]) -> Hash {
        Hash::of(self.expose(), salt)
    }

    /// The text. For its owner.
    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}
