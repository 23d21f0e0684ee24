//! The flags of the driver. What the AWS SDK reads from its own environment has none.

use std::time::Duration;

use clap::{Args, builder::FalseyValueParser};
use runtime::args::duration;

/// What an operator decides.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "EC2")]
pub struct Config {
    /// Let a hard restart stop the instance and start it again, since EC2 has no reset. What is on instance store
    /// volumes is lost, a public address that is not elastic changes, and an Auto Scaling group may replace the instance.
    #[arg(long, env = "OUTRIGGER_ALLOW_STOP_START", value_parser = FalseyValueParser::new())]
    pub allow_stop_start: bool,
    /// How long EC2 may take to answer.
    #[arg(long, env = "OUTRIGGER_CALL_TIMEOUT", value_name = "DURATION", value_parser = duration, default_value = "30s")]
    pub call_timeout: Duration,
}
