//! From YAML to JSON values.

use std::collections::HashMap;

use granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::{Map, Value};

use super::scalar::{self, Scalar};
use crate::{go, json::MAX_DEPTH};

/// How many bytes of memory anchored values may take, each alias to them included. A body is at most 3 MiB.
const MAX_REPEATED: usize = 16 * 1024 * 1024;
/// What a value costs besides its text.
const NODE: usize = 64;

/// A document that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    message: String,
}

/// What a document says.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// The value; of fields that come twice the last one.
    pub value: Value,
    /// What Go says of the fields that come twice, such as `line 3: key "name" already set in map`.
    pub duplicates: Vec<String>,
}

/// How the one complaint begins that Go makes of all fields that come twice.
pub const PROBLEMS: &str = "yaml: unmarshal errors:\n";
/// A complaint costs memory.
const MAX_DUPLICATES: usize = 100;

/// Reads the first document; what follows it is not looked at. An empty document is null.
pub fn decode(yaml: &[u8]) -> Result<Decoded, Error> {
    let source = std::str::from_utf8(yaml).map_err(|_| Error::new("yaml: invalid leading UTF-8 octet"))?;
    let source = source.strip_prefix('\u{feff}').unwrap_or(source);
    let mut options = Options::default();
    options.emit_comments = false;
    options.emit_unresolved_aliases = true;
    let mut reader = Reader {
        source,
        parser: Parser::new_from_str_with_options(source, options),
        anchors: HashMap::new(),
        repeated: 0,
        duplicates: Vec::new(),
    };
    let value = reader.document()?;
    Ok(Decoded { value, duplicates: reader.duplicates })
}

struct Reader<'a> {
    source: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    /// Values that may be repeated, and what they cost.
    anchors: HashMap<usize, (Value, usize)>,
    repeated: usize,
    duplicates: Vec<String>,
}

// === impl Decoded ===

impl Decoded {
    /// The complaint of strict decoding, if there is one.
    pub fn problem(&self) -> Option<String> {
        (!self.duplicates.is_empty()).then(|| format!("{PROBLEMS}  {}", self.duplicates.join("\n  ")))
    }
}

// === impl Error ===

impl Error {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }

    fn yaml(message: impl AsRef<str>) -> Self {
        Self::new(format!("yaml: {}", message.as_ref()))
    }
}

