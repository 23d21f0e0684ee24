//! From JSON values to YAML, byte for byte as Go's emitter writes it.
//!
//! Block style, keys in Go's order, lists as far left as their key. A string is plain where that means the same, a
//! literal block when it has several lines, else quoted; plain and quoted text is folded at the first space beyond the
//! 80th column.
//!
//! The writer keeps what libyaml's keeps: where it is in the line, and whether that is only indentation so far.

use serde_json::{Map, Value};

use super::{order, scalar};
use crate::go;

const WIDTH: usize = 80;
const INDENT: usize = 2;
/// A longer key is written with a question mark.
const KEY_MAX: usize = 128;

/// The value as a YAML document, ended by a line feed.
pub fn encode(value: &Value) -> Vec<u8> {
    let mut emitter = Emitter { out: String::new(), column: 0, blank: true, indented: true };
    emitter.node(value, None, false);
    emitter.line(0);
    emitter.out.into_bytes()
}

struct Emitter {
    out: String,
    column: usize,
    /// The last thing written separates from what follows.
    blank: bool,
    /// Nothing but indentation and indicators that indent is on this line.
    indented: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

// === impl Emitter ===

impl Emitter {
    /// Writes a value inside of what is indented by `indent`; `None` is the document. `mapping` says whether it is a
    /// field's value.
    fn node(&mut self, value: &Value, indent: Option<usize>, mapping: bool) {
        match value {
            Value::Object(map) if map.is_empty() => self.indicator("{}", true, false),
            Value::Array(items) if items.is_empty() => self.indicator("[]", true, false),
            Value::Object(map) => self.mapping(map, indent.map_or(0, |indent| indent + INDENT)),
            Value::Array(items) => {
                let indent = match indent {
                    None => 0,
                    // A list does not go deeper than its key, unless the key's colon begins a line.
                    Some(indent) if mapping && !self.indented => indent,
                    Some(indent) => indent + INDENT,
                };
                self.sequence(items, indent);
            }
            Value::String(text) => self.string(text, indent.unwrap_or_default() + INDENT, false),
            Value::Number(number) => self.plain(&number_text(number), 0, false),
            Value::Bool(value) => self.plain(if *value { "true" } else { "false" }, 0, false),
            Value::Null => self.plain("null", 0, false),
        }
    }

    fn sequence(&mut self, items: &[Value], indent: usize) {
        for item in items {
            self.line(indent);
            self.indicator("-", true, true);
            self.node(item, Some(indent), false);
        }
    }

    fn mapping(&mut self, map: &Map<String, Value>, indent: usize) {
        let entries = map.iter().map(|(key, value)| (key.as_str(), value)).collect();
        for (key, value) in order::sorted(entries) {
            self.line(indent);
            if key.len() <= KEY_MAX && !key.chars().any(is_break) {
                self.string(key, indent + INDENT, true);
                self.indicator(":", false, false);
            } else {
                self.indicator("?", true, true);
                self.string(key, indent + INDENT, false);
                self.line(indent);
                self.indicator(":", true, true);
            }
            self.node(value, Some(indent), true);
        }
    }

    /// `indent` is where continuation lines begin; a simple key has none.
    fn string(&mut self, text: &str, indent: usize, key: bool) {
        match style(text, key) {
            Style::Plain => self.plain(text, indent, !key),
            Style::SingleQuoted => self.single_quoted(text, indent, !key),
            Style::DoubleQuoted => self.double_quoted(text, indent, !key),
            Style::Literal => self.literal(text, indent),
        }
    }

    fn plain(&mut self, text: &str, indent: usize, fold: bool) {
        if !self.blank {
            self.put(' ');
        }
        let mut spaces = false;
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            if char == ' ' && fold && !spaces && self.column > WIDTH && chars.peek() != Some(&' ') {
                self.line(indent);
            } else {
                self.put(char);
            }
            spaces = char == ' ';
            self.indented = false;
        }
        (self.blank, self.indented) = (false, false);
    }

