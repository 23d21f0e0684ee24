//! The Python programs that tests run as peers, such as cloud providers' own clients: a virtual environment of what
//! `tests/kit/requirements.txt` pins, made once for each content of that file.
//!
//! An environment knows its own path, so it is made in its place, and is whole when its last file, the marker, is there.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{cache, packages, shell};

const MARKER: &str = "complete";

/// Makes the environment if it is missing and returns its folder.
pub(crate) fn build() -> Result<PathBuf> {
    packages::ensure()?;
    let requirements = shell::root().join("tests/kit/requirements.txt");
    let version = shell::read(Command::new("python3").arg("--version"))?;
    let parent = cache::folder("python")?;
    let folder = parent.join(cache::name(std::iter::once(requirements.clone()), &version)?);
    if !folder.join(MARKER).exists() {
        println!("installing the Python programs that tests run: this takes a minute, once");
        shell::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        let mut pip = Command::new(folder.join("bin/python"));
        shell::run(
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(&requirements),
        )?;
        fs::write(folder.join(MARKER), "").context("marking the environment")?;
    }
    cache::point(&parent.join("current"), &folder)?;
    Ok(folder)
}
