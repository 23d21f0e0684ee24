//! Formats of names, identifiers and colours.

use std::sync::LazyLock;

use base64::{Engine, alphabet, engine::GeneralPurposeConfig, engine::general_purpose::GeneralPurpose};
use regex::Regex;

/// Any padded base64, whatever the bits that its last character does not use.
static BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// A single label, or labels and a top-level domain of letters. Letters and symbols of any script count.
static HOSTNAME: LazyLock<Regex> = LazyLock::new(|| {
    let any = r"[a-zA-Z0-9\p{S}\p{L}]";
    let single = format!("{any}-?{any}{{0,62}}");
    let label = format!(r"{any}(?:[a-zA-Z0-9\p{{S}}\p{{L}}-]{{0,61}}{any})?");
    let pattern = format!(r"^(?:{single}|(?:{label}\.)+[a-zA-Z\p{{L}}]{{2,63}})$");
    Regex::new(&pattern).expect("the pattern is a constant")
});

/// Whether `text` is 24 hexadecimal digits.
pub(super) fn is_object_id(text: &str) -> bool {
    text.len() == 24 && is_hex(text)
}

/// Whether `text` is padded base64 of at least one byte.
pub(super) fn is_base64(text: &str) -> bool {
    !text.is_empty() && BASE64.decode(text).is_ok()
}

/// Whether `text` is a colour in three or six hexadecimal digits.
pub(super) fn is_hex_color(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or(text);
    matches!(digits.len(), 3 | 6) && is_hex(digits)
}

/// Whether `text` is a colour such as `rgb(0, 128, 255)`.
pub(super) fn is_rgb_color(text: &str) -> bool {
    let Some(inner) = text.strip_prefix("rgb(").and_then(|text| text.strip_suffix(')')) else { return false };
    let parts: Vec<_> = inner.split(',').map(|part| part.trim_matches([' ', '\t', '\n', '\r', '\u{c}'])).collect();
    let level = |part: &&str| {
        let plain = part.bytes().all(|byte| byte.is_ascii_digit()) && (*part == "0" || !part.starts_with('0'));
        plain && part.parse::<u8>().is_ok()
    };
    parts.len() == 3 && parts.iter().all(level)
}

/// Whether `text` is a U.S. social security number, with separators.
pub(super) fn is_social_security_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    let fits = |(index, byte): (usize, &u8)| match index {
        3 | 6 => matches!(byte, b'-' | b' '),
        _ => byte.is_ascii_digit(),
    };
    bytes.len() == 11 && bytes.iter().enumerate().all(fits)
}

/// Whether `text` is a UUID, with or without dashes, of that version.
pub(super) fn is_uuid(text: &str, version: Option<char>) -> bool {
    let mut plain = String::with_capacity(32);
    let mut rest = text;
    for (index, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        rest = if index > 0 { rest.strip_prefix('-').unwrap_or(rest) } else { rest };
        let Some((group, after)) = rest.split_at_checked(length) else { return false };
        plain.push_str(group);
        rest = after;
    }
    let variant = matches!(plain.chars().nth(16), Some('8' | '9' | 'a' | 'b' | 'A' | 'B'));
    let versioned = version.is_none_or(|version| plain[12..].starts_with(version) && (version == '3' || variant));
    rest.is_empty() && is_hex(&plain) && versioned
}

/// Whether `text` is the name of a host, of at most 255 bytes.
pub(super) fn is_hostname(text: &str) -> bool {
    text.len() <= 255 && text.split('.').all(|label| label.len() <= 63) && HOSTNAME.is_match(text)
}

/// Whether `text` is a lower-case DNS label.
pub(super) fn is_short_name(text: &str) -> bool {
    text.len() <= 63 && is_label(text)
}

/// Whether `text` is a lower-case DNS subdomain.
pub(super) fn is_long_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

/// Whether `text` is lower-case letters, digits and inner dashes, of any length.
fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
