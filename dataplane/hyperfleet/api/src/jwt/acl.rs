//! Whose tokens are taken: a list of claims with patterns, of which one must match.

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use anyhow::Context as _;
use regex::Regex;
use runtime::{Tasks, files};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Whose tokens are taken. Without items, everybody's.
#[derive(Default)]
pub(super) struct Acl {
    items: RwLock<Vec<(String, Regex)>>,
}

#[derive(Deserialize)]
struct Item {
    claim: String,
    pattern: String,
}

// === impl Acl ===

impl Acl {
    /// Reads a file, and follows it as long as `tasks` run.
    pub(super) fn load(path: Option<&Path>, tasks: &Tasks) -> anyhow::Result<Arc<Self>> {
        let Some(path) = path else { return Ok(Arc::default()) };
        let paths = vec![path.to_owned()];
        let contents = files::read(&paths)?;
        let acl = Arc::new(Self { items: RwLock::new(read(&contents[0])?) });
        let followed = Arc::clone(&acl);
        files::follow(tasks, paths, contents, move |contents| match read(&contents[0]) {
            Ok(items) => *followed.items.write().unwrap_or_else(PoisonError::into_inner) = items,
            Err(error) => tracing::error!("keeping the ACL that was read before: {error:#}"),
        });
        Ok(acl)
    }

    /// Whether it lets somebody in.
    pub(super) fn admits(&self, claims: &Map<String, Value>) -> bool {
        let items = self.items.read().unwrap_or_else(PoisonError::into_inner);
        let matches = |(claim, pattern): &(String, Regex)| {
            claims.get(claim).and_then(Value::as_str).is_some_and(|text| pattern.is_match(text))
        };
        items.is_empty() || items.iter().any(matches)
    }
}

fn read(yaml: &[u8]) -> anyhow::Result<Vec<(String, Regex)>> {
    let value = machinery::yaml::decode(yaml).context("it is no YAML")?.value;
    let items: Option<Vec<Item>> =
        serde_json::from_value(value).context("it is no list of items with claim and pattern")?;
    let item = |Item { claim, pattern }: Item| {
        let pattern = Regex::new(&pattern).with_context(|| format!("the pattern of the claim {claim}"))?;
        Ok((claim, pattern))
    };
    items.unwrap_or_default().into_iter().map(item).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_item_that_matches_lets_in() {
        let acl = read(b"- claim: email\n  pattern: ^.*@redhat\\.com$\n- claim: sub\n  pattern: ^f:.*:me$\n").unwrap();
        let acl = Acl { items: RwLock::new(acl) };
        let admits = |claims: Value| acl.admits(claims.as_object().unwrap());
        assert!(admits(json!({"email": "a@redhat.com"})) && admits(json!({"email": "x", "sub": "f:1:me"})));
        assert!(!admits(json!({"email": "a@redhat.com.evil"})) && !admits(json!({})) && !admits(json!({"sub": 1})));
        assert!(Acl::default().admits(&Map::new()), "without items everybody may");
        assert!(read(b"- claim: a\n  pattern: '['\n").is_err() && read(b"a: b").is_err());
    }
}
