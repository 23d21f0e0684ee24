//! An event, as `audit.k8s.io/v1` has it.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use auth::User;
use http::HeaderMap;
use machinery::{json, time::Timestamp};
use runtime::serve::{Address, Peer};
use serde_json::{Map, Value, json};

use super::policy::{Level, Stage};
use crate::{
    context::headers_text,
    request::{RequestInfo, Target},
};

/// What is known of a request.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) level: Level,
    pub(super) audit_id: String,
    pub(super) uri: String,
    pub(super) verb: String,
    pub(super) user: User,
    pub(super) sources: Vec<String>,
    pub(super) user_agent: String,
    pub(super) object: Value,
    pub(super) received: SystemTime,
    /// The answer's; 0 as long as there is none.
    pub(super) code: u16,
    /// The Status that the answer is, if it is one.
    pub(super) status: Value,
    pub(super) request: Value,
    pub(super) response: Value,
    pub(super) annotations: BTreeMap<String, String>,
}

// === impl Event ===

impl Default for Event {
    fn default() -> Self {
        Self {
            level: Level::Metadata,
            audit_id: String::new(),
            uri: String::new(),
            verb: String::new(),
            user: User::default(),
            sources: Vec::new(),
            user_agent: String::new(),
            object: Value::Null,
            received: UNIX_EPOCH,
            code: 0,
            status: Value::Null,
            request: Value::Null,
            response: Value::Null,
            annotations: BTreeMap::new(),
        }
    }
}

impl Event {
    /// The event at a stage, with the line feed that ends it.
    pub(super) fn line(&self, stage: Stage, now: SystemTime) -> Vec<u8> {
        let mut user = Map::from_iter([("username".to_owned(), json!(self.user.name))]);
        user.extend([
            ("uid".to_owned(), json!(self.user.uid)),
            ("groups".to_owned(), json!(self.user.groups)),
            ("extra".to_owned(), json!(self.user.extra)),
        ]);
        user.retain(|_, value| !is_empty(value));
        let mut event = Map::from_iter([
            ("kind".to_owned(), json!("Event")),
            ("apiVersion".to_owned(), json!("audit.k8s.io/v1")),
            ("level".to_owned(), json!(format!("{:?}", self.level))),
            ("auditID".to_owned(), json!(self.audit_id)),
            ("stage".to_owned(), json!(format!("{stage:?}"))),
            ("requestURI".to_owned(), json!(self.uri)),
            ("verb".to_owned(), json!(self.verb)),
            ("user".to_owned(), Value::Object(user)),
            ("requestReceivedTimestamp".to_owned(), json!(micros(self.received))),
            ("stageTimestamp".to_owned(), json!(micros(now))),
        ]);
        let answered = if self.code == 0 { Value::Null } else { self.answered() };
        let more = [
            ("sourceIPs", json!(self.sources)),
            ("userAgent", json!(self.user_agent)),
            ("objectRef", self.object.clone()),
            ("responseStatus", answered),
            ("requestObject", self.request.clone()),
            ("responseObject", self.response.clone()),
            ("annotations", json!(self.annotations)),
        ];
        event
            .extend(more.into_iter().filter(|(_, value)| !is_empty(value)).map(|(key, value)| (key.to_owned(), value)));
        let mut line = json::encode(&Value::Object(event));
        line.push(b'\n');
        line
    }

    /// The status of the answer: a failure's own, or nothing but its code.
    fn answered(&self) -> Value {
        let mut status = json!({ "metadata": {}, "code": self.code });
        for field in ["status", "message", "reason", "details"] {
            if let Some(value) = self.status.get(field) {
                status[field] = value.clone();
            }
        }
        status
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// RFC 3339 with microseconds.
fn micros(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX)).to_string();
    format!("{}.{:06}Z", seconds.trim_end_matches('Z'), since.subsec_micros())
}

/// RBAC's verb, or the method of what is no resource.
pub(super) fn verb(info: &RequestInfo) -> String {
    match info.target {
        Target::Resource(_) => info.verb.as_str().to_owned(),
        Target::Other => info.method.as_str().to_ascii_lowercase(),
    }
}

/// Whom the request came through, the first one first.
pub(super) fn sources(headers: &HeaderMap, peer: Option<&Peer>) -> Vec<String> {
    let forwarded = headers_text(headers, "x-forwarded-for").split(',').map(str::trim);
    let mut sources: Vec<String> = forwarded.filter(|source| !source.is_empty()).map(str::to_owned).collect();
    if let Some(Address::Tcp(address)) = peer.map(|peer| peer.address) {
        let address = address.ip().to_string();
        if sources.last() != Some(&address) {
            sources.push(address);
        }
    }
    sources
}

/// What the path names.
pub(super) fn object(info: &RequestInfo) -> Value {
    let Target::Resource(path) = &info.target else { return Value::Null };
    let fields = [
        ("resource", Some(path.resource.clone())),
        ("namespace", path.namespace.clone()),
        ("name", path.name.clone()),
        ("apiGroup", Some(path.group.clone())),
        ("apiVersion", Some(path.version.clone())),
        ("subresource", path.subresource.clone()),
    ];
    fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), Value::String(value?)))).collect()
}

/// An object, or a list of them, without managed fields.
pub(super) fn without_managed_fields(value: &mut Value) {
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    value.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten().for_each(without_managed_fields);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_have_microseconds() {
        let time = UNIX_EPOCH + Duration::from_micros(1_700_000_000_000_042);
        assert_eq!(micros(time), "2023-11-14T22:13:20.000042Z");
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let event = Event { user: User::anonymous(), verb: "get".to_owned(), ..Event::default() };
        let line = event.line(Stage::RequestReceived, UNIX_EPOCH);
        let event: Value = serde_json::from_slice(&line).unwrap_or_default();
        for field in ["objectRef", "responseStatus", "requestObject", "annotations", "sourceIPs"] {
            assert_eq!(event.get(field), None);
        }
        assert_eq!((&event["stage"], &event["level"]), (&json!("RequestReceived"), &json!("Metadata")));
        assert_eq!(event["user"], json!({ "username": "system:anonymous", "groups": ["system:unauthenticated"] }));
    }
}
