//! What operators do with a database, whether or not it is being served.

use std::path::Path;

use anyhow::{Result, bail};
pub use engine_postgres::Answer;

use crate::{Database, PostgresArgs};

/// Writes a copy of the database as it is at one moment to the new file `to`, which is complete when this returns.
pub async fn backup(database: &Database, to: &Path) -> Result<()> {
    match database {
        Database::Sqlite(path) => Ok(engine_sqlite::backup(path, to).await?),
        Database::Postgres(_) => {
            bail!("PostgreSQL has tools for this: pg_dump, or pg_basebackup with its log archived")
        }
    }
}

/// What is wrong with the database; nothing, when all is well.
pub async fn check(database: &Database, postgres: &PostgresArgs) -> Result<Vec<String>> {
    match database {
        Database::Sqlite(path) => Ok(engine_sqlite::check(path).await?),
        Database::Postgres(server) => Ok(engine_postgres::check(&postgres.options(server)?).await?),
    }
}

/// Runs one statement that only reads.
pub async fn sql(database: &Database, postgres: &PostgresArgs, statement: &str) -> Result<Answer> {
    match database {
        Database::Sqlite(path) => {
            let engine_sqlite::Answer { columns, rows } = engine_sqlite::query(path, statement).await?;
            Ok(Answer { columns, rows })
        }
        Database::Postgres(server) => Ok(engine_postgres::query(&postgres.options(server)?, statement).await?),
    }
}

/// Goes on with a PostgreSQL server that may lack acknowledged writes; returns the revision to go on from.
pub async fn recover(database: &Database, postgres: &PostgresArgs) -> Result<u64> {
    match database {
        Database::Sqlite(path) => bail!("{} has nothing to recover from: a file has no standby", path.display()),
        Database::Postgres(server) => Ok(engine_postgres::recover(&postgres.options(server)?).await?),
    }
}
