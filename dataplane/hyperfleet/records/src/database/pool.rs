//! Connections, used by one task at a time.
//!
//! Not sqlx's pool, which asks a connection whether it is well each time it comes back: that costs as much as reading a
//! record. One whose work was given up half way is closed instead; one that turns out broken takes all that are idle
//! with it, as a server that was started again has broken them all.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use super::{Connection, Connector, error, error::survives};
use crate::{Error, Result};

/// How long to wait for a free connection: writers of one record, or a slow disk, make long queues.
const ACQUIRE: Duration = Duration::from_secs(10);

/// The connections to a database.
pub(crate) struct Pool {
    connector: Connector,
    /// How many may be in use; others wait here, the first come first.
    places: Semaphore,
    /// Who only asks whether the database answers does not wait behind those who use it.
    probes: Semaphore,
    size: u32,
    /// The one used last is used next: its caches are warm.
    idle: Mutex<Vec<Connection>>,
    open: AtomicU64,
}

/// A connection in use.
pub(crate) struct Lease<'a> {
    pool: &'a Pool,
    connection: Option<Connection>,
    /// Whether it comes from the idle ones, so may have been broken before.
    pub(crate) reused: bool,
    _place: SemaphorePermit<'a>,
}

// === impl Pool ===

impl Pool {
    pub(crate) fn new(connector: Connector, size: u32) -> Self {
        let places = Semaphore::new(size as usize);
        Self { connector, places, probes: Semaphore::new(1), size, idle: Mutex::default(), open: AtomicU64::new(0) }
    }

    /// A connection, once one is free.
    pub(crate) async fn lease(&self) -> Result<Lease<'_>> {
        self.lease_of(&self.places).await
    }

    /// A connection to see whether the database answers, one more than may be in use otherwise.
    pub(crate) async fn lease_to_probe(&self) -> Result<Lease<'_>> {
        self.lease_of(&self.probes).await
    }

    async fn lease_of<'a>(&'a self, places: &'a Semaphore) -> Result<Lease<'a>> {
        let place = timeout(ACQUIRE, places.acquire()).await;
        let place = place.map_err(|_| Error::Unavailable("all connections are in use".to_owned()))?;
        let _place = place.map_err(|_| Error::Unavailable("the database is closed".to_owned()))?;
        let idle = self.idle().pop();
        let reused = idle.is_some();
        let connection = match idle {
            Some(connection) => connection,
            None => {
                let connection = self.connector.connect().await.map_err(error)?;
                self.open.fetch_add(1, Ordering::Relaxed);
                connection
            }
        };
        Ok(Lease { pool: self, connection: Some(connection), reused, _place })
    }

    /// How many connections there are, are in use, and may be.
    pub(crate) fn usage(&self) -> (u64, u64, u64) {
        let free = self.places.available_permits() as u64;
        (self.open.load(Ordering::Relaxed), u64::from(self.size).saturating_sub(free), u64::from(self.size))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes what is idle.
    fn forget(&self) {
        let idle = std::mem::take(&mut *self.idle());
        self.open.fetch_sub(idle.len() as u64, Ordering::Relaxed);
    }
}

// === impl Lease ===

impl Lease<'_> {
    pub(crate) fn connection(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("it is there until it is given back")
    }

    /// Gives the connection back, fit for the next. Without this it is closed.
    pub(crate) fn done(mut self) {
        self.pool.idle().extend(self.connection.take());
    }

    /// Gives the connection back if `error` leaves it well. What the error means.
    pub(crate) fn failed(self, failure: sqlx::Error) -> Error {
        match survives(&failure) {
            true => self.done(),
            false => self.pool.forget(),
        }
        error(failure)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if self.connection.take().is_some() {
            self.pool.open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
