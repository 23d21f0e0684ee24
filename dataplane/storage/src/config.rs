//! What the storage service is told on the command line or by the environment.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use anyhow::Context as _;
use clap::Args;
use engine_postgres::Server;

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
    /// How a PostgreSQL database is reached.
    #[command(flatten)]
    pub postgres: PostgresArgs,
}

/// How a PostgreSQL database is reached, beyond its URL.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(next_help_heading = "PostgreSQL")]
pub struct PostgresArgs {
    /// A file that holds the password for --db and --db-direct; else `PGPASSWORD` and `PGPASSFILE` are looked at.
    #[arg(long, env = "OUTRIGGER_DB_PASSWORD_FILE", value_name = "FILE")]
    pub db_password_file: Option<PathBuf>,
    /// The server itself, where --db leads to a pooler that gives each transaction another connection.
    #[arg(long, env = "OUTRIGGER_DB_DIRECT", value_name = "URL")]
    pub db_direct: Option<Server>,
    /// How many connections read, at most; there are two more, to write and to listen.
    #[arg(long, env = "OUTRIGGER_DB_READERS", value_name = "COUNT", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub db_readers: u32,
}

/// Where objects are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// In this SQLite file.
    Sqlite(PathBuf),
    /// On this PostgreSQL server.
    Postgres(Box<Server>),
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            history: Duration::from_secs(300),
            history_mib: 2048,
            compress_from: 8192,
            watch_mib: 64,
            postgres: PostgresArgs::default(),
        }
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

// === impl PostgresArgs ===

impl Default for PostgresArgs {
    fn default() -> Self {
        Self { db_password_file: None, db_direct: None, db_readers: 8 }
    }
}

impl PostgresArgs {
    /// How the engine uses `server`.
    pub(crate) fn options(&self, server: &Server) -> anyhow::Result<engine_postgres::Options> {
        let with_password = |server: &Server| match &self.db_password_file {
            None => Ok(server.clone()),
            Some(file) => server
                .clone()
                .with_password_file(file)
                .with_context(|| format!("reading --db-password-file {}", file.display())),
        };
        let direct = self.db_direct.as_ref().map(with_password).transpose()?;
        Ok(engine_postgres::Options { server: with_password(server)?, direct, readers: self.db_readers })
    }
}

// === impl Database ===

impl FromStr for Database {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(Box::new(url.parse()?))),
            _ => Err("not sqlite:PATH or postgres://USER@HOST/DATABASE".into()),
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(server) => write!(f, "{server}"),
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
        for (url, expected) in [
            ("sqlite:x.db", true),
            ("postgres://u@h/d?sslmode=verify-full", true),
            ("postgres:x", false),
            ("sqlite:", false),
            ("x.db", false),
            ("mysql:x", false),
        ] {
            assert_eq!(url.parse::<Database>().is_ok(), expected, "{url}");
        }
    }
}
