//! What the relay is told on the command line or by the environment.

use std::{net::SocketAddr, str::FromStr, time::Duration};

use clap::Args;

/// Where drivers are, and who may ask.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(next_help_heading = "Changed blocks")]
#[group(id = "cbt-relay")]
pub struct Config {
    /// A CSI driver and where its changed blocks are served: NAME=unix:///PATH, or NAME=https://HOST:PORT (repeatable).
    #[arg(long = "cbt-driver", env = "OUTRIGGER_CBT_DRIVER", value_name = "NAME=URL", value_delimiter = ',')]
    pub cbt_drivers: Vec<Endpoint>,
    /// A driver that sends nothing for so long, though more is asked for, has failed.
    #[arg(long, env = "OUTRIGGER_CBT_DRIVER_TIMEOUT", value_name = "DURATION", value_parser = runtime::args::duration, default_value = "1m")]
    pub cbt_driver_timeout: Duration,
    /// Where backup software reaches the SnapshotMetadata service; it needs a cluster, and is not served without this.
    #[arg(long, env = "OUTRIGGER_CBT_METADATA_LISTEN", value_name = "IP:PORT")]
    pub cbt_metadata_listen: Option<SocketAddr>,
    /// The audience that the tokens of backup software are for, in place of those that SnapshotMetadataServices name.
    #[arg(long, env = "OUTRIGGER_CBT_AUDIENCE", value_name = "AUDIENCE")]
    pub cbt_audience: Option<String>,
}

/// A driver's name, and where it listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The CSI driver, such as `ebs.csi.aws.com`.
    pub driver: String,
    /// `unix:///PATH` or `https://HOST:PORT`.
    pub url: String,
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            cbt_drivers: Vec::new(),
            cbt_driver_timeout: Duration::from_secs(60),
            cbt_metadata_listen: None,
            cbt_audience: None,
        }
    }
}

// === impl Endpoint ===

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((driver, url)) if !driver.is_empty() && !url.is_empty() => {
                Ok(Self { driver: driver.to_owned(), url: url.to_owned() })
            }
            _ => Err("write it as NAME=URL, such as ebs.csi.aws.com=unix:///run/ebs.sock".to_owned()),
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
        assert_eq!(Everything::parse_from(["x"]).config, Config::default());
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
    fn a_driver_is_a_name_and_a_url() {
        let parsed = Everything::parse_from(["x", "--cbt-driver", "a.b=unix:///c", "--cbt-driver", "d=https://e:1"]);
        let parsed: Vec<_> =
            parsed.config.cbt_drivers.iter().map(|one| (one.driver.as_str(), one.url.as_str())).collect();
        assert_eq!(parsed, [("a.b", "unix:///c"), ("d", "https://e:1")]);
        for text in ["", "a", "=b", "a="] {
            assert!(Everything::try_parse_from(["x", "--cbt-driver", text]).is_err(), "{text}");
        }
    }
}
