//! RestartOptions: the body of a request, read leniently in what it has and strictly in what it says.
//!
//! What is not known is passed over (whoever answers the API warns of it); what is known and wrong is an error with its
//! field, all of them at once.

use std::time::Duration;

use machinery::{
    GroupKind,
    field::{Error, ErrorList},
    status::Status,
    time::Timestamp,
};
use serde_json::{Map, Value};

use crate::{
    node_restart::{Drain, GROUP, Mode, Spec, Window},
    time::{Span, Time},
    window,
};

/// No restart takes longer, nor any part of it.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// What is taken when the options do not say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Defaults {
    /// For `timeout`.
    pub timeout: Span,
    /// For `drain.timeout`.
    pub drain_timeout: Span,
}

/// Options as they were given.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options {
    /// What they ask for, of a node and a user that they do not name.
    pub spec: Spec,
    /// Whether they ask for nothing in particular.
    pub bare: bool,
}

/// Reads options; nothing is all defaults.
pub(crate) fn parse(json: &[u8], node: &str, defaults: Defaults) -> Result<Options, Status> {
    let malformed = |why: &str| Status::bad_request(&format!("the body is not a RestartOptions object: {why}"));
    let value = match json.trim_ascii() {
        [] => Value::Null,
        json => serde_json::from_slice(json).map_err(|error| malformed(&error.to_string()))?,
    };
    let empty = Map::new();
    let fields = match &value {
        Value::Null => &empty,
        Value::Object(fields) => fields,
        _ => return Err(malformed("it is of another type")),
    };
    let mut reader = Reader::default();
    let spec = Spec { node_name: node.to_owned(), ..reader.spec(fields, defaults) };
    if !reader.errors.is_empty() {
        let kind = GroupKind { group: GROUP.to_owned(), kind: "RestartOptions".to_owned() };
        return Err(Status::invalid(&kind, node, reader.errors));
    }
    let bare = !fields.keys().any(|key| !matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "wait"));
    Ok(Options { spec, bare })
}

/// Collects what is wrong.
#[derive(Default)]
struct Reader {
    errors: ErrorList,
}

// === impl Reader ===

impl Reader {
    fn spec(&mut self, fields: &Map<String, Value>, defaults: Defaults) -> Spec {
        Spec {
            node_name: String::new(),
            mode: self.mode(fields),
            drain: self.drain(fields, defaults),
            reason: self.text(fields, "reason", 1024),
            idempotency_key: self.text(fields, "idempotencyKey", 253),
            not_before: self.time(fields, "notBefore"),
            window: self.window(fields),
            timeout: self.span(fields, "", "timeout").unwrap_or(defaults.timeout),
            requested_by: Default::default(),
        }
    }

    fn mode(&mut self, fields: &Map<String, Value>) -> Mode {
        match self.string(fields, "", "mode") {
            None | Some("Soft") => Mode::Soft,
            Some("Hard") => Mode::Hard,
            Some("SoftThenHard") => Mode::SoftThenHard,
            Some(other) => {
                self.errors.push(Error::not_supported("mode", other, ["Soft", "Hard", "SoftThenHard"]));
                Mode::Soft
            }
        }
    }

    fn drain(&mut self, fields: &Map<String, Value>, defaults: Defaults) -> Drain {
        let empty = Map::new();
        let drain = self.object(fields, "drain").unwrap_or(&empty);
        Drain {
            enabled: self.flag(drain, "enabled", false),
            grace_period: self.span(drain, "drain.", "gracePeriod"),
            timeout: self.span(drain, "drain.", "timeout").unwrap_or(defaults.drain_timeout),
            force: self.flag(drain, "force", false),
            ignore_daemon_sets: self.flag(drain, "ignoreDaemonSets", true),
            delete_empty_dir: self.flag(drain, "deleteEmptyDir", false),
            disable_eviction: self.flag(drain, "disableEviction", false),
        }
    }

