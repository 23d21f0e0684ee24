//! What the driver can be told.

use std::time::Duration;

use anyhow::Context as _;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use clap::{Args, value_parser};
use runtime::args::duration;

/// The driver's flags.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "EBS")]
pub struct Config {
    /// The region of the snapshots; otherwise that of AWS_REGION, the profile or the instance.
    #[arg(long, env = "OUTRIGGER_EBS_REGION", value_name = "REGION")]
    pub ebs_region: Option<String>,
    /// How many ListSnapshotBlocks, and how many ListChangedBlocks, to ask for in a second: no more than the account's
    /// quota leaves to this process.
    #[arg(long, env = "OUTRIGGER_EBS_REQUESTS_PER_SECOND", value_name = "N", default_value_t = 50,
          value_parser = value_parser!(u32).range(1..=100_000))]
    pub ebs_requests_per_second: u32,
    /// How many GetSnapshotBlock to ask for in a second.
    #[arg(long, env = "OUTRIGGER_EBS_READS_PER_SECOND", value_name = "N", default_value_t = 1000,
          value_parser = value_parser!(u32).range(1..=100_000))]
    pub ebs_reads_per_second: u32,
    /// How many pages, of up to 10,000 blocks, a stream is ahead of its reader.
    #[arg(long, env = "OUTRIGGER_EBS_PAGES_AHEAD", value_name = "N", default_value_t = 4,
          value_parser = value_parser!(u16).range(1..=100))]
    pub ebs_pages_ahead: u16,
    /// How many blocks, of 512 KiB, a reader fetches at a time.
    #[arg(long, env = "OUTRIGGER_EBS_READS_AHEAD", value_name = "N", default_value_t = 8,
          value_parser = value_parser!(u16).range(1..=256))]
    pub ebs_reads_ahead: u16,
    /// For how long a request that is throttled or fails is tried again.
    #[arg(long, env = "OUTRIGGER_EBS_RETRY_TIMEOUT", value_name = "DURATION", value_parser = duration, default_value = "1m")]
    pub ebs_retry_timeout: Duration,
}

// === impl Config ===

impl Config {
    /// What the AWS SDK finds in this process's environment.
    pub(crate) async fn load(&self) -> anyhow::Result<SdkConfig> {
        let https = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(https.build_https());
        if let Some(region) = self.ebs_region.as_ref().filter(|region| !region.is_empty()) {
            loader = loader.region(Region::new(region.clone()));
        }
        let sdk = loader.load().await;
        // An empty variable is none, though the SDK takes it.
        let region = sdk.region().filter(|region| !region.as_ref().is_empty());
        region.context("the region is not known: set --ebs-region, or AWS_REGION")?;
        Ok(sdk)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ebs_region: None,
            ebs_requests_per_second: 50,
            ebs_reads_per_second: 1000,
            ebs_pages_ahead: 4,
            ebs_reads_ahead: 8,
            ebs_retry_timeout: Duration::from_secs(60),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Everything {
        #[command(flatten)]
        config: Config,
    }

    #[test]
    fn the_defaults_of_clap_and_of_rust_agree() {
        let parsed = Everything::parse_from(["x"]);
        assert_eq!(format!("{:?}", parsed.config), format!("{:?}", Config::default()));
    }

    #[test]
    fn every_flag_is_also_an_environment_variable() {
        for arg in Everything::command().get_arguments() {
            let long = arg.get_long().expect("every argument here is a flag");
            let name = format!("OUTRIGGER_{}", long.replace('-', "_").to_uppercase());
            assert_eq!(arg.get_env().map(|env| env.to_string_lossy().into_owned()), Some(name));
        }
    }

    #[test]
    fn numbers_that_would_stop_everything_are_refused() {
        for args in [["x", "--ebs-requests-per-second=0"], ["x", "--ebs-pages-ahead=0"], ["x", "--ebs-reads-ahead=0"]] {
            assert!(Everything::try_parse_from(args).is_err(), "{args:?}");
        }
    }
}
