//! The database of the records: connections that read, and how writes get in.

mod postgres;
mod sqlite;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{sync::watch, time::timeout};
use tracing::warn;

use crate::{
    Bounds, Database, Error, Options, Result, compact,
    database::{Connection, Connector, Lease, Pool, Row, Statement, Value, error, survives},
    metrics::Metrics,
    migrate,
    sql::{self, Dialect},
    write::{Done, Write},
};

/// How long a read or a write may take in all.
const PATIENCE: Duration = Duration::from_secs(15);

/// Connections when nobody says how many.
const CONNECTIONS: u32 = 16;

/// Connections that read a SQLite file at most: more than there are processors only wait for each other.
const SQLITE_READERS: u32 = 4;

/// How long to wait after a failure of background work.
const PAUSE: Duration = Duration::from_secs(1);

/// What [`Records`](crate::Records) share.
pub(crate) struct Backend {
    pub(crate) options: Options,
    clock: runtime::clock::Clock,
    readers: Arc<Pool>,
    writes: Writes,
    /// The newest revision that is known here.
    head: watch::Sender<u64>,
    pub(crate) metrics: Metrics,
}

/// How writes get in.
enum Writes {
    /// One connection, whose transactions take all writes that wait.
    Sqlite(Box<sqlite::Queue>),
    /// Each in a transaction of its own, on the connections that read.
    Postgres,
}

// === impl Backend ===

impl Backend {
    pub(crate) async fn open(database: &Database, options: Options, context: &runtime::Context) -> Result<Arc<Self>> {
        let size = if options.connections == 0 { CONNECTIONS } else { options.connections };
        let size = match database {
            Database::Sqlite(_) => size.min(SQLITE_READERS),
            Database::Postgres(_) => size,
        };
        let mut writer = migrate::connector(database, true)?.connect().await.map_err(error)?;
        migrate::check(&mut writer).await?;
        let connector = migrate::connector(database, false)?;
        let readers = Arc::new(Pool::new(connector.clone(), size));
        let writes = match database {
            Database::Sqlite(_) => {
                let connector = migrate::connector(database, true)?;
                Writes::Sqlite(Box::new(sqlite::Queue::new(connector, writer, context.tasks.clone())))
            }
            Database::Postgres(_) => {
                writer.close().await;
                Writes::Postgres
            }
        };
        let metrics = context.metrics.register(|registry| Metrics::register(registry, readers.clone()));
        let backend = Arc::new(Self {
            options,
            clock: context.clock.clone(),
            readers,
            writes,
            head: watch::Sender::new(0),
            metrics,
        });
        backend.saw(backend.bounds().await?.head);
        backend.start(database, connector, context);
        Ok(backend)
    }

