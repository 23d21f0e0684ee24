//! The engine itself: a connection that writes, a pool that reads, and one that listens.

use std::{
    sync::{Mutex as StdMutex, PoisonError, atomic::AtomicU64},
    time::Duration,
};

use async_trait::async_trait;
use proto::store::{Batch, Entry, Error, Key, Result, Revision, Scope};
use revlog::{Bounds, Engine, Others, Page, Range, Record, Turn as _};
use sqlx::{AssertSqlSafe, PgConnection, PgPool, postgres::PgConnectOptions};
use tokio::{sync::Mutex, time::Instant};
use tracing::{instrument, warn};

use crate::{error, names::Names, notices::Notices, query::Query, rows, sql, turn::PostgresTurn};

/// For how long the database's size is remembered.
const REMEMBERED: Duration = Duration::from_secs(10);

/// The log's engine on PostgreSQL.
#[derive(Debug)]
pub struct Postgres {
    pub(crate) connect: PgConnectOptions,
    /// `None` while a turn has it, and after a failure: the next turn connects anew.
    pub(crate) writer: Mutex<Option<PgConnection>>,
    /// What marks this engine's records.
    pub(crate) number: i64,
    pub(crate) pool: PgPool,
    pub(crate) listener: PgPool,
    pub(crate) notices: Notices,
    pub(crate) names: Names,
    /// The last revision that there is a partition for.
    pub(crate) partitioned: AtomicU64,
    pub(crate) size: StdMutex<Option<(Instant, u64)>>,
}

// === impl Postgres ===

impl Postgres {
    /// The number of the resource of `scope`; `None` when nothing of it was ever written.
    pub(crate) async fn resource(&self, scope: &Scope) -> Result<Option<i32>> {
        if let Some(number) = self.names.resource(&scope.group, &scope.resource) {
            return Ok(Some(number));
        }
        self.read_names().await?;
        Ok(self.names.resource(&scope.group, &scope.resource))
    }

    /// The group and name of a resource that [`Postgres::learn`] has seen.
    pub(crate) fn resource_name(&self, number: i32) -> Result<(String, String)> {
        let name = self.names.resource_name(number);
        name.ok_or_else(|| Error::Internal { reason: format!("no resource has the number {number}") })
    }

    /// Sees to it that all names in some rows are known: others may have made them.
    pub(crate) async fn learn(
        &self,
        rows: impl Iterator<Item = Result<(Option<i32>, Option<i32>)>> + Send,
    ) -> Result<()> {
        let mut unknown = false;
        for row in rows {
            let (resource, schema) = row?;
            unknown |= !self.names.know(resource, schema);
        }
        if unknown {
            self.read_names().await?;
        }
        Ok(())
    }

    pub(crate) async fn read_names(&self) -> Result<()> {
        self.names.read(&self.pool).await.map_err(|error| error::store("reading names", &error))
    }

    /// Refuses what was read as of `requested` if it may have been compacted by then.
    pub(crate) async fn check_kept(&self, requested: Revision) -> Result<()> {
        match self.bounds().await?.compacted {
            oldest if requested < oldest => Err(Error::Compacted { requested, oldest }),
            _ => Ok(()),
        }
    }

    /// Drops the oldest partition of history that nobody can ask for; says whether there was one.
    async fn drop_partition(&self) -> sqlx::Result<bool> {
        let name: Option<String> = sqlx::query_scalar(sql::COMPACTED_PARTITION).fetch_optional(&self.pool).await?;
        let Some(name) = name else { return Ok(false) };
        // Not from the pool: a transaction that is refused half way must not stay there.
        let mut connection = sqlx::ConnectOptions::connect(&self.connect).await?;
        sqlx::raw_sql(AssertSqlSafe(sql::drop_partition(&name))).execute(&mut connection).await?;
        Ok(true)
    }
}

#[async_trait]
impl Engine for Postgres {
    type Turn<'a> = PostgresTurn<'a>;

    async fn bounds(&self) -> Result<Bounds> {
        let found = Query::new(sql::BOUNDS).rows(&self.pool, "reading the bounds").await?;
        let row = found.first().ok_or_else(|| Error::Internal { reason: "the log has no head".into() })?;
        Ok(Bounds { head: rows::revision(row, 0)?, compacted: rows::revision(row, 1)? })
    }

    async fn begin(&self, keys: &[Key]) -> Result<PostgresTurn<'_>> {
        PostgresTurn::begin(self, keys).await
    }

    async fn committed(&self, last: &Record) -> Result<bool> {
        let mut turn = self.begin(&[]).await?;
        let committed = turn.committed(last.revision).await?;
        turn.commit(&[]).await.map_err(|error| Error::Unavailable { reason: error.to_string() })?;
        Ok(committed)
    }

    #[instrument(name = "engine.get", skip_all)]
    async fn get(&self, key: &Key, at: Revision) -> Result<Option<Entry>> {
        self.read_object(key, at).await
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
        let found = Query::new(sql::COMPACT).long(upto).rows(&self.pool, "compacting").await?;
        let compacted = found.first().map_or(Ok(0), |row| rows::revision(row, 0))?;
        match self.drop_partition().await {
            Ok(_) => {}
            Err(error) => warn!("a partition of the history is not dropped yet: {error}"),
        }
        Ok(compacted)
    }

    async fn maintain(&self) {
        self.notices.listen(&self.listener).await;
    }

    async fn bytes(&self) -> Result<u64> {
        let remembered = *self.size.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bytes)) = remembered.filter(|(since, _)| since.elapsed() < REMEMBERED) {
            return Ok(bytes);
        }
        let found = Query::new(sql::BYTES).rows(&self.pool, "measuring the database").await?;
        let bytes = found.first().map_or(Ok(0), |row| rows::revision(row, 0))?;
        *self.size.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), bytes));
        Ok(bytes)
    }

    async fn close(&self) {
        self.pool.close().await;
        self.listener.close().await;
        if let Some(writer) = self.writer.lock().await.take() {
            // Nothing is open on it; that the server hears of it late is no loss.
            sqlx::Connection::close(writer).await.ok();
        }
    }

    fn others(&self) -> Option<&dyn Others> {
        Some(self)
    }
}
