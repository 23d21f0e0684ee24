//! Formats of network addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether `text` is an IPv4 address, be it written as an IPv6 one (`::ffff:1.2.3.4`). Leading zeros are decimal.
pub(super) fn is_ipv4(text: &str) -> bool {
    text.contains('.') && (is_dotted(text) || is_mapped(text))
}

/// Whether `text` is an IPv6 address without a zone.
pub(super) fn is_ipv6(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}

/// Whether `text` is an IPv6 address, which may end like an IPv4 one with leading zeros.
fn is_mapped(text: &str) -> bool {
    match text.rsplit_once(':') {
        Some((head, tail)) if tail.contains('.') => dotted(tail).is_some_and(|tail| is_ipv6(&format!("{head}:{tail}"))),
        _ => is_ipv6(text),
    }
}

/// Whether `text` is an address and the length of a prefix.
pub(super) fn is_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else { return false };
    let limit = match () {
        () if is_dotted(address) => 32,
        () if is_mapped(address) => 128,
        () => return false,
    };
    let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    digits && length.parse::<u32>().is_ok_and(|length| length <= limit)
}

/// Whether `text` is a hardware address of 6, 8 or 20 bytes: with colons, with dashes, in dotted groups, or plain.
pub(super) fn is_mac(text: &str) -> bool {
    let separator = text.chars().find(|char| !char.is_ascii_hexdigit());
    let (groups, digits): (Vec<_>, _) = match separator {
        Some(separator @ (':' | '-')) => (text.split(separator).collect(), 2),
        Some('.') => (text.split('.').collect(), 4),
        Some(_) => return false,
        None => (vec![text], text.len()),
    };
    let well_formed = |group: &&str| group.len() == digits && group.bytes().all(|byte| byte.is_ascii_hexdigit());
    groups.iter().all(well_formed) && [12, 16, 40].contains(&(groups.len() * digits))
}

fn is_dotted(text: &str) -> bool {
    dotted(text).is_some()
}

fn dotted(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        *octet = digits.then(|| part.parse().ok()).flatten()?;
    }
    parts.next().is_none().then(|| octets.into())
}
