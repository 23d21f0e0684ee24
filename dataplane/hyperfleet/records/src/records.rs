//! The records in a database.

use std::{fmt, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

use tracing::instrument;
use uuid::Uuid;

use crate::{
    AdapterStatus, Error, Json, Key, Kind, New, Page, Patch, Put, Query, Report, Resource, Result,
    backend::Backend,
    database::{Row, Statement, Value},
    migrate, rows, sql,
    transaction::{cluster_not_found, not_found, printable},
    write::{Done, Write},
};

/// How many changes are read at a time.
const CHANGES: i64 = 500;

/// Where the records are.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// `sqlite:PATH`.
    Sqlite(PathBuf),
    /// `postgres://…`; never shown, it may hold a password.
    Postgres(String),
}

/// What [`Records`] are told.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Adapters without which a cluster is not Ready; none: those that reported.
    pub cluster_adapters: Vec<String>,
    /// As `cluster_adapters`, for node pools.
    pub nodepool_adapters: Vec<String>,
    /// Connections at most; 0 for as many as is usual.
    pub connections: u32,
    /// How long changes are known; `None` is five minutes.
    pub retention: Option<Duration>,
}

/// The records in a database. Cheap to clone.
#[derive(Clone)]
pub struct Records {
    backend: Arc<Backend>,
}

/// Which revisions there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The newest.
    pub head: u64,
    /// Changes after this one are known.
    pub compacted: u64,
}

/// One change of one record.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its revision.
    pub revision: u64,
    /// What it did.
    pub changed: Changed,
    /// The record after it, at `revision`; before it where it is gone.
    pub resource: Resource,
    /// The record before it, where it was there before and still is.
    pub previous: Option<Resource>,
}

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// The record is new.
    Created,
    /// It was there and is.
    Updated,
    /// It is gone.
    Gone,
}

/// What became of a report.
#[derive(Debug, Clone)]
pub enum Reported {
    /// It counts.
    Stored(AdapterStatus),
    /// A newer one counts; why, and what that is.
    Stale(&'static str, AdapterStatus),
}

// === impl Options ===

impl Options {
    /// The adapters without which a record of the kind is not Ready.
    pub(crate) fn required(&self, kind: Kind) -> &[String] {
        match kind {
            Kind::Cluster => &self.cluster_adapters,
            Kind::NodePool => &self.nodepool_adapters,
        }
    }
}

// === impl Database ===

impl FromStr for Database {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(Self::Sqlite(path.into())),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(url.to_owned())),
            _ => Err("neither sqlite:PATH nor postgres://USER:PASSWORD@HOST:PORT/NAME".to_owned()),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(_) => f.write_str("postgres://…"),
        }
    }
}

// === impl Changed ===

impl Changed {
    /// As the log has it.
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Created => 1,
            Self::Updated => 2,
            Self::Gone => 3,
        }
    }

    fn from_number(number: i64) -> Result<Self> {
        match number {
            1 => Ok(Self::Created),
            2 => Ok(Self::Updated),
            3 => Ok(Self::Gone),
            _ => Err(Error::Internal(format!("no change has the number {number}"))),
        }
    }

    /// By how many there are more records.
    pub(crate) fn grows(self) -> i64 {
        match self {
            Self::Created => 1,
            Self::Updated => 0,
            Self::Gone => -1,
        }
    }
}

// === impl Records ===

impl Records {
    /// Makes or upgrades the tables, one process at a time.
    pub async fn migrate(database: &Database) -> Result<()> {
        migrate::migrate(database).await
    }

    /// Opens the records, whose tables must be there. Background work (compaction, notifications) runs until
    /// `shutdown`.
    pub async fn open(database: &Database, options: Options, context: &runtime::Context) -> Result<Self> {
        Ok(Self { backend: Backend::open(database, options, context).await? })
    }

    /// The id of a record that is to be made: a UUIDv7, so ids are in the order of time.
    pub fn new_id() -> String {
        Uuid::now_v7().to_string()
    }

    /// Whether the database answers.
    #[instrument(name = "records.ping", skip_all, err(level = "debug"))]
    pub async fn ping(&self) -> Result<()> {
        self.backend.probe().await
    }

    /// Makes a record.
    #[instrument(name = "records.create", skip_all, fields(kind = new.kind.as_str()), err(level = "debug"))]
    pub async fn create(&self, new: New) -> Result<Resource> {
        let id = Self::new_id();
        self.write_record(Write::Create { new, id }).await
    }

    /// One record, deleted ones included until they are gone.
    #[instrument(name = "records.get", skip_all, fields(%key), err(level = "debug"))]
    pub async fn get(&self, key: &Key) -> Result<Resource> {
        let id = printable(&key.id)?;
        let row = self.backend.row("get", Statement::new(sql::get(key.kind, None), [Value::text(id)])).await?;
        let found = row.map(|row| rows::resource(&row, key.kind)).transpose()?;
        let of_owner =
            |found: &Resource| key.owner.is_none() || found.owner.as_ref().map(|owner| &owner.id) == key.owner.as_ref();
        match found.filter(of_owner) {
            Some(found) => Ok(found),
            None => Err(self.missing(key).await?),
        }
    }

