//! Regular expressions of schemas: RE2's dialect, which is what the kube-apiserver compiles them with, for the `regex`
//! crate.
//!
//! The two differ in little, and where they differ the translation keeps RE2's meaning: `\d`, `\w`, `\s` and `\b` are
//! ASCII, `[` inside a class is itself, class operators (`&&`, `--`, `~~`) do not exist, a brace that begins no
//! repetition is itself, and `\Q…\E` quotes. Repeating a repetition, which RE2 refuses, is accepted.

use std::sync::Arc;

use super::node::Pattern;

/// The longest that a compiled pattern may be, in bytes; patterns come from whoever may define kinds.
const SIZE_LIMIT: usize = 10 << 20;

// === impl Pattern ===

impl Pattern {
    /// Compiles a pattern; the error says why it is none.
    pub(crate) fn new(source: &str) -> Result<Self, String> {
        let regex = regex::RegexBuilder::new(&translate(source)).size_limit(SIZE_LIMIT).build();
        match regex {
            Ok(regex) => Ok(Self { source: source.to_owned(), regex: Arc::new(regex) }),
            Err(regex::Error::CompiledTooBig(_)) => Err("it is too large".to_owned()),
            Err(error) => Err(error.to_string().lines().last().unwrap_or_default().trim().to_owned()),
        }
    }

    /// Whether the pattern occurs in `text`.
    pub(crate) fn occurs_in(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

fn translate(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        rest = match first {
            '\\' => escape(rest, &mut out),
            '[' => class(&rest[1..], &mut out),
            '{' if !repeats(rest) => {
                out.push_str(r"\{");
                &rest[1..]
            }
            _ => {
                out.push(first);
                &rest[first.len_utf8()..]
            }
        };
    }
    out
}

/// Translates what follows a backslash outside a class; returns what is left.
fn escape<'a>(rest: &'a str, out: &mut String) -> &'a str {
    if let Some(quoted) = rest.strip_prefix(r"\Q") {
        let (text, after) = quoted.split_once(r"\E").unwrap_or((quoted, ""));
        out.push_str(&regex::escape(text));
        return after;
    }
    let (escaped, after) = escaped(rest);
    match (shorthand(escaped), escaped) {
        (Some(class), _) => out.extend(["[", class, "]"]),
        (None, r"\b" | r"\B") => out.extend(["(?-u:", escaped, ")"]),
        (None, r"\<" | r"\>") => out.push_str(&escaped[1..]),
        _ => out.push_str(escaped),
    }
    after
}

/// Translates a class, whose bracket is open; returns what follows it. It consists of other classes, of characters, and
/// of ranges of characters; a dash that makes no range is a character.
fn class<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let inner = rest.strip_prefix('^').unwrap_or(rest);
    out.push_str(if inner.len() < rest.len() { "[^" } else { "[" });
    let mut rest = inner;
    while !rest.is_empty() {
        if rest.starts_with(']') && rest.len() < inner.len() {
            out.push(']');
            return &rest[1..];
        }
        rest = class_item(rest, out);
    }
    rest
}

fn class_item<'a>(rest: &'a str, out: &mut String) -> &'a str {
    if let Some(end) = rest.strip_prefix("[:").and_then(|name| name.find(":]")) {
        let (class, after) = rest.split_at(end + 4);
        out.push_str(class);
        return after;
    }
    let (low, after) = escaped(rest);
    let is_property = low.starts_with(r"\p") || low.starts_with(r"\P");
    if let Some(class) = shorthand(low).or_else(|| is_property.then_some(low)) {
        out.extend(["[", class, "]"]);
        return after;
    }
    class_char(low, out);
    match after.strip_prefix('-').filter(|high| !high.is_empty() && !high.starts_with(']')) {
        None => after,
        Some(high) => {
            let (high, after) = escaped(high);
            out.push('-');
            class_char(high, out);
            after
        }
    }
}

/// A character of a class, escaped where it would mean something else.
fn class_char(char: &str, out: &mut String) {
    if matches!(char, "[" | "]" | "-" | "^" | "&" | "~") {
        out.push('\\');
    }
    out.push_str(if matches!(char, r"\<" | r"\>") { &char[1..] } else { char });
}

