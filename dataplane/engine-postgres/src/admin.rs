//! What operators ask of a database, also while it is being served.

use proto::store::{Error, Result};
use sqlx::{AssertSqlSafe, Column, ConnectOptions, Row, postgres::PgRow};

use crate::{OpenError, Options, sql, turn::LEASE};

/// The answer to a [`query`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each cell as text; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Runs one statement that only reads. Our tables and views need no schema before their names.
pub async fn query(options: &Options, statement: &str) -> Result<Answer> {
    let refused = |error: sqlx::Error| Error::Invalid { reason: error.to_string() };
    let mut connection = options.direct().connect().await.map_err(refused)?;
    sqlx::raw_sql(sql::READ_ONLY).execute(&mut connection).await.map_err(refused)?;
    let rows = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).fetch_all(&mut connection).await.map_err(refused)?;
    let columns = rows.first().map(|row| row.columns().iter().map(|column| column.name().to_owned()).collect());
    let rows = rows.iter().map(|row| (0..row.len()).map(|index| cell(row, index)).collect());
    Ok(Answer { columns: columns.unwrap_or_default(), rows: rows.collect() })
}

/// A cell as the server wrote it: statements that are not prepared are answered in text.
fn cell(row: &PgRow, index: usize) -> Option<String> {
    row.try_get_raw(index).ok()?.as_str().ok().map(str::to_owned)
}

/// What is wrong with the log; nothing, when all is well.
pub async fn check(options: &Options) -> Result<Vec<String>> {
    let failed = |error: sqlx::Error| Error::Unavailable { reason: error.to_string() };
    let mut connection = options.direct().connect().await.map_err(failed)?;
    sqlx::query_scalar(sql::CHECK).fetch_all(&mut connection).await.map_err(failed)
}

/// Goes on with a server that may lack acknowledged writes: lifts the head above every revision that can have been given out,
/// so that no client meets a number twice with another meaning, and forgets the history, so that every watch ends with 410
/// and begins anew. Returns the new head.
pub async fn recover(options: &Options) -> Result<u64, OpenError> {
    let mut connection = options.direct().connect().await.map_err(OpenError::Connect)?;
    let head: i64 =
        sqlx::query_scalar(sql::RECOVER).bind(LEASE).fetch_one(&mut connection).await.map_err(OpenError::Connect)?;
    Ok(head as u64)
}
