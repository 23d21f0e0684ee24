//! The data of a token's Secret: texts by key. What somebody put there by hand may be anything.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value};

/// Whose the token is.
pub(crate) const USER: &str = "userID";
/// The cluster it is for.
pub(crate) const CLUSTER: &str = "clusterName";
/// What it is for.
pub(crate) const DESCRIPTION: &str = "description";
/// How long it is good for, from its creation on, in Go's notation.
pub(crate) const TTL: &str = "ttl";
/// `true` or `false`.
pub(crate) const ENABLED: &str = "enabled";
/// The groups of its user, a JSON list.
pub(crate) const GROUPS: &str = "groups";
/// Of its secret.
pub(crate) const HASH: &str = "hash";
/// The seal.
pub(crate) const MAC: &str = "mac";
/// The object's generation.
pub(crate) const GENERATION: &str = "generation";
/// The object's managedFields: those of the Secret are of its data.
pub(crate) const MANAGED_FIELDS: &str = "managedFields";
/// When it was last used, about; RFC 3339.
pub(crate) const LAST_USED: &str = "lastUsedAt";
/// There instead of everything else while a token is being made: its seal needs the uid that the Secret gets.
pub(crate) const PENDING: &str = "pending";

/// The data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Data(BTreeMap<String, Vec<u8>>);

// === impl Data ===

impl Data {
    /// The data of a Secret. What is not base64 is empty.
    pub(crate) fn of(secret: &Value) -> Self {
        let decode = |value: &Value| BASE64_STANDARD.decode(value.as_str().unwrap_or_default()).unwrap_or_default();
        let data = secret["data"].as_object().into_iter().flatten();
        Self(data.map(|(key, value)| (key.clone(), decode(value))).collect())
    }

    /// As a Secret has it.
    pub(crate) fn to_value(&self) -> Value {
        let encode = |(key, value): (&String, &Vec<u8>)| (key.clone(), Value::from(BASE64_STANDARD.encode(value)));
        Value::Object(self.0.iter().map(encode).collect::<Map<_, _>>())
    }

    /// The bytes of a key; empty when there are none.
    pub(crate) fn bytes(&self, key: &str) -> &[u8] {
        self.0.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    /// The text of a key; empty when there is none, or what there is is no text.
    pub(crate) fn text(&self, key: &str) -> &str {
        std::str::from_utf8(self.bytes(key)).unwrap_or_default()
    }

    /// The JSON of a key; null when there is none.
    pub(crate) fn json(&self, key: &str) -> Value {
        serde_json::from_slice(self.bytes(key)).unwrap_or_default()
    }

    /// Whether the key is there.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Sets a key; an empty text removes it.
    pub(crate) fn set(&mut self, key: &str, text: &str) {
        match text {
            "" => self.0.remove(key),
            text => self.0.insert(key.to_owned(), text.as_bytes().to_vec()),
        };
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn data_comes_back_as_it_was_set() {
        let mut data = Data::default();
        data.set(USER, "alice");
        data.set(GROUPS, r#"["dev"]"#);
        data.set(TTL, "");
        let read = Data::of(&json!({ "data": data.to_value() }));
        assert_eq!(read, data);
        assert_eq!((read.text(USER), read.json(GROUPS), read.has(TTL)), ("alice", json!(["dev"]), false));
    }

    #[test]
    fn nonsense_is_empty() {
        let data = Data::of(&json!({ "data": { "userID": "!!", "groups": "e30=", "ttl": 7, "hash": "/w==" } }));
        assert_eq!((data.text(USER), data.text(TTL), data.text(HASH)), ("", "", ""));
        assert_eq!(data.json(GROUPS), json!({}));
        assert_eq!(Data::of(&json!({})), Data::default());
    }
}
