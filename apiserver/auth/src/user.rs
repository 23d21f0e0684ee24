//! A user, as RBAC knows one.

use std::collections::BTreeMap;

/// May do everything, without anybody being asked.
pub(crate) const MASTERS: &str = "system:masters";
const AUTHENTICATED: &str = "system:authenticated";
const UNAUTHENTICATED: &str = "system:unauthenticated";
const ANONYMOUS: &str = "system:anonymous";

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct User {
    /// The name, never empty of somebody who was authenticated.
    pub name: String,
    /// The identifier, where the authentication knows one.
    pub uid: String,
    /// The groups.
    pub groups: Vec<String>,
    /// What else the authentication says, such as the credential's id.
    pub extra: BTreeMap<String, Vec<String>>,
}

// === impl User ===

impl User {
    /// Nobody in particular: who asks for health.
    pub fn anonymous() -> Self {
        Self { name: ANONYMOUS.to_owned(), groups: vec![UNAUTHENTICATED.to_owned()], ..Self::default() }
    }

    /// Whether the user may do everything.
    pub fn is_master(&self) -> bool {
        self.is_in(MASTERS)
    }

    /// Whether the user is nobody in particular, also where the front proxy says so.
    pub fn is_anonymous(&self) -> bool {
        self.name == ANONYMOUS || self.is_in(UNAUTHENTICATED)
    }

    /// Adds the group that everybody is in who was authenticated, unless the user is said to be nobody.
    pub(crate) fn authenticated(mut self) -> Self {
        if !self.is_anonymous() && !self.is_in(AUTHENTICATED) {
            self.groups.push(AUTHENTICATED.to_owned());
        }
        self
    }

    /// As [`Self::authenticated`], for a user who is impersonated: who is nobody gets that group too.
    pub(crate) fn impersonated(mut self) -> Self {
        if self.name == ANONYMOUS && !self.is_in(UNAUTHENTICATED) {
            self.groups.push(UNAUTHENTICATED.to_owned());
        }
        self.authenticated()
    }

    fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|have| have == group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, groups: &[&str]) -> User {
        User {
            name: name.to_owned(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            ..User::default()
        }
    }

    #[test]
    fn the_authenticated_are_in_one_group_or_the_other() {
        let cases: [(&str, &[&str], &[&str]); 5] = [
            ("bob", &[], &[AUTHENTICATED]),
            ("bob", &["dev"], &["dev", AUTHENTICATED]),
            ("bob", &[AUTHENTICATED], &[AUTHENTICATED]),
            ("bob", &[UNAUTHENTICATED], &[UNAUTHENTICATED]),
            (ANONYMOUS, &[], &[]),
        ];
        for (name, before, after) in cases {
            assert_eq!(user(name, before).authenticated(), user(name, after), "{name} {before:?}");
        }
        assert_eq!(user(ANONYMOUS, &[]).impersonated(), User::anonymous());
    }

    #[test]
    fn nobody_is_known_by_name_or_group() {
        assert!(User::anonymous().is_anonymous());
        assert!(user(ANONYMOUS, &[]).is_anonymous() && user("bob", &[UNAUTHENTICATED]).is_anonymous());
        assert!(!user("bob", &[AUTHENTICATED]).is_anonymous());
    }

    #[test]
    fn masters_are_those_of_the_group_and_not_of_the_name() {
        assert!(user("bob", &["dev", MASTERS]).is_master());
        assert!(!user(MASTERS, &["system:masters ", "System:masters"]).is_master());
    }
}
