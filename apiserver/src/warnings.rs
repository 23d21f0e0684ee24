//! What a client is told beside its answer, in `Warning` headers, whether it gets what it asked for or not.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use axum::body::Body;
use http::{HeaderValue, Response, header::WARNING};

/// Beyond so many characters in all, each warning is cut: proxies bound the headers of an answer.
const WHOLE_UP_TO: usize = 4096;
const CUT_TO: usize = 256;

/// The warnings of one request.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    texts: Mutex<Vec<String>>,
}

// === impl Warnings ===

impl Warnings {
    /// Adds some, in order.
    pub(crate) fn add(&self, texts: impl IntoIterator<Item = String>) {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).extend(texts);
    }

    /// Puts them on the answer.
    pub(crate) fn send(&self, response: &mut Response<Body>) {
        for value in headers(&self.texts.lock().unwrap_or_else(PoisonError::into_inner)) {
            response.headers_mut().append(WARNING, value);
        }
    }
}

/// Each text once. One that no header can hold is left out.
fn headers(texts: &[String]) -> Vec<HeaderValue> {
    let mut seen = HashSet::new();
    let fits = |text: &&String| !text.is_empty() && !text.chars().any(char::is_control);
    let texts: Vec<&String> = texts.iter().filter(fits).filter(|text| seen.insert(*text)).collect();
    let length = |text: &&String| text.chars().count();
    let at_most = if texts.iter().map(length).sum::<usize>() <= WHOLE_UP_TO { usize::MAX } else { CUT_TO };
    let mut written = 0;
    let room = |text: &&&String| {
        let before = written;
        written += length(text).min(at_most);
        before < WHOLE_UP_TO
    };
    texts.iter().take_while(room).filter_map(|text| header(text.chars().take(at_most))).collect()
}

fn header(text: impl Iterator<Item = char>) -> Option<HeaderValue> {
    let mut value = "299 - \"".to_owned();
    for char in text {
        if matches!(char, '"' | '\\') {
            value.push('\\');
        }
        value.push(char);
    }
    value.push('"');
    HeaderValue::from_bytes(value.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(texts: &[String]) -> Vec<String> {
        headers(texts).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
    }

    #[test]
    fn each_is_written_once_and_quoted() {
        let texts = ["a \"b\" \\c", "", "ä", "a \"b\" \\c", "two\nlines"].map(str::to_owned);
        assert_eq!(written(&texts), [r#"299 - "a \"b\" \\c""#, r#"299 - "ä""#]);
    }

    #[test]
    fn many_are_cut() {
        let texts: Vec<String> = (0..100).map(|index| format!("{index} {}", "x".repeat(997))).collect();
        assert_eq!(written(&texts[..4])[3].len(), r#"299 - """#.len() + 999);
        let cut = written(&texts);
        assert_eq!((cut.len(), cut[0].len()), (WHOLE_UP_TO / CUT_TO, r#"299 - """#.len() + CUT_TO));
    }
}
