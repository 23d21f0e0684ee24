//! `cargo xtask check`: what must hold before a change is looked at. Every step runs, so that one run tells everything.

use anyhow::{Context, Result, bail};

use crate::{deny, r#gen, packages, shell, tidy};

type Step = (&'static str, fn() -> Result<()>);

const STEPS: &[Step] = &[
    ("format", format),
    ("tidy", tidy::run),
    ("generated code", generated),
    ("clippy", clippy),
    ("documentation", documentation),
    ("dependencies", deny::run),
];

/// Runs every step.
pub(crate) fn run() -> Result<()> {
    packages::ensure()?;
    let mut failed = Vec::new();
    for (name, step) in STEPS {
        println!("\n== {name}");
        if let Err(error) = step() {
            eprintln!("{name}: {error:#}");
            failed.push(*name);
        }
    }
    if !failed.is_empty() {
        bail!("not in order: {}", failed.join(", "));
    }
    println!("\nall in order");
    Ok(())
}

fn format() -> Result<()> {
    shell::run(shell::cargo()?.args(["fmt", "--all", "--", "--check"]))
}

fn clippy() -> Result<()> {
    shell::run(shell::cargo()?.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

/// The documentation is for who reads the code: private items are in it, so links to them lead somewhere.
fn documentation() -> Result<()> {
    let args = ["doc", "--workspace", "--no-deps", "--document-private-items"];
    shell::run(shell::cargo()?.args(args).env("RUSTDOCFLAGS", "-Dwarnings -Arustdoc::private-intra-doc-links"))
}

/// Generates beside the checked-in code and compares.
fn generated() -> Result<()> {
    let fresh = tempfile::tempdir().context("preparing a folder")?;
    r#gen::generate(fresh.path())?;
    let differing = tidy::files::differing(&r#gen::checked_in(), fresh.path())?;
    if !differing.is_empty() {
        bail!("out of date, `cargo xtask gen` writes them anew: {}", differing.join(", "));
    }
    Ok(())
}
