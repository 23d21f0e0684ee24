//! Makes the tables, or brings them up to this version: once, however many processes try at once.

use std::path::Path;

use sqlx::{
    Connection as _, SqlSafeStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use crate::{
    Database, Error, Result,
    database::{Connection, Connector, Statement, error},
    sql::Dialect,
};

/// The tables, in PostgreSQL's SQL.
const POSTGRES: &[(i64, &str, &str)] = &[(1, "records", include_str!("../migrations/postgres/0001_records.sql"))];

/// The tables, in SQLite's SQL.
const SQLITE: &[(i64, &str, &str)] = &[(1, "records", include_str!("../migrations/sqlite/0001_records.sql"))];

/// Says that there are tables.
const NEWEST: &str = "SELECT max(version) FROM _sqlx_migrations WHERE success";

pub(crate) async fn migrate(database: &Database) -> Result<()> {
    let connection = connector(database, true)?.connect().await.map_err(error)?;
    match connection {
        // The migrator takes an advisory lock.
        Connection::Postgres(mut connection) => {
            migrator(POSTGRES).run(&mut connection).await.map_err(failed)?;
            connection.close().await.map_err(error)
        }
        // A file has no advisory locks; who comes second finds the database busy, or the table there, and tries again.
        Connection::Sqlite(mut connection) => {
            const ATTEMPTS: usize = 10;
            for _ in 1..ATTEMPTS {
                if migrator(SQLITE).run(&mut connection).await.is_ok() {
                    return connection.close().await.map_err(error);
                }
            }
            migrator(SQLITE).run(&mut connection).await.map_err(failed)
        }
    }
}

/// Refuses a database whose tables are not those of this version.
pub(crate) async fn check(connection: &mut Connection) -> Result<()> {
    let newest = match connection.dialect() {
        Dialect::Sqlite => SQLITE.last(),
        Dialect::Postgres => POSTGRES.last(),
    };
    let found = match connection.row(Statement::new(NEWEST, [])).await {
        Ok(row) => row.and_then(|row| row.some_integer(0).ok().flatten()),
        Err(failure) => match error(failure) {
            unavailable @ Error::Unavailable(_) => return Err(unavailable),
            _ => None,
        },
    };
    match found == newest.map(|(version, ..)| *version) {
        true => Ok(()),
        false => Err(Error::Internal(
            "the tables are missing or of another version: run `outrigger hyperfleet migrate`".to_owned(),
        )),
    }
}

pub(crate) fn connector(database: &Database, writes: bool) -> Result<Connector> {
    match database {
        Database::Sqlite(path) => {
            if writes {
                make_folder(path)?;
            }
            Ok(Connector::sqlite(path, writes))
        }
        // The error may hold the password.
        Database::Postgres(url) => Connector::postgres(url).map_err(|_| {
            Error::Internal(
                "--db is no URL of a PostgreSQL database: postgres://USER:PASSWORD@HOST:PORT/NAME".to_owned(),
            )
        }),
    }
}

fn make_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let made = folder.map_or(Ok(()), std::fs::create_dir_all);
    made.map_err(|error| Error::Unavailable(format!("making the folder of {}: {error}", path.display())))
}

fn migrator(migrations: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(migrations.iter().map(migration).collect())
}

fn failed(failure: MigrateError) -> Error {
    match failure {
        MigrateError::Execute(failure) | MigrateError::ExecuteMigration(failure, _) => match error(failure) {
            Error::Unavailable(reason) => Error::Unavailable(reason),
            other => Error::Internal(format!("migrating: {other}")),
        },
        MigrateError::VersionMissing(version) => {
            Error::Internal(format!("the tables are of a newer version of outrigger (migration {version})"))
        }
        other => Error::Internal(format!("migrating: {other}")),
    }
}
