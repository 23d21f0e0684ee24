//! Query parameters as Go converts them.

use crate::{go, status::Status};

/// The first value of a parameter.
pub(super) fn first<'a>(query: &'a [(String, String)], name: &str) -> Option<&'a str> {
    query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// Every value of a parameter.
pub(super) fn all(query: &[(String, String)], name: &str) -> Vec<String> {
    query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect()
}

/// The first value, unless it is empty.
pub(super) fn text<'a>(query: &'a [(String, String)], name: &str) -> Option<&'a str> {
    first(query, name).filter(|value| !value.is_empty())
}

/// A flag: anything but `false` and `0` sets it.
pub(super) fn flag(query: &[(String, String)], name: &str) -> Option<bool> {
    first(query, name).map(|value| !value.eq_ignore_ascii_case("false") && value != "0")
}

/// A signed integer.
pub(super) fn integer(query: &[(String, String)], name: &str) -> Result<Option<i64>, Status> {
    let Some(value) = first(query, name) else { return Ok(None) };
    let parsed = value.parse().map_err(|error: std::num::ParseIntError| {
        let why = match error.kind() {
            std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => "value out of range",
            _ => "invalid syntax",
        };
        Status::bad_request(&format!("strconv.ParseInt: parsing {}: {why}", go::quote(value)))
    })?;
    Ok(Some(parsed))
}

/// A resourceVersion: a decimal. `prefix` comes before the refusal.
pub(super) fn revision(query: &[(String, String)], prefix: &str) -> Result<Option<u64>, Status> {
    let Some(value) = text(query, "resourceVersion") else { return Ok(None) };
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    match value.parse() {
        Ok(revision) if digits => Ok(Some(revision)),
        _ => {
            let why = if digits { "value out of range" } else { "invalid syntax" };
            let quoted = go::quote(value);
            Err(Status::bad_request(&format!(
                "{prefix}resourceVersion: Invalid value: {quoted}: strconv.ParseUint: parsing {quoted}: {why}"
            )))
        }
    }
}
