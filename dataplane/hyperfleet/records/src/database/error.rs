//! What a database's error means to who asked.

use sqlx::error::ErrorKind;

use crate::Error;

/// Classes of SQLSTATE that say that the server cannot now: connections, resources, an operator's intervention, the
/// system.
const NOT_NOW: [&str; 5] = ["08", "53", "57", "58", "25"];

/// SQLite's results that say the same, without their extensions: busy, locked, out of memory, I/O, corrupt, full,
/// cannot open.
const NOT_NOW_SQLITE: [i64; 8] = [5, 6, 7, 8, 10, 11, 13, 14];

/// What `error` means. What a client can cause is never a fault of ours.
pub(crate) fn error(error: sqlx::Error) -> Error {
    match &error {
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default().into_owned();
            let sqlite = code.parse::<i64>().ok().filter(|_| code.len() < 5).map(|code| code & 0xff);
            let class = code.get(..2).unwrap_or_default();
            match database.kind() {
                ErrorKind::UniqueViolation => Error::Conflict("a record with this name already exists".to_owned()),
                _ if sqlite.is_some_and(|code| NOT_NOW_SQLITE.contains(&code)) => {
                    Error::Unavailable(database.message().to_owned())
                }
                _ if sqlite.is_none() && NOT_NOW.contains(&class) => Error::Unavailable(database.message().to_owned()),
                _ if sqlite.is_none() && matches!(class, "22" | "54") => {
                    Error::BadRequest(database.message().to_owned())
                }
                _ if sqlite.is_none() && class == "40" => Error::Unavailable(database.message().to_owned()),
                _ => Error::Internal(format!("the database refuses: {}", database.message())),
            }
        }
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            Error::Unavailable(error.to_string())
        }
        sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::Configuration(_) => {
            Error::Unavailable(error.to_string())
        }
        _ => Error::Internal(error.to_string()),
    }
}

/// Whether a connection can be used after `error`.
pub(crate) fn survives(error: &sqlx::Error) -> bool {
    match error {
        // Connections that failed, and servers that end; but not a statement that was cancelled.
        sqlx::Error::Database(database) => !matches!(database.code().unwrap_or_default().get(..3), Some("080" | "57P")),
        sqlx::Error::RowNotFound | sqlx::Error::ColumnDecode { .. } => true,
        _ => false,
    }
}
