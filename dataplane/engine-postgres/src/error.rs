//! What an error of PostgreSQL means to a store.

use proto::store::Error;

/// SQLSTATEs that may pass: connections that are gone (08), resources (53), the operator's hand (57), a standby that does not
/// take writes (25006, 55000), locks and serialisation (55P03, 40).
const PASSING: [&str; 7] = ["08", "53", "57", "25006", "55000", "55P03", "40"];

/// disk_full.
const FULL: &str = "53100";

/// `error`, which came while `doing` something.
pub(crate) fn store(doing: &str, error: &sqlx::Error) -> Error {
    let reason = format!("{doing}: {error}");
    let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default();
    match code.as_ref() {
        FULL => Error::OutOfSpace { reason },
        _ if is_passing(error) => Error::Unavailable { reason },
        _ => Error::Internal { reason },
    }
}

/// Whether the same may go well later, on another connection.
pub(crate) fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            PASSING.iter().any(|passing| code.starts_with(passing))
        }
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}
