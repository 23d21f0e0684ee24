//! `cargo xtask bench`: one load on several API servers in alternation, and the table that compares them; [`cbt`] is the
//! same for changed blocks, [`hyperfleet`] for HyperFleet's API, [`tokens`] for tokens.
//!
//! The one rule: ratios count, never absolute times. All targets are measured in one run on one machine, taking turns, and
//! no test asserts a timing.
//!
//! ```text
//! target   what is measured (data)      load      the closed loop      procstat  memory, processor time
//! client   HTTP/2, one connection each  measure/  the measures         report/   tables and JSON
//! object   the bodies                   run       alternation           setup     starts what is measured
//! ```

mod cbt;
mod client;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod fake;
mod hyperfleet;
mod load;
mod measure;
mod namespaces;
mod object;
mod outcome;
mod procstat;
mod progress;
mod report;
mod run;
mod samples;
mod settings;
mod setup;
mod store;
mod target;
mod template;
mod tokens;

use std::fs;
use std::io::{Write as _, stderr, stdout};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser;

use crate::report::Machine;
use crate::settings::Settings;
use crate::target::Peers;

/// What is measured: objects, unless a word says something else.
#[derive(Debug, Parser)]
#[command(name = "bench", args_conflicts_with_subcommands = true)]
struct Args {
    #[command(subcommand)]
    other: Option<Other>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, clap::Subcommand)]
enum Other {
    Cbt(cbt::Settings),
    /// Serves changed blocks that are computed, as a process of its own
    #[command(hide = true)]
    Driver(cbt::driver::Args),
    Hyperfleet(hyperfleet::Settings),
    Tokens(tokens::Settings),
    /// Answers the files of a folder out of memory, as a process of its own
    #[command(hide = true)]
    Constant(hyperfleet::constant::Args),
}

#[tokio::main]
async fn main() -> ExitCode {
    runtime::tls::install_provider();
    let Args { other, settings } = Args::parse();
    let outcome = match other {
        None => bench(&settings.settled()).await,
        Some(Other::Cbt(settings)) => cbt::bench(settings).await.map(|()| 0),
        Some(Other::Driver(args)) => cbt::driver::serve(&args).await.map(|()| 0),
        Some(Other::Hyperfleet(settings)) => hyperfleet::bench(settings).await,
        Some(Other::Tokens(settings)) => Box::pin(tokens::bench(settings)).await,
        Some(Other::Constant(args)) => hyperfleet::constant::serve(&args).await.map(|()| 0),
    };
    match outcome {
        Ok(0) => ExitCode::SUCCESS,
        Ok(errors) => failure(&format!("{errors} requests failed, see the report")),
        Err(error) => failure(&format!("{error:#}")),
    }
}

/// Runs, reports, and counts what went wrong.
async fn bench(settings: &Settings) -> Result<u64> {
    let (peers, _running) = match &settings.peers {
        Some(file) => (described(file)?, None),
        None => setup::start().await.map(|(peers, running)| (peers, Some(running)))?,
    };
    let findings = run::run(&peers, settings).await?;
    let machine = Machine::this();
    if let Some(file) = &settings.json {
        let json = report::json(&peers, settings, &machine, &findings);
        fs::write(file, format!("{json:#}\n")).with_context(|| format!("writing {}", file.display()))?;
    }
    let markdown = report::markdown(&peers, settings, &machine, &findings);
    match &settings.out {
        Some(file) => fs::write(file, markdown).with_context(|| format!("writing {}", file.display()))?,
        None => stdout().write_all(markdown.as_bytes()).context("writing the report")?,
    }
    Ok(report::error_count(&findings))
}

fn described(file: &Path) -> Result<Peers> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("reading {}", file.display()))
}

fn failure(message: &str) -> ExitCode {
    // Without a stderr there is nobody to tell; the exit code still does.
    let _ = writeln!(stderr(), "bench: {message}");
    ExitCode::FAILURE
}
