//! The normal form of a transcript: everything that must differ between two servers is replaced by a name.
//!
//! Uids and objects' revisions are numbered in order of appearance, so that two equal names still mean two equal values.
//! Revisions of lists and bookmarks move with everything else on a server, so they get one name.

use std::collections::BTreeMap;

use regex::{Captures, Regex};
use serde_json::{Map, Value, json};

use crate::cx::Step;

/// A step in normal form.
#[derive(Clone, Debug, PartialEq)]
pub struct Normal {
    /// The request.
    pub label: String,
    /// `{"status":…, "headers":{…}, "form":…, "body":…}`.
    pub answer: Value,
}

/// The headers that are compared; all others are the transport's own.
const HEADERS: &[&str] = &[
    "allow",
    "cache-control",
    "content-encoding",
    "content-type",
    "location",
    "retry-after",
    "vary",
    "warning",
    "x-content-type-options",
];

/// Brings transcripts of one run of a case into normal form.
#[derive(Debug)]
pub struct Normaliser {
    replacements: Vec<(String, &'static str)>,
    names: BTreeMap<String, String>,
    generated: BTreeMap<String, String>,
    counts: BTreeMap<&'static str, usize>,
    uid: Regex,
    time: Regex,
    age: Regex,
    hash: Regex,
    version_hash: Regex,
    text_revision: Regex,
    yaml_age: Regex,
    /// In YAML, and in documents quoted by messages.
    yaml_revision: Regex,
    /// The beginning of a body, quoted by a message: cut at some length, in which the group counts.
    beginning: Regex,
}

// === impl Normaliser ===

impl Normaliser {
    /// For a run in this namespace with this group.
    #[must_use]
    pub fn new(group: &str, namespace: &str) -> Self {
        let reversed: Vec<&str> = group.split('.').rev().collect();
        let replacements = vec![
            (group.to_owned(), "GROUP"),
            (reversed.join("."), "PUORG"),
            (reversed.join("~1"), "PUORG"),
            (camel(group), "Group"),
            (namespace.to_owned(), "NS"),
        ];
        Self {
            replacements,
            names: BTreeMap::new(),
            generated: BTreeMap::new(),
            counts: BTreeMap::new(),
            uid: compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
            time: compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
            age: compile(r"^\d+(ms|s|m|h|d)(\d+(s|m|h))?$"),
            hash: compile("[0-9A-F]{128}"),
            version_hash: compile(r"storageVersionHash: \S+"),
            text_revision: compile(
                r"(current: |in record \(|in the precondition \(|too old resource version: )\d+( \(\d+\))?",
            ),
            yaml_age: compile(r"^(\s*- )\d+(s|m|h|d)$"),
            yaml_revision: compile(r#"(resourceVersion(?:: |\\*":)\\*")\d+"#),
            beginning: compile(r#"\((\{.*|[0-9a-f]+) \.\.\.\)$"#),
        }
    }

    /// The normal form.
    pub fn transcript(&mut self, steps: &[Step]) -> Vec<Normal> {
        steps.iter().map(|step| Normal { label: step.label.clone(), answer: self.answer(step) }).collect()
    }

    fn answer(&mut self, step: &Step) -> Value {
        let mut headers = Map::new();
        for name in HEADERS {
            let values: Vec<Value> = step
                .headers
                .iter()
                .filter(|(header, _)| header == name)
                .map(|(_, value)| Value::from(self.string(value)))
                .collect();
            if !values.is_empty() {
                headers.insert((*name).to_owned(), values.into());
            }
        }
        json!({"status": step.status, "headers": headers, "form": form(&step.body), "body": self.body(&step.body)})
    }

    /// JSON, or JSON lines as a list, or text as a list of lines.
    fn body(&mut self, body: &[u8]) -> Value {
        if body.is_empty() || form(body) == "protobuf" {
            return Value::Null;
        }
        if let Ok(value) = serde_json::from_slice(body) {
            return self.document(value);
        }
        let text = String::from_utf8_lossy(body);
        let lines: Vec<&str> = text.lines().collect();
        let events: Result<Vec<Value>, _> = lines.iter().map(|line| serde_json::from_str(line)).collect();
        match events {
            Ok(events) => self.events(events),
            Err(_) => lines.iter().map(|line| Value::from(self.string(line))).collect(),
        }
    }

    fn document(&mut self, value: Value) -> Value {
        // A watch of one event is one line of JSON, too.
        match value.get("type").zip(value.get("object")) {
            Some(_) => self.events(vec![value]),
            None => self.value(value, false),
        }
    }

    /// Events, without the bookmarks that come by the clock.
    fn events(&mut self, events: Vec<Value>) -> Value {
        let telling = |event: &Value| {
            event["type"] != "BOOKMARK"
                || event.pointer("/object/metadata/annotations").is_some()
                || event.pointer("/object/rows/0/object/metadata/annotations").is_some()
        };
        events
            .into_iter()
            .filter(telling)
            .map(|mut event| {
                let bookmark = event["type"] == "BOOKMARK";
                event["object"] = self.value(event["object"].take(), bookmark);
                event
            })
            .collect()
    }

    /// A document; `moving` says that its revision is the server's, not an object's.
    fn value(&mut self, value: Value, moving: bool) -> Value {
        match value {
            Value::Object(map) => self.map(map, moving),
            Value::Array(items) => items.into_iter().map(|item| self.value(item, moving)).collect(),
            Value::String(text) => self.string(&text).into(),
            other => other,
        }
    }

    fn map(&mut self, map: Map<String, Value>, moving: bool) -> Value {
        let list = map.contains_key("items") || map.contains_key("columnDefinitions");
        self.name_generated(&map);
        let map = in_order(map);
        let mut normal = Map::new();
        for (key, value) in map {
            let value = match (key.as_str(), value) {
                ("metadata", Value::Object(metadata)) => self.metadata(metadata, list || moving),
                ("cells", Value::Array(cells)) => cells.into_iter().map(|cell| self.cell(cell)).collect(),
                ("storageVersionHash", Value::String(_)) => "<hash>".into(),
                (_, value) => self.value(value, moving),
            };
            normal.insert(self.string(&key), value);
        }
        Value::Object(normal)
    }

    fn metadata(&mut self, metadata: Map<String, Value>, moving: bool) -> Value {
        let mut normal = Map::new();
        for (key, value) in metadata {
            let value = match (key.as_str(), value) {
                ("resourceVersion", Value::String(_)) if moving => "<revision>".into(),
                ("resourceVersion", Value::String(revision)) if revision != "0" && !revision.is_empty() => {
                    self.named("revision", &revision).into()
                }
                ("continue", Value::String(token)) if !token.is_empty() => "<continue>".into(),
                ("managedFields", Value::Array(mut entries)) => {
                    // Their order depends on the second in which each write fell.
                    entries
                        .sort_by_key(|entry| ["manager", "operation", "subresource"].map(|key| entry[key].to_string()));
                    self.value(entries.into(), false)
                }
                (_, value) => self.value(value, false),
            };
            normal.insert(self.string(&key), value);
        }
        Value::Object(normal)
    }

    /// A cell of a table: ages run on.
    fn cell(&mut self, cell: Value) -> Value {
        match cell {
            Value::String(text) if self.age.is_match(&text) => "<age>".into(),
            other => self.value(other, false),
        }
    }

    /// Learns a generated name, so that it is replaced from here on.
    fn name_generated(&mut self, object: &Map<String, Value>) {
        let text = |key: &str| object.get("metadata")?.get(key)?.as_str();
        if let (Some(prefix), Some(name)) = (text("generateName"), text("name"))
            && let Some(start) = name.len().checked_sub(5).and_then(|end| name.get(..end))
            && prefix.starts_with(start)
            && !self.generated.contains_key(name)
        {
            let count = self.counts.entry("generated").or_default();
            *count += 1;
            self.generated.insert(name.to_owned(), format!("{start}<generated {count}>"));
        }
    }

    /// A text with everything particular in it replaced.
    fn string(&mut self, text: &str) -> String {
        let mut text = self.replacements.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        for (name, replacement) in &self.generated {
            text = text.replace(name, replacement);
        }
        let uids: Vec<String> = self.uid.find_iter(&text).map(|found| found.as_str().to_owned()).collect();
        for uid in uids {
            let name = self.named("uid", &uid);
            text = text.replace(&uid, &name);
        }
        text = self.time.replace_all(&text, "<time>").into_owned();
        text = self.version_hash.replace_all(&text, "storageVersionHash: <hash>").into_owned();
        text = self.hash.replace_all(&text, "<hash>").into_owned();
        text = self.yaml_revision.replace_all(&text, "${1}<revision>").into_owned();
        text = self.yaml_age.replace_all(&text, "${1}<age>").into_owned();
        text = self.beginning.replace_all(&text, "(<the beginning> ...)").into_owned();
        self.text_revision.replace_all(&text, |found: &Captures<'_>| format!("{}<revision>", &found[1])).into_owned()
    }

    /// The name of a value: the same for the same value.
    fn named(&mut self, kind: &'static str, value: &str) -> String {
        let key = format!("{kind} {value}");
        if let Some(name) = self.names.get(&key) {
            return name.clone();
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let name = format!("<{kind} {count}>");
        self.names.insert(key, name.clone());
        name
    }
}

/// What the oracle lists in the order of a hash map: errors of a schema, and the kinds of a group.
fn in_order(mut map: Map<String, Value>) -> Map<String, Value> {
    for list in ["causes", "resources"] {
        if let Some(Value::Array(entries)) = map.get_mut(list) {
            entries.sort_by_cached_key(|entry| ["name", "field", "message"].map(|key| entry[key].to_string()));
        }
    }
    if let Some(Value::String(message)) = map.get_mut("message")
        && let Some((start, errors)) = message.split_once(" is invalid: [")
    {
        let mut errors: Vec<&str> = errors.trim_end_matches(']').split(", ").collect();
        errors.sort_unstable();
        *message = format!("{start} is invalid: [{}]", errors.join(", "));
    }
    map
}

/// What a parsed body no longer shows.
fn form(body: &[u8]) -> &'static str {
    let json = body.first() == Some(&b'{');
    match body {
        [] => "empty",
        [b'k', b'8', b's', 0, ..] | [0, 0, ..] => "protobuf",
        [.., b'}', b'\n'] if json && !body.starts_with(b"{\n") => "a line of JSON",
        [.., b'\n'] if json => "indented JSON and a newline",
        _ if body.starts_with(b"{\n") => "indented JSON",
        _ if json => "JSON",
        _ => "text",
    }
}

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns above are valid")
}

/// `examples.outrigger.dev` as operation ids write it: `ExamplesOutriggerDev`.
fn camel(group: &str) -> String {
    group
        .split(['.', '-'])
        .map(|part| {
            let mut letters = part.chars();
            letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(group: &str, namespace: &str, bodies: &[Value]) -> Vec<Value> {
        let step = |body: &Value| Step {
            label: "GET {r}".to_owned(),
            status: 200,
            headers: vec![
                ("audit-id".to_owned(), "x".to_owned()),
                ("content-type".to_owned(), "application/json".to_owned()),
            ],
            body: body.to_string().into(),
        };
        let steps: Vec<Step> = bodies.iter().map(step).collect();
        Normaliser::new(group, namespace).transcript(&steps).into_iter().map(|normal| normal.answer).collect()
    }

    fn object(group: &str, namespace: &str, uid: &str, revision: &str) -> Value {
        json!({
            "apiVersion": format!("{group}/v1"),
            "metadata": {
                "creationTimestamp": "2026-11-20T23:27:40Z", "generateName": "gen-", "name": "gen-x7v9z",
                "namespace": namespace, "resourceVersion": revision, "uid": uid,
            },
        })
    }

    #[test]
    fn two_servers_answers_become_equal() {
        let a = object("a.test", "c1", "e7cd7980-85aa-4ab0-857e-363aab604ddb", "220");
        let b = object("b.example.org", "c22", "37c26cea-bdaa-43f8-a8e8-af9b9b9117a4", "7");
        assert_eq!(normal("a.test", "c1", &[a]), normal("b.example.org", "c22", &[b]));
    }

    #[test]
    fn equal_revisions_keep_equal_names_and_others_differ() {
        let uid = "e7cd7980-85aa-4ab0-857e-363aab604ddb";
        let bodies = ["5", "5", "6"].map(|revision| object("g.test", "c1", uid, revision));
        let revisions: Vec<Value> = normal("g.test", "c1", &bodies)
            .iter()
            .map(|answer| answer["body"]["metadata"]["resourceVersion"].clone())
            .collect();
        assert_eq!(revisions, ["<revision 1>", "<revision 1>", "<revision 2>"]);
    }

    #[test]
    fn lists_and_bookmarks_have_a_moving_revision() {
        let list = json!({"kind": "TList", "metadata": {"resourceVersion": "9", "continue": "abc"}, "items": []});
        let bookmark = json!({"type": "BOOKMARK", "object": {"metadata": {
            "resourceVersion": "9", "annotations": {"k8s.io/initial-events-end": "true"}}}});
        let answers = normal("g.test", "c1", &[list, bookmark]);
        assert_eq!(answers[0]["body"]["metadata"], json!({"resourceVersion": "<revision>", "continue": "<continue>"}));
        assert_eq!(answers[1]["body"][0]["object"]["metadata"]["resourceVersion"], "<revision>");
    }

    #[test]
    fn only_headers_that_matter_are_kept() {
        assert_eq!(normal("g.test", "c1", &[json!({})])[0]["headers"], json!({"content-type": ["application/json"]}));
    }

    #[test]
    fn revisions_in_texts_are_replaced() {
        let mut normaliser = Normaliser::new("g.test", "c1");
        let text = "Timeout: Too large resource version: 999999, current: 373";
        assert_eq!(normaliser.string(text), "Timeout: Too large resource version: 999999, current: <revision>");
        assert_eq!(normaliser.string("too old resource version: 1 (219)"), "too old resource version: <revision>");
    }

    #[test]
    fn the_order_of_errors_does_not_matter() {
        let cause = |field: &str| json!({"field": field, "message": "bad"});
        let status = |a: &str, b: &str| {
            let message = format!("W \"x\" is invalid: [{a}: bad, {b}: bad]");
            json!({"message": message, "details": {"causes": [cause(a), cause(b)]}})
        };
        assert_eq!(normal("g.test", "c1", &[status("a", "b")]), normal("g.test", "c1", &[status("b", "a")]));
    }

    #[test]
    fn ages_in_cells_are_replaced() {
        let table = json!({"columnDefinitions": [], "rows": [{"cells": ["a", "12s", 3, "2m10s"]}]});
        assert_eq!(normal("g.test", "c1", &[table])[0]["body"]["rows"][0]["cells"], json!(["a", "<age>", 3, "<age>"]));
    }
}
