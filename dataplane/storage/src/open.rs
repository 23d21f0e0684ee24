//! Opens the store of this process.

use std::{convert::Infallible, sync::Arc};

use anyhow::Context as _;
use engine_postgres::Postgres;
use engine_sqlite::{OpenError, Sqlite};
use proto::store::Store;
use revlog::{Engine, Log, Metrics, Options};
use runtime::Context;

use crate::{Config, Database, Traced, traced};

/// Opens the database, making it if need be, and runs its log among the process's tasks. When the process drains the
/// watches end; when all else has ended, what waits is written and the database is closed.
pub async fn open(database: &Database, config: &Config, context: &Context) -> anyhow::Result<Arc<dyn Store>> {
    match database {
        Database::Sqlite(path) => {
            let engine = Sqlite::open(engine_sqlite::Options::new(path)).await.map_err(explain)?;
            tracing::info!("opened {database}");
            run(engine, config.log(), context).await
        }
        Database::Postgres(server) => {
            let engine = Postgres::open(config.postgres.options(server)?)
                .await
                .with_context(|| format!("opening {database}"))?;
            tracing::info!("opened {database}");
            // The server compresses what is large, so that any SQL tool can read it.
            run(engine, revlog::Options { compress: usize::MAX, ..config.log() }, context).await
        }
    }
}

/// Says what to do about an error, where there is something.
fn explain(error: OpenError) -> anyhow::Error {
    let in_use = matches!(error, OpenError::InUse { .. });
    let error = anyhow::Error::new(error);
    match in_use {
        true => error.context("the database belongs to one process at a time: give this one its own with --db"),
        false => error,
    }
}

async fn run<E: Engine>(engine: E, options: Options, context: &Context) -> anyhow::Result<Arc<dyn Store>> {
    let Context { tasks, metrics, shutdown, .. } = context;
    let (log_metrics, store_metrics) =
        metrics.register(|registry| (Metrics::register(registry), traced::Metrics::register(registry)));
    let (log, work) = Log::open(engine, options, log_metrics).await.context("reading the log")?;
    tasks.critical("log", async move {
        work.await;
        Ok::<_, Infallible>(())
    });
    let (closing, shutdown) = (log.clone(), shutdown.clone());
    tasks.spawn("log shutdown", async move {
        shutdown.draining().await;
        closing.end_watches();
        shutdown.drained().await;
        closing.close().await;
    });
    Ok(Arc::new(Traced::new(log, store_metrics)))
}
