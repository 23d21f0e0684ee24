//! What cargo says of the workspace: our crates, and which of them use which.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::shell;

/// Our crates, each with ours that it uses: in its code, and in its tests alone.
#[derive(Debug, Default)]
pub(crate) struct Metadata {
    pub(crate) crates: BTreeMap<String, Uses>,
}

/// Which of our crates a crate uses.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    pub(crate) normal: Vec<String>,
    pub(crate) tests: Vec<String>,
}

// === impl Metadata ===

impl Metadata {
    /// The names of our crates.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.crates.keys().map(String::as_str)
    }
}

/// Asks cargo.
pub(crate) fn read() -> Result<Metadata> {
    let text = shell::read(shell::cargo()?.args(["metadata", "--format-version=1", "--no-deps", "--offline"]))?;
    parse(&serde_json::from_str(&text).context("reading cargo's metadata")?)
}

fn parse(document: &Value) -> Result<Metadata> {
    let packages = document["packages"].as_array().context("cargo lists packages")?;
    let crates = packages.iter().map(|package| Ok((text(package, "name")?, uses(package)?)));
    Ok(Metadata { crates: crates.collect::<Result<_>>()? })
}

fn uses(package: &Value) -> Result<Uses> {
    let mut uses = Uses::default();
    for dependency in package["dependencies"].as_array().context("a package lists dependencies")? {
        // Only ours have a path.
        if dependency["path"].is_string() {
            let tests = dependency["kind"] == "dev";
            if tests { &mut uses.tests } else { &mut uses.normal }.push(text(dependency, "name")?);
        }
    }
    Ok(uses)
}

fn text(of: &Value, key: &str) -> Result<String> {
    Ok(of[key].as_str().with_context(|| format!("{key} is a text"))?.to_owned())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_our_crates_count() {
        let document = json!({"packages": [{"name": "revlog", "dependencies": [
            {"name": "proto", "path": "/x/proto", "kind": null},
            {"name": "kit", "path": "/x/kit", "kind": "dev"},
            {"name": "tokio", "kind": null},
        ]}]});
        let metadata = parse(&document).unwrap();
        assert_eq!(metadata.crates["revlog"].normal, ["proto"]);
        assert_eq!(metadata.crates["revlog"].tests, ["kit"]);
    }
}
