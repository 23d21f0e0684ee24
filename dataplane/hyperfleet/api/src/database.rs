//! Which database: `--db`, or the first version's files.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use anyhow::{Context as _, bail};
use hyperfleet_records::{Database, Error, Options, Records};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use runtime::Context;

/// Where the embedded database is.
const DEFAULT: &str = "outrigger-data/hyperfleet.db";
/// Adapters that the first version requires, under the name `reference`.
const CLUSTER_ADAPTERS: [&str; 4] = ["validation", "dns", "pullsecret", "hypershift"];
const NODEPOOL_ADAPTERS: [&str; 2] = ["validation", "hypershift"];
/// Between two attempts to reach a database at the start.
const PAUSE: Duration = Duration::from_secs(2);

/// Which database, and what is aggregated in it.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "HyperFleet database")]
pub struct DatabaseArgs {
    /// The database: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`. By default that of --db-host-file, if there is one, else
    /// sqlite:outrigger-data/hyperfleet.db.
    #[arg(long, env = "OUTRIGGER_DB", value_name = "URL", hide_env_values = true)]
    pub db: Option<Url>,
    /// File with PostgreSQL's host; secrets/db.host if that is there.
    #[arg(long, env = "OUTRIGGER_DB_HOST_FILE", value_name = "FILE")]
    pub db_host_file: Option<PathBuf>,
    /// File with PostgreSQL's port; secrets/db.port if that is there.
    #[arg(long, env = "OUTRIGGER_DB_PORT_FILE", value_name = "FILE")]
    pub db_port_file: Option<PathBuf>,
    /// File with the database's name; secrets/db.name if that is there.
    #[arg(long, env = "OUTRIGGER_DB_NAME_FILE", value_name = "FILE")]
    pub db_name_file: Option<PathBuf>,
    /// File with PostgreSQL's user; secrets/db.user if that is there.
    #[arg(long, env = "OUTRIGGER_DB_USER_FILE", value_name = "FILE")]
    pub db_user_file: Option<PathBuf>,
    /// File with that user's password; secrets/db.password if that is there.
    #[arg(long, env = "OUTRIGGER_DB_PASSWORD_FILE", value_name = "FILE")]
    pub db_password_file: Option<PathBuf>,
    /// TLS to PostgreSQL: disable, require, verify-ca or verify-full.
    #[arg(long, env = "OUTRIGGER_DB_SSLMODE", value_name = "MODE", default_value = "disable",
        value_parser = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"])]
    pub db_sslmode: String,
    /// CA of PostgreSQL's certificate (PEM).
    #[arg(long, env = "OUTRIGGER_DB_ROOTCERT", value_name = "FILE")]
    pub db_rootcert: Option<PathBuf>,
    /// Connections to the database at most.
    #[arg(long, env = "OUTRIGGER_DB_MAX_OPEN_CONNECTIONS", value_name = "N", default_value_t = 50,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub db_max_open_connections: u32,
    /// Adapters without which a cluster is not Ready; by default those that reported. `reference` means validation, dns, pullsecret and
    /// hypershift.
    #[arg(long, env = "OUTRIGGER_CLUSTER_ADAPTERS", value_name = "ADAPTER", value_delimiter = ',')]
    pub cluster_adapters: Vec<String>,
    /// As --cluster-adapters, for node pools. `reference` means validation and hypershift.
    #[arg(long, env = "OUTRIGGER_NODEPOOL_ADAPTERS", value_name = "ADAPTER", value_delimiter = ',')]
    pub nodepool_adapters: Vec<String>,
}

/// The URL of a database, which is never shown: it may hold a password.
#[derive(Clone)]
pub struct Url(Database);

// === impl Url ===

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self(Database::Postgres(text.to_owned())));
        }
        match text.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path)) {
            Some("") => Err("sqlite: needs the path of a file behind it".to_owned()),
            Some(path) => Ok(Self(Database::Sqlite(path.into()))),
            None => Err("it is neither sqlite:PATH nor postgres://…".to_owned()),
        }
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Database::Sqlite(_) => "sqlite:…",
            Database::Postgres(_) => "postgres://…",
        })
    }
}

// === impl DatabaseArgs ===

impl DatabaseArgs {
    /// The database that is meant.
    pub fn database(&self) -> anyhow::Result<Database> {
        if let Some(Url(database)) = &self.db {
            return Ok(database.clone());
        }
        let files = [
            ("--db-host-file", &self.db_host_file, "secrets/db.host"),
            ("--db-port-file", &self.db_port_file, "secrets/db.port"),
            ("--db-name-file", &self.db_name_file, "secrets/db.name"),
            ("--db-user-file", &self.db_user_file, "secrets/db.user"),
            ("--db-password-file", &self.db_password_file, "secrets/db.password"),
        ];
        let [host, port, name, user, password] = files.map(|(flag, given, usual)| {
            let usual = Some(PathBuf::from(usual)).filter(|path| path.is_file());
            let path = given.clone().or(usual)?;
            let read = std::fs::read_to_string(&path).with_context(|| format!("reading {flag} {}", path.display()));
            Some(read.map(|text| text.trim().to_owned()))
        });
        match (host, name, user) {
            (None, None, None) => Ok(Database::Sqlite(DEFAULT.into())),
            (Some(host), Some(name), Some(user)) => {
                let (port, password) = (port.transpose()?, password.transpose()?);
                self.postgres(&host?, port.as_deref(), &name?, &user?, password.as_deref())
            }
            _ => bail!("PostgreSQL needs --db-host-file, --db-name-file and --db-user-file, or --db"),
        }
    }

