//! The identity that the front proxy states. Call this only for requests that are the front proxy's.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use crate::{User, headers::Names};

/// Reads the user. `None` is a request that the proxy makes for itself; an error is one whose headers disagree.
pub(crate) fn user(headers: &HeaderMap, names: &Names) -> Result<Option<User>, String> {
    if let Some(name) = headers.keys().find(|name| names.disguised(name)) {
        return Err(format!("the header {name} passes for another one"));
    }
    let groups_under: Vec<&HeaderName> = names.groups.iter().filter(|name| headers.contains_key(*name)).collect();
    if groups_under.len() > 1 {
        return Err(format!("groups are stated under several names: {groups_under:?}"));
    }
    let Some(name) = single(headers, &names.user, "user")?.filter(|name| !name.is_empty()) else { return Ok(None) };
    Ok(Some(User {
        name,
        uid: single(headers, &names.uid, "uid")?.unwrap_or_default(),
        groups: groups(headers, &names.groups)?,
        extra: extra(headers, &names.extra)?,
    }))
}

/// A second value would be one that the client has smuggled past the proxy.
fn single(headers: &HeaderMap, names: &[HeaderName], what: &str) -> Result<Option<String>, String> {
    let mut values = names.iter().flat_map(|name| headers.get_all(name));
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => text(value).map(Some),
        (Some(_), Some(_)) => Err(format!("the {what} is stated more than once")),
    }
}

fn groups(headers: &HeaderMap, names: &[HeaderName]) -> Result<Vec<String>, String> {
    let values = names.iter().flat_map(|name| headers.get_all(name));
    values.filter(|value| !value.is_empty()).map(text).collect()
}

fn extra(headers: &HeaderMap, prefixes: &[String]) -> Result<BTreeMap<String, Vec<String>>, String> {
    let mut extra = BTreeMap::<String, Vec<String>>::new();
    for prefix in prefixes {
        for (name, value) in headers {
            if let Some(key) = name.as_str().strip_prefix(prefix) {
                extra.entry(unescape(key)).or_default().push(text(value)?);
            }
        }
    }
    Ok(extra)
}

/// What is wrongly encoded stays as it is, as the kube-apiserver has it.
pub(crate) fn unescape(key: &str) -> String {
    let broken = key.split('%').skip(1).any(|rest| {
        let digits = rest.as_bytes().get(..2);
        !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    match percent_decode_str(key).decode_utf8() {
        Ok(decoded) if !broken => decoded.into_owned(),
        _ => key.to_owned(),
    }
}

pub(crate) fn text(value: &HeaderValue) -> Result<String, String> {
    let bytes = value.as_bytes().to_vec();
    String::from_utf8(bytes).map_err(|_| "a header that states an identity is not UTF-8".to_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn names() -> Names {
        Names {
            user: vec!["x-remote-user".parse().unwrap(), "x-custom-user".parse().unwrap()],
            uid: vec!["x-remote-uid".parse().unwrap()],
            groups: vec!["x-remote-group".parse().unwrap(), "x-custom-group".parse().unwrap()],
            extra: vec!["x-remote-extra-".to_owned()],
        }
    }

    fn read(headers: &[(&str, &str)]) -> Result<Option<User>, String> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()))
            .fold(HeaderMap::new(), |mut headers, (name, value)| {
                headers.append(name, value);
                headers
            });
        user(&headers, &names())
    }

    #[test]
    fn a_full_identity_is_read() {
        let user = read(&[
            ("X-Remote-User", "bob"),
            ("X-REMOTE-UID", "7"),
            ("x-remote-group", "dev"),
            ("X-Remote-Group", "a,b"),
            ("X-Remote-Group", ""),
            ("X-Remote-Extra-Scopes", "one"),
            ("X-Remote-Extra-Scopes", "two"),
            ("X-Remote-Extra-Example.com%2Fproject", "p"),
            ("X-Remote-Extra-Odd%zz", "q"),
        ])
        .unwrap()
        .unwrap();
        assert_eq!((user.name.as_str(), user.uid.as_str()), ("bob", "7"));
        assert_eq!(user.groups, ["dev", "a,b"], "a comma separates nothing");
        let extra: Vec<_> = user.extra.iter().map(|(key, values)| (key.as_str(), values.join("+"))).collect();
        assert_eq!(
            extra,
            [("example.com/project", "p".to_owned()), ("odd%zz", "q".to_owned()), ("scopes", "one+two".to_owned())]
        );
    }

    #[test]
    fn no_user_is_nobody_whatever_else_is_stated() {
        for headers in
            [&[][..], &[("X-Remote-User", "")], &[("X-Remote-Group", "system:masters")], &[("X-Remote-Extra-x", "y")]]
        {
            assert_eq!(read(headers), Ok(None), "{headers:?}");
        }
    }

    #[test]
    fn headers_that_disagree_are_refused() {
        for headers in [
            &[("X-Remote-User", "bob"), ("X-Remote-User", "admin")][..],
            &[("X-Remote-User", "bob"), ("X-Remote-User", "")],
            &[("X-Remote-User", "bob"), ("X-Custom-User", "admin")],
            &[("X-Remote-User", "bob"), ("x_remote_user", "admin")],
            &[("X-Remote-User", "bob"), ("X-Remote_Group", "system:masters")],
            &[("X-Remote-User", "bob"), ("X-Remote-Group", "a"), ("X-Custom-Group", "system:masters")],
            &[("X-Remote-User", "bob"), ("X-Remote-Uid", "1"), ("X-Remote-Uid", "2")],
        ] {
            assert!(read(headers).is_err(), "{headers:?}");
        }
    }
}
