//! Writes to PostgreSQL, each in a transaction of its own, and news of those of other processes.

use std::{sync::Arc, time::Duration};

use sqlx::postgres::PgListener;
use tokio::time::timeout;

use super::{Backend, forget, pause};
use crate::{
    Error, Result,
    database::{Connection, error},
    transaction::Failure,
    write::{Done, Write},
};

/// The channel of notifications.
const CHANNEL: &str = "hyperfleet_changed";

/// How often to look at the log when no notification comes: one may be lost.
const LOOK: Duration = Duration::from_secs(5);

/// How often a write is tried that others got in the way of.
const ATTEMPTS: usize = 5;

/// Does a write, again where another was in its way.
pub(super) async fn write(backend: &Backend, write: Write) -> Result<Done> {
    for _ in 1..ATTEMPTS {
        match attempt(backend, write.clone()).await {
            Attempt::Done(done) => return done,
            Attempt::Again(_) => (),
        }
    }
    match attempt(backend, write).await {
        Attempt::Done(done) => done,
        Attempt::Again(error) => Err(error),
    }
}

/// How an attempt ended.
enum Attempt {
    Done(Result<Done>),
    /// Nothing happened, and the next attempt may well succeed.
    Again(Error),
}

async fn attempt(backend: &Backend, write: Write) -> Attempt {
    let mut lease = match backend.readers.lease().await {
        Ok(lease) => lease,
        Err(error) => return Attempt::Done(Err(error)),
    };
    if let Err(failure) = lease.connection().run("BEGIN").await {
        let reused = lease.reused;
        let error = lease.failed(failure);
        return if reused { Attempt::Again(error) } else { Attempt::Done(Err(error)) };
    }
    match run(lease.connection(), backend, write).await {
        Ok((done, revision)) => {
            lease.done();
            backend.saw(revision.unwrap_or_default());
            Attempt::Done(Ok(done))
        }
        Err(Failure::Database(failure)) => {
            let again = was_in_the_way(&failure);
            let usable = lease.connection().run("ROLLBACK").await.is_ok();
            let error = if usable { lease.failed(failure) } else { error(failure) };
            if again { Attempt::Again(error) } else { Attempt::Done(Err(error)) }
        }
        Err(Failure::Refused(error)) => {
            if lease.connection().run("ROLLBACK").await.is_ok() {
                lease.done();
            }
            Attempt::Done(Err(error))
        }
    }
}

async fn run(connection: &mut Connection, backend: &Backend, write: Write) -> Result<(Done, Option<u64>), Failure> {
    let done = write.apply(connection, &backend.options, backend.now()).await?;
    connection.run("COMMIT").await?;
    Ok(done)
}

/// Whether another transaction was in the way: a serialization failure, a deadlock, or the same name at the same time.
fn was_in_the_way(failure: &sqlx::Error) -> bool {
    let code = failure.as_database_error().and_then(|error| error.code());
    matches!(code.as_deref(), Some("40001" | "40P01" | "23505"))
}

pub(super) async fn compact(backend: &Backend, from: u64, upto: u64) -> Result<()> {
    let mut lease = backend.readers.lease().await?;
    let connection = lease.connection();
    let work = async {
        connection.run("BEGIN").await?;
        forget(connection, from, upto).await?;
        connection.run("COMMIT").await
    };
    match work.await {
        Ok(()) => {
            lease.done();
            Ok(())
        }
        // Dropped, not given back: it is in a transaction.
        Err(failure) => Err(error(failure)),
    }
}

/// Listens for news, forever.
pub(super) async fn follow(backend: Arc<Backend>, url: String) {
    loop {
        if let Err(error) = listen(&backend, &url).await {
            pause("following the database", &error).await;
        }
    }
}

async fn listen(backend: &Backend, url: &str) -> Result<()> {
    let mut listener = PgListener::connect(url).await.map_err(error)?;
    listener.listen(CHANNEL).await.map_err(error)?;
    loop {
        // What happened before it listened, or while it was not connected, nobody told it.
        backend.saw(backend.bounds().await?.head);
        while let Ok(notification) = timeout(LOOK, listener.try_recv()).await {
            match notification.map_err(error)? {
                Some(notification) => backend.saw(notification.payload().parse().unwrap_or_default()),
                None => break,
            }
        }
    }
}
