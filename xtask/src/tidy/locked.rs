//! Crates that must not come in by any way: a second TLS stack, a second HTTP client.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

const BANNED: &[(&str, &str)] = &[
    ("aws-lc-rs", "rustls has one provider, ring; with two linked it panics at run time"),
    ("aws-lc-sys", "rustls has one provider, ring"),
    ("native-tls", "TLS is rustls"),
    ("openssl", "TLS is rustls"),
    ("openssl-sys", "TLS is rustls"),
    ("reqwest", "there is one HTTP client, hyper"),
];

/// Every banned crate in the lock file.
pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    Ok(banned(&fs::read_to_string(root.join("Cargo.lock")).context("reading Cargo.lock")?))
}

fn banned(lock: &str) -> Vec<String> {
    let locked = |name: &str| lock.lines().any(|line| line == format!("name = \"{name}\""));
    BANNED
        .iter()
        .filter(|(name, _)| locked(name))
        .map(|(name, reason)| format!("Cargo.lock has {name}: {reason}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::banned;

    #[test]
    fn names_are_compared_whole() {
        assert_eq!(banned("[[package]]\nname = \"openssl-probe\"\n").len(), 0);
        assert_eq!(banned("[[package]]\nname = \"openssl\"\n").len(), 1);
    }
}