    /// What is not there: the cluster of a node pool, or the record.
    async fn missing(&self, key: &Key) -> Result<Error> {
        match &key.owner {
            Some(owner) if !self.has_cluster(owner).await? => Ok(cluster_not_found(owner)),
            _ => Ok(not_found(key)),
        }
    }

    async fn has_cluster(&self, id: &str) -> Result<bool> {
        let statement = Statement::new(sql::CLUSTER_EXISTS, [Value::text(printable(id)?)]);
        Ok(self.backend.row("get", statement).await?.is_some())
    }

    /// The records of a kind, or those of a cluster, which must be there.
    #[instrument(name = "records.list", skip_all, fields(kind = kind.as_str()), err(level = "debug"))]
    pub async fn list(&self, kind: Kind, owner: Option<&str>, query: &Query) -> Result<Page<Resource>> {
        let owner = owner.map(printable).transpose()?;
        let list = sql::list(self.backend.dialect(), kind, owner, query)?;
        let found = match query.limit {
            0 => Vec::new(),
            _ => self.backend.rows("list", list.rows).await?,
        };
        let total = match found.first() {
            Some(row) => count(row, sql::width(kind))?,
            None if query.limit > 0 && query.offset == 0 => 0,
            // Nothing was there at `offset`, so there were no more than that.
            None => {
                let row = self.backend.row("count", list.total).await?;
                let total = row.map_or(Ok(0), |row| count(&row, 0))?;
                if query.limit > 0 { total.min(query.offset) } else { total }
            }
        };
        if let Some(owner) = owner.filter(|_| total == 0)
            && !self.has_cluster(owner).await?
        {
            return Err(cluster_not_found(owner));
        }
        Ok(Page { items: found.iter().map(|row| rows::resource(row, kind)).collect::<Result<_>>()?, total })
    }

    /// Changes a record. Nothing different: the same generation, no revision.
    #[instrument(name = "records.patch", skip_all, fields(%key), err(level = "debug"))]
    pub async fn patch(&self, key: &Key, patch: Patch, by: &str) -> Result<Resource> {
        self.write_record(Write::Patch { key: key.clone(), patch, by: by.to_owned() }).await
    }

    /// Asks for a record's deletion, and that of a cluster's node pools. It is gone when every required adapter has
    /// reported Finalized=True of this generation, at once when none is required and none has reported, and no node
    /// pool is left.
    #[instrument(name = "records.delete", skip_all, fields(%key), err(level = "debug"))]
    pub async fn delete(&self, key: &Key, by: &str) -> Result<Resource> {
        self.write_record(Write::Delete { key: key.clone(), by: by.to_owned() }).await
    }

    /// Removes a record whose deletion was asked for, and a cluster's node pools, whatever adapters say.
    #[instrument(name = "records.force_delete", skip_all, fields(%key), err(level = "debug"))]
    pub async fn force_delete(&self, key: &Key, reason: &str, by: &str) -> Result<()> {
        let gone = self.write_record(Write::ForceDelete { key: key.clone() }).await?;
        let kind = key.kind.as_str();
        tracing::info!(
            kind,
            id = gone.id,
            name = gone.name,
            by,
            reason,
            "removed {kind} {} though adapters may not be done",
            gone.id
        );
        Ok(())
    }

    /// Takes an adapter's report, and aggregates.
    #[instrument(name = "records.report", skip_all, fields(%key, adapter = report.adapter), err(level = "debug"))]
    pub async fn report(&self, key: &Key, report: Report) -> Result<Reported> {
        match self.backend.write(Write::Report { key: key.clone(), report }).await? {
            Done::Reported(reported) => Ok(*reported),
            Done::Record(_) => Err(Error::Internal("a report became a record".to_owned())),
        }
    }

    /// What adapters reported of a record, which must be there, by adapter.
    #[instrument(name = "records.statuses", skip_all, fields(%key), err(level = "debug"))]
    pub async fn statuses(&self, key: &Key, offset: u64, limit: u64) -> Result<Page<AdapterStatus>> {
        // Whether it is there, and of that owner, is read first: a report is never without its record.
        self.get(key).await?;
        let place = || [Value::text(key.kind.as_str()), Value::text(&key.id)];
        let bound = |number: u64| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        let [kind, id] = place();
        let page = Statement::new(sql::STATUSES_PAGE, [kind, id, bound(limit), bound(offset)]);
        let found = self.backend.rows("statuses", page).await?;
        let total = match found.first() {
            Some(row) => count(row, 8)?,
            None => {
                let row = self.backend.row("count", Statement::new(sql::STATUSES_TOTAL, place())).await?;
                row.map_or(Ok(0), |row| count(&row, 0))?
            }
        };
        let items = found.iter().map(|row| rows::report(row).map(|report| report.status)).collect::<Result<_>>()?;
        Ok(Page { items, total })
    }

