//! `kubectl cbt`: looks at the changed blocks of volume snapshots, copies them, and puts them back.
//!
//! Entries come by pages through the API, so that nothing has to be reachable but the API server; whatever breaks is
//! asked for again from where it broke, and waited for as the server wants.
//!
//! ```text
//!   list ──────────────────────────▶ table
//!   get, map ──▶ pages, patience ──▶ entries, picture
//!   pull ──────▶ pages, patience ──▶ image ──▶ apply ──▶ volume
//! ```
#![expect(clippy::print_stderr, reason = "a command line tool speaks to whoever called it")]

mod command;
mod delta;
mod exit;
mod image;
mod map;
mod output;
mod pages;
mod patience;
mod progress;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use plugin::ConnectionArgs;

use exit::Exit;

/// Look at the changed blocks of volume snapshots, copy them, and put them back.
#[derive(Debug, Parser)]
#[command(name = "kubectl cbt", bin_name = "kubectl cbt", version, after_help = exit::HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the VolumeSnapshotDeltas of a namespace.
    List(command::list::Args),
    /// Print the changed blocks of a VolumeSnapshotDelta.
    Get(command::get::Args),
    /// Draw where a volume has changed.
    Map(command::map::Args),
    /// Copy the changed blocks into a file, an incremental image; goes on where it broke.
    Pull(command::pull::Args),
    /// Write an incremental image onto a copy of its base, and verify it.
    Apply(command::apply::Args),
}

fn main() -> ExitCode {
    let Cli { command, connection } = Cli::parse();
    match run(command, &connection) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if error.downcast_ref() != Some(&Exit::Unread) {
                eprintln!("{}", plugin::shown(&error));
            }
            Exit::code(&error)
        }
    }
}

fn run(command: Command, connection: &ConnectionArgs) -> anyhow::Result<()> {
    if let Command::Apply(args) = &command {
        return command::apply::run(args);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        let connection = connection.connect().await?;
        match &command {
            Command::List(args) => command::list::run(args, &connection).await,
            Command::Get(args) => command::get::run(args, &connection).await,
            Command::Map(args) => command::map::run(args, &connection).await,
            Command::Pull(args) => command::pull::run(args, &connection).await,
            Command::Apply(_) => Ok(()),
        }
    });
    // What is still being read is of no use any more.
    runtime.shutdown_background();
    done
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