    fn postgres(
        &self,
        host: &str,
        port: Option<&str>,
        name: &str,
        user: &str,
        password: Option<&str>,
    ) -> anyhow::Result<Database> {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let port: u16 = port.unwrap_or("5432").parse().context("--db-port-file does not hold a port")?;
        let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
        let password = password.map(|password| format!(":{}", encoded(password))).unwrap_or_default();
        let mut url = format!(
            "postgres://{}{password}@{host}:{port}/{}?sslmode={}",
            encoded(user),
            encoded(name),
            self.db_sslmode
        );
        if let Some(ca) = &self.db_rootcert {
            url += &format!("&sslrootcert={}", encoded(&ca.display().to_string()));
        }
        Ok(Database::Postgres(url))
    }

    /// Who must report.
    pub fn options(&self) -> Options {
        let adapters = |given: &[String], reference: &[&str]| -> Vec<String> {
            let expand = |name: &String| match name.as_str() {
                "reference" => reference.iter().map(|name| (*name).to_owned()).collect(),
                _ => vec![name.clone()],
            };
            given.iter().filter(|name| !name.is_empty()).flat_map(expand).collect()
        };
        Options {
            cluster_adapters: adapters(&self.cluster_adapters, &CLUSTER_ADAPTERS),
            nodepool_adapters: adapters(&self.nodepool_adapters, &NODEPOOL_ADAPTERS),
            connections: self.db_max_open_connections,
            ..Options::default()
        }
    }

    /// Makes or upgrades the tables.
    pub async fn migrate(&self) -> anyhow::Result<()> {
        let database = self.database()?;
        folder_of(&database)?;
        Box::pin(Records::migrate(&database)).await.context("making the tables of --db")
    }

    /// Opens the records, as soon as the database answers. Tables of the embedded database are made; PostgreSQL's are `migrate`'s.
    pub async fn open(&self, context: &Context) -> anyhow::Result<Records> {
        let database = self.database()?;
        if let Database::Sqlite(_) = database {
            self.migrate().await?;
        }
        loop {
            match Box::pin(Records::open(&database, self.options(), context)).await {
                Ok(records) => return Ok(records),
                Err(Error::Unavailable(why)) => tracing::warn!("waiting for the database of --db: {why}"),
                Err(error) => {
                    return Err(error)
                        .context("opening --db: `outrigger hyperfleet migrate` makes PostgreSQL's tables");
                }
            }
            tokio::select! {
                () = context.shutdown.draining() => bail!("the process ended while it waited for the database of --db"),
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }
}

fn folder_of(database: &Database) -> anyhow::Result<()> {
    let Database::Sqlite(path) = database else { return Ok(()) };
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => std::fs::create_dir_all(folder)
            .with_context(|| format!("making the folder of the database {}: choose another with --db", path.display())),
        None => Ok(()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Args {
        #[command(flatten)]
        database: DatabaseArgs,
    }

    fn args(flags: &[&str]) -> DatabaseArgs {
        Args::parse_from(std::iter::once("x").chain(flags.iter().copied())).database
    }

    fn url(args: &DatabaseArgs) -> String {
        match args.database().unwrap() {
            Database::Sqlite(path) => format!("sqlite:{}", path.display()),
            Database::Postgres(url) => url,
        }
    }

    #[test]
    fn urls_name_databases() {
        assert_eq!(url(&args(&["--db", "sqlite:a/b.db"])), "sqlite:a/b.db");
        assert_eq!(url(&args(&["--db", "sqlite:///a.db"])), "sqlite:/a.db");
        assert_eq!(url(&args(&["--db", "postgres://u:p@h/n"])), "postgres://u:p@h/n");
        assert_eq!(url(&args(&[])), format!("sqlite:{DEFAULT}"));
        assert!("mysql://x".parse::<Url>().is_err() && "sqlite:".parse::<Url>().is_err());
        assert!(!format!("{:?}", args(&["--db", "postgres://u:secret@h/n"])).contains("secret"));
    }

    #[test]
    fn files_make_a_url_whatever_they_hold() {
        let folder = tempfile::tempdir().unwrap();
        let mut flags = vec!["--db-sslmode=verify-full".to_owned(), "--db-rootcert=/ca.pem".to_owned()];
        for (name, text) in
            [("host", "db.example\n"), ("port", "5433"), ("name", "fleet"), ("user", "u@x"), ("password", "p:/?#\n")]
        {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            flags.push(format!("--db-{name}-file={}", path.display()));
        }
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        assert_eq!(
            url(&args(&flags)),
            "postgres://u%40x:p%3A%2F%3F%23@db.example:5433/fleet?sslmode=verify-full&sslrootcert=%2Fca%2Epem"
        );
        assert!(args(&flags[2..3]).database().is_err(), "a host alone is no database");
    }

    #[test]
    fn the_references_adapters_have_a_name() {
        let options = args(&["--cluster-adapters", "reference,mine", "--nodepool-adapters", "reference"]).options();
        assert_eq!(options.cluster_adapters, ["validation", "dns", "pullsecret", "hypershift", "mine"]);
        assert_eq!(options.nodepool_adapters, ["validation", "hypershift"]);
    }
}
