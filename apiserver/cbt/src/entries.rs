//! Blocks as the entries of `status.changedBlockDeltas`, from the message's bytes straight to text.
//!
//! An entry is five fragments, of which only index and token are its own; the others are made once for as long as size
//! and validity stay the same. The numbers are all that is computed.

use machinery::time::Timestamp;
use proto::cbt::{Blocks, Error, Result};

/// How entries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A JSON list.
    Json,
    /// A JSON list as deep as it is in an object, indented.
    Pretty,
    /// A YAML list as deep as it is in an object.
    Yaml,
    /// A JSON object on each line.
    Lines,
}

/// The constant parts of a style.
struct Form {
    /// Before the index of the first entry.
    first: &'static str,
    /// Before the index of each other one.
    next: &'static str,
    size: &'static str,
    token: &'static str,
    issued: &'static str,
    ttl: &'static str,
    end: &'static str,
    /// After the last entry.
    close: &'static str,
    /// In place of all, when there is none.
    none: &'static str,
}

/// Writes the entries of one stream.
#[derive(Debug)]
pub struct Encoder {
    form: &'static Form,
    begun: bool,
    size: u64,
    validity: (i64, i64),
    /// From the end of the index to the token.
    middle: Vec<u8>,
    /// What follows a token.
    after: Vec<u8>,
    /// What follows no token.
    bare: Vec<u8>,
}

/// Room for an index.
const INDEX: usize = 20;

const JSON: Form = Form {
    first: r#"[{"offset":"#,
    next: r#",{"offset":"#,
    size: r#","blockSizeBytes":"#,
    token: r#","dataToken":{"token":""#,
    issued: r#"","issuanceTime":"#,
    ttl: r#","ttl":""#,
    end: r#""}}"#,
    close: "]",
    none: "[]",
};

