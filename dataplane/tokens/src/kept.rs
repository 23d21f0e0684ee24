//! A token as a Secret keeps it, and the object that it is to whoever reads it.

use std::{collections::BTreeMap, time::Duration};

use machinery::{
    json,
    meta::ObjectMeta,
    time::{Timestamp, parse_duration},
};
use proto::{
    store::{Content, Entry, Key as Place, Revision, Value as Stored},
    token::{CLUSTER_RANCHER_TOKENS, GROUP, HUB},
};
use serde_json::{Map, Value, json};

use crate::{
    data::{self, Data},
    seal::Key,
};

/// What of its metadata a token shares with its Secret. Everything else of the Secret's metadata is the Secret's own.
const SHARED: [&str; 8] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "labels",
    "ownerReferences",
    "uid",
];

/// A token.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) place: Place,
    pub(crate) revision: Revision,
    /// The Secret's.
    pub(crate) metadata: Value,
    pub(crate) data: Data,
    /// Why it can be nobody's, if it cannot.
    pub(crate) broken: Option<&'static str>,
}

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Who presents it is its user.
    Active,
    /// Nobody is anybody by it, until it is enabled.
    Disabled,
    /// Its time is over.
    Expired,
    /// It is going away.
    Deleting,
    /// Somebody wrote its Secret who may not make tokens.
    Invalid(&'static str),
}

// === impl Kept ===

impl Kept {
    /// Reads a Secret, which a store has at `entry`. One that is still being made is no token yet.
    pub(crate) fn open(entry: &Entry, key: &Key) -> Option<Self> {
        let secret: Value = serde_json::from_slice(&entry.content.value.json).unwrap_or_default();
        let data = Data::of(&secret);
        if data.has(data::PENDING) {
            return None;
        }
        let mut kept = Self {
            place: entry.key.clone(),
            revision: entry.revision,
            metadata: secret["metadata"].clone(),
            data,
            broken: None,
        };
        kept.broken = kept.find_broken(key);
        Some(kept)
    }

