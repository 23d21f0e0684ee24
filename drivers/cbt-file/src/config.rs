//! What the driver is told on the command line or by the environment.

use std::{path::PathBuf, time::Duration};

use clap::Args;

/// Where snapshots are, and how they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(next_help_heading = "Changed blocks of files")]
#[group(id = "cbt-file")]
pub struct Config {
    /// The folder of snapshots: NAME.img (raw) or NAME.qcow2 in it is the snapshot NAME of namespace default, in its
    /// folder NS that of namespace NS. All images of one folder are snapshots of one volume.
    #[arg(long, env = "OUTRIGGER_CBT_DIR", value_name = "DIR")]
    pub cbt_dir: Option<PathBuf>,
    /// The size of a block in bytes: a power of two, 512 or more. Thin pools have a size of their own.
    #[arg(long, env = "OUTRIGGER_CBT_BLOCK_SIZE", value_name = "BYTES", value_parser = block_size, default_value_t = 512 << 10)]
    pub cbt_block_size: u64,
    /// A secret of 16 bytes or more to sign data tokens with. Without it one is made, and kept in the folder.
    #[arg(long, env = "OUTRIGGER_CBT_TOKEN_KEY_FILE", value_name = "FILE")]
    pub cbt_token_key_file: Option<PathBuf>,
    /// How long a data token is good.
    #[arg(long, env = "OUTRIGGER_CBT_TOKEN_TTL", value_name = "DURATION", value_parser = ttl, default_value = "3h")]
    pub cbt_token_ttl: Duration,
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            cbt_dir: None,
            cbt_block_size: 512 << 10,
            cbt_token_key_file: None,
            cbt_token_ttl: Duration::from_secs(3 * 3600),
        }
    }
}

fn block_size(text: &str) -> Result<u64, String> {
    let size = text.parse().ok().filter(|size: &u64| size.is_power_of_two() && (512..=1 << 30).contains(size));
    size.ok_or_else(|| "not a power of two from 512 to 1073741824".to_owned())
}

fn ttl(text: &str) -> Result<Duration, String> {
    let ttl = runtime::args::duration(text)?;
    match ttl.as_secs() {
        0 => Err("less than 1s".to_owned()),
        _ => Ok(Duration::from_secs(ttl.as_secs())),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        config: Config,
    }

    #[test]
    fn the_defaults_of_the_command_line_are_the_defaults() {
        assert_eq!(Command::try_parse_from(["x"]).unwrap().config, Config::default());
    }

    #[test]
    fn sizes_and_times_that_make_no_sense_are_refused() {
        for (flag, values) in [
            ("--cbt-block-size", ["0", "511", "513", "2147483648", "-512", "4k"]),
            ("--cbt-token-ttl", ["0", "300ms", "-1h", "1", "", "3 h"]),
        ] {
            for value in values {
                let refused = Command::try_parse_from(["x", &format!("{flag}={value}")]).unwrap_err().to_string();
                assert!(refused.contains(flag), "{refused}");
            }
        }
        assert_eq!(Command::try_parse_from(["x", "--cbt-block-size=512"]).unwrap().config.cbt_block_size, 512);
    }
}
