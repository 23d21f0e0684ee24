//! `outrigger-cbt-file`: serves the changed blocks of files, or registers snapshots to be served.

mod commands;

use std::process::ExitCode;

use cbt_file::{Config, Driver};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use commands::Command;
use proto::cbt::server;
use runtime::args::{ListenArgs, ProcessArgs};

/// Serves the changed blocks of snapshots that are files.
#[derive(Debug, Parser)]
#[command(name = NAME, version, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Args {
    #[command(flatten)]
    config: Config,
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    process: ProcessArgs,
}

const NAME: &str = "outrigger-cbt-file";

fn main() -> ExitCode {
    let matches = Command::augment_subcommands(Args::command()).get_matches();
    if matches.subcommand_name().is_some() {
        let command = Command::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        return runtime::run(NAME, &ProcessArgs::default(), |context| async move {
            commands::run(command, (context.clock)())
        });
    }
    let Args { config, listen, process } = Args::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    runtime::run(NAME, &process, |context| async move {
        let driver = Driver::open(&config, context.clock.clone())?;
        let routes = runtime::grpc::routes(server::service(driver)).await;
        runtime::grpc::serve(routes, &listen, &context).await
    })
}
