//! The order of versions by their names, as Kubernetes prefers them.

use std::cmp::Ordering;

/// How stable a version is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stability {
    Alpha,
    Beta,
    Stable,
}

/// Compares two names of versions: the greater one is preferred. `v2 > v1 > v1beta2 > v1beta1 > v1alpha1`, and all of
/// these before names of any other form, of which the alphabetically first is preferred.
pub fn compare_versions(one: &str, other: &str) -> Ordering {
    match (parse(one), parse(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        (Some(_), None) => Ordering::Greater,
        (None, Some(_)) => Ordering::Less,
        (None, None) => other.cmp(one),
    }
}

fn parse(name: &str) -> Option<(Stability, u64, u64)> {
    let rest = name.strip_prefix('v')?;
    let end = rest.find(|char: char| !char.is_ascii_digit()).unwrap_or(rest.len());
    let (major, rest) = rest.split_at(end);
    let (stability, minor) = match (rest.strip_prefix("alpha"), rest.strip_prefix("beta")) {
        (Some(minor), _) => (Stability::Alpha, number(minor)?),
        (_, Some(minor)) => (Stability::Beta, number(minor)?),
        _ if rest.is_empty() => (Stability::Stable, 0),
        _ => return None,
    };
    Some((stability, number(major)?, minor))
}

fn number(digits: &str) -> Option<u64> {
    digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stable_versions_come_before_beta_before_alpha_before_others() {
        let ordered = [
            "v10",
            "v2",
            "v1",
            "v11beta2",
            "v10beta3",
            "v3beta1",
            "v12alpha1",
            "v11alpha2",
            "foo1",
            "foo10",
            "v1gamma1",
            "v1alpha",
        ];
        let mut sorted = ordered;
        sorted.reverse();
        sorted.sort_by(|one, other| compare_versions(other, one));
        let mut others = ordered[8..].to_vec();
        others.sort_unstable();
        assert_eq!(sorted[..8], ordered[..8]);
        assert_eq!(sorted[8..], others);
        assert_eq!(compare_versions("v1", "v1"), Ordering::Equal);
    }
}
