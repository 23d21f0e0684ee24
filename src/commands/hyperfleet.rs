//! HyperFleet's REST API, in a process of its own.

use std::process::ExitCode;

use ::hyperfleet::{Config, DatabaseArgs, Server, Tolerated};
use clap::Subcommand;
use runtime::{Context, args::ProcessArgs};

use super::say;

/// Flags of `outrigger hyperfleet`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make or upgrade the tables of the database.
    Migrate(Box<Migrate>),
    /// Serve the API, its health and its metrics.
    Serve(Box<Serve>),
}

#[derive(Debug, clap::Args)]
struct Migrate {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    tolerated: Tolerated,
    #[command(flatten)]
    process: ProcessArgs,
}

#[derive(Debug, clap::Args)]
struct Serve {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    config: Config,
    #[command(flatten)]
    tolerated: Tolerated,
    #[command(flatten)]
    process: ProcessArgs,
}

pub(crate) fn run(args: Args) -> ExitCode {
    match args.command {
        Command::Migrate(args) => {
            let process = args.process.clone();
            runtime::run("outrigger-hyperfleet", &process, |_| migrate(*args))
        }
        Command::Serve(args) => {
            let process = args.process.clone();
            runtime::run("outrigger-hyperfleet", &process, |context| serve(*args, context))
        }
    }
}

async fn migrate(args: Migrate) -> anyhow::Result<()> {
    args.tolerated.warn();
    args.database.migrate().await?;
    say("The tables are up to date")
}

async fn serve(args: Serve, context: Context) -> anyhow::Result<()> {
    args.tolerated.warn();
    let records = args.database.open(&context).await?;
    let server = Server::bind(&args.config, records, &context).await?;
    say(&format!("HyperFleet serves on {}", server.url()))?;
    server.serve().await
}
