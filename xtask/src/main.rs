//! What the repository does with itself. `cargo xtask --help` lists it; README.md and `.ci/run` call it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool speaks to whoever called it")]

mod bench;
mod cache;
mod check;
mod deny;
mod each;
mod fuzz;
mod r#gen;
mod go;
mod packages;
mod peers;
mod python;
mod shell;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The repository's own tasks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Set up everything the tests need, and run them.
    Test(test::Args),
    /// Check format, lints, documentation, dependencies, layering and generated code.
    Check,
    /// Only the repository's own checks: layering, files, words, dependencies.
    Tidy,
    /// Generate what is checked in.
    Gen,
    /// Check every crate alone.
    Each,
    /// Build etcd, the Kubernetes programs, a CSI driver, backup software and what tests run in Python; print where they are.
    Peers,
    /// Run the benchmarks.
    Bench(bench::Args),
    /// Try what reads bytes from anybody with bytes that nobody thought of, a minute each.
    Fuzz(fuzz::Args),
}

fn peers() -> anyhow::Result<()> {
    println!("{}\n{}", peers::build()?.display(), python::build()?.display());
    peers::program::build()?.iter().for_each(|(_, program)| println!("{}", program.display()));
    Ok(())
}

fn main() -> ExitCode {
    let done = |outcome: anyhow::Result<()>| outcome.map(|()| true);
    let outcome = match Args::parse().command {
        Command::Test(args) => test::run(&args),
        Command::Check => done(check::run()),
        Command::Tidy => done(tidy::run()),
        Command::Gen => done(r#gen::generate(&r#gen::checked_in())),
        Command::Each => done(each::run()),
        Command::Peers => done(peers()),
        Command::Bench(args) => done(bench::run(&args)),
        Command::Fuzz(args) => done(fuzz::run(&args)),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
