//! What the storage service is told on the command line or by the environment.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use clap::Args;

/// How a database is kept. Which one it is, each process has its own flag for.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(next_help_heading = "Storage")]
pub struct Config {
    /// How long the history of changes is kept: how late a watch or a paged list may be resumed.
    #[arg(long, env = "OUTRIGGER_HISTORY", value_name = "DURATION", value_parser = runtime::args::duration, default_value = "5m")]
    pub history: Duration,
    /// How many MiB of changes are kept as history at most, though they are younger.
    #[arg(long, env = "OUTRIGGER_HISTORY_MIB", value_name = "MIB", default_value_t = 2048)]
    pub history_mib: u64,
    /// Objects of at least so many bytes are stored compressed. Smaller ones can be read by any SQL tool.
    #[arg(long, env = "OUTRIGGER_COMPRESS_FROM", value_name = "BYTES", default_value_t = 8192)]
    pub compress_from: usize,
    /// How many MiB of the newest changes are kept in memory for watches; those that lag further behind read the
    /// history.
    #[arg(long, env = "OUTRIGGER_WATCH_MIB", value_name = "MIB", default_value_t = 64)]
    pub watch_mib: usize,
}

/// Where objects are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// In this SQLite file.
    Sqlite(PathBuf),
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self { history: Duration::from_secs(300), history_mib: 2048, compress_from: 8192, watch_mib: 64 }
    }
}

impl Config {
    /// What of it concerns the log.
    pub(crate) fn log(&self) -> revlog::Options {
        revlog::Options {
            history: self.history,
            history_bytes: self.history_mib << 20,
            compress: self.compress_from,
            ring_bytes: self.watch_mib << 20,
        }
    }
}

// === impl Database ===

impl FromStr for Database {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            _ => Err("not sqlite:PATH".into()),
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        config: Config,
    }

    #[test]
    fn the_defaults_of_the_command_line_are_the_defaults() {
        let parsed = Command::try_parse_from(["x"]).unwrap().config;
        assert_eq!(parsed, Config::default());
        assert_eq!(parsed.log(), revlog::Options::default());
    }

    #[test]
    fn a_database_is_a_url() {
        for (url, expected) in [("sqlite:x.db", true), ("sqlite:", false), ("x.db", false), ("mysql:x", false)] {
            assert_eq!(url.parse::<Database>().is_ok(), expected, "{url}");
        }
    }
}
