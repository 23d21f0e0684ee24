//! What an error of SQLite means to a store.

use proto::store::Error;

/// SQLITE_FULL, and what of SQLITE_IOERR fails for lack of space or as a quota or a limit makes it fail: writing, syncing,
/// truncating, and growing the shared memory of the write-ahead log.
const OUT_OF_SPACE: [i32; 6] = [13, 778, 1034, 1290, 1546, 4874];

/// What may pass: SQLITE_BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, CANTOPEN, PROTOCOL and SCHEMA, by their lower
/// bytes.
const PASSING: [i32; 9] = [5, 6, 7, 8, 9, 10, 14, 15, 17];

/// `error`, which came while `doing` something.
pub(crate) fn store(doing: &str, error: sqlx::Error) -> Error {
    let reason = format!("{doing}: {error}");
    let passing = match code(&error) {
        Some(code) if OUT_OF_SPACE.contains(&code) => return Error::OutOfSpace { reason },
        Some(code) => PASSING.contains(&(code & 0xff)),
        None => matches!(
            error,
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed | sqlx::Error::Io(_)
        ),
    };
    match passing {
        true => Error::Unavailable { reason },
        false => Error::Internal { reason },
    }
}

/// SQLite's extended result code.
fn code(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}