const LINES: Form = Form { first: r#"{"offset":"#, next: r#"{"offset":"#, end: "\"}}\n", close: "", none: "", ..JSON };

const PRETTY: Form = Form {
    first: "[\n      {\n        \"offset\": ",
    next: ",\n      {\n        \"offset\": ",
    size: ",\n        \"blockSizeBytes\": ",
    token: ",\n        \"dataToken\": {\n          \"token\": \"",
    issued: "\",\n          \"issuanceTime\": ",
    ttl: ",\n          \"ttl\": \"",
    end: "\"\n        }\n      }",
    close: "\n    ]",
    none: "[]",
};

const YAML: Form = Form {
    first: "\n  - offset: ",
    next: "\n  - offset: ",
    size: "\n    blockSizeBytes: ",
    token: "\n    dataToken:\n      token: \"",
    issued: "\"\n      issuanceTime: ",
    ttl: "\n      ttl: \"",
    end: "\"",
    close: "",
    none: " []",
};

// === impl Encoder ===

impl Encoder {
    /// For one stream of blocks.
    pub fn new(style: Style) -> Self {
        let form = match style {
            Style::Json => &JSON,
            Style::Pretty => &PRETTY,
            Style::Yaml => &YAML,
            Style::Lines => &LINES,
        };
        let bare = [form.issued, "null", form.ttl, "0s", form.end].concat().into_bytes();
        let (middle, after) = (Vec::new(), bare.clone());
        Self { form, begun: false, size: 0, validity: (0, 0), middle, after, bare }
    }

    /// Appends the entries of a message: blocks, each at a multiple of its size. [`Error::Broken`] when a token is no
    /// plain text; what was appended is good.
    pub fn write(&mut self, blocks: &Blocks, out: &mut Vec<u8>) -> Result<()> {
        if self.validity != blocks.validity() {
            self.issue(blocks.validity());
        }
        let fragments = self.form.next.len() + INDEX + self.middle.len().max(128) + self.after.len();
        // Tokens are no longer than the message that they are in.
        out.reserve(blocks.len() * fragments + blocks.encoded().len());
        let mut digits = itoa::Buffer::new();
        for block in blocks.iter() {
            if block.size != self.size {
                self.resize(block.size);
            }
            let before = if self.begun { self.form.next } else { self.form.first };
            // All of them, without a way out in between, are several at a time.
            if !block.token.iter().fold(true, |plain, byte| plain & is_plain(*byte)) {
                return Err(Error::Broken("the driver sent a token that is not plain text".to_owned()));
            }
            self.begun = true;
            out.extend_from_slice(before.as_bytes());
            out.extend_from_slice(digits.format(block.offset / block.size).as_bytes());
            out.extend_from_slice(&self.middle);
            out.extend_from_slice(block.token);
            out.extend_from_slice(if block.token.is_empty() { &self.bare } else { &self.after });
        }
        Ok(())
    }

    /// Appends what ends the list.
    pub fn end(&self, out: &mut Vec<u8>) {
        let end = if self.begun { self.form.close } else { self.form.none };
        out.extend_from_slice(end.as_bytes());
    }

    #[cold]
    fn resize(&mut self, size: u64) {
        let Form { size: before, token: after, .. } = *self.form;
        self.size = size;
        self.middle = format!("{before}{size}{after}").into_bytes();
    }

    #[cold]
    fn issue(&mut self, (issued, seconds): (i64, i64)) {
        let Form { issued: before, ttl, end, .. } = *self.form;
        self.validity = (issued, seconds);
        let issued = Timestamp::from_unix(issued);
        self.after = format!("{before}\"{issued}\"{ttl}{}{end}", go_duration(seconds)).into_bytes();
    }
}

/// Whether a byte stands for itself in a string of JSON and of YAML.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

/// Seconds as Go's `time.Duration` prints them.
fn go_duration(seconds: i64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

// === impl Form ===

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.first)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use machinery::{json, yaml};
    use proto::cbt::{Block, Builder, Kind};
    use serde_json::{Value, json};

    use super::*;

    const SIZE: u64 = 524_288;

    fn message(blocks: &[(u64, &[u8])]) -> Blocks {
        let mut builder = Builder::new(Kind::Fixed, 1 << 40);
        builder.validity(1_700_000_000, 3 * 3600);
        for (index, token) in blocks {
            builder.push(Block { offset: index * SIZE, size: SIZE, token });
        }
        builder.finish()
    }

    fn written(style: Style, messages: &[Blocks]) -> String {
        let (mut encoder, mut out) = (Encoder::new(style), Vec::new());
        for message in messages {
            encoder.write(message, &mut out).unwrap();
        }
        encoder.end(&mut out);
        String::from_utf8(out).unwrap()
    }

    fn entry(index: u64, token: &str) -> Value {
        let data = match token {
            "" => json!({ "token": "", "issuanceTime": null, "ttl": "0s" }),
            token => json!({ "token": token, "issuanceTime": "2023-11-14T22:13:20Z", "ttl": "3h0m0s" }),
        };
        json!({ "offset": index, "blockSizeBytes": SIZE, "dataToken": data })
    }

    #[test]
    fn every_style_says_the_same() {
        let messages = [message(&[(0, b"ieEEQ9Bj7E6XR"), (7, b"")]), message(&[]), message(&[(1 << 20, b"123e4 ")])];
        let expected = json!([entry(0, "ieEEQ9Bj7E6XR"), entry(7, ""), entry(1 << 20, "123e4 ")]);
        let compact = written(Style::Json, &messages);
        assert!(compact.starts_with(r#"[{"offset":0,"blockSizeBytes":524288,"dataToken":{"token":"ieEEQ9Bj7E6XR","issuanceTime":"2023-11-14T22:13:20Z","ttl":"3h0m0s"}},{"#), "{compact}");
        assert_eq!(serde_json::from_str::<Value>(&compact).unwrap(), expected);
        let lines = written(Style::Lines, &messages);
        assert!(lines.ends_with('\n'));
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(Value::from(lines), expected);
        let yaml = format!("status:\n  list:{}\n", written(Style::Yaml, &messages));
        assert_eq!(yaml::decode(yaml.as_bytes()).unwrap().value["status"]["list"], expected);
        let nested = format!(r#"{{"status":{{"list":{compact}}}}}"#);
        let pretty = format!("{{\n  \"status\": {{\n    \"list\": {}\n  }}\n}}", written(Style::Pretty, &messages));
        assert_eq!(pretty, String::from_utf8(json::pretty(nested.as_bytes())).unwrap());
    }

    #[test]
    fn no_blocks_are_an_empty_list() {
        for (style, empty) in [(Style::Json, "[]"), (Style::Pretty, "[]"), (Style::Yaml, " []"), (Style::Lines, "")] {
            assert_eq!(written(style, &[]), empty);
            assert_eq!(written(style, &[message(&[])]), empty);
        }
    }

    #[test]
    fn a_token_that_would_end_its_string_is_refused() {
        for token in [&b"a\"b"[..], b"a\\", b"a\nb", "ä".as_bytes(), &[0], &[0x7f]] {
            let (mut encoder, mut out) = (Encoder::new(Style::Lines), Vec::new());
            let refused = encoder.write(&message(&[(0, b"good"), (1, token)]), &mut out);
            assert!(matches!(refused, Err(Error::Broken(_))), "{token:?}");
            assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), entry(0, "good"), "what came before is good");
        }
    }

    #[test]
    fn durations_are_written_as_go_writes_them() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (60, "1m0s"), (3600, "1h0m0s"), (90_061, "25h1m1s")] {
            assert_eq!(go_duration(seconds), text);
        }
    }
}
