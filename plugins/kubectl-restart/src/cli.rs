//! The command line.

use std::time::Duration;

use clap::{ArgAction, Args, Parser, ValueEnum};
use machinery::{name, time::parse_duration};
use plugin::ConnectionArgs;

use crate::exit;

/// Restart nodes, one after another, and watch until they are back.
///
/// Without --wait a single restart is asked for and goes on by itself: `kubectl get noderestarts` tells how far it is, and
/// `kubectl delete noderestart NAME` cancels it as long as the provider has not been asked.
#[derive(Debug, Parser)]
#[command(name = "kubectl restart", bin_name = "kubectl restart", version, after_help = exit::HELP)]
pub(crate) struct Cli {
    /// Nodes to restart, in this order.
    #[arg(value_name = "NODE", required_unless_present = "selector", conflicts_with = "selector", value_parser = node)]
    nodes: Vec<String>,
    /// Labels of the nodes to restart, in the order of their names.
    #[arg(long, short = 'l', value_name = "SELECTOR")]
    pub selector: Option<String>,
    /// How hard [default: soft].
    #[arg(long, value_enum)]
    pub mode: Option<Mode>,
    /// What it is for: to be read in events, audit records and the provider's own.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Only plan it, and say what speaks against it.
    #[arg(long, value_enum, value_name = "WHERE", default_value = "none", num_args = 0..=1, require_equals = true,
        default_missing_value = "server")]
    pub dry_run: DryRun,
    /// Watch each restart to its end [default: true for several nodes, since one waits for the other].
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub wait: Option<bool>,
    /// How long to watch each restart, such as 15m; 0 is to its end.
    #[arg(long, value_name = "DURATION", default_value = "0", value_parser = duration)]
    pub timeout: Duration,
    /// How long the restart itself may take, such as 30m [default: the server's].
    #[arg(long, value_name = "DURATION", value_parser = span)]
    pub restart_timeout: Option<String>,
    /// Requests with the same key for one node are one restart, however often they are sent.
    #[arg(long, value_name = "KEY")]
    pub idempotency_key: Option<String>,
    /// Print the NodeRestarts instead of sentences.
    #[arg(long, short, value_enum, value_name = "FORMAT")]
    pub output: Option<Output>,
    #[command(flatten)]
    pub drain: DrainArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// How the node is drained; the flags are those of `kubectl drain`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Drain")]
pub(crate) struct DrainArgs {
    /// Evict the node's pods first.
    #[arg(long = "drain")]
    pub enabled: bool,
    /// Seconds that each pod gets to end; -1 is its own.
    #[arg(long, value_name = "SECONDS", default_value = "-1", allow_negative_numbers = true, requires = "enabled")]
    pub grace_period: i64,
    /// Delete pods that no controller makes again.
    #[arg(long, requires = "enabled")]
    pub force: bool,
    /// Leave the pods of DaemonSets alone [default: true]; otherwise they end the drain.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        action = ArgAction::Set, requires = "enabled")]
    pub ignore_daemonsets: Option<bool>,
    /// Delete pods whose emptyDir volumes are lost with them.
    #[arg(long, requires = "enabled")]
    pub delete_emptydir_data: bool,
    /// Delete pods without asking PodDisruptionBudgets.
    #[arg(long, requires = "enabled")]
    pub disable_eviction: bool,
    /// How long the drain may take, such as 10m, before the restart fails [default: the server's].
    #[arg(long, value_name = "DURATION", value_parser = span, requires = "enabled")]
    pub drain_timeout: Option<String>,
}

/// How hard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// Ask the operating system.
    Soft,
    /// Do not.
    Hard,
    /// Do not, once it was asked and did not follow.
    SoftThenHard,
}

/// Where a dry run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DryRun {
    /// It is none.
    None,
    /// At the server, which touches nothing.
    Server,
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    Json,
    Yaml,
    Name,
}

// === impl Cli ===

impl Cli {
    /// The nodes that are named, each once.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in &self.nodes {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }
}

/// `NODE`, or `node/NODE` as kubectl prints it.
fn node(text: &str) -> Result<String, String> {
    let name = ["node/", "nodes/"].iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text);
    match name::dns1123_subdomain(name).first() {
        None => Ok(name.to_owned()),
        Some(problem) => Err(problem.clone()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text)?.ok_or_else(|| "must not be negative".to_owned())
}

/// A duration that the server will read.
fn span(text: &str) -> Result<String, String> {
    duration(text).map(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::error::ErrorKind> {
        Cli::try_parse_from(line.split_whitespace()).map_err(|error| error.kind())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn nodes_are_named_once_and_in_order() {
        let cli = parse("restart b node/a nodes/b").expect("a line");
        assert_eq!(cli.names(), ["b", "a"]);
    }

    #[test]
    fn what_makes_no_sense_is_wrong_usage() {
        for line in [
            "restart",
            "restart a -l x=y",
            "restart a/b",
            "restart a%2Fb",
            "restart A",
            "restart a --mode gently",
            "restart a --dry-run=client",
            "restart a --timeout soon",
            "restart a --timeout=-1s",
            "restart a --force",
            "restart a --grace-period=5",
            "restart a -o table",
            "restart a --client-certificate c",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn flags_are_kubectls() {
        let cli = parse("restart a --dry-run --wait --drain --ignore-daemonsets --grace-period 30 --as bob -o yaml");
        let cli = cli.expect("a line");
        assert_eq!((cli.dry_run, cli.wait, cli.drain.ignore_daemonsets), (DryRun::Server, Some(true), Some(true)));
        let cli = parse("restart a --wait=false --drain --ignore-daemonsets=false").expect("a line");
        assert_eq!((cli.wait, cli.drain.ignore_daemonsets), (Some(false), Some(false)));
    }
}
