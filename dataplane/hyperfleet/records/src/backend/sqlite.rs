//! Writes to SQLite: one connection, and one transaction for all writes that wait.
//!
//! While a transaction is on its way to the disk the next writes gather, so one sync of the disk serves them all. Each
//! write has a savepoint: one that is refused takes nothing with it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{self, oneshot},
    time::sleep,
};

use super::{Backend, forget, pause};
use crate::{
    Error, Result,
    database::{Connection, Connector, Statement, error},
    sql,
    transaction::Failure,
    write::{Done, Write},
};

/// How many writes share a transaction at most.
const BATCH: usize = 256;

/// How many writes may wait.
const WAITING: usize = 4096;

/// How often to look whether another process has written.
const LOOK: Duration = Duration::from_millis(100);

/// Writes that wait, and the connection that does them.
pub(super) struct Queue {
    connector: Connector,
    /// `None` after a failure: the next transaction connects anew.
    connection: sync::Mutex<Option<Connection>>,
    tasks: runtime::Tasks,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    writes: Vec<Pending>,
    /// Whether a task is taking them.
    taken_care_of: bool,
}

struct Pending {
    write: Write,
    answer: oneshot::Sender<Result<Done>>,
}

/// Whoever takes the writes; says so even when it ends by a panic.
struct Care(Arc<Backend>);

// === impl Queue ===

impl Queue {
    pub(super) fn new(connector: Connector, connection: Connection, tasks: runtime::Tasks) -> Self {
        Self { connector, connection: sync::Mutex::new(Some(connection)), tasks, waiting: Mutex::default() }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a write and waits for it. It happens also if nobody waits any more.
    pub(super) async fn write(&self, backend: &Arc<Backend>, write: Write) -> Result<Done> {
        let (answer, done) = oneshot::channel();
        let begin = {
            let mut waiting = self.waiting();
            if waiting.writes.len() >= WAITING {
                return Err(Error::Unavailable("too many writes are waiting".to_owned()));
            }
            waiting.writes.push(Pending { write, answer });
            !std::mem::replace(&mut waiting.taken_care_of, true)
        };
        if begin {
            // It is large, and is moved often before it runs.
            self.tasks.spawn("hyperfleet.write", Box::pin(take(Care(backend.clone()))));
        }
        done.await.unwrap_or_else(|_| Err(Error::Unavailable("it is not known whether the write happened".to_owned())))
    }

    fn next(&self) -> Option<Vec<Pending>> {
        let mut waiting = self.waiting();
        let count = waiting.writes.len().min(BATCH);
        waiting.taken_care_of = count > 0;
        (count > 0).then(|| waiting.writes.drain(..count).collect())
    }

    /// Does the writes in one transaction, and answers.
    async fn commit(&self, backend: &Backend, batch: Vec<Pending>) {
        let mut place = self.connection.lock().await;
        let (writes, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|pending| (pending.write, pending.answer)).unzip();
        let outcomes = match self.connected(&mut place).await {
            Ok(connection) => run(connection, backend, writes).await,
            Err(failure) => Err(failure),
        };
        match outcomes {
            Ok((outcomes, head)) => {
                drop(place);
                backend.saw(head.unwrap_or_default());
                // Whoever is gone does not hear it.
                answers.into_iter().zip(outcomes).for_each(|(answer, outcome)| drop(answer.send(outcome)));
            }
            Err(failure) => {
                *place = None;
                let error = error(failure);
                answers.into_iter().for_each(|answer| drop(answer.send(Err(error.clone()))));
            }
        }
    }

    async fn connected<'a>(&self, place: &'a mut Option<Connection>) -> sqlx::Result<&'a mut Connection> {
        if place.is_none() {
            *place = Some(self.connector.connect().await?);
        }
        Ok(place.as_mut().expect("it was just put there"))
    }

    pub(super) async fn compact(&self, from: u64, upto: u64) -> Result<()> {
        let mut place = self.connection.lock().await;
        let connection = self.connected(&mut place).await.map_err(error)?;
        let work = async {
            connection.run("BEGIN IMMEDIATE").await?;
            forget(connection, from, upto).await?;
            connection.run("COMMIT").await
        };
        let done = work.await;
        if done.is_err() {
            *place = None;
        }
        done.map_err(error)
    }
}

/// What became of each write, and the newest revision that they made. An error means that none happened, or nobody
/// knows.
type Outcomes = (Vec<Result<Done>>, Option<u64>);

async fn run(connection: &mut Connection, backend: &Backend, writes: Vec<Write>) -> sqlx::Result<Outcomes> {
    connection.run("BEGIN IMMEDIATE").await?;
    let mut outcomes = Vec::with_capacity(writes.len());
    let mut head = None;
    for write in writes {
        connection.run("SAVEPOINT write").await?;
        match write.apply(connection, &backend.options, backend.now()).await {
            Ok((done, revision)) => {
                connection.run("RELEASE write").await?;
                head = revision.or(head);
                outcomes.push(Ok(done));
            }
            Err(Failure::Database(failure)) if !matches!(failure, sqlx::Error::Database(_)) => return Err(failure),
            Err(failure) => {
                connection.run("ROLLBACK TO write; RELEASE write").await?;
                outcomes.push(Err(failure.into_error()));
            }
        }
    }
    connection.run("COMMIT").await?;
    Ok((outcomes, head))
}

/// Takes what waits until nothing does.
async fn take(care: Care) {
    let super::Writes::Sqlite(queue) = &care.0.writes else { return };
    while let Some(batch) = queue.next() {
        queue.commit(&care.0, batch).await;
    }
}

impl Drop for Care {
    fn drop(&mut self) {
        if let super::Writes::Sqlite(queue) = &self.0.writes
            && std::thread::panicking()
        {
            queue.waiting().taken_care_of = false;
        }
    }
}

/// Looks whether another process has written, forever.
pub(super) async fn follow(backend: Arc<Backend>, connector: Connector) {
    loop {
        if let Err(error) = look(&backend, &connector).await {
            pause("following the database", &error).await;
        }
    }
}

/// The version tells a connection what others than itself have written.
async fn look(backend: &Backend, connector: &Connector) -> Result<()> {
    let mut connection = connector.connect().await.map_err(error)?;
    let mut seen = None;
    loop {
        let row = connection.row(Statement::new(sql::DATA_VERSION, [])).await.map_err(error)?;
        let version = row.map(|row| row.integer(0)).transpose()?;
        if version != seen {
            seen = version;
            backend.saw(backend.bounds().await?.head);
        }
        sleep(LOOK).await;
    }
}
