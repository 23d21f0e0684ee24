//! What the restart worker is told on the command line or by the environment.

use std::{str::FromStr, time::Duration};

use clap::Args;
use runtime::args::duration;

use crate::{
    drivers::Address,
    guard::{Limits, Share},
    machine::Pace,
    options::Defaults,
    retention::Retention,
    time::Span,
};

/// How nodes are restarted, and which are not.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(next_help_heading = "Node restart")]
#[group(id = "restart")]
pub struct Config {
    /// The driver of a provider, as PROVIDER=URL; repeatable. The URL is unix:///PATH or https://HOST:PORT.
    #[arg(long, env = "OUTRIGGER_NODE_DRIVER", value_name = "PROVIDER=URL", value_delimiter = ',')]
    pub node_driver: Vec<Address>,
    /// How long a driver may take to ask its provider; after that nobody knows whether it has.
    #[arg(long, env = "OUTRIGGER_NODE_DRIVER_TIMEOUT", value_name = "DURATION", value_parser = duration, default_value = "60s")]
    pub node_driver_timeout: Duration,
    /// The node that this process runs on.
    #[arg(long, env = "MY_NODE_NAME", value_name = "NODE")]
    pub node_name: Option<String>,
    /// Restart control-plane nodes too.
    #[arg(long, env = "OUTRIGGER_RESTART_CONTROL_PLANE", value_parser = clap::builder::FalseyValueParser::new())]
    pub restart_control_plane: bool,
    /// Restart the node that this process runs on too, as the last.
    #[arg(long, env = "OUTRIGGER_RESTART_OWN_NODE", value_parser = clap::builder::FalseyValueParser::new())]
    pub restart_own_node: bool,
    /// The label that keeps a node from being restarted, unless its value is false.
    #[arg(
        long,
        env = "OUTRIGGER_RESTART_EXCLUDE_LABEL",
        value_name = "LABEL",
        default_value = "infraops.michael.io/no-restart"
    )]
    pub restart_exclude_label: String,
    /// How many nodes may be restarted at a time.
    #[arg(long, env = "OUTRIGGER_RESTART_MAX_IN_FLIGHT", value_name = "N", default_value_t = 1)]
    pub restart_max_in_flight: usize,
    /// How many of the other nodes must be Ready when a restart begins: a number or a percentage.
    #[arg(long, env = "OUTRIGGER_RESTART_MIN_HEALTHY", value_name = "N|N%", default_value = "50%")]
    pub restart_min_healthy: Share,
    /// How many restarts one user may ask for in a time, as N/DURATION.
    #[arg(long, env = "OUTRIGGER_RESTART_USER_RATE", value_name = "N/DURATION", default_value = "30/1h")]
    pub restart_user_rate: Rate,
    /// A provider whose instances are not compared with the node by address and name; repeatable. Whoever can set a
    /// providerID can then restart any of its machines.
    #[arg(long, env = "OUTRIGGER_RESTART_UNCHECKED_IDENTITY", value_name = "PROVIDER", value_delimiter = ',')]
    pub restart_unchecked_identity: Vec<String>,
    /// How long a restart may wait to begin, and then take from the provider's call to a Ready node, if the request
    /// does not say.
    #[arg(long, env = "OUTRIGGER_RESTART_TIMEOUT", value_name = "DURATION", value_parser = duration, default_value = "30m")]
    pub restart_timeout: Duration,
    /// How long a soft restart may take before SoftThenHard becomes hard.
    #[arg(long, env = "OUTRIGGER_RESTART_SOFT_TIMEOUT", value_name = "DURATION", value_parser = duration, default_value = "5m")]
    pub restart_soft_timeout: Duration,
    /// How long a drain may take, if the request does not say.
    #[arg(long, env = "OUTRIGGER_RESTART_DRAIN_TIMEOUT", value_name = "DURATION", value_parser = duration, default_value = "10m")]
    pub restart_drain_timeout: Duration,
    /// How often a node that is being restarted is looked at.
    #[arg(long, env = "OUTRIGGER_RESTART_POLL", value_name = "DURATION", value_parser = duration, default_value = "2s")]
    pub restart_poll: Duration,
    /// After how long another worker takes over from one that is heard of no more.
    #[arg(long, env = "OUTRIGGER_RESTART_LEASE", value_name = "DURATION", value_parser = duration, default_value = "15s")]
    pub restart_lease: Duration,
    /// How many NodeRestarts of each node are kept.
    #[arg(long, env = "OUTRIGGER_RESTART_HISTORY", value_name = "N", default_value_t = 100)]
    pub restart_history: usize,
    /// How long NodeRestarts that have ended are kept. The last of a node stays.
    #[arg(long, env = "OUTRIGGER_RESTART_HISTORY_AGE", value_name = "DURATION", value_parser = duration, default_value = "168h")]
    pub restart_history_age: Duration,
}

