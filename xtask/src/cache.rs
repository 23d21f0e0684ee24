//! The folder that outlives a checkout: `${XDG_CACHE_HOME:-$HOME/.cache}/outrigger`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

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

/// A name that changes with the content of `files` and with the version of the tool that reads them.
pub(crate) fn name(files: impl Iterator<Item = PathBuf>, tool: &str) -> Result<String> {
    let mut hash = Sha256::new();
    for file in files {
        let content = fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
        hash.update((content.len() as u64).to_be_bytes());
        hash.update(content);
    }
    hash.update(tool);
    Ok(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

/// Points a link at a folder, in one step.
pub(crate) fn point(link: &Path, folder: &Path) -> Result<()> {
    let target = folder.file_name().context("the folder has a name")?;
    if fs::read_link(link).is_ok_and(|now| now == Path::new(target)) {
        return Ok(());
    }
    let fresh = link.with_extension(std::process::id().to_string());
    symlink(target, &fresh).context("making a link")?;
    fs::rename(&fresh, link).context("replacing a link")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_name_changes_with_what_goes_in() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("go.sum");
        fs::write(&file, "one").unwrap();
        let named = |tool: &str| name(std::iter::once(file.clone()), tool).unwrap();
        let before = named("go1.26.8");
        assert_eq!((before.len(), &before), (16, &named("go1.26.8")));
        assert_ne!(before, named("go1.26.9"));
        fs::write(&file, "other").unwrap();
        assert_ne!(before, named("go1.26.8"));
    }

    #[test]
    fn the_link_moves_to_the_last_build() {
        let folder = tempfile::tempdir().unwrap();
        let (link, a, b) = (folder.path().join("current"), folder.path().join("a"), folder.path().join("b"));
        for build in [&a, &a, &b] {
            point(&link, build).unwrap();
            assert_eq!(fs::read_link(&link).unwrap(), Path::new(build.file_name().unwrap()));
        }
    }
}
