//! `cargo deny`, built once into the cache. Where it cannot be built, that is said, and `tidy` still watches the worst.

use std::process::Command;

use anyhow::Result;

use crate::{cache, shell};

const VERSION: &str = "0.20.2";

/// Checks bans, licences and sources.
pub(crate) fn run() -> Result<()> {
    let folder = cache::folder(&format!("tools/cargo-deny-{VERSION}"))?;
    let program = folder.join("bin/cargo-deny");
    if !program.exists() {
        println!("building cargo-deny {VERSION}: this takes some minutes, once");
        let mut install = shell::cargo()?;
        install.env("CARGO_TARGET_DIR", cache::folder("tools/target")?);
        install.args(["install", "--quiet", "--locked", "--version", VERSION, "--root"]).arg(&folder).arg("cargo-deny");
        if let Err(error) = shell::run(&mut install) {
            println!("note: skipped, as cargo-deny cannot be built here: {error:#}");
            return Ok(());
        }
    }
    println!("note: advisories are left out: their database needs the network");
    shell::run(Command::new(program).current_dir(shell::root()).args(["check", "bans", "licenses", "sources"]))
}
