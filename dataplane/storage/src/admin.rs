//! What operators do with a database, whether or not it is being served.

use std::path::Path;

pub use engine_sqlite::Answer;
use proto::store::Result;

use crate::Database;

/// Writes a copy of the database as it is at one moment to the new file `to`, which is complete when this returns.
pub async fn backup(database: &Database, to: &Path) -> Result<()> {
    match database {
        Database::Sqlite(path) => engine_sqlite::backup(path, to).await,
    }
}

/// What is wrong with the database; nothing, when all is well.
pub async fn check(database: &Database) -> Result<Vec<String>> {
    match database {
        Database::Sqlite(path) => engine_sqlite::check(path).await,
    }
}

/// Runs one statement that only reads.
pub async fn sql(database: &Database, statement: &str) -> Result<Answer> {
    match database {
        Database::Sqlite(path) => engine_sqlite::query(path, statement).await,
    }
}
