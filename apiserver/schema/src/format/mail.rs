//! Mail addresses of RFC 5322, as Go's `mail.ParseAddress` reads them: bare, or in angle brackets after a name.

/// Whether `text` is one mail address.
pub(super) fn is_email(text: &str) -> bool {
    let text = text.trim_matches([' ', '\t']);
    match text.strip_suffix('>').and_then(|text| split_name(text)) {
        Some((name, address)) => is_phrase(name) && is_address(address.trim_start_matches([' ', '\t'])),
        None => is_address(text),
    }
}

/// The name and the address in `name <address`.
fn split_name(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let mut escaped = false;
    for (index, char) in text.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => return Some((&text[..index], &text[index + 1..])),
            _ => {}
        }
    }
    None
}

/// Words and quoted texts; nothing at all is fine too.
fn is_phrase(text: &str) -> bool {
    let mut rest = text.trim();
    while !rest.is_empty() {
        let after = match rest.strip_prefix('"') {
            Some(_) => quoted(rest),
            None => Some(rest.trim_start_matches(|char| is_atom(char) || char == '.')),
        };
        match after {
            Some(after) if after.len() < rest.len() => rest = after.trim_start(),
            _ => return false,
        }
    }
    true
}

fn is_address(text: &str) -> bool {
    let after = match text.strip_prefix('"') {
        Some(_) => quoted(text),
        None => text.split_once('@').and_then(|(local, _)| is_dotted_atom(local).then(|| &text[local.len()..])),
    };
    let Some(domain) = after.and_then(|after| after.strip_prefix('@')) else { return false };
    let domain = domain.trim_start_matches([' ', '\t']);
    match domain.strip_prefix('[').and_then(|literal| literal.strip_suffix(']')) {
        Some(literal) => literal.parse::<std::net::IpAddr>().is_ok(),
        None => is_dotted_atom(domain),
    }
}

/// What follows the quoted text that `text` begins with.
fn quoted(text: &str) -> Option<&str> {
    let mut escaped = false;
    for (index, char) in text.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(&text[index + 1..]),
            char if char.is_control() && char != '\t' => return None,
            _ => {}
        }
    }
    None
}

fn is_dotted_atom(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom))
}

fn is_atom(char: char) -> bool {
    char.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(char) || !char.is_ascii() && !char.is_control()
}
