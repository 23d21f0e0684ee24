//! One connection to either database.

use std::{path::Path, str::FromStr, time::Duration};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection as _, PgConnection, SqlSafeStr, SqlStr, SqliteConnection,
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{Row, Value};
use crate::sql::Dialect;

/// How long PostgreSQL works on a statement at most. Less than whoever asked waits.
const STATEMENT: Duration = Duration::from_secs(4);

/// How long making a connection takes at most.
const CONNECT: Duration = Duration::from_secs(3);

/// How long SQLite waits for another process that writes.
const BUSY: Duration = Duration::from_secs(4);

/// A statement: its text, made of constants only, and what is bound to `$1`, `$2` and so on.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) text: SqlStr,
    pub(crate) values: Vec<Value>,
}

/// Makes connections.
#[derive(Clone)]
pub(crate) enum Connector {
    Sqlite(Box<SqliteConnectOptions>),
    Postgres(Box<PgConnectOptions>),
}

/// A connection.
pub(crate) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

// === impl Statement ===

impl Statement {
    pub(crate) fn new(text: &'static str, values: impl Into<Vec<Value>>) -> Self {
        Self { text: text.into_sql_str(), values: values.into() }
    }

    /// A statement whose text was put together, of constants.
    pub(crate) fn made(text: String, values: Vec<Value>) -> Self {
        Self { text: AssertSqlSafe(text).into_sql_str(), values }
    }
}

// === impl Connector ===

impl Connector {
    /// To the file at `path`, for reading only unless `writes`.
    pub(crate) fn sqlite(path: &Path, writes: bool) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(writes)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .with_regexp()
            .pragma("trusted_schema", "OFF")
            .pragma("cache_size", "-16384")
            .thread_name(|id| format!("hyperfleet-{id}"))
            .disable_statement_logging();
        Self::Sqlite(Box::new(if writes { options } else { options.pragma("query_only", "ON") }))
    }

    /// To the server at `url`.
    pub(crate) fn postgres(url: &str) -> sqlx::Result<Self> {
        let millis = STATEMENT.as_millis().to_string();
        let options = PgConnectOptions::from_str(url)?
            .application_name("outrigger-hyperfleet")
            .options([("statement_timeout", millis.as_str()), ("idle_in_transaction_session_timeout", millis.as_str())])
            .disable_statement_logging();
        Ok(Self::Postgres(Box::new(options)))
    }

    pub(crate) async fn connect(&self) -> sqlx::Result<Connection> {
        let connect = async {
            Ok(match self {
                Self::Sqlite(options) => Connection::Sqlite(options.connect().await?),
                Self::Postgres(options) => Connection::Postgres(options.connect().await?),
            })
        };
        tokio::time::timeout(CONNECT, connect).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }
}

// === impl Connection ===

impl Connection {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// All rows of a statement.
    pub(crate) async fn rows(&mut self, Statement { text, values }: Statement) -> sqlx::Result<Vec<Row>> {
        match self {
            Self::Sqlite(connection) => {
                let query = values.iter().fold(sqlx::query(text), |query, value| value.bind_sqlite(query));
                Ok(query.fetch_all(connection).await?.into_iter().map(Row::Sqlite).collect())
            }
            Self::Postgres(connection) => {
                let query = values.iter().fold(sqlx::query(text), |query, value| value.bind_postgres(query));
                Ok(query.fetch_all(connection).await?.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// The row of a statement that has one at most.
    pub(crate) async fn row(&mut self, statement: Statement) -> sqlx::Result<Option<Row>> {
        Ok(self.rows(statement).await?.pop())
    }

    /// Runs a statement; how many rows it touched.
    pub(crate) async fn execute(&mut self, Statement { text, values }: Statement) -> sqlx::Result<u64> {
        match self {
            Self::Sqlite(connection) => {
                let query = values.iter().fold(sqlx::query(text), |query, value| value.bind_sqlite(query));
                Ok(query.execute(connection).await?.rows_affected())
            }
            Self::Postgres(connection) => {
                let query = values.iter().fold(sqlx::query(text), |query, value| value.bind_postgres(query));
                Ok(query.execute(connection).await?.rows_affected())
            }
        }
    }

    /// Runs statements without values, such as `COMMIT`.
    pub(crate) async fn run(&mut self, text: &'static str) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(connection) => sqlx::raw_sql(text).execute(connection).await.map(drop),
            Self::Postgres(connection) => sqlx::raw_sql(text).execute(connection).await.map(drop),
        }
    }

    /// Says goodbye. What that fails at, the server finds out by itself.
    pub(crate) async fn close(self) {
        match self {
            Self::Sqlite(connection) => connection.close().await.ok(),
            Self::Postgres(connection) => connection.close().await.ok(),
        };
    }
}