/// So many in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// So many.
    pub count: usize,
    /// In this.
    pub per: Span,
}

// === impl Config ===

impl Config {
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            control_plane: self.restart_control_plane,
            own_node: self.restart_own_node,
            node_name: self.node_name.clone().filter(|name| !name.is_empty()),
            exclude_label: self.restart_exclude_label.clone(),
            max_in_flight: self.restart_max_in_flight,
            min_healthy: self.restart_min_healthy,
            unchecked: self.restart_unchecked_identity.iter().cloned().collect(),
        }
    }

    pub(crate) fn pace(&self) -> Pace {
        Pace {
            soft: Span(self.restart_soft_timeout),
            cleanup: Span(self.restart_timeout),
            backoff: (Span::from_secs(5), Span::from_secs(60)),
        }
    }

    pub(crate) fn defaults(&self) -> Defaults {
        Defaults { timeout: Span(self.restart_timeout), drain_timeout: Span(self.restart_drain_timeout) }
    }

    pub(crate) fn retention(&self) -> Retention {
        Retention { per_node: self.restart_history, age: self.restart_history_age }
    }
}

impl Default for Config {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        Self {
            node_driver: Vec::new(),
            node_driver_timeout: minutes(1),
            node_name: None,
            restart_control_plane: false,
            restart_own_node: false,
            restart_exclude_label: Limits::default().exclude_label,
            restart_max_in_flight: 1,
            restart_min_healthy: Limits::default().min_healthy,
            restart_user_rate: Rate { count: 30, per: Span(minutes(60)) },
            restart_unchecked_identity: Vec::new(),
            restart_timeout: minutes(30),
            restart_soft_timeout: minutes(5),
            restart_drain_timeout: minutes(10),
            restart_poll: Duration::from_secs(2),
            restart_lease: Duration::from_secs(15),
            restart_history: 100,
            restart_history_age: minutes(60 * 24 * 7),
        }
    }
}

// === impl Rate ===

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (count, per) = text.split_once('/').ok_or("not N/DURATION, such as 30/1h")?;
        let count = count.parse().map_err(|_| format!("{count:?} is not a number"))?;
        Ok(Self { count, per: Span(duration(per)?) })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        config: Config,
    }

    #[test]
    fn the_defaults_of_the_command_line_are_the_defaults() {
        assert_eq!(Command::try_parse_from(["x"]).unwrap().config, Config::default());
        assert_eq!(Config::default().limits(), Limits::default());
    }

    #[test]
    fn every_flag_is_also_an_environment_variable() {
        for arg in Command::command().get_arguments() {
            let long = arg.get_long().unwrap();
            // The node's name has the variable that deployments give it already.
            let name = match long {
                "node-name" => "MY_NODE_NAME".to_owned(),
                long => format!("OUTRIGGER_{}", long.replace('-', "_").to_uppercase()),
            };
            assert_eq!(arg.get_env().map(|env| env.to_string_lossy().into_owned()), Some(name));
        }
    }

    #[test]
    fn flags_are_read_and_wrong_ones_refused() {
        let parsed = Command::try_parse_from([
            "x",
            "--node-driver=aws=unix:///a,tencent=https://h:1",
            "--restart-user-rate=5/10m",
            "--restart-min-healthy=3",
        ]);
        let config = parsed.unwrap_or_else(|error| panic!("{error}")).config;
        assert_eq!(config.node_driver.len(), 2);
        assert_eq!(config.restart_user_rate, Rate { count: 5, per: Span::from_secs(600) });
        assert_eq!(config.restart_min_healthy, Share::Count(3));
        for wrong in
            ["--node-driver=aws", "--restart-user-rate=5", "--restart-user-rate=x/1h", "--restart-min-healthy=x%"]
        {
            assert!(Command::try_parse_from(["x", wrong]).is_err(), "{wrong}");
        }
    }
}
