//! URLs, as Go's `net/url` reads them: absolute ones, and absolute paths.

use percent_encoding::percent_decode_str;

/// A URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cel) struct Url {
    pub(in crate::cel) scheme: String,
    pub(in crate::cel) host: String,
    path: String,
    query: String,
}

/// Why a text is no URL, in Go's words.
pub(super) fn check(text: &str) -> Result<(), String> {
    if crate::format::is_text("uri", text) {
        return Ok(());
    }
    let why = match text {
        "" => "empty url",
        text if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) => "net/url: invalid control character in URL",
        text if text.starts_with(':') => "missing protocol scheme",
        _ => "invalid URI for request",
    };
    Err(format!("parse {text:?}: {why}"))
}

// === impl Url ===

impl Url {
    /// Reads one.
    pub(in crate::cel) fn read(text: &str) -> Result<Self, String> {
        check(text).map_err(|why| format!("URL parse error during conversion from string: {why}"))?;
        let text = text.split_once('#').map_or(text, |(text, _)| text);
        let (text, query) = text.split_once('?').unwrap_or((text, ""));
        let is_scheme = |scheme: &&str| {
            let (mut chars, more) = (scheme.chars(), |one: char| one.is_ascii_alphanumeric() || "+-.".contains(one));
            chars.next().is_some_and(|first| first.is_ascii_alphabetic()) && chars.all(more)
        };
        let (scheme, rest) = match text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) {
            Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
            None => (String::new(), text),
        };
        let (host, path) = match rest.strip_prefix("//").filter(|_| !scheme.is_empty() || !rest.starts_with("///")) {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (authority.rsplit_once('@').map_or(authority, |(_, host)| host), path)
            }
            None => ("", rest),
        };
        let host = percent_decode_str(host).decode_utf8_lossy().into_owned();
        // Without a slash it is opaque, and has no path.
        let path = if path.starts_with('/') || scheme.is_empty() { path } else { "" };
        Ok(Self { scheme, host, path: path.to_owned(), query: query.to_owned() })
    }

    /// The host without its port and without the brackets of an address.
    pub(in crate::cel) fn hostname(&self) -> &str {
        let host = self.host.strip_suffix(&format!(":{}", self.port())).unwrap_or(&self.host);
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// The port, if one is given.
    pub(in crate::cel) fn port(&self) -> &str {
        match self.host.rsplit_once(':') {
            Some((before, port)) if port.bytes().all(|one| one.is_ascii_digit()) && !before.ends_with(':') => {
                // Colons within brackets are the address's.
                if before.starts_with('[') && !before.ends_with(']') { "" } else { port }
            }
            _ => "",
        }
    }

    /// The path, with what paths cannot have escaped.
    pub(in crate::cel) fn escaped_path(&self) -> String {
        let mut escaped = String::with_capacity(self.path.len());
        for byte in self.path.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => escaped.push(char::from(byte)),
                _ if b"-_.~$&+,/:;=@%!'()*[]".contains(&byte) => escaped.push(char::from(byte)),
                _ => escaped.push_str(&format!("%{byte:02X}")),
            }
        }
        escaped
    }

    /// The parameters of the query: each name with its values, in order.
    pub(in crate::cel) fn query(&self) -> Vec<(String, Vec<String>)> {
        let mut parameters: Vec<(String, Vec<String>)> = Vec::new();
        for part in self.query.split('&').filter(|part| !part.is_empty() && !part.contains(';')) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
            let (name, value) = (decode(name), decode(value));
            match parameters.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => values.push(value),
                None => parameters.push((name, vec![value])),
            }
        }
        parameters
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (text, scheme, host, hostname, port, path) in [
            ("https://example.com:80/a b?x=1#f", "https", "example.com:80", "example.com", "80", "/a%20b"),
            ("https://[::1]:80/", "https", "[::1]:80", "::1", "80", "/"),
            ("https://[::1]/", "https", "[::1]", "::1", "", "/"),
            ("https://u:p@h", "https", "h", "h", "", ""),
            ("/path", "", "", "", "", "/path"),
        ] {
            let url = Url::read(text).unwrap();
            let found = (url.scheme.as_str(), url.host.as_str(), url.hostname(), url.port(), url.escaped_path());
            assert_eq!(found, (scheme, host, hostname, port, path.to_owned()), "{text}");
        }
        let query = Url::read("https://e/p?k1=a&k2=b+c&k2=%64&k3").unwrap().query();
        let text = |text: &str| text.to_owned();
        let expected = vec![
            (text("k1"), vec![text("a")]),
            (text("k2"), vec![text("b c"), text("d")]),
            (text("k3"), vec![String::new()]),
        ];
        assert_eq!(query, expected);
        assert_eq!(
            Url::read("../x").unwrap_err(),
            "URL parse error during conversion from string: parse \"../x\": invalid URI for request"
        );
    }
}
