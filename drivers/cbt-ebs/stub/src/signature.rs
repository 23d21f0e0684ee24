//! Signature Version 4, verified.

use std::{collections::BTreeMap, time::SystemTime};

use http::request::Parts;
use jiff::{civil::DateTime, fmt::strtime, tz::TimeZone};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use ring::hmac::{self, HMAC_SHA256};
use sha2::{Digest as _, Sha256};

use crate::{Key, refusal::Refusal};

/// What is written as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How far apart the clocks may be, in seconds.
const SKEW: i64 = 5 * 60;

/// The parts of an `Authorization` header.
struct Authorization<'a> {
    key: &'a str,
    /// Date, region, service, and a constant.
    scope: Vec<&'a str>,
    signed: Vec<&'a str>,
    signature: &'a str,
}

/// Verifies that one of `keys` signed the request for this service and `region`, about `now`.
pub(crate) fn verify(parts: &Parts, body: &[u8], keys: &[Key], region: &str, now: SystemTime) -> Result<(), Refusal> {
    let authorization = header(parts, "authorization")
        .ok_or_else(|| Refusal::unsigned("MissingAuthenticationTokenException", "Missing Authentication Token"))?;
    let incomplete = |what: &str| Refusal::unsigned("IncompleteSignatureException", what);
    let given = parse(&authorization).ok_or_else(|| incomplete("Authorization is not of Signature Version 4"))?;
    let date = header(parts, "x-amz-date").ok_or_else(|| incomplete("there is no X-Amz-Date"))?;
    let must = |name: &str| name == "host" || name.starts_with("x-amz-");
    let names = parts.headers.keys().map(http::HeaderName::as_str);
    if let Some(unsigned) = names.into_iter().find(|name| must(name) && !given.signed.contains(name)) {
        return Err(incomplete(&format!("{unsigned} is not signed")));
    }
    if given.scope != [&date[..8.min(date.len())], region, "ebs", "aws4_request"] {
        return Err(incomplete(&format!("the credential's scope is {}", given.scope.join("/"))));
    }
    let key = keys.iter().find(|key| key.id == given.key).ok_or_else(|| {
        Refusal::unsigned("UnrecognizedClientException", "The security token included in the request is invalid.")
    })?;
    if header(parts, "x-amz-security-token") != key.session {
        return Err(Refusal::unsigned("UnrecognizedClientException", "The security token is not the key's."));
    }
    if age(&date, now).is_none_or(|age| age.abs() > SKEW) {
        return Err(Refusal::unsigned("InvalidSignatureException", format!("Signature expired: {date}")));
    }
    let canonical = canonical(parts, body, &given.signed);
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{}\n{}", given.scope.join("/"), hex(&Sha256::digest(canonical)));
    let secret = format!("AWS4{}", key.secret).into_bytes();
    let signing = given.scope.iter().fold(secret, |key, part| mac(&key, part.as_bytes()));
    if hex(&mac(&signing, text.as_bytes())) != given.signature {
        return Err(Refusal::unsigned("InvalidSignatureException", "The request signature does not match."));
    }
    Ok(())
}

fn parse(text: &str) -> Option<Authorization<'_>> {
    let fields: BTreeMap<_, _> =
        text.strip_prefix("AWS4-HMAC-SHA256 ")?.split(',').filter_map(|field| field.trim().split_once('=')).collect();
    let (key, scope) = fields.get("Credential")?.split_once('/')?;
    let signed = fields.get("SignedHeaders")?.split(';').collect();
    Some(Authorization { key, scope: scope.split('/').collect(), signed, signature: fields.get("Signature")? })
}

/// The request in the one form that can be signed.
fn canonical(parts: &Parts, body: &[u8], signed: &[&str]) -> String {
    let path: Vec<_> = parts.uri.path().split('/').map(|part| utf8_percent_encode(part, ENCODED).to_string()).collect();
    let again = |text: &str| utf8_percent_encode(&percent_decode_str(text).decode_utf8_lossy(), ENCODED).to_string();
    let query = parts.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let mut query: Vec<_> = query.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect::<Vec<_>>();
    query.sort_unstable();
    let query: Vec<_> = query.into_iter().map(|(key, value)| format!("{}={}", again(key), again(value))).collect();
    let headers: String =
        signed.iter().map(|name| format!("{name}:{}\n", header(parts, name).unwrap_or_default())).collect();
    let payload = header(parts, "x-amz-content-sha256").unwrap_or_else(|| hex(&Sha256::digest(body)));
    [parts.method.as_str(), &path.join("/"), &query.join("&"), &headers, &signed.join(";"), &payload].join("\n")
}

/// A header, its values joined and their spaces folded.
fn header(parts: &Parts, name: &str) -> Option<String> {
    let values: Vec<_> = parts.headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    let fold = |value: &str| value.split_whitespace().collect::<Vec<_>>().join(" ");
    (!values.is_empty()).then(|| values.into_iter().map(fold).collect::<Vec<_>>().join(","))
}

/// How many seconds before `now` a date such as 20261121T083200Z was.
fn age(date: &str, now: SystemTime) -> Option<i64> {
    let date: DateTime = strtime::parse("%Y%m%dT%H%M%SZ", date).ok()?.to_datetime().ok()?;
    let then = date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
    let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs().cast_signed();
    Some(now - then)
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(HMAC_SHA256, key), text).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