    /// The adapters without which a record of the kind is not Ready; none: those that reported.
    pub fn required(&self, kind: Kind) -> &[String] {
        self.backend.options.required(kind)
    }

    /// Which revisions there are.
    pub async fn bounds(&self) -> Result<Bounds> {
        self.backend.bounds().await
    }

    /// Completes when there may be a revision above `after`, in this process or another.
    pub async fn changed(&self, after: u64) -> Result<()> {
        self.backend.wait(after).await
    }

    /// Changes of a kind after `after`, oldest first, some at a time, and up to where that is complete.
    #[instrument(name = "records.changes", skip_all, fields(kind = kind.as_str(), after), err(level = "debug"))]
    pub async fn changes(&self, kind: Kind, after: u64) -> Result<(Vec<Change>, u64)> {
        let head = self.bounds().await?.head;
        let values = [
            Value::Integer(after as i64),
            Value::Integer(head as i64),
            Value::text(kind.as_str()),
            Value::Integer(CHANGES),
        ];
        let found = self.backend.rows("changes", Statement::new(sql::CHANGES, values)).await?;
        self.check_kept(after).await?;
        let changes = found.iter().map(|row| change(row, kind)).collect::<Result<Vec<_>>>()?;
        let complete = match changes.last() {
            Some(last) if changes.len() as i64 == CHANGES => last.revision,
            _ => head.max(after),
        };
        Ok((changes, complete))
    }

    /// The records of a kind as of a revision, by `object_name`, behind `after`; at most `rows`.
    #[instrument(name = "records.as_of", skip_all, fields(kind = kind.as_str(), at), err(level = "debug"))]
    pub async fn as_of(&self, kind: Kind, at: u64, after: Option<&str>, rows: usize) -> Result<Vec<Resource>> {
        let limit = i64::try_from(rows).unwrap_or(i64::MAX);
        let after = printable(after.unwrap_or_default())?;
        let values = [Value::text(kind.as_str()), Value::text(after), Value::Integer(at as i64), Value::Integer(limit)];
        let found = self.backend.rows("as_of", Statement::new(sql::AS_OF, values)).await?;
        self.check_kept(at).await?;
        found
            .iter()
            .map(|row| logged(row, kind, 0)?.ok_or_else(|| Error::Internal("a log entry has no record".to_owned())))
            .collect()
    }

    /// Refuses what was read as of `at` if compaction may have been at it. So it comes after the reading.
    async fn check_kept(&self, at: u64) -> Result<()> {
        match self.bounds().await?.compacted {
            oldest if at < oldest => Err(Error::Compacted { oldest }),
            _ => Ok(()),
        }
    }

    /// One record by the name of the Kubernetes view.
    #[instrument(name = "records.by_object_name", skip_all, fields(kind = kind.as_str(), name), err(level = "debug"))]
    pub async fn by_object_name(&self, kind: Kind, name: &str) -> Result<Option<Resource>> {
        let Ok(name) = printable(name) else { return Ok(None) };
        let statement = Statement::new(sql::get_by_object_name(kind, None), [Value::text(name)]);
        let row = self.backend.row("get", statement).await?;
        row.map(|row| rows::resource(&row, kind)).transpose()
    }

    /// Makes or changes a record as the Kubernetes view says; its revision. Conflict when it is not at `expected`.
    #[instrument(name = "records.put", skip_all, fields(name = put.object_name), err(level = "debug"))]
    pub async fn put(&self, put: Put) -> Result<u64> {
        Ok(self.write_record(Write::Put(put)).await?.revision)
    }

    /// Stores what the Kubernetes view keeps beside, and the aggregate again.
    #[instrument(name = "records.keep", skip_all, fields(%key), err(level = "debug"))]
    pub async fn keep(&self, key: &Key, expected: u64, kubernetes: Json) -> Result<u64> {
        Ok(self.write_record(Write::Keep { key: key.clone(), expected, kubernetes }).await?.revision)
    }

    async fn write_record(&self, write: Write) -> Result<Resource> {
        match self.backend.write(write).await? {
            Done::Record(resource) => Ok(*resource),
            Done::Reported(_) => Err(Error::Internal("a record became a report".to_owned())),
        }
    }
}

fn count(row: &Row, column: usize) -> Result<u64> {
    Ok(row.integer(column)? as u64)
}

/// A change from a row of `sql::CHANGES`.
fn change(row: &Row, kind: Kind) -> Result<Change> {
    let revision = row.integer(0)? as u64;
    let changed = Changed::from_number(row.integer(1)?)?;
    let resource = rows::from_log(kind, revision, row.text(2)?)?;
    Ok(Change { revision, changed, resource, previous: logged(row, kind, 3)? })
}

/// A record from the columns of a revision and a log entry that begin at `first`.
fn logged(row: &Row, kind: Kind, first: usize) -> Result<Option<Resource>> {
    let revision = row.some_integer(first)?;
    let text = row.some_text(first + 1)?;
    let both = revision.zip(text);
    both.map(|(revision, text)| rows::from_log(kind, revision as u64, text)).transpose()
}
