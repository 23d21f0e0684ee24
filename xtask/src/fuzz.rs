//! `cargo xtask fuzz`: bytes from anybody into everything that reads bytes from anybody, a while each.
//!
//! The targets are in `tests/fuzz`, a workspace of its own. What the fuzzer learns is kept in the cache beside the seeds that
//! are checked in; the input of a crash is left in `tests/fuzz/artifacts`, and becomes a test of what it broke.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{cache, packages, shell};

const VERSION: &str = "0.13.2";
const FOLDER: &str = "tests/fuzz";
/// With this the targets that ask a whole server are built, too.
const FEATURE: &str = "server";
/// What one input may take: seconds, and MiB.
const LIMITS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=2048"];

/// What to try, and for how long.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this target; without it all of them.
    target: Option<String>,
    /// For how many seconds each is tried.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

/// Builds the targets and runs them one after the other; all are run, whatever one finds.
pub(crate) fn run(args: &Args) -> Result<()> {
    packages::ensure_fuzz()?;
    let known = targets()?;
    let chosen: Vec<&String> =
        known.iter().filter(|name| args.target.as_ref().is_none_or(|wanted| wanted == *name)).collect();
    if chosen.is_empty() {
        bail!(
            "there is no target {:?}: choose one of {}",
            args.target.as_deref().unwrap_or_default(),
            known.join(", ")
        );
    }
    let mut build = fuzz("build")?;
    // All at once, as what they stand on is the same.
    shell::run(build.args(args.target.as_ref()))?;
    let mut failed = Vec::new();
    for target in chosen {
        let learned = cache::folder(&format!("fuzz/corpus/{target}"))?;
        let mut run = fuzz("run")?;
        run.arg(target).arg(learned).arg(shell::root().join(FOLDER).join("corpus").join(target));
        run.arg("--").arg(format!("-max_total_time={}", args.seconds)).args(LIMITS);
        if shell::run(&mut run).is_err() {
            failed.push(target.as_str());
        }
    }
    if !failed.is_empty() {
        bail!("inputs were found that break: {}; they are in {FOLDER}/artifacts", failed.join(", "));
    }
    Ok(())
}

/// Runs every target for a moment.
pub(crate) fn short() -> Result<()> {
    run(&Args { target: None, seconds: 3 })
}

/// The names of the targets, which are the programs of the package.
fn targets() -> Result<Vec<String>> {
    let mut metadata = shell::cargo()?;
    let manifest = shell::root().join(FOLDER).join("Cargo.toml");
    metadata.args(["metadata", "--no-deps", "--format-version=1", "--manifest-path"]).arg(manifest);
    let metadata: Value = serde_json::from_str(&shell::read(&mut metadata)?).context("reading cargo's answer")?;
    let programs = metadata["packages"][0]["targets"].as_array().context("the package has targets")?;
    let is_program = |target: &&Value| target["kind"][0] == "bin";
    Ok(programs.iter().filter(is_program).filter_map(|target| target["name"].as_str().map(str::to_owned)).collect())
}

/// A command of cargo-fuzz. The compiler's own coverage suffices: code without `unsafe` needs no sanitizer.
fn fuzz(what: &str) -> Result<Command> {
    let folder = cache::folder(&format!("tools/cargo-fuzz-{VERSION}"))?;
    let program = folder.join("bin/cargo-fuzz");
    if !program.exists() {
        println!("building cargo-fuzz {VERSION}: this takes a minute, once");
        let mut install = shell::cargo()?;
        install.env("CARGO_TARGET_DIR", cache::folder("tools/target")?);
        install.args(["install", "--quiet", "--locked", "--version", VERSION, "--root"]).arg(&folder).arg("cargo-fuzz");
        shell::run(&mut install)?;
    }
    let target = cache::folder("fuzz/target")?;
    fs::create_dir_all(shell::root().join(FOLDER).join("artifacts")).context("making the folder of artifacts")?;
    let mut command = Command::new(program);
    command.current_dir(shell::root()).env("CARGO_TARGET_DIR", target).env("RUSTC_BOOTSTRAP", "1");
    command.args([what, "--fuzz-dir", FOLDER, "--sanitizer", "none", "--features", FEATURE]);
    Ok(command)
}