/// The first character, with what belongs to it if it is a backslash; and what is left.
fn escaped(rest: &str) -> (&str, &str) {
    let first = |text: &str| text.chars().next().map_or(0, char::len_utf8);
    let Some(after) = rest.strip_prefix('\\') else { return rest.split_at(first(rest)) };
    let argument = after.strip_prefix(['p', 'P', 'x']);
    let length = match argument {
        None => first(after),
        Some(argument) if argument.starts_with('{') => 1 + argument.find('}').map_or(argument.len(), |end| end + 1),
        Some(argument) if after.starts_with('x') => 1 + argument.chars().take(2).map(char::len_utf8).sum::<usize>(),
        Some(argument) => 1 + first(argument),
    };
    rest.split_at(1 + length)
}

/// What a shorthand stands for, as the inside of a class.
fn shorthand(escaped: &str) -> Option<&'static str> {
    Some(match escaped {
        r"\d" => "0-9",
        r"\D" => "^0-9",
        r"\w" => "0-9A-Za-z_",
        r"\W" => "^0-9A-Za-z_",
        r"\s" => r"\t\n\f\r ",
        r"\S" => r"^\t\n\f\r ",
        _ => return None,
    })
}

/// Whether `rest` begins with a repetition such as `{2}`, `{2,}` or `{2,5}`.
fn repeats(rest: &str) -> bool {
    let Some((inner, _)) = rest[1..].split_once('}') else { return false };
    let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_re2_means() {
        for (pattern, yes, no) in [
            ("^[a-z]+$", "abc", "aBc"),
            (r"^\d+$", "123", "٣"),
            (r"^\w$", "_", "é"),
            (r"^[\w.]+$", "a.b", "a-b"),
            (r"^\s$", "\t", "\u{a0}"),
            (r"^[^\d]$", "é", "5"),
            (r"^[\D]$", "x", "5"),
            (r"^a{b$", "a{b", "ab"),
            (r"^a{2,}$", "aaa", "a"),
            (r"^a{,2}$", "a{,2}", "aa"),
            ("^[[]$", "[", "]"),
            ("^[]a]$", "]", "b"),
            ("^[^]a]$", "b", "]"),
            ("^[a&&b]$", "&", "c"),
            ("^[a~~b]$", "~", "c"),
            ("^[[:alpha:]-]+$", "a-b", "a1"),
            (r"^[\w-\.]+$", "a-b.c", "a,b"),
            (r"^[\pL-]$", "-", "1"),
            ("^[+--]$", ",", "."),
            ("^[--/]$", ".", "0"),
            (r"^[\pL-+]$", "-", ","),
            ("^[[:]$", "[", "a"),
            ("^[a^-]$", "^", "b"),
            (r"^\Qa.b\E$", "a.b", "axb"),
            (r"^\<a\>$", "<a>", "a"),
            (r"^\/\-\_$", "/-_", "x"),
            (r"\bcat\b", "a cat", "concat"),
            (r"^\p{L}$", "é", "1"),
            (r"^[\p{Greek}\x{41}]\PL$", "α1", "A"),
            ("^(|a|b)$", "", "c"),
            (r"^[0-9\-]+$", "1-2", "a"),
            ("^.$", "é", ""),
            ("b", "abc", "ac"),
        ] {
            let compiled = Pattern::new(pattern).unwrap();
            assert!(compiled.occurs_in(yes), "{pattern} should match {yes:?}");
            assert!(!compiled.occurs_in(no), "{pattern} should not match {no:?}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused_with_the_reason() {
        for (pattern, reason) in [("(", "unclosed"), ("[a", "unclosed"), ("a**b(", "unclosed"), (r"\", "incomplete")] {
            let error = Pattern::new(pattern).unwrap_err();
            assert!(error.contains(reason), "{pattern}: {error}");
        }
        assert_eq!(Pattern::new(r"((\pL{1,900}){1,900}){1,900}").unwrap_err(), "it is too large");
    }
}
