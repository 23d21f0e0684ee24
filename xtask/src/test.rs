//! `cargo xtask test`: everything the tests need, then all tests, then one line that counts them.

mod counts;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::{fuzz, packages, peers, python, shell};
use counts::Counts;

/// How to run the tests.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run the heavy tests, too.
    #[arg(long)]
    all: bool,
    /// Run only one package's tests.
    #[arg(long, short)]
    package: Option<String>,
    /// Run only tests whose name contains this.
    filter: Option<String>,
}

/// The packages whose programs tests run as their users do.
const PROGRAMS: &[&str] = &["outrigger", "cbt-file", "kubectl-cbt", "kubectl-restart", "node-exec"];

/// Sets up, builds, runs, counts; answers whether all passed. The count is the last line, whatever happened.
pub(crate) fn run(args: &Args) -> Result<bool> {
    let (peers, programs, python) = (peers::build()?, peers::program::build()?, python::build()?);
    // The tests run these themselves, which building a test of another package does not build.
    let built = PROGRAMS.iter().flat_map(|package| ["--package", package]);
    shell::run(shell::cargo()?.arg("build").arg("--bins").args(built))?;
    let test = |last: &[&str]| -> Result<Command> {
        let mut command = shell::cargo()?;
        command.arg("test").arg("--no-fail-fast").env("OUTRIGGER_PEERS", &peers).env("OUTRIGGER_PYTHON", &python);
        command.envs(programs.iter().map(|(variable, program)| (variable, program)));
        match &args.package {
            Some(package) => command.args(["--package", package]),
            None => command.arg("--workspace"),
        };
        command.args(last);
        Ok(command)
    };
    let mut counts = Counts::default();
    let filter: Vec<&str> = args.filter.as_deref().into_iter().collect();
    let mut success = count(&mut test(&filter)?, &mut counts)?;
    if args.package.is_none() {
        // The same cases once more, with objects in PostgreSQL.
        let mut again = shell::cargo()?;
        again.args(["test", "--no-fail-fast", "--package", "conformance", "--test", "differential"]).args(&filter);
        again.envs(test(&[])?.get_envs().filter_map(|(name, value)| Some((name, value?))));
        success &= count(again.env("OUTRIGGER_TEST_DB", "postgres"), &mut counts)?;
    }
    if args.all {
        packages::ensure_heavy()?;
        // By name: other ignored tests are tools that happen to look like tests.
        for name in counts.take_heavy() {
            success &= count(&mut test(&["--", "--ignored", "--exact", &name])?, &mut counts)?;
        }
        if args.package.is_none() && args.filter.is_none() {
            success &= fuzz::short().inspect_err(|error| println!("fuzzing: {error:#}")).is_ok();
        }
    }
    if !counts.heavy().is_empty() {
        println!("\nleft out; `cargo xtask test --all` runs them:");
        counts.heavy().iter().for_each(|(name, reason)| println!("  {name}: {reason}"));
    }
    println!("\n{counts}");
    Ok(success && counts.failed() == 0)
}

/// Runs tests, shows what they print, and counts as they go; answers whether the run succeeded.
fn count(command: &mut Command, counts: &mut Counts) -> Result<bool> {
    println!("$ {}", shell::line(command));
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("starting cargo test")?;
    let output = child.stdout.take().context("cargo test has an output")?;
    let mut lines = BufReader::new(output);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).context("reading the tests' output")? > 0 {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        counts.read(text.trim_end());
        line.clear();
    }
    let success = child.wait().context("waiting for cargo test")?.success();
    counts.finish(success);
    Ok(success)
}
