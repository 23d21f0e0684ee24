//! The shape of files: a module's first line says what it is, folders stand beside their files, and no file is long.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::shell;

/// The length that a file may have.
const LIMIT: usize = 500;
/// Longer files that were there before the limit, and the length that each may not pass. This list only shrinks.
const LONG: &[(&str, usize)] = &[];

/// A text file of the repository.
#[derive(Debug)]
pub(crate) struct Source {
    /// Its path from the root.
    pub(crate) path: String,
    /// What it says.
    pub(crate) text: String,
}

// === impl Source ===

impl Source {
    /// Whether it is Rust that people write.
    fn is_written_rust(&self) -> bool {
        self.path.ends_with(".rs") && !self.path.starts_with("proto/src/gen/")
    }
}

/// Every text file that is checked in or could be.
pub(crate) fn tracked(root: &Path) -> Result<Vec<Source>> {
    let mut git = Command::new("git");
    git.current_dir(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let paths = shell::read(&mut git)?;
    let read = |path: &str| {
        // A deleted file is still listed; what is not text is not ours to read.
        fs::read_to_string(root.join(path)).ok().map(|text| Source { path: path.to_owned(), text })
    };
    Ok(paths.split_terminator('\0').filter_map(read).collect())
}

/// Every file whose shape is wrong.
pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources.iter().filter(|source| source.is_written_rust()) {
        let path = &source.path;
        if !source.text.starts_with("//!") {
            found.push(format!("{path}: the first line is no module documentation"));
        }
        if path.ends_with("/mod.rs") {
            found.push(format!("{path}: name it after its folder, beside the folder"));
        }
        let allowed = LONG.iter().find(|(long, _)| long == path).map_or(LIMIT, |(_, length)| *length);
        let length = source.text.lines().count();
        if length > allowed {
            found.push(format!("{path}: {length} lines, {allowed} are allowed"));
        }
    }
    found.extend(
        LONG.iter()
            .filter(|(path, _)| !is_long(sources, path))
            .map(|(path, _)| format!("{path}: no longer long, so take it off the list in xtask/src/tidy/files.rs")),
    );
    found
}

fn is_long(sources: &[Source], path: &str) -> bool {
    sources.iter().any(|source| source.path == path && source.text.lines().count() > LIMIT)
}

/// The names of files that are not the same in two folders.
pub(crate) fn differing(a: &Path, b: &Path) -> Result<Vec<String>> {
    let (a, b) = (contents(a)?, contents(b)?);
    let names = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name)));
    Ok(names.filter(|name| a.get(*name) != b.get(*name)).cloned().collect())
}

fn contents(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry.context("reading a folder")?.path())).collect::<Result<Vec<PathBuf>>>()?;
    let read = |path: PathBuf| {
        let name = path.file_name().context("a file has a name")?.to_string_lossy().into_owned();
        Ok((name, fs::read(&path).with_context(|| format!("reading {}", path.display()))?))
    };
    paths.into_iter().filter(|path| path.is_file()).map(read).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn shapes_are_checked() {
        assert!(check(&[source("a/src/b.rs", "//! What it is.\n"), source("README.md", "x")]).is_empty());
        assert_eq!(check(&[source("a/src/b.rs", "fn main() {}\n")]).len(), 1);
        assert_eq!(check(&[source("a/src/mod.rs", "//! x\n")]).len(), 1);
        assert_eq!(check(&[source("a/src/b.rs", &"//! x\n".repeat(LIMIT + 1))]).len(), 1);
        assert!(check(&[source("proto/src/gen/x.rs", "// generated\n")]).is_empty());
    }

    #[test]
    fn folders_are_compared_by_content() {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (folder, name, text) in
            [(&a, "same", "1"), (&b, "same", "1"), (&a, "changed", "1"), (&b, "changed", "2"), (&b, "new", "")]
        {
            fs::write(folder.path().join(name), text).unwrap();
        }
        assert_eq!(differing(a.path(), b.path()).unwrap(), ["changed", "new"]);
    }
}
