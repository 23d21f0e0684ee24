//! The connections that read: a few, each used by one read at a time.
//!
//! Not sqlx's pool, which asks a connection whether it is well each time it comes back: that costs as much as reading an
//! object. A connection whose read was given up half way is closed instead, and the next read makes another.

use std::sync::{Mutex, MutexGuard, PoisonError};

use proto::store::{Error, Result};
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error;

/// The connections that read.
#[derive(Debug)]
pub(crate) struct Readers {
    connect: SqliteConnectOptions,
    /// How many reads may run, and may wait here.
    places: Semaphore,
    count: u32,
    /// The one used last is used next: what it has in memory is newest.
    idle: Mutex<Vec<SqliteConnection>>,
}

/// A connection for one read.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    readers: &'a Readers,
    connection: SqliteConnection,
    _place: SemaphorePermit<'a>,
}

// === impl Readers ===

impl Readers {
    /// At most `count` connections, made when they are first needed.
    pub(crate) fn new(connect: SqliteConnectOptions, count: u32) -> Self {
        Self { connect, places: Semaphore::new(count as usize), count, idle: Mutex::default() }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<SqliteConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection, once one is free.
    pub(crate) async fn take(&self) -> Result<Reader<'_>> {
        let place = self.places.acquire().await;
        let _place = place.map_err(|_| Error::Unavailable { reason: "the database is closed".into() })?;
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.connect.connect().await.map_err(|error| error::store("connecting", error))?,
        };
        Ok(Reader { readers: self, connection, _place })
    }

    /// Waits for the reads that run, refuses others, and closes the connections.
    pub(crate) async fn close(&self) {
        // An error means that it is closed already.
        let all = self.places.acquire_many(self.count).await.ok();
        self.places.close();
        drop(all);
        let idle = std::mem::take(&mut *self.idle());
        for connection in idle {
            // What it fails at, the next start makes good.
            connection.close().await.ok();
        }
    }
}

// === impl Reader ===

impl Reader<'_> {
    /// The connection to read with.
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Gives the connection back. Without this it is closed.
    pub(crate) fn done(self) {
        self.readers.idle().push(self.connection);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn readers(count: u32) -> Readers {
        Readers::new(SqliteConnectOptions::new().in_memory(true), count)
    }

    #[tokio::test]
    async fn a_connection_is_used_again_when_its_read_is_done_and_closed_when_it_was_given_up() {
        let readers = readers(2);
        readers.take().await.unwrap().done();
        assert_eq!(readers.idle().len(), 1);
        let given_up = readers.take().await.unwrap();
        assert_eq!(readers.idle().len(), 0);
        drop(given_up);
        assert_eq!(readers.idle().len(), 0);
        let (_one, _two) = (readers.take().await.unwrap(), readers.take().await.unwrap());
        assert!(readers.take().now_or_never().is_none(), "there are two places");
    }

    #[tokio::test]
    async fn closing_waits_for_reads_and_refuses_others() {
        let readers = readers(2);
        let running = readers.take().await.unwrap();
        let mut closing = Box::pin(readers.close());
        assert!((&mut closing).now_or_never().is_none());
        running.done();
        closing.await;
        assert!(matches!(readers.take().await, Err(Error::Unavailable { .. })));
        readers.close().await;
    }
}
