//! The seal: a keyed MAC over what makes a token somebody's.
//!
//! Who may create Secrets must not be able to become anybody by planting a hash that they know the secret of. So a token
//! counts only with a MAC whose key they cannot read, over its place, its uid and everything that decides whom it makes. A
//! copy has another place or another uid; an edit has other data.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use proto::store::{Error, Key as Place, Result};
use ring::hmac;

use crate::data::{self, Data};

/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 32;
/// Said first, so that no other use of the key makes a MAC that is one of these.
const CONTEXT: &[u8] = b"outrigger token 1";
/// Likewise for fingerprints.
const FINGERPRINT: &[u8] = b"outrigger token fingerprint 1";

/// The data that the seal covers.
const COVERED: [&str; 5] = [data::USER, data::GROUPS, data::TTL, data::ENABLED, data::HASH];

/// The key of all seals.
#[derive(Clone)]
pub struct Key(hmac::Key);

/// Where the key is once it has been read. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Keyring(Arc<OnceLock<Key>>);

// === impl Keyring ===

impl Keyring {
    /// Puts the key there; the first one stays.
    pub fn put(&self, key: Key) {
        self.0.get_or_init(|| key);
    }

    /// The key. Without it nothing can be said of any token.
    pub(crate) fn key(&self) -> Result<&Key> {
        let reason = "the key that tokens are sealed with is not read yet: the log says why";
        self.0.get().ok_or_else(|| Error::Unavailable { reason: reason.to_owned() })
    }
}

impl From<Key> for Keyring {
    fn from(key: Key) -> Self {
        let ring = Self::default();
        ring.put(key);
        ring
    }
}

// === impl Key ===

impl Key {
    /// The key of these bytes.
    pub fn new(bytes: &[u8; KEY_BYTES]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// Puts a seal on `data`, which is to be at `place` in the Secret of `uid`.
    pub(crate) fn seal(&self, place: &Place, uid: &str, data: &mut Data) {
        let mac = hmac::sign(&self.0, &message(place, uid, data));
        data.set(data::MAC, &BASE64_STANDARD_NO_PAD.encode(mac));
    }

    /// Whether the seal on `data` is one that this key has made for it, in constant time.
    pub(crate) fn holds(&self, place: &Place, uid: &str, data: &Data) -> bool {
        let Ok(mac) = BASE64_STANDARD_NO_PAD.decode(data.bytes(data::MAC)) else { return false };
        hmac::verify(&self.0, &message(place, uid, data), &mac).is_ok()
    }

    /// Twelve hexadecimal digits by which people tell a token's secrets apart. Nothing of the hash can be told from it.
    pub(crate) fn fingerprint(&self, data: &Data) -> String {
        let mac = hmac::sign(&self.0, &framed([FINGERPRINT, data.bytes(data::HASH)]));
        mac.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

fn message(place: &Place, uid: &str, data: &Data) -> Vec<u8> {
    let Place { group, resource, namespace, name } = place;
    let place = [CONTEXT, group.as_bytes(), resource.as_bytes(), namespace.as_bytes(), name.as_bytes(), uid.as_bytes()];
    framed(place.into_iter().chain(COVERED.iter().map(|key| data.bytes(key))))
}

/// Each part with its length before it, so that no two lists of parts are the same bytes.
fn framed<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(namespace: &str, name: &str) -> Place {
        let text = str::to_owned;
        Place { group: text("g"), resource: text("r"), namespace: text(namespace), name: text(name) }
    }

    fn sealed(key: &Key) -> Data {
        let mut data = Data::default();
        for covered in COVERED {
            data.set(covered, covered);
        }
        key.seal(&place("n", "a"), "uid", &mut data);
        data
    }

    #[test]
    fn a_seal_holds_for_what_it_was_put_on() {
        let key = Key::new(&[1; KEY_BYTES]);
        let mut data = sealed(&key);
        assert!(key.holds(&place("n", "a"), "uid", &data));
        data.set(data::DESCRIPTION, "another");
        assert!(key.holds(&place("n", "a"), "uid", &data), "what decides nothing is not covered");
    }

    #[test]
    fn a_seal_holds_for_nothing_else() {
        let key = Key::new(&[1; KEY_BYTES]);
        let data = sealed(&key);
        assert!(!Key::new(&[2; KEY_BYTES]).holds(&place("n", "a"), "uid", &data), "another key");
        assert!(!key.holds(&place("n", "b"), "uid", &data), "another name");
        assert!(!key.holds(&place("m", "a"), "uid", &data), "another namespace");
        assert!(!key.holds(&place("na", ""), "uid", &data), "the same bytes, cut elsewhere");
        assert!(!key.holds(&place("n", "a"), "uid2", &data), "another Secret of that name");
        for covered in COVERED.into_iter().chain([data::MAC]) {
            for text in ["", "other", "!"] {
                let mut edited = data.clone();
                edited.set(covered, text);
                assert!(!key.holds(&place("n", "a"), "uid", &edited), "{covered} is {text:?}");
            }
        }
    }

    #[test]
    fn a_fingerprint_tells_secrets_apart_and_nothing_of_them() {
        let key = Key::new(&[1; KEY_BYTES]);
        let mut data = Data::default();
        data.set(data::HASH, "one");
        let one = key.fingerprint(&data);
        data.set(data::HASH, "other");
        assert_ne!(one, key.fingerprint(&data));
        assert_eq!(one.len(), 12);
        assert_eq!(format!("{key:?}"), "Key(…)");
    }
}
