//! The repository's own checks: what no compiler sees. Each check returns what it found wrong, one line each.

pub(crate) mod files;
mod layers;
mod locked;
pub(crate) mod metadata;
mod words;

use anyhow::{Result, bail};

use crate::shell;

/// Runs every check.
pub(crate) fn run() -> Result<()> {
    let (root, metadata) = (shell::root(), metadata::read()?);
    let sources = files::tracked(&root)?;
    let mut found = layers::check(&metadata);
    found.extend(locked::check(&root)?);
    found.extend(files::check(&sources));
    found.extend(words::check(&sources));
    if !found.is_empty() {
        bail!("\n  {}", found.join("\n  "));
    }
    println!("layering, files, words and dependencies are in order");
    Ok(())
}
