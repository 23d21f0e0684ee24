//! `cargo xtask each`: every crate builds alone. In a workspace build one crate's features hide what another forgot.

use anyhow::{Result, bail};

use crate::{shell, tidy};

/// Checks every crate.
pub(crate) fn run() -> Result<()> {
    let mut failed = Vec::new();
    for name in tidy::metadata::read()?.names() {
        if shell::run(shell::cargo()?.args(["check", "--quiet", "--all-targets", "--package", name])).is_err() {
            failed.push(name.to_owned());
        }
    }
    if !failed.is_empty() {
        bail!("these do not build alone: {}", failed.join(", "));
    }
    Ok(())
}
