//! What operators do with a database, also while another process serves it: back it up, check it, ask it.

use std::{fs, path::Path};

use proto::store::{Error, Result};
use revlog::Encoding;
use sqlx::{
    AssertSqlSafe, Column, ConnectOptions, Executor, Row, SqlSafeStr, SqliteConnection, Statement, TypeInfo, ValueRef,
    sqlite::{SqliteConnectOptions, SqliteRow},
};

use crate::{error, file, sql};

/// The answer to a [`query`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each cell as text; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Writes a copy of `database` as it is at one moment to the new file `to`. Nothing is overwritten; what is there under
/// that name when this returns is complete and on the disk.
pub async fn backup(database: &Path, to: &Path) -> Result<()> {
    let invalid = |reason: String| Error::Invalid { reason };
    if to.exists() {
        return Err(invalid(format!("{} exists: a backup overwrites nothing", to.display())));
    }
    let partial = file::beside(to, ".partial");
    let failed = |what: &Path, error| invalid(format!("{}: {error}", what.display()));
    if !file::create(&partial).map_err(|error| failed(&partial, error))? {
        return Err(invalid(format!("{} is left from another backup: remove it", partial.display())));
    }
    let copied = copy(database, &partial).await;
    let linked = copied.and_then(|()| {
        // A link, because it fails where a rename would overwrite.
        fs::hard_link(&partial, to).and_then(|()| file::sync_folder(to)).map_err(|error| failed(to, error))
    });
    fs::remove_file(&partial).map_err(|error| failed(&partial, error))?;
    linked
}

async fn copy(database: &Path, to: &Path) -> Result<()> {
    let path = to.to_str().ok_or_else(|| Error::Invalid { reason: "the backup's path is not UTF-8".into() })?;
    let mut connection = read_only(database).await?;
    let copied = sqlx::query(sql::VACUUM_INTO).bind(path).execute(&mut connection).await;
    copied.map_err(|error| error::store("copying the database", error))?;
    let synced = fs::File::open(to).and_then(|file| file.sync_all());
    synced.map_err(|error| error::store("copying the database", error.into()))
}

/// What `PRAGMA integrity_check` finds wrong with `database`; nothing, when all is well.
pub async fn check(database: &Path) -> Result<Vec<String>> {
    let mut connection = read_only(database).await?;
    let found = sqlx::query_scalar::<_, String>(sql::INTEGRITY).fetch_all(&mut connection).await;
    let found = found.map_err(|error| error::store("checking the database", error))?;
    Ok(found.into_iter().filter(|line| line != "ok").collect())
}

/// Runs one statement that only reads. Compressed objects are shown as they were before.
pub async fn query(database: &Path, statement: &str) -> Result<Answer> {
    let refused = |error: sqlx::Error| Error::Invalid { reason: error.to_string() };
    let mut connection = read_only(database).await?;
    let statement = AssertSqlSafe(statement.to_owned()).into_sql_str();
    let prepared = connection.prepare(statement).await.map_err(refused)?;
    let columns = prepared.columns().iter().map(|column| column.name().to_owned()).collect();
    let rows = prepared.query().fetch_all(&mut connection).await.map_err(refused)?;
    let rows = rows.iter().map(|row| (0..row.len()).map(|index| cell(row, index)).collect::<Result<_>>());
    Ok(Answer { columns, rows: rows.collect::<Result<_>>()? })
}

/// A connection that SQLite itself keeps from writing.
async fn read_only(database: &Path) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(database).read_only(true).pragma("trusted_schema", "OFF");
    let connection = options.disable_statement_logging().connect().await;
    connection.map_err(|error| error::store(&format!("opening {}", database.display()), error))
}

fn cell(row: &SqliteRow, index: usize) -> Result<Option<String>> {
    let unreadable = |error: sqlx::Error| Error::Internal { reason: error.to_string() };
    let value = row.try_get_raw(index).map_err(unreadable)?;
    if value.is_null() {
        return Ok(None);
    }
    let text = match value.type_info().name() {
        "INTEGER" => row.try_get_unchecked::<i64, _>(index).map_err(unreadable)?.to_string(),
        "REAL" => row.try_get_unchecked::<f64, _>(index).map_err(unreadable)?.to_string(),
        "BLOB" => blob(row.try_get_unchecked(index).map_err(unreadable)?),
        _ => row.try_get_unchecked(index).map_err(unreadable)?,
    };
    Ok(Some(text))
}

/// A blob as text: what was compressed as what it was, anything else in hexadecimal unless it is text.
fn blob(bytes: &[u8]) -> String {
    const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    let decoded = bytes.starts_with(&ZSTD).then(|| Encoding::Zstd.decode(bytes.into()).ok()).flatten();
    match std::str::from_utf8(decoded.as_deref().unwrap_or(bytes)) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}