    fn single_quoted(&mut self, text: &str, indent: usize, fold: bool) {
        self.indicator("'", true, false);
        let mut spaces = false;
        let mut chars = text.char_indices().peekable();
        while let Some((at, char)) = chars.next() {
            let (inside, next) = (at > 0 && at + 1 < text.len(), chars.peek().map(|(_, char)| *char));
            match char {
                ' ' if fold && !spaces && self.column > WIDTH && inside && next != Some(' ') => self.line(indent),
                '\'' => self.put_all("''"),
                char => self.put(char),
            }
            (spaces, self.indented) = (char == ' ', false);
        }
        self.indicator("'", false, false);
        (self.blank, self.indented) = (false, false);
    }

    fn double_quoted(&mut self, text: &str, indent: usize, fold: bool) {
        self.indicator("\"", true, false);
        let mut spaces = false;
        let mut chars = text.char_indices().peekable();
        while let Some((at, char)) = chars.next() {
            let (inside, next) = (at > 0 && at + 1 < text.len(), chars.peek().map(|(_, char)| *char));
            match char {
                ' ' if fold && !spaces && self.column > WIDTH && inside => {
                    self.line(indent);
                    if next == Some(' ') {
                        self.put('\\');
                    }
                }
                char if !is_printable(char) || matches!(char, '\n' | '"' | '\\') => {
                    self.put_all(&escape(char));
                }
                char => self.put(char),
            }
            spaces = char == ' ';
        }
        self.indicator("\"", false, false);
        (self.blank, self.indented) = (false, false);
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.indicator("|", true, false);
        if text.starts_with(|char| char == ' ' || is_break(char)) {
            self.indicator("2", false, false);
        }
        let mut ends = text.chars().rev();
        match (ends.next().is_some_and(is_break), ends.next().is_none_or(is_break)) {
            (false, _) => self.indicator("-", false, false),
            (true, true) => self.indicator("+", false, false),
            (true, false) => {}
        }
        self.line_feed();
        (self.blank, self.indented) = (true, true);
        for line in text.split_inclusive('\n') {
            let text = line.strip_suffix('\n').unwrap_or(line);
            if !text.is_empty() {
                self.line(indent);
                self.put_all(text);
                self.indented = false;
            }
            if line.ends_with('\n') {
                self.line_feed();
                self.indented = true;
            }
        }
    }

    /// Goes to the column `indent` of this line, if nothing is in the way, or of the next.
    fn line(&mut self, indent: usize) {
        if !self.indented || self.column > indent || (self.column == indent && !self.blank) {
            self.line_feed();
        }
        while self.column < indent {
            self.put(' ');
        }
        (self.blank, self.indented) = (true, true);
    }

    fn indicator(&mut self, text: &str, separate: bool, indents: bool) {
        if separate && !self.blank {
            self.put(' ');
        }
        self.put_all(text);
        self.blank = false;
        self.indented = self.indented && indents;
    }

