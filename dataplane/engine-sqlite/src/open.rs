//! Opening a database: claims it, makes it if need be, and brings its tables up to this version.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use sqlx::{
    ConnectOptions, SqlSafeStr, SqliteConnection,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::{Mutex, Notify};

use crate::{
    file,
    names::Names,
    readers::Readers,
    sql,
    sqlite::{Sqlite, Writer},
};

/// `PRAGMA application_id` of our databases.
const APPLICATION_ID: i64 = 0x4f75_7472;

/// Bytes of a page. Measured with objects of 4 KB in batches of 64, for pages of 4, 8 and 16 KiB: an update writes 8.6,
/// 15.0 and 15.5 KB to the write-ahead log, and a row takes 4.7, 8.3 and 5.5 KB of the database. Smaller objects write
/// least with the smallest pages too.
const PAGE: u32 = 4096;

/// How a database is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The database's file; made if it is not there.
    pub path: PathBuf,
    /// How many connections read.
    pub readers: u32,
    /// The database stays at or below so many bytes; `None` is what the disk holds.
    pub max_bytes: Option<u64>,
    /// The write-ahead log stays at or below about so many bytes, as long as nobody reads one snapshot for long.
    pub log_bytes: u64,
}

/// Why a database was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{} is in use by another process", path.display())]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// It is a database, but not ours.
    #[error("{} is not a database of outrigger", path.display())]
    Foreign {
        /// The database.
        path: PathBuf,
    },
    /// A newer version has written it.
    #[error("{} was written by a newer version of outrigger (its schema is {version})", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// The number of its newest migration.
        version: i64,
    },
    /// Its tables could not be brought up to this version.
    #[error("migrating {}", path.display())]
    Migrate {
        /// The database.
        path: PathBuf,
        /// What happened.
        source: MigrateError,
    },
    /// Its file could not be made or locked.
    #[error("opening {}", path.display())]
    File {
        /// The database.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// SQLite could not open it.
    #[error("opening {}", path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What happened.
        source: sqlx::Error,
    },
}

// === impl Options ===

impl Options {
    /// The usual use of the database at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), readers: 4, max_bytes: None, log_bytes: 64 << 20 }
    }

    /// How every connection is made. Checkpoints are made beside the writer (`checkpoint`), never by it in passing.
    fn connect(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.path)
            .create_if_missing(false)
            .page_size(PAGE)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(false)
            .busy_timeout(Duration::from_secs(5))
            .pragma("wal_autocheckpoint", "0")
            .pragma("journal_size_limit", self.log_bytes.to_string())
            .pragma("trusted_schema", "OFF")
            .thread_name(|id| format!("sqlite-{id}"))
            .disable_statement_logging()
    }

    fn writer(&self) -> SqliteConnectOptions {
        let options = self.connect().pragma("cache_size", "-32768");
        match self.max_bytes {
            Some(bytes) => options.pragma("max_page_count", (bytes / u64::from(PAGE)).to_string()),
            None => options,
        }
    }

    /// Few rows are read ahead of whoever takes them: each may have some MiB.
    fn reader(&self) -> SqliteConnectOptions {
        self.connect().pragma("query_only", "ON").pragma("cache_size", "-4096").row_buffer_size(16)
    }
}

// === impl Sqlite ===

impl Sqlite {
    /// Opens the database, and keeps other processes from writing to it until this is dropped.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let path = options.path.clone();
        let file_error = |source| OpenError::File { path: path.clone(), source };
        let sqlite_error = |source| OpenError::Sqlite { path: path.clone(), source };
        file::create(&path).map_err(file_error)?;
        let lock = file::lock(&path).map_err(file_error)?.ok_or_else(|| OpenError::InUse { path: path.clone() })?;
        let connect = options.writer();
        let mut connection = connect.connect().await.map_err(sqlite_error)?;
        check_ours(&path, &mut connection).await?;
        migrate(&path, &mut connection).await?;
        let names = Arc::new(Names::default());
        let (writer, bounds) = Writer::take(connection, &names).await.map_err(sqlite_error)?;
        let readers = Readers::new(options.reader(), options.readers);
        Ok(Self {
            path: options.path,
            log_bytes: options.log_bytes,
            connect,
            writer: Mutex::new(Some(writer)),
            readers,
            names,
            compacted: AtomicU64::new(bounds.compacted),
            unsaved: AtomicU64::new(0),
            grown: Notify::new(),
            _lock: lock,
        })
    }
}

/// Refuses a database that somebody else made. A new one is empty.
async fn check_ours(path: &Path, connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let sqlite_error = |source| OpenError::Sqlite { path: path.to_owned(), source };
    let id: i64 = sqlx::query_scalar(sql::APPLICATION_ID).fetch_one(&mut *connection).await.map_err(sqlite_error)?;
    let tables: i64 = sqlx::query_scalar(sql::TABLES).fetch_one(&mut *connection).await.map_err(sqlite_error)?;
    match tables == 0 || id == APPLICATION_ID {
        true => Ok(()),
        false => Err(OpenError::Foreign { path: path.to_owned() }),
    }
}

async fn migrate(path: &Path, connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let migration = |version, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    let migrator = Migrator::with_migrations(vec![migration(1, "log", include_str!("../migrations/0001_log.sql"))]);
    migrator.run(connection).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => OpenError::Newer { path: path.to_owned(), version },
        source => OpenError::Migrate { path: path.to_owned(), source },
    })
}
