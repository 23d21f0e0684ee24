//! Request URIs as Go's `url.ParseRequestURI` reads them: an absolute URI, an absolute path, or `*`.

use std::net::Ipv6Addr;

/// Whether `text` is a URI or path that a request may name.
pub(super) fn is_request_uri(text: &str) -> bool {
    if text.is_empty() || text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return false;
    }
    if text == "*" {
        return true;
    }
    let Some((scheme, rest)) = scheme(text) else { return false };
    let path = rest.split('?').next().unwrap_or_default();
    if !path.starts_with('/') {
        return !scheme.is_empty();
    }
    match path.strip_prefix("//").filter(|_| !scheme.is_empty()) {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            is_authority(authority, scheme) && escapes_are_whole(path)
        }
        None => escapes_are_whole(path),
    }
}

/// The scheme, which may be empty, and what follows it; nothing if a colon comes first.
fn scheme(text: &str) -> Option<(&str, &str)> {
    for (index, char) in text.char_indices() {
        match char {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if index > 0 => {}
            ':' if index > 0 => return Some((&text[..index], &text[index + 1..])),
            ':' => return None,
            _ => break,
        }
    }
    Some(("", text))
}

fn is_authority(text: &str, scheme: &str) -> bool {
    match text.rsplit_once('@') {
        Some((user, host)) => is_user(user) && is_host(host, scheme),
        None => is_host(text, scheme),
    }
}

fn is_user(text: &str) -> bool {
    let allowed = |char: char| char.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(char);
    text.chars().all(allowed) && escapes_are_whole(text)
}

fn is_host(text: &str, scheme: &str) -> bool {
    if let Some(rest) = text.strip_prefix('[') {
        let Some((address, port)) = rest.rsplit_once(']') else { return false };
        let address = address.split_once("%25").map_or(address, |(address, _)| address);
        return is_port(port) && address.parse::<Ipv6Addr>().is_ok();
    }
    // Elsewhere than on the web, addresses of databases may list several hosts with their ports.
    let web = ["http", "https"].iter().any(|web| web.eq_ignore_ascii_case(scheme));
    let colon = if web { text.find(':') } else { text.rfind(':') };
    let (host, port) = text.split_at(colon.unwrap_or(text.len()));
    let allowed =
        |char: char| !char.is_ascii() || char.is_ascii_alphanumeric() || "-_.~!$&'()*+,;=:]<>\"%".contains(char);
    is_port(port) && host.chars().all(allowed) && escapes_are_whole(host) && escapes_hide_no_ascii(host)
}

/// Whether `text` is nothing, or a colon and digits.
fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether two hexadecimal digits follow each percent sign.
fn escapes_are_whole(text: &str) -> bool {
    let digits = |part: &str| part.len() >= 2 && part.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    text.split('%').skip(1).all(digits)
}

/// A host may escape what is not ASCII, and nothing else.
fn escapes_hide_no_ascii(text: &str) -> bool {
    text.split('%').skip(1).all(|part| !matches!(part.as_bytes().first(), Some(b'0'..=b'7')))
}