    fn window(&mut self, fields: &Map<String, Value>) -> Option<Window> {
        let given = self.object(fields, "window")?;
        let mut hour = |name: &str| {
            let text = self.string(given, "window.", name).unwrap_or_default().to_owned();
            if window::minutes(&text).is_none() {
                self.errors.push(Error::invalid(format!("window.{name}"), text.as_str(), "must be HH:MM, in UTC"));
            }
            text
        };
        let (start, end) = (hour("start"), hour("end"));
        let mut days = Vec::new();
        match given.get("days") {
            None | Some(Value::Null) => {}
            Some(Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    match item.as_str().filter(|day| window::is_day(day)) {
                        Some(day) => days.push(day.to_owned()),
                        None => self.wrong(&format!("window.days[{index}]"), item, "must be Mon, Tue, … or Sun"),
                    }
                }
            }
            Some(other) => self.wrong("window.days", other, "must be a list of days"),
        }
        Some(Window { start, end, days })
    }

    fn object<'a>(&mut self, fields: &'a Map<String, Value>, name: &str) -> Option<&'a Map<String, Value>> {
        match fields.get(name)? {
            Value::Null => None,
            Value::Object(object) => Some(object),
            other => {
                self.wrong(name, other, "must be an object");
                None
            }
        }
    }

    fn string<'a>(&mut self, fields: &'a Map<String, Value>, path: &str, name: &str) -> Option<&'a str> {
        match fields.get(name)? {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => {
                self.wrong(&format!("{path}{name}"), other, "must be a string");
                None
            }
        }
    }

    fn text(&mut self, fields: &Map<String, Value>, name: &str, limit: usize) -> String {
        let text = self.string(fields, "", name).unwrap_or_default();
        if text.len() > limit {
            self.errors.push(Error::too_long(name, limit));
        }
        text.to_owned()
    }

    fn flag(&mut self, drain: &Map<String, Value>, name: &str, default: bool) -> bool {
        match drain.get(name) {
            None | Some(Value::Null) => default,
            Some(Value::Bool(flag)) => *flag,
            Some(other) => {
                self.wrong(&format!("drain.{name}"), other, "must be true or false");
                default
            }
        }
    }

    fn time(&mut self, fields: &Map<String, Value>, name: &str) -> Option<Time> {
        let text = self.string(fields, "", name)?;
        let time = Timestamp::parse(text).map(Time);
        if time.is_none() {
            self.errors.push(Error::invalid(name, text, "must be an RFC 3339 time, such as 2006-01-02T15:04:05Z"));
        }
        time
    }

    fn span(&mut self, fields: &Map<String, Value>, path: &str, name: &str) -> Option<Span> {
        let text = self.string(fields, path, name)?;
        let least = if name == "gracePeriod" { Duration::ZERO } else { Duration::from_secs(1) };
        let span = Span::parse(text).filter(|span| (least..=LONGEST).contains(&span.0));
        if span.is_none() {
            let detail = "must be a duration such as 30s or 10m, at least 1s and at most 24h";
            self.errors.push(Error::invalid(format!("{path}{name}"), text, detail));
        }
        span
    }

    fn wrong(&mut self, field: &str, value: &Value, detail: &str) {
        self.errors.push(Error::type_invalid(field, value, detail));
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const DEFAULTS: Defaults = Defaults { timeout: Span::from_secs(1800), drain_timeout: Span::from_secs(600) };

    fn parsed(json: &str) -> Result<Options, Status> {
        parse(json.as_bytes(), "n", DEFAULTS)
    }

    #[test]
    fn nothing_is_a_soft_restart_without_drain() {
        for bare in ["", " \n", "null", "{}", r#"{"kind":"RestartOptions","apiVersion":"x","wait":"5s"}"#] {
            let Options { spec, bare: is_bare } = parsed(bare).unwrap();
            assert!(is_bare && !spec.drain.enabled && spec.drain.ignore_daemon_sets, "{bare}");
            assert_eq!((spec.mode, spec.timeout, spec.node_name.as_str()), (Mode::Soft, DEFAULTS.timeout, "n"));
        }
    }

    #[test]
    fn everything_that_is_said_is_kept() {
        let json = r#"{"mode":"SoftThenHard","drain":{"enabled":true,"gracePeriod":"0s","timeout":"1m","force":true,
            "ignoreDaemonSets":false,"deleteEmptyDir":true,"disableEviction":true},"reason":"kernel","idempotencyKey":"k",
            "notBefore":"2026-11-21T22:00:00+01:00","window":{"start":"22:00","end":"05:00","days":["Sat"]},"timeout":"1h"}"#;
        let Options { spec, bare } = parsed(json).unwrap();
        assert!(!bare);
        let drain = Drain {
            enabled: true,
            grace_period: Some(Span::from_secs(0)),
            timeout: Span::from_secs(60),
            force: true,
            ignore_daemon_sets: false,
            delete_empty_dir: true,
            disable_eviction: true,
        };
        assert_eq!(spec.drain, drain);
        assert_eq!(spec.not_before.unwrap().to_string(), "2026-11-21T21:00:00Z");
        assert_eq!((spec.reason.as_str(), spec.idempotency_key.as_str()), ("kernel", "k"));
        assert_eq!(spec.window.unwrap().days, ["Sat"]);
        assert_eq!((spec.mode, spec.timeout), (Mode::SoftThenHard, Span::from_secs(3600)));
    }

    #[test]
    fn all_that_is_wrong_is_named() {
        let json = r#"{"mode":1,"drain":{"enabled":"yes","timeout":"0s"},"reason":[],"notBefore":"now",
            "window":{"start":"9","days":["Caturday",1]},"timeout":"25h"}"#;
        let status = parsed(json).unwrap_err();
        let fields: Vec<_> = status.details.unwrap().causes.into_iter().map(|cause| cause.field).collect();
        let expected = [
            "mode",
            "drain.enabled",
            "drain.timeout",
            "reason",
            "notBefore",
            "window.start",
            "window.end",
            "window.days[0]",
            "window.days[1]",
            "timeout",
        ];
        assert_eq!((status.code, fields), (422, expected.map(String::from).to_vec()));
    }

    #[test]
    fn what_is_no_object_is_a_bad_request() {
        for json in ["{", "5", "[]", r#""Hard""#] {
            assert_eq!(parsed(json).unwrap_err().code, 400, "{json}");
        }
    }
}
