//! The flags of the driver.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use power::Secret;
use runtime::args::duration;

/// What an operator decides.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Program or webhook")]
pub struct Config {
    /// Who is asked.
    #[command(flatten)]
    pub peer: PeerArgs,
    /// CA of the webhook (PEM); without it, the system's.
    #[arg(long, env = "OUTRIGGER_WEBHOOK_CA_FILE", value_name = "FILE")]
    pub webhook_ca_file: Option<PathBuf>,
    /// File with a bearer token for the webhook; read at each use.
    #[arg(long, env = "OUTRIGGER_WEBHOOK_TOKEN_FILE", value_name = "FILE")]
    pub webhook_token_file: Option<PathBuf>,
    /// The provider's name, in metrics and in status.
    #[arg(long, env = "OUTRIGGER_PROVIDER", value_name = "NAME", default_value = "exec")]
    pub provider: String,
    /// How the providerIDs begin that are asked for, such as proxmox://; repeatable, and any without it.
    #[arg(long, env = "OUTRIGGER_PROVIDER_ID_PREFIX", value_name = "PREFIX", value_delimiter = ',')]
    pub provider_id_prefix: Vec<String>,
    /// How long the program or the webhook may take to answer.
    #[arg(long, env = "OUTRIGGER_CALL_TIMEOUT", value_name = "DURATION", value_parser = duration, default_value = "60s")]
    pub call_timeout: Duration,
}

/// One of the two.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub struct PeerArgs {
    /// The program to run for each call.
    #[arg(long, env = "OUTRIGGER_EXEC", value_name = "PATH")]
    pub exec: Option<PathBuf>,
    /// The https URL to send each call to. It is not shown: its path may hold a token.
    #[arg(long, env = "OUTRIGGER_WEBHOOK", value_name = "URL", hide_env_values = true)]
    pub webhook: Option<Secret>,
}
