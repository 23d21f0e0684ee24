//! What operators do with a database, whether or not it is being served.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use runtime::args::ProcessArgs;
use storage::{Answer, Database, PostgresArgs};

use super::say;

/// Which database.
#[derive(Debug, clap::Args)]
struct Which {
    /// Folder of the all-in-one's database.
    #[arg(long, env = "OUTRIGGER_DATA_DIR", value_name = "DIR", default_value = "./outrigger-data")]
    data_dir: PathBuf,
    /// The database, `sqlite:PATH` or `postgres://USER@HOST/DATABASE`; outrigger.db in --data-dir when it is not given.
    #[arg(long, env = "OUTRIGGER_DB", value_name = "URL")]
    db: Option<Database>,
    #[command(flatten)]
    postgres: PostgresArgs,
    #[command(flatten)]
    process: ProcessArgs,
}

/// Flags of `outrigger backup`.
#[derive(Debug, clap::Args)]
pub(crate) struct BackupArgs {
    /// The file to write, which must not be there yet.
    file: PathBuf,
    #[command(flatten)]
    which: Which,
}

/// Flags of `outrigger sql`.
#[derive(Debug, clap::Args)]
pub(crate) struct SqlArgs {
    /// The statement, such as `SELECT namespace, name FROM bundledeployments`.
    statement: String,
    #[command(flatten)]
    which: Which,
}

/// Flags of `outrigger check`.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    which: Which,
}

/// Flags of `outrigger recover`.
#[derive(Debug, clap::Args)]
pub(crate) struct RecoverArgs {
    #[command(flatten)]
    which: Which,
}

pub(crate) fn backup(BackupArgs { file, which }: BackupArgs) -> ExitCode {
    let database = which.database();
    runtime::run("outrigger", &which.process, |_| async move {
        storage::backup(&database, &file).await.with_context(|| format!("backing {database} up"))?;
        say(&format!("{} is a copy of {database}", file.display()))
    })
}

pub(crate) fn sql(SqlArgs { statement, which }: SqlArgs) -> ExitCode {
    let database = which.database();
    runtime::run("outrigger", &which.process, |_| async move {
        let answer =
            storage::sql(&database, &which.postgres, &statement).await.with_context(|| format!("asking {database}"))?;
        say(&tabbed(&answer))
    })
}

pub(crate) fn check(CheckArgs { which }: CheckArgs) -> ExitCode {
    let database = which.database();
    runtime::run("outrigger", &which.process, |_| async move {
        let problems =
            storage::check(&database, &which.postgres).await.with_context(|| format!("checking {database}"))?;
        if !problems.is_empty() {
            bail!("{database} is damaged: restore a backup\n{}", problems.join("\n"));
        }
        say(&format!("{database} is sound"))
    })
}

pub(crate) fn recover(RecoverArgs { which }: RecoverArgs) -> ExitCode {
    let (database, process) = (which.database(), which.process.clone());
    runtime::run("outrigger", &process, |_| async move {
        let head =
            storage::recover(&database, &which.postgres).await.with_context(|| format!("recovering {database}"))?;
        say(&format!("{database} goes on from revision {head}: every watch ends with 410 and begins anew"))
    })
}

// === impl Which ===

impl Which {
    fn database(&self) -> Database {
        self.db.clone().unwrap_or_else(|| Database::Sqlite(self.data_dir.join("outrigger.db")))
    }
}

/// Columns between tabs, as `sqlite3 -tabs -header` prints them.
fn tabbed(Answer { columns, rows }: &Answer) -> String {
    let rows = rows
        .iter()
        .map(|row| row.iter().map(|cell| cell.as_deref().unwrap_or_default()).collect::<Vec<_>>().join("\t"));
    std::iter::once(columns.join("\t")).chain(rows).collect::<Vec<_>>().join("\n")
}
