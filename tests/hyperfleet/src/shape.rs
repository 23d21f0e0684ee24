//! What JSON looks like before it is read: keys in the order in which they were sent.

use std::fmt;

use anyhow::{Context as _, Result};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The keys of an object, with their values as sent.
struct Members(Vec<(String, Box<RawValue>)>);

/// The keys of the object at `path` (dots between keys, numbers for places in arrays; empty for the whole), in order.
pub fn keys(json: &[u8], path: &str) -> Result<Vec<String>> {
    let text = std::str::from_utf8(json).context("JSON is UTF-8")?;
    let mut value = serde_json::from_str::<Box<RawValue>>(text).with_context(|| format!("not JSON: {text}"))?;
    for key in path.split('.').filter(|key| !key.is_empty()) {
        let missing = || format!("no {path} in {text}");
        value = match key.parse::<usize>() {
            Ok(place) => {
                let mut items: Vec<Box<RawValue>> = serde_json::from_str(value.get()).with_context(missing)?;
                anyhow::ensure!(place < items.len(), missing());
                items.swap_remove(place)
            }
            Err(_) => {
                let Members(members) = serde_json::from_str(value.get()).with_context(missing)?;
                members.into_iter().find(|(name, _)| name == key).with_context(missing)?.1
            }
        };
    }
    let Members(members) = serde_json::from_str(value.get()).with_context(|| format!("no object: {value}"))?;
    Ok(members.into_iter().map(|(key, _)| key).collect())
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::keys;

    #[test]
    fn keys_keep_their_order() {
        let json = br#"{"b":1,"a":[{"z":1,"y":2}],"c":{}}"#;
        assert_eq!(keys(json, "").unwrap(), ["b", "a", "c"]);
        assert_eq!(keys(json, "a.0").unwrap(), ["z", "y"]);
        assert!(keys(json, "c").unwrap().is_empty());
        assert!(keys(json, "a.1").is_err() && keys(json, "b").is_err() && keys(json, "d").is_err());
    }
}