    fn line_feed(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    fn put_all(&mut self, text: &str) {
        text.chars().for_each(|char| self.put(char));
    }

    fn put(&mut self, char: char) {
        self.out.push(char);
        self.column += 1;
    }
}

/// The style of a string: the first of plain, single-quoted and double-quoted that can say it; a literal block when it
/// has several lines and that can.
fn style(text: &str, key: bool) -> Style {
    let looks = Looks::of(text);
    if text.contains('\n') {
        return if looks.literal && !key { Style::Literal } else { Style::DoubleQuoted };
    }
    if scalar::is_ambiguous(text) || (key && looks.multiline) {
        return Style::DoubleQuoted;
    }
    match (looks.plain, looks.single_quoted) {
        (true, _) => Style::Plain,
        (false, true) => Style::SingleQuoted,
        (false, false) => Style::DoubleQuoted,
    }
}

/// What a text's characters allow.
struct Looks {
    multiline: bool,
    plain: bool,
    single_quoted: bool,
    literal: bool,
}

impl Looks {
    fn of(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let is_blank = |char: Option<&char>| char.is_none_or(|char| matches!(char, ' ' | '\t'));
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        for (at, char) in chars.iter().enumerate() {
            let followed = is_blank(chars.get(at + 1));
            let preceded = at == 0 || matches!(chars[at - 1], ' ' | '\t' | '\0') || is_break(chars[at - 1]);
            indicators |= match char {
                '#' => preceded,
                ':' => followed,
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => at == 0,
                '?' | '-' => at == 0 && followed,
                _ => false,
            };
        }
        let pairs = || chars.windows(2).map(|pair| (pair[0], pair[1]));
        let (first, last) = (chars.first().copied().unwrap_or('x'), chars.last().copied().unwrap_or('x'));
        let special = chars.iter().any(|char| !is_printable(*char));
        let break_space = pairs().any(|(a, b)| is_break(a) && b == ' ');
        let space_break = pairs().any(|(a, b)| a == ' ' && is_break(b));
        let multiline = chars.iter().any(|char| is_break(*char));
        let edges = [first, last].into_iter().any(|char| char == ' ' || is_break(char));
        let single_quoted = !break_space && !space_break && !special;
        Self {
            multiline,
            plain: single_quoted && !edges && !multiline && !indicators,
            single_quoted,
            literal: !text.is_empty() && last != ' ' && !space_break && !special,
        }
    }
}

fn is_break(char: char) -> bool {
    matches!(char, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Go also takes U+2028 and U+2029 for printable, and folds lines there; readers of YAML 1.2 do not.
fn is_printable(char: char) -> bool {
    matches!(char, '\n' | ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

fn escape(char: char) -> String {
    let short = match char {
        '\0' => "0",
        '\u{7}' => "a",
        '\u{8}' => "b",
        '\t' => "t",
        '\n' => "n",
        '\u{b}' => "v",
        '\u{c}' => "f",
        '\r' => "r",
        '\u{1b}' => "e",
        '"' => "\"",
        '\\' => "\\",
        '\u{85}' => "N",
        '\u{a0}' => "_",
        '\u{2028}' => "L",
        '\u{2029}' => "P",
        char => {
            return match u32::from(char) {
                code @ 0..=0xff => format!("\\x{code:02X}"),
                code @ 0..=0xffff => format!("\\u{code:04X}"),
                code => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}

/// Go reads a number's JSON as YAML before it writes it.
fn number_text(number: &serde_json::Number) -> String {
    match number.as_f64().filter(|_| number.is_f64()) {
        None => number.to_string(),
        Some(float) => {
            let json = go::float_json(float);
            let whole = json.parse::<u64>().is_ok() || json.parse::<i64>().is_ok();
            if whole { json } else { go::float_g(float) }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::yaml::decode;

    fn text(value: &Value) -> String {
        String::from_utf8(encode(value)).unwrap()
    }

    #[test]
    fn an_object_is_written_as_a_kube_apiserver_writes_it() {
        let object = json!({"apiVersion": "gold.example.com/v1", "kind": "Widget", "metadata": {
            "creationTimestamp": "2026-11-20T23:27:41Z", "generation": 1,
            "managedFields": [{"apiVersion": "gold.example.com/v1", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:spec": {".": {}, "f:color": {}, "f:size": {}}}, "manager": "go-test", "operation": "Update"}],
            "name": "y1", "resourceVersion": "222"}, "spec": {"color": "red", "size": 3}});
        let recorded = r#"apiVersion: gold.example.com/v1
kind: Widget
metadata:
  creationTimestamp: "2026-11-20T23:27:41Z"
  generation: 1
  managedFields:
  - apiVersion: gold.example.com/v1
    fieldsType: FieldsV1
    fieldsV1:
      f:spec:
        .: {}
        f:color: {}
        f:size: {}
    manager: go-test
    operation: Update
  name: y1
  resourceVersion: "222"
spec:
  color: red
  size: 3
"#;
        assert_eq!(text(&object), recorded);
    }

    #[test]
    fn long_text_is_folded() {
        let status = json!({"apiVersion": "v1", "code": 406, "kind": "Status", "metadata": {},
            "message": "only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch"});
        let recorded = "apiVersion: v1\ncode: 406\nkind: Status\nmessage: 'only the following media types are accepted: application/json;stream=watch,\n  application/vnd.kubernetes.protobuf;stream=watch'\nmetadata: {}\n";
        assert_eq!(text(&status), recorded);
    }

    /// The expectations were printed by Go.
    #[test]
    fn strings_are_quoted_where_they_must_be() {
        let cases = [
            ("", "\"\""),
            ("a b", "a b"),
            ("true", "\"true\""),
            ("1", "\"1\""),
            ("a: b", "'a: b'"),
            ("a:b", "a:b"),
            ("a #b", "'a #b'"),
            ("- a", "'- a'"),
            ("-a", "-a"),
            ("*a", "'*a'"),
            ("it's", "it's"),
            ("'it", "'''it'"),
            (" a", "' a'"),
            ("a\tb", "\"a\\tb\""),
            ("é", "é"),
            ("🎈", "\"\\U0001F388\""),
            ("a\nb", "|-\n  a\n  b"),
            ("a\nb\n", "|\n  a\n  b"),
            ("a\n\n", "|+\n  a\n"),
            (" a\nb", "|2-\n   a\n  b"),
            ("a \nb", "\"a \\nb\""),
            ("a\u{7f}", "\"a\\x7F\""),
            ("=", "="),
            ("<<", "<<"),
            ("2001-01-01", "\"2001-01-01\""),
            ("12:30:45", "\"12:30:45\""),
            ("---", "'---'"),
            ("? a", "'? a'"),
            ("?a", "?a"),
            ("a,b", "a,b"),
        ];
        for (string, yaml) in cases {
            assert_eq!(text(&json!({ "k": string })), format!("k: {yaml}\n"), "{string:?}");
        }
    }

    #[test]
    fn lists_and_long_keys_are_written_as_go_writes_them() {
        let key = "k".repeat(129);
        let cases = [
            (json!([]), "[]\n".to_owned()),
            (json!({}), "{}\n".to_owned()),
            (json!(null), "null\n".to_owned()),
            (json!([1, [2, [3]], {"a": [4]}]), "- 1\n- - 2\n  - - 3\n- a:\n  - 4\n".to_owned()),
            (json!({"a": {"b": []}, "true": 1}), "a:\n  b: []\n\"true\": 1\n".to_owned()),
            (json!({ key.clone(): [1] }), format!("? {key}\n: - 1\n")),
            (json!({"a\nb": 1}), "? |-\n  a\n  b\n: 1\n".to_owned()),
            (
                json!([1.5, 1_234_567.5, 1e21, 1e-5, 1e300, -3]),
                "- 1.5\n- 1.2345675e+06\n- 1e+21\n- 1e-05\n- 1e+300\n- -3\n".to_owned(),
            ),
        ];
        for (value, yaml) in cases {
            assert_eq!(text(&value), yaml, "{value}");
        }
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let long = "word ".repeat(60);
        let strings = [
            "",
            " ",
            "\n",
            "\n\n",
            " \n ",
            "a\n b",
            "a\u{85}b",
            "\u{2028}",
            "a\u{2029} b",
            "\u{0}",
            "\r\n",
            "'\"\\",
            "🎈é",
            "# a",
            "a\n# b",
            long.as_str(),
            "x\t",
            "\tx\ny",
        ];
        for string in strings {
            let value = json!({ string: [string, {"k": string}], "nested": {"deep": [string]} });
            assert_eq!(decode(&encode(&value)).map(|decoded| decoded.value), Ok(value), "{string:?}");
        }
    }
}
