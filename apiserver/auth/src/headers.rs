//! The headers that say who somebody is.

use http::{HeaderMap, HeaderName, header::AUTHORIZATION};

/// Names of headers that the front proxy says in who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) user: Vec<HeaderName>,
    pub(crate) uid: Vec<HeaderName>,
    pub(crate) groups: Vec<HeaderName>,
    /// Beginnings of names, in small letters.
    pub(crate) extra: Vec<String>,
}

/// What the headers are called unless the cluster says otherwise, with `-` for any spelling of it.
const STANDARD: [&str; 3] = ["x-remote-user", "x-remote-uid", "x-remote-group"];
const STANDARD_EXTRA: &str = "x-remote-extra-";
/// Headers by which somebody asks to be somebody else.
pub(crate) const IMPERSONATE: &str = "impersonate-";

// === impl Names ===

impl Names {
    /// Whether a header says, or wants to be taken to say, who somebody is.
    pub(crate) fn claims(&self, name: &HeaderName) -> bool {
        is_standard(name) || self.is_configured(name)
    }

    /// Whether a header is not what it looks like: `X_Remote_User` reads as `X-Remote-User` to some and not to others.
    pub(crate) fn disguised(&self, name: &HeaderName) -> bool {
        name.as_str().contains('_') && is_standard(name) && !self.is_configured(name)
    }

    fn is_configured(&self, name: &HeaderName) -> bool {
        [&self.user, &self.uid, &self.groups].into_iter().any(|names| names.contains(name))
            || self.extra.iter().any(|prefix| name.as_str().starts_with(prefix))
    }

    /// Removes what says who somebody is, so that nobody takes it for more than it is.
    pub(crate) fn strip(&self, headers: &mut HeaderMap) {
        strip_where(headers, |name| self.claims(name));
    }
}

/// Removes the headers that say who somebody is, under their usual names, and the credentials.
pub fn strip_identity(headers: &mut HeaderMap) {
    strip_where(headers, is_standard);
}

fn strip_where(headers: &mut HeaderMap, claims: impl Fn(&HeaderName) -> bool) {
    let gone = |name: &&HeaderName| **name == AUTHORIZATION || name.as_str().starts_with(IMPERSONATE) || claims(name);
    let names: Vec<HeaderName> = headers.keys().filter(gone).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

fn is_standard(name: &HeaderName) -> bool {
    let name = name.as_str().replace('_', "-");
    STANDARD.contains(&name.as_str()) || name.starts_with(STANDARD_EXTRA)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn headers(names: &[&str]) -> HeaderMap {
        names.iter().map(|name| (name.parse().unwrap(), "x".parse().unwrap())).collect()
    }

    fn left(headers: &HeaderMap) -> Vec<&str> {
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        left
    }

    #[test]
    fn identities_and_credentials_are_removed_in_any_spelling() {
        let mut all = headers(&[
            "X-Remote-User",
            "x_remote_user",
            "X-Remote_Uid",
            "X-Remote-Group",
            "X-Remote-Extra-Scopes",
            "x_remote_extra_a",
            "Authorization",
            "Impersonate-User",
            "Impersonate-Extra-x",
            "X-Remote-Address",
            "Accept",
            "X-Custom-User",
        ]);
        strip_identity(&mut all);
        assert_eq!(left(&all), ["accept", "x-custom-user", "x-remote-address"]);

        let names = Names { user: vec!["x-custom-user".parse().unwrap()], ..Names::default() };
        names.strip(&mut all);
        assert_eq!(left(&all), ["accept", "x-remote-address"]);
    }
}
