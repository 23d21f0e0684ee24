//! Which server and database, as a URL says it.

use std::{fmt, path::Path, str::FromStr};

use sqlx::{ConnectOptions as _, postgres::PgConnectOptions};

/// A PostgreSQL server and a database on it. Shown without its password.
#[derive(Clone)]
pub struct Server(PgConnectOptions);

// === impl Server ===

impl Server {
    /// The same with the password that a file holds, without the line's end.
    pub fn with_password_file(self, file: &Path) -> std::io::Result<Self> {
        let password = std::fs::read_to_string(file)?;
        Ok(Self(self.0.password(password.trim_end_matches(['\r', '\n']))))
    }

    pub(crate) fn options(&self) -> PgConnectOptions {
        self.0.clone()
    }
}

impl FromStr for Server {
    type Err = String;

    /// A URL as libpq knows it, with its parameters, such as
    /// `postgres://USER@HOST:PORT/DATABASE?sslmode=verify-full&sslrootcert=FILE&sslcert=FILE&sslkey=FILE`. What it leaves out
    /// is taken from the environment (`PGPASSWORD`, `PGSSLMODE`, …) and from the password file (`PGPASSFILE`).
    fn from_str(url: &str) -> Result<Self, String> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err("not postgres://USER@HOST/DATABASE".into());
        }
        // The error may quote the URL, which may hold a password.
        let options = url.parse().map_err(|_| "not a URL of PostgreSQL, or with a parameter that is not known")?;
        Ok(Self(options))
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(options) = self;
        let host = options.get_socket().map_or(options.get_host().into(), |socket| socket.to_string_lossy());
        write!(f, "postgres://{host}:{}/{}", options.get_port(), options.get_database().unwrap_or_default())
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Server {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_url_lossy() == other.0.to_url_lossy()
    }
}

impl Eq for Server {}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        for url in ["postgres://u:hidden@h:1/d", "postgres://u:hidden@h/d?nonsense=hidden", "mysql://u:hidden@h/d"] {
            let shown = match url.parse::<Server>() {
                Ok(server) => format!("{server} {server:?}"),
                Err(error) => error,
            };
            assert!(!shown.contains("hidden"), "{shown}");
        }
        assert_eq!("postgresql://u:x@h:1/d".parse::<Server>().unwrap().to_string(), "postgres://h:1/d");
    }
}
