//! `cargo xtask bench`: builds what is measured in release mode and runs the benchmarks with the peers at hand.

use anyhow::Result;

use crate::{peers, shell};

/// What the benchmarks themselves take.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Arguments of the benchmarks; `--help` lists them.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

/// Builds and runs.
pub(crate) fn run(args: &Args) -> Result<()> {
    let peers = peers::build()?;
    shell::run(shell::cargo()?.args(["build", "--release", "--package", "outrigger", "--bins"]))?;
    let mut bench = shell::cargo()?;
    bench.args(["run", "--release", "--quiet", "--package", "bench", "--"]).args(&args.args);
    if args.args.first().is_some_and(|what| what == "cbt") {
        bench.envs([peers::program::sidecar()?]);
    }
    shell::run(bench.env("OUTRIGGER_PEERS", peers))
}
