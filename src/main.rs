//! The `outrigger` binary: everything in one process, or one part of it.

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use commands::{admin, all_in_one, apiserver, cbt, hyperfleet, restart, storage, tokens};

/// Serves what does not belong in etcd, as if the kube-apiserver served it.
///
/// Without a command it runs everything in one process, with all it needs under --data-dir.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    all_in_one: all_in_one::Args,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the Kubernetes API, from a storage elsewhere or embedded.
    Apiserver(Box<apiserver::Args>),
    /// Serve the storage to apiservers.
    Storage(Box<storage::Args>),
    /// Serve changed blocks of volume snapshots, from drivers to apiservers and backup software.
    Cbt(Box<cbt::Args>),
    /// Restart nodes, for apiservers that are asked to.
    Restart(Box<restart::Args>),
    /// Keep tokens in Secrets, for apiservers, and answer the kube-apiserver whose they are.
    Tokens(Box<tokens::Args>),
    /// Serve HyperFleet's REST API: clusters, node pools and what adapters report of them.
    Hyperfleet(hyperfleet::Args),
    /// Write a copy of the database to a new file, also while it is being served.
    Backup(admin::BackupArgs),
    /// Run a statement that only reads, also while the database is being served.
    Sql(admin::SqlArgs),
    /// Look for damage in the database.
    Check(admin::CheckArgs),
    /// Go on with a PostgreSQL server that was promoted or restored and may lack acknowledged writes.
    Recover(admin::RecoverArgs),
}

fn main() -> ExitCode {
    let Cli { command, all_in_one } = Cli::parse();
    match command {
        None => all_in_one::run(all_in_one),
        Some(Command::Apiserver(args)) => apiserver::run(*args),
        Some(Command::Storage(args)) => storage::run(*args),
        Some(Command::Cbt(args)) => cbt::run(*args),
        Some(Command::Restart(args)) => restart::run(*args),
        Some(Command::Tokens(args)) => tokens::run(*args),
        Some(Command::Hyperfleet(args)) => hyperfleet::run(args),
        Some(Command::Backup(args)) => admin::backup(args),
        Some(Command::Sql(args)) => admin::sql(args),
        Some(Command::Check(args)) => admin::check(args),
        Some(Command::Recover(args)) => admin::recover(args),
    }
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
