//! The folder that outlives a checkout: `${XDG_CACHE_HOME:-$HOME/.cache}/outrigger`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A folder in the cache; created if missing.
pub(crate) fn folder(name: &str) -> Result<PathBuf> {
    let folder = root()?.join(name);
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    Ok(folder)
}

/// cargo's target folder: the caller's choice, else one in the cache, so that a clean clone need not build everything anew.
pub(crate) fn target() -> Result<PathBuf> {
    match std::env::var_os("CARGO_TARGET_DIR").filter(|value| !value.is_empty()) {
        Some(chosen) => Ok(PathBuf::from(chosen)),
        None => folder("target"),
    }
}

fn root() -> Result<PathBuf> {
    let cache = match std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
        Some(cache) => PathBuf::from(cache),
        None => Path::new(&std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?).join(".cache"),
    };
    Ok(cache.join("outrigger"))
}