    fn find_broken(&self, key: &Key) -> Option<&'static str> {
        if !self.data.has(data::MAC) {
            return Some(
                "its Secret has no seal: it was not made, or was changed, by somebody other than this API; delete it",
            );
        }
        if !key.holds(&self.place, self.uid(), &self.data) {
            return Some(
                "its Secret was made or changed by somebody other than this API, or sealed with another key; delete it",
            );
        }
        None
    }

    pub(crate) fn uid(&self) -> &str {
        self.metadata["uid"].as_str().unwrap_or_default()
    }

    /// Whether it can be told whose it is.
    pub(crate) fn is_sound(&self) -> bool {
        self.broken.is_none()
    }

    /// When its time is over; `None` is never.
    pub(crate) fn expires_at(&self) -> Option<Timestamp> {
        let ttl = ttl(self.data.text(data::TTL))?;
        let created = ObjectMeta::of(&json!({ "metadata": self.metadata })).creation_timestamp()?;
        let seconds = i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX);
        Some(Timestamp::from_unix(created.as_unix().saturating_add(seconds)))
    }

    /// What it is good for. A token expires by time, whether or not somebody has deleted it already.
    pub(crate) fn state(&self, now: Timestamp) -> State {
        if let Some(broken) = self.broken {
            return State::Invalid(broken);
        }
        if !self.metadata["deletionTimestamp"].is_null() {
            return State::Deleting;
        }
        if self.expires_at().is_some_and(|end| end.as_unix() <= now.as_unix()) {
            return State::Expired;
        }
        if self.data.text(data::ENABLED) == "true" { State::Active } else { State::Disabled }
    }

    /// The groups that it makes its user a member of.
    pub(crate) fn groups(&self) -> Vec<String> {
        serde_json::from_value(self.data.json(data::GROUPS)).unwrap_or_default()
    }

    /// The entry that the token is in the store of tokens. `tag` is what values of this resource are marked with.
    pub(crate) fn entry(&self, key: &Key, now: Timestamp, tag: &str) -> Entry {
        let object = self.object(key, now);
        let (json, splice) = json::encode_stored(&object);
        let content = Content {
            uid: self.uid().to_owned(),
            labels: ObjectMeta::of(&object).labels(),
            fields: fields(&object),
            value: Stored { json: json.into(), splice, schema: tag.to_owned() },
        };
        Entry { key: self.place.clone(), revision: self.revision, content }
    }

    fn object(&self, key: &Key, now: Timestamp) -> Value {
        let cluster = self.place.resource == CLUSTER_RANCHER_TOKENS;
        let mut metadata = Map::from_iter([("name".to_owned(), Value::from(self.place.name.clone()))]);
        if !cluster {
            metadata.insert("namespace".to_owned(), Value::from(self.place.namespace.clone()));
        }
        let shared = SHARED.iter().filter(|field| !self.metadata[**field].is_null());
        metadata.extend(shared.map(|field| ((*field).to_owned(), self.metadata[*field].clone())));
        let generation: i64 = self.data.text(data::GENERATION).parse().unwrap_or(1);
        metadata.insert("generation".to_owned(), generation.into());
        let managed = self.data.json(data::MANAGED_FIELDS);
        if managed.is_array() {
            metadata.insert("managedFields".to_owned(), managed);
        }
        json!({
            "apiVersion": format!("{GROUP}/{HUB}"),
            "kind": if cluster { "ClusterRancherToken" } else { "RancherToken" },
            "metadata": metadata,
            "spec": self.spec(),
            "status": self.status(key, now),
        })
    }

    fn spec(&self) -> Value {
        let texts = [
            ("userID", data::USER),
            ("clusterName", data::CLUSTER),
            ("description", data::DESCRIPTION),
            ("ttl", data::TTL),
        ];
        let texts = texts.into_iter().filter(|(_, key)| !self.data.text(key).is_empty());
        let mut spec: Map<String, Value> =
            texts.map(|(field, key)| (field.to_owned(), Value::from(self.data.text(key)))).collect();
        spec.insert("enabled".to_owned(), Value::from(self.data.text(data::ENABLED) == "true"));
        Value::Object(spec)
    }

    fn status(&self, key: &Key, now: Timestamp) -> Value {
        let state = self.state(now);
        let mut status = json!({
            "state": state.as_str(),
            "expired": self.expires_at().is_some_and(|end| end.as_unix() <= now.as_unix()),
        });
        if let State::Invalid(why) = state {
            status["message"] = Value::from(why);
            return status;
        }
        status["fingerprint"] = Value::from(key.fingerprint(&self.data));
        status["groups"] = Value::from(self.groups());
        if let Some(end) = self.expires_at() {
            status["expiresAt"] = Value::from(end.to_string());
        }
        if self.data.has(data::LAST_USED) {
            status["lastUsedAt"] = Value::from(self.data.text(data::LAST_USED));
        }
        status
    }
}

// === impl State ===

impl State {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Disabled => "Disabled",
            Self::Expired => "Expired",
            Self::Deleting => "Deleting",
            Self::Invalid(_) => "Invalid",
        }
    }
}

/// How long a token with this text in its Secret is good for; `None` is for ever, of nonsense it is nothing at all.
pub(crate) fn ttl(text: &str) -> Option<Duration> {
    let read = if text.is_empty() { Some(Duration::ZERO) } else { parse_duration(text).ok().flatten() };
    match read {
        Some(Duration::ZERO) => None,
        Some(ttl) => Some(ttl),
        None => Some(Duration::ZERO),
    }
}

/// The fields that selectors may name, as the definitions say.
fn fields(object: &Value) -> BTreeMap<String, String> {
    let named = ["spec.userID", "spec.clusterName", "spec.enabled"];
    named.into_iter().filter_map(|path| Some((path.to_owned(), machinery::meta::field(object, path)?))).collect()
}

/// The JSON of the Secret that keeps `data` with the metadata of `object`. The namespace is the object's, or none.
pub(crate) fn secret(object: &Value, place: &Place, data: &Data) -> Value {
    let metadata = &object["metadata"];
    let mut kept = Map::from_iter([("name".to_owned(), Value::from(place.name.clone()))]);
    let shared = SHARED.iter().filter(|field| !metadata[**field].is_null());
    kept.extend(shared.map(|field| ((*field).to_owned(), metadata[*field].clone())));
    json!({ "metadata": kept, "data": data.to_value() })
}
