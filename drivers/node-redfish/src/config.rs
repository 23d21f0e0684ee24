//! The flags of the driver.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use runtime::args::duration;

/// What an operator decides.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Redfish")]
pub struct Config {
    /// Which BMC is whose (TOML): tables `machine` with url, username, password-file, and node or provider-id; also
    /// ca-file and system. Read at each use.
    #[arg(long, env = "OUTRIGGER_REDFISH_MACHINES", value_name = "FILE")]
    pub redfish_machines: PathBuf,
    /// How long a BMC may take to answer.
    #[arg(long, env = "OUTRIGGER_CALL_TIMEOUT", value_name = "DURATION", value_parser = duration, default_value = "30s")]
    pub call_timeout: Duration,
}