    /// Background work, until the process drains.
    fn start(self: &Arc<Self>, database: &Database, connector: Connector, context: &runtime::Context) {
        match database {
            Database::Sqlite(_) => spawn(context, "hyperfleet.follow", sqlite::follow(self.clone(), connector)),
            Database::Postgres(url) => spawn(context, "hyperfleet.follow", postgres::follow(self.clone(), url.clone())),
        }
        spawn(context, "hyperfleet.compact", compact::run(self.clone()));
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self.writes {
            Writes::Sqlite(_) => Dialect::Sqlite,
            Writes::Postgres => Dialect::Postgres,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        crate::model::truncated(Timestamp::try_from((self.clock)()).unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// A revision is known.
    pub(crate) fn saw(&self, revision: u64) {
        self.head.send_if_modified(|head| {
            let newer = revision > *head;
            *head = revision.max(*head);
            newer
        });
    }

    /// Completes when a revision above `after` is known.
    pub(crate) async fn wait(&self, after: u64) -> Result<()> {
        let seen = self.head.subscribe().wait_for(|head| *head > after).await.map(drop);
        seen.map_err(|_| Error::Unavailable("the records are closed".to_owned()))
    }

    /// The rows of a statement.
    pub(crate) async fn rows(&self, operation: &'static str, statement: Statement) -> Result<Vec<Row>> {
        self.metrics.observe(operation, within(Box::pin(self.read(statement, Pool::lease)))).await
    }

    /// Whether the database answers, however many wait for it.
    pub(crate) async fn probe(&self) -> Result<()> {
        let bounds = Statement::new(sql::BOUNDS, []);
        self.metrics.observe("ping", within(Box::pin(self.read(bounds, Pool::lease_to_probe)))).await.map(drop)
    }

    /// The row of a statement that has one at most.
    pub(crate) async fn row(&self, operation: &'static str, statement: Statement) -> Result<Option<Row>> {
        Ok(self.rows(operation, statement).await?.pop())
    }

    /// Tries again on a new connection when one that was idle turns out to be broken.
    async fn read<'a, F>(&'a self, statement: Statement, lease: impl Fn(&'a Pool) -> F) -> Result<Vec<Row>>
    where
        F: Future<Output = Result<Lease<'a>>>,
    {
        loop {
            let mut lease = lease(&self.readers).await?;
            match lease.connection().rows(statement.clone()).await {
                Ok(rows) => {
                    lease.done();
                    return Ok(rows);
                }
                Err(failure) => {
                    let was_broken = lease.reused && !survives(&failure);
                    let error = lease.failed(failure);
                    if !was_broken {
                        return Err(error);
                    }
                }
            }
        }
    }

    pub(crate) async fn bounds(&self) -> Result<Bounds> {
        let row = self.row("bounds", Statement::new(sql::BOUNDS, [])).await?;
        let row = row.ok_or_else(|| Error::Internal("the table counter has no row".to_owned()))?;
        let bound = |column| row.integer(column).map(|bound| bound as u64);
        Ok(Bounds { head: bound(0)?, compacted: bound(1)? })
    }

    /// Does a write, durably.
    pub(crate) async fn write(self: &Arc<Self>, write: Write) -> Result<Done> {
        let operation = write.name();
        // It is large, and is moved often before it runs.
        let work = Box::pin(async {
            match &self.writes {
                Writes::Sqlite(queue) => queue.write(self, write).await,
                Writes::Postgres => postgres::write(self, write).await,
            }
        });
        self.metrics.observe(operation, within(work)).await
    }

    /// Forgets changes up to `upto`, where those up to `from` are forgotten.
    pub(crate) async fn compact(&self, from: u64, upto: u64) -> Result<()> {
        match &self.writes {
            Writes::Sqlite(queue) => queue.compact(from, upto).await,
            Writes::Postgres => postgres::compact(self, from, upto).await,
        }
    }
}

/// Runs background work until the process drains.
fn spawn(context: &runtime::Context, name: &'static str, work: impl Future<Output = ()> + Send + 'static) {
    let draining = context.shutdown.draining();
    // It is large, and is moved often before it runs.
    let work = Box::pin(work);
    context.tasks.spawn(name, async move {
        tokio::select! {
            () = draining => (),
            () = work => (),
        }
    });
}

/// Removes what is to be forgotten, in a transaction that is under way. Does nothing if another process was faster.
async fn forget(connection: &mut Connection, from: u64, upto: u64) -> sqlx::Result<()> {
    let values = [Value::Integer(from as i64), Value::Integer(upto as i64)];
    if connection.execute(Statement::new(sql::COMPACT, values.clone())).await? == 1 {
        connection.execute(Statement::new(sql::FORGET_REPLACED, values.clone())).await?;
        connection.execute(Statement::new(sql::FORGET_GONE, values)).await?;
    }
    Ok(())
}

async fn within<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(PATIENCE, work).await.unwrap_or_else(|_| Err(Error::Unavailable("it took too long".to_owned())))
}

/// Logs a failure of background work, and waits.
pub(crate) async fn pause(doing: &str, error: &Error) {
    warn!("{doing} failed, trying again: {error}");
    tokio::time::sleep(PAUSE).await;
}