// === impl Reader ===

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Value, Error> {
        let mut value = Value::Null;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(..) => {}
                Event::DocumentEnd | Event::StreamEnd => return Ok(value),
                event => value = self.node(event, span, 0)?,
            }
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Value, Error> {
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let text = self.text(text.into_owned(), style, span);
                let scalar = scalar(text, style, tag.as_deref()).map_err(Error::yaml)?;
                (scalar.into_value().map_err(Error::new)?, anchor)
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if depth == MAX_DEPTH => {
                return Err(Error::yaml("exceeded max depth"));
            }
            Event::SequenceStart(_, anchor, _) => (self.sequence(depth + 1)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.mapping(depth + 1)?, anchor),
            Event::Alias(id) => return self.alias(id, span, depth),
            Event::UnresolvedAlias(name) => return Err(Error::yaml(format!("unknown anchor '{name}' referenced"))),
            _ => return Err(Error::yaml("unknown problem parsing YAML content")),
        };
        if anchor != 0 {
            let cost = cost(&value);
            self.repeat(cost)?;
            self.anchors.insert(anchor, (value.clone(), cost));
        }
        Ok(value)
    }

    /// A block scalar that the document ends in has no line feed that the document has not.
    fn text(&self, mut text: String, style: ScalarStyle, span: Span) -> String {
        let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let last = || span.byte_range().is_some_and(|range| range.end == self.source.len());
        let unended = || self.source.lines().next_back().is_some_and(|line| !line.trim().is_empty());
        if block && last() && !self.source.ends_with('\n') && unended() && text.ends_with('\n') {
            text.pop();
        }
        text
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, Error> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::Array(items)),
                (event, span) => items.push(self.node(event, span, depth)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, Error> {
        let mut map = Map::new();
        // Merged fields are no duplicates of what is written out.
        let mut merged = Map::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(Value::Object(map));
            }
            if matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<") {
                let (event, span) = self.next()?;
                for (key, value) in fields_to_merge(self.node(event, span, depth)?)? {
                    merged.insert(key.clone(), Value::Null);
                    map.insert(key, value);
                }
                continue;
            }
            let key = self.key(event, span, depth)?;
            let shown = match &key {
                Scalar::Text(text) => go::quote(text),
                key => key.clone().into_key().map_err(Error::new)?,
            };
            let key = key.into_key().map_err(Error::new)?;
            let (event, span) = self.next()?;
            let line = span.start.line();
            let value = self.node(event, span, depth)?;
            let twice = map.insert(key.clone(), value).is_some() && merged.remove(&key).is_none();
            if twice && self.duplicates.len() < MAX_DUPLICATES {
                self.duplicates.push(format!("line {line}: key {shown} already set in map"));
            }
        }
    }

    fn key(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Scalar, Error> {
        match event {
            Event::Scalar(text, style, 0, tag) => scalar(text.into_owned(), style, tag.as_deref()).map_err(Error::yaml),
            event @ (Event::Scalar(..) | Event::Alias(_) | Event::UnresolvedAlias(_)) => {
                match self.node(event, span, depth)? {
                    Value::String(text) => Ok(Scalar::Text(text)),
                    Value::Bool(value) => Ok(Scalar::Bool(value)),
                    Value::Number(number) => Ok(Scalar::Text(number.to_string())),
                    Value::Null => Ok(Scalar::Null),
                    Value::Array(_) | Value::Object(_) => Err(Error::yaml("invalid map key")),
                }
            }
            _ => Err(Error::yaml("invalid map key")),
        }
    }

    fn alias(&mut self, id: usize, span: Span, depth: usize) -> Result<Value, Error> {
        let Some((value, cost)) = self.anchors.get(&id) else {
            let name = span.slice(self.source).unwrap_or_default().trim_start_matches('*');
            return Err(Error::yaml(format!("anchor '{name}' value contains itself")));
        };
        let (value, cost) = (value.clone(), *cost);
        self.repeat(cost)?;
        if depth + crate::json::depth(&value) > MAX_DEPTH {
            return Err(Error::yaml("exceeded max depth"));
        }
        Ok(value)
    }

    fn repeat(&mut self, cost: usize) -> Result<(), Error> {
        self.repeated = self.repeated.saturating_add(cost);
        match self.repeated > MAX_REPEATED {
            true => Err(Error::yaml("document contains excessive aliasing")),
            false => Ok(()),
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), Error> {
        match self.parser.next_event() {
            Some(event) => event.map_err(|error| self.refused(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// Go's parser says what it missed, not what it was doing, and counts lines from 0 unless the scanner is at fault.
    fn refused(&self, error: &ScanError) -> Error {
        let info = error.info();
        let problem = match (error.kind(), info.split_once(", ")) {
            (ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation, _) => {
                "found character that cannot start any token"
            }
            (ErrorKind::UnclosedQuotedScalar, _) => "found unexpected end of stream",
            (ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey, _) => "could not find expected ':'",
            (_, Some((doing, problem))) if doing.starts_with("while ") => problem,
            _ => info.as_str(),
        };
        let line = error.marker().line();
        let (problem, line) = match error.kind() {
            ErrorKind::UnclosedFlowCollection { .. } => {
                ("did not find expected node content", self.source.matches('\n').count())
            }
            _ if problem.contains("did not find expected") => (problem, line.saturating_sub(1)),
            _ => (problem, line),
        };
        match line {
            0 => Error::yaml(problem),
            line => Error::yaml(format!("line {line}: {problem}")),
        }
    }
}

/// What a scalar means by its tag and its quotes.
fn scalar(text: String, style: ScalarStyle, tag: Option<&Tag>) -> Result<Scalar, String> {
    match (tag, style) {
        (None, ScalarStyle::Plain) => Ok(scalar::resolve(&text)),
        (Some(tag), _) if tag.handle() == "tag:yaml.org,2002:" => scalar::resolve_tagged(tag.suffix(), &text),
        _ => Ok(Scalar::Text(text)),
    }
}

/// The fields that the value of `<<` adds: those of a map, or of several, the first of which counts.
fn fields_to_merge(value: Value) -> Result<Map<String, Value>, Error> {
    let refused = || Error::yaml("map merge requires map or sequence of maps as the value");
    match value {
        Value::Object(map) => Ok(map),
        Value::Array(maps) => {
            let mut merged = Map::new();
            for map in maps.into_iter().rev() {
                match map {
                    Value::Object(map) => merged.extend(map),
                    _ => return Err(refused()),
                }
            }
            Ok(merged)
        }
        _ => Err(refused()),
    }
}

/// About how many bytes of memory a value takes.
fn cost(value: &Value) -> usize {
    NODE + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(cost).sum(),
        Value::Object(map) => map.iter().map(|(key, value)| NODE + key.len() + cost(value)).sum(),
        _ => 0,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn value(yaml: &str) -> Value {
        decode(yaml.as_bytes()).unwrap().value
    }

    fn error(yaml: &str) -> String {
        decode(yaml.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn documents_become_values() {
        let cases = [
            ("", json!(null)),
            ("# nothing\n", json!(null)),
            ("---\na: 1\n...\n", json!({"a": 1})),
            ("a: 1\n---\n", json!({"a": 1})),
            ("a: 1\n---\nb: [\n", json!({"a": 1})),
            ("---\n---\na: 1\n", json!(null)),
            ("\u{feff}a: b", json!({"a": "b"})),
            ("a:\n- b\n- c: [1, 'x', \"y\\n\"]\nd: {}\n", json!({"a": ["b", {"c": [1, "x", "y\n"]}], "d": {}})),
            ("a: |\n  x\n  y\nb: >-\n  x\n  y\n", json!({"a": "x\ny\n", "b": "x y"})),
            ("{\"a\": [true, null, 1.5, \"on\"]}", json!({"a": [true, null, 1.5, "on"]})),
            (
                "a: on\nb: 'on'\nc: !!str on\nd: 010\ne: 2001-01-01\n",
                json!({"a": true, "b": "on", "c": "on", "d": 8, "e": "2001-01-01"}),
            ),
            ("1: a\ny: b\n1.5: c\n010: d\n", json!({"1": "a", "true": "b", "1.5": "c", "8": "d"})),
            ("a: 1.0\nb: 18446744073709551615\n", json!({"a": 1, "b": 18_446_744_073_709_551_615.0})),
            ("a: |\n  x\n  y", json!({"a": "x\ny"})),
            ("? a\n: b\n", json!({"a": "b"})),
            ("a: !custom x\nb: !custom {c: d}\n", json!({"a": "x", "b": {"c": "d"}})),
        ];
        for (yaml, expected) in cases {
            assert_eq!(value(yaml), expected, "{yaml}");
        }
    }

    #[test]
    fn aliases_repeat_and_merges_give_way_to_what_follows() {
        assert_eq!(value("a: &x {b: 1}\nc: *x\n"), json!({"a": {"b": 1}, "c": {"b": 1}}));
        assert_eq!(value("a: &x b\n*x : c\n"), json!({"a": "b", "b": "c"}));
        assert_eq!(
            value("base: &b {x: 1, z: 2}\nd:\n  <<: *b\n  z: 3\n"),
            json!({"base": {"x": 1, "z": 2}, "d": {"x": 1, "z": 3}})
        );
        assert_eq!(value("- &a {x: 1}\n- &b {x: 2, z: 2}\n- <<: [*a, *b]\n")[2], json!({"x": 1, "z": 2}));
        assert_eq!(error("<<: 5\n"), "yaml: map merge requires map or sequence of maps as the value");
        assert!(decode(b"b: &b {x: 1}\nd:\n  <<: *b\n  x: 3\n").unwrap().duplicates.is_empty());
    }

    #[test]
    fn the_last_of_fields_that_come_twice_counts_and_all_are_named() {
        let decoded = decode(b"a: 1\nspec:\n  size: 1\n  size: 2\n  l:\n  - x: 1\n    x: 2\na: 2\n").unwrap();
        assert_eq!(decoded.value, json!({"a": 2, "spec": {"size": 2, "l": [{"x": 2}]}}));
        let lines = ["line 4: key \"size\"", "line 7: key \"x\"", "line 8: key \"a\""];
        assert_eq!(decoded.duplicates, lines.map(|line| format!("{line} already set in map")));
        let problem = decode(b"1: a\n1: b\nyes: c\ntrue: d\n").unwrap().problem().unwrap();
        let lines = "  line 2: key 1 already set in map\n  line 4: key true already set in map";
        assert_eq!(problem, format!("{PROBLEMS}{lines}"));
        assert_eq!(decode(b"a: 1\n").unwrap().problem(), None);
    }

    #[test]
    fn complaints_are_like_gos() {
        let cases = [
            ("a: [\n", "yaml: line 1: did not find expected node content"),
            ("a: .inf\n", "json: unsupported value: +Inf"),
            ("[a]: b\n", "yaml: invalid map key"),
            ("a: &x [*x]\n", "yaml: anchor 'x' value contains itself"),
            ("a: *x\n", "yaml: unknown anchor 'x' referenced"),
            ("a:\n\tb: 1\n", "yaml: line 2: found character that cannot start any token"),
            ("a: !!int x\n", "yaml: cannot decode !!str `x` as a !!int"),
        ];
        for (yaml, message) in cases {
            assert_eq!(error(yaml), message, "{yaml}");
        }
        for yaml in ["a: b: c\n", "a: 'x\n", "- a\nb: c\n", "a: *x\n", "%YAML 3.0\n---\na\n", "a: \"\\q\"\n"] {
            assert!(error(yaml).starts_with("yaml: "), "{yaml}");
        }
        assert_eq!(decode(b"a: \xff").unwrap_err().to_string(), "yaml: invalid leading UTF-8 octet");
    }

    #[test]
    fn nesting_is_bounded() {
        let flow = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(crate::json::depth(&value(&flow(MAX_DEPTH))), MAX_DEPTH);
        assert_eq!(error(&flow(MAX_DEPTH + 1)), "yaml: exceeded max depth");
        assert!(decode(flow(100_000).as_bytes()).is_err());
        assert!(decode("- ".repeat(100_000).as_bytes()).is_err());
        assert!(decode("? ".repeat(100_000).as_bytes()).is_err());
        let deep: String = (0..100).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
        assert_eq!(crate::json::depth(&value(&deep)), 100);
        let shared = format!("a: &a {}\nb: {}*a{}\n", flow(100), "[".repeat(50), "]".repeat(50));
        assert_eq!(error(&shared), "yaml: exceeded max depth");
    }

    #[test]
    fn aliases_are_no_bombs() {
        let mut laughs = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
        for level in 1..10 {
            let aliases = vec![format!("*a{}", level - 1); 9].join(",");
            laughs.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        assert_eq!(error(&laughs), "yaml: document contains excessive aliasing");
        let big = format!("a: &a {}\nb: [{}]\n", "x".repeat(1024 * 1024), vec!["*a"; 100_000].join(","));
        assert_eq!(error(&big), "yaml: document contains excessive aliasing");
    }
}
