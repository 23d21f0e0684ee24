//! Opening a database: makes its tables or brings them up to this version, and reads where the log stands.

use std::{sync::atomic::AtomicU64, time::Duration};

use sqlx::{
    ConnectOptions, SqlSafeStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::sync::Mutex;

use crate::{Server, names::Names, notices::Notices, postgres::Postgres};

/// How long a read waits for a connection.
const PATIENCE: Duration = Duration::from_secs(3);

/// How a database is used.
#[derive(Debug, Clone)]
pub struct Options {
    /// The server and the database.
    pub server: Server,
    /// Where to listen and to migrate, when `server` leads to a pooler that gives each transaction another connection.
    pub direct: Option<Server>,
    /// How many connections read, at most.
    pub readers: u32,
}

/// Why a database was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It could not be reached, or refused us.
    #[error("connecting to PostgreSQL")]
    Connect(#[source] sqlx::Error),
    /// A newer version has written it.
    #[error("the database was written by a newer version of outrigger (its schema is {version})")]
    Newer {
        /// The number of its newest migration.
        version: i64,
    },
    /// Its tables could not be brought up to this version.
    #[error("migrating the database")]
    Migrate(#[source] MigrateError),
}

// === impl Options ===

impl Options {
    /// The usual use of a database.
    pub fn new(server: Server) -> Self {
        Self { server, direct: None, readers: 8 }
    }

    /// To where a session is one connection.
    pub(crate) fn direct(&self) -> PgConnectOptions {
        of_ours(self.direct.as_ref().unwrap_or(&self.server))
    }
}

// === impl Postgres ===

impl Postgres {
    /// Opens the database.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let direct = options.direct();
        let connect = of_ours(&options.server);
        // Through a pooler, a statement that was prepared on one connection is not there on the next.
        let connect = if options.direct.is_some() { connect.statement_cache_capacity(0) } else { connect };
        let mut connection = direct.connect().await.map_err(OpenError::Connect)?;
        migrator().run(&mut connection).await.map_err(|error| match error {
            MigrateError::VersionMissing(version) => OpenError::Newer { version },
            error => OpenError::Migrate(error),
        })?;
        let number: i64 = sqlx::query_scalar("SELECT (random() * 9e18)::bigint")
            .fetch_one(&mut connection)
            .await
            .map_err(OpenError::Connect)?;
        sqlx::Connection::close(connection).await.ok();
        let pool = PgPoolOptions::new()
            .max_connections(options.readers)
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false)
            .connect_lazy_with(connect.clone());
        let listener = PgPoolOptions::new().max_connections(2).acquire_timeout(PATIENCE).connect_lazy_with(direct);
        let names = Names::default();
        names.read(&pool).await.map_err(OpenError::Connect)?;
        Ok(Self {
            connect,
            writer: Mutex::new(None),
            number,
            pool,
            listener,
            notices: Notices::default(),
            names,
            partitioned: AtomicU64::new(0),
            size: std::sync::Mutex::new(None),
        })
    }
}

fn of_ours(server: &Server) -> PgConnectOptions {
    server.options().application_name("outrigger").disable_statement_logging()
}

/// The migrations, one process at a time; forward only, and such that what runs already goes on.
fn migrator() -> Migrator {
    let migration = |version, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let mut migrator = Migrator::with_migrations(vec![migration(1, "log", include_str!("../migrations/0001_log.sql"))]);
    migrator.create_schema("outrigger");
    migrator.dangerous_set_table_name("outrigger.migrations");
    migrator
}
