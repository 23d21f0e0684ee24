//! The engine itself: one connection that writes, a few that read.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use proto::store::{Batch, Entry, Error, Key, Result, Revision, Scope};
use revlog::{Bounds, Engine, Page, Range, Record};
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{Mutex, MutexGuard, Notify};
use tracing::instrument;

use crate::{error, file, names::Names, readers::Readers, rows, sql, turn::SqliteTurn};

/// How many revisions one step of compaction passes: what bounds how long writers wait for it.
const STEP: Revision = 200;

/// The log's engine on one SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    pub(crate) path: PathBuf,
    /// How long the write-ahead log may become.
    pub(crate) log_bytes: u64,
    pub(crate) connect: SqliteConnectOptions,
    /// `None` after a failure: the next turn connects anew.
    pub(crate) writer: Mutex<Option<Writer>>,
    pub(crate) readers: Readers,
    pub(crate) names: Arc<Names>,
    /// Reads below this revision are refused; set before anything is deleted for it.
    pub(crate) compacted: AtomicU64,
    /// About how many bytes have been committed since the last checkpoint.
    pub(crate) unsaved: AtomicU64,
    /// There is enough for a checkpoint.
    pub(crate) grown: Notify,
    pub(crate) _lock: file::Lock,
}

/// The connection that writes.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) connection: SqliteConnection,
    /// The newest revision on the disk.
    pub(crate) head: Revision,
}

/// The writer's place, taken by whoever writes.
pub(crate) type Place<'a> = MutexGuard<'a, Option<Writer>>;

// === impl Writer ===

impl Writer {
    /// Makes `connection` the writer: reads where the log stands.
    pub(crate) async fn take(mut connection: SqliteConnection, names: &Names) -> sqlx::Result<(Self, Bounds)> {
        let (head, compacted): (i64, i64) = sqlx::query_as(sql::BOUNDS).fetch_one(&mut connection).await?;
        names.read(&mut connection).await?;
        let bounds = Bounds { head: head as Revision, compacted: compacted as Revision };
        Ok((Self { connection, head: bounds.head }, bounds))
    }
}

// === impl Sqlite ===

impl Sqlite {
    /// The database's file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for the writer's place; connects if there is no connection.
    pub(crate) async fn writer(&self) -> Result<Place<'_>> {
        let mut place = self.writer.lock().await;
        if place.is_none() {
            *place = Some(self.reconnect().await.map_err(|error| error::store("connecting", error))?);
        }
        Ok(place)
    }

    async fn reconnect(&self) -> sqlx::Result<Writer> {
        let connection = self.connect.connect().await?;
        Ok(Writer::take(connection, &self.names).await?.0)
    }

    /// Gives the writer's connection up when `error` makes it doubtful, and says what it means to a store.
    pub(crate) async fn failed(&self, place: &mut Place<'_>, doing: &str, error: sqlx::Error) -> Error {
        if let Some(writer) = place.take() {
            // It rolls back what was not committed; if even that fails, so it does for whoever opens the file next.
            writer.connection.close_hard().await.ok();
        }
        error::store(doing, error)
    }

    /// Refuses what was read as of `at` if compaction may have been at it.
    pub(crate) fn check_kept(&self, requested: Revision) -> Result<()> {
        match self.compacted.load(Ordering::Acquire) {
            oldest if requested < oldest => Err(Error::Compacted { requested, oldest }),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl Engine for Sqlite {
    type Turn<'a> = SqliteTurn<'a>;

    async fn bounds(&self) -> Result<Bounds> {
        let mut reader = self.readers.take().await?;
        let bounds = sqlx::query_as(sql::BOUNDS).fetch_one(reader.connection()).await;
        let (head, compacted): (i64, i64) = bounds.map_err(|error| error::store("reading the bounds", error))?;
        reader.done();
        Ok(Bounds { head: head as Revision, compacted: compacted as Revision })
    }

    async fn begin(&self, keys: &[Key]) -> Result<SqliteTurn<'_>> {
        SqliteTurn::begin(self, keys).await
    }

    async fn committed(&self, last: &Record) -> Result<bool> {
        let mut place = self.writer().await?;
        let writer = place.as_mut().expect("the writer's place is not empty once it is taken");
        let revision = last.revision as i64;
        match sqlx::query_scalar::<_, i64>(sql::COMMITTED).bind(revision).fetch_one(&mut writer.connection).await {
            Ok(count) => Ok(count > 0),
            Err(error) => Err(self.failed(&mut place, "reading a commit again", error).await),
        }
    }

    #[instrument(name = "engine.get", skip_all)]
    async fn get(&self, key: &Key, at: Revision) -> Result<Option<Entry>> {
        let Some(resource) = self.names.resource(&key.group, &key.resource) else { return Ok(None) };
        let mut reader = self.readers.take().await?;
        let row = sqlx::query(sql::GET)
            .bind(at as i64)
            .bind(resource)
            .bind(&key.namespace)
            .bind(&key.name)
            .fetch_optional(reader.connection())
            .await;
        let row = row.map_err(|error| error::store("reading an object", error))?;
        reader.done();
        self.check_kept(at)?;
        let Some(row) = row else { return Ok(None) };
        let (revision, content) = rows::content(&row, 0, &self.names)?;
        Ok(Some(Entry { key: key.clone(), revision, content }))
    }

    #[instrument(name = "engine.page", skip_all)]
    async fn page(&self, range: &Range<'_>) -> Result<Page> {
        self.read_page(range).await
    }

    async fn count(&self, scope: &Scope, after: Option<(&str, &str)>) -> Result<u64> {
        self.read_count(scope, after).await
    }

    #[instrument(name = "engine.events", skip_all)]
    async fn events(&self, scope: &Scope, after: Revision, upto: Revision) -> Result<Batch> {
        self.read_events(scope, after, upto).await
    }

    async fn compact(&self, upto: Revision) -> Result<Revision> {
        let mut place = self.writer().await?;
        let from = self.bounds().await?.compacted;
        let upto = upto.min(from + STEP);
        self.compacted.fetch_max(upto, Ordering::AcqRel);
        let writer = place.as_mut().expect("the writer's place is not empty once it is taken");
        let step = sqlx::query(sql::COMPACT).bind(from as i64).bind(upto as i64);
        match step.execute(&mut writer.connection).await {
            Ok(_) => Ok(upto),
            Err(error) => Err(self.failed(&mut place, "compacting", error).await),
        }
    }

    async fn bytes(&self) -> Result<u64> {
        file::bytes(&self.path).map_err(|error| error::store("measuring the database", error.into()))
    }

    async fn maintain(&self) {
        self.checkpoint_when_grown().await;
    }

    async fn close(&self) {
        self.readers.close().await;
        if let Some(writer) = self.writer.lock().await.take() {
            // The last connection writes the log into the database and removes it; else the next start does.
            writer.connection.close().await.ok();
        }
    }
}
