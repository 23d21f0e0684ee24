//! The driver's flags.

use std::path::PathBuf;

use crate::runs::CHUNK;

/// How the CSI driver is reached.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "CSI driver")]
pub struct Config {
    /// The CSI driver's socket: unix:///PATH, or a path.
    #[arg(
        long,
        env = "OUTRIGGER_CSI_ADDRESS",
        value_name = "SOCKET",
        value_parser = socket,
        default_value = "unix:///run/csi/socket"
    )]
    pub csi_address: PathBuf,
    /// Bytes of a block where blocks of one size are asked for, and the CSI driver has ranges of any.
    #[arg(
        long,
        env = "OUTRIGGER_CSI_BLOCK_SIZE",
        value_name = "BYTES",
        value_parser = block_size,
        default_value = "65536"
    )]
    pub csi_block_size: u64,
}

fn socket(text: &str) -> Result<PathBuf, String> {
    let path = text.strip_prefix("unix:").unwrap_or(text);
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.starts_with('/') { Ok(path.into()) } else { Err("write it like unix:///run/csi/socket".to_owned()) }
}

fn block_size(text: &str) -> Result<u64, String> {
    let size = text.parse().ok().filter(|size: &u64| size.is_power_of_two() && (512..=CHUNK).contains(size));
    size.ok_or_else(|| format!("it must be a power of two from 512 to {CHUNK}"))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Flags {
        #[command(flatten)]
        config: Config,
    }

    #[test]
    fn every_flag_is_also_an_environment_variable() {
        for arg in Flags::command().get_arguments() {
            let long = arg.get_long().expect("every argument here is a flag");
            let name = format!("OUTRIGGER_{}", long.replace('-', "_").to_uppercase());
            assert_eq!(arg.get_env().map(|env| env.to_string_lossy().into_owned()), Some(name));
        }
    }

    #[test]
    fn sockets_are_written_as_for_the_sidecars() {
        for text in ["/run/csi/socket", "unix:///run/csi/socket", "unix:/run/csi/socket"] {
            assert_eq!(socket(text).as_deref(), Ok("/run/csi/socket".as_ref()), "{text}");
        }
        for text in ["", "run/csi", "tcp://127.0.0.1:1", "unix://csi/socket", "http:///x"] {
            assert!(socket(text).is_err(), "{text}");
        }
    }

    #[test]
    fn block_sizes_are_powers_of_two() {
        assert_eq!(Flags::parse_from(["x"]).config.csi_block_size, 65536);
        for text in ["0", "511", "65537", "8388608", "64Ki", "-4096"] {
            assert!(block_size(text).is_err(), "{text}");
        }
    }
}
