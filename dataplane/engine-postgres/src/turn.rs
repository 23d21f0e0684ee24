//! A turn: takes the order's lock, reads what the keys are, and appends in the same transaction.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, atomic::Ordering},
};

use async_trait::async_trait;
use proto::store::{Error, Key, Result, Revision};
use revlog::{CommitError, Current, Record, Turn};
use sqlx::{ConnectOptions, PgConnection, Row, postgres::PgRow};
use tokio::sync::MutexGuard;

use crate::{error, postgres::Postgres, rows, sql};

/// How many rows one statement appends.
const ROWS: usize = 256;

/// How many bytes of values one statement takes, but one row always.
const WEIGHT: usize = 8 << 20;

/// How far the ceiling stays above the head: how many writes a standby may lag behind and still be recovered from.
pub(crate) const LEASE: i64 = 1_000_000;

/// A turn on a [`Postgres`]. Dropped without a commit, it closes its connection, and the server rolls back.
#[derive(Debug)]
pub struct PostgresTurn<'a> {
    postgres: &'a Postgres,
    place: MutexGuard<'a, Option<PgConnection>>,
    connection: PgConnection,
    head: Revision,
    current: HashMap<Key, Current>,
}

/// What the server says when a turn begins.
struct Head {
    revision: Revision,
    /// Of the server that wrote last, and of this one.
    timelines: (String, String),
    synchronous: bool,
}

// === impl PostgresTurn ===

impl<'a> PostgresTurn<'a> {
    pub(crate) async fn begin(postgres: &'a Postgres, keys: &[Key]) -> Result<Self> {
        let mut place = postgres.writer.lock().await;
        let (mut connection, head) = lock(postgres, place.take()).await?;
        head.check()?;
        let current = match keys {
            [] => HashMap::new(),
            keys => current(postgres, &mut connection, keys).await?,
        };
        Ok(Self { postgres, place, connection, head: head.revision, current })
    }

    /// Whether this engine has written `revision`. Asked in a turn: nothing is under way.
    pub(crate) async fn committed(&mut self, revision: Revision) -> Result<bool> {
        let count: i64 = sqlx::query_scalar(sql::COMMITTED)
            .bind(revision as i64)
            .bind(self.postgres.number)
            .fetch_one(&mut self.connection)
            .await
            .map_err(|error| error::store("reading a commit again", &error))?;
        Ok(count > 0)
    }

    async fn append(&mut self, records: &[Arc<Record>]) -> Result<Revision> {
        let refused = |error: sqlx::Error| error::store("appending", &error);
        let named = name(self.postgres, records).await.map_err(refused)?;
        let last = records.last().map_or(self.head, |record| record.revision);
        let mut partitioned = self.postgres.partitioned.load(Ordering::Relaxed);
        while partitioned < last {
            let missing = (partitioned + 1).max(self.head + 1) as i64;
            let made: i64 = sqlx::query_scalar(sql::MAKE_PARTITION)
                .bind(missing)
                .fetch_one(&mut self.connection)
                .await
                .map_err(refused)?;
            partitioned = made as Revision;
        }
        let (mut rest, mut named) = (records, named.as_slice());
        while !rest.is_empty() {
            let count = chunk(rest);
            let rows = Rows::of(&rest[..count], &named[..count]);
            rows.append(&mut self.connection, self.postgres.number).await.map_err(refused)?;
            (rest, named) = (&rest[count..], &named[count..]);
        }
        sqlx::query(sql::ADVANCE).bind(last as i64).bind(LEASE).execute(&mut self.connection).await.map_err(refused)?;
        Ok(partitioned)
    }
}

#[async_trait]
impl Turn for PostgresTurn<'_> {
    fn head(&self) -> Revision {
        self.head
    }

    fn current(&mut self) -> HashMap<Key, Current> {
        std::mem::take(&mut self.current)
    }

    async fn commit(mut self, records: &[Arc<Record>]) -> Result<(), CommitError> {
        if records.is_empty() {
            if sqlx::raw_sql(sql::ROLLBACK).execute(&mut self.connection).await.is_ok() {
                *self.place = Some(self.connection);
            }
            return Ok(());
        }
        let partitioned = self.append(records).await.map_err(CommitError::Refused)?;
        if let Err(error) = sqlx::raw_sql(sql::COMMIT).execute(&mut self.connection).await {
            return Err(CommitError::Unsure(error::store("committing", &error)));
        }
        self.postgres.partitioned.fetch_max(partitioned, Ordering::Relaxed);
        if let Some(last) = records.last() {
            self.postgres.notices.heard(last.revision);
        }
        *self.place = Some(self.connection);
        Ok(())
    }
}

/// Takes the order's lock on `connection`, or on a new one when there is none or it is gone.
async fn lock(postgres: &Postgres, connection: Option<PgConnection>) -> Result<(PgConnection, Head)> {
    if let Some(mut connection) = connection
        && let Ok(head) = Head::lock(&mut connection).await
    {
        return Ok((connection, head));
    }
    let failed = |error: sqlx::Error| error::store("taking the turn", &error);
    let mut connection = postgres.connect.connect().await.map_err(failed)?;
    let head = Head::lock(&mut connection).await.map_err(failed)?;
    Ok((connection, head))
}

// === impl Head ===

impl Head {
    async fn lock(connection: &mut PgConnection) -> sqlx::Result<Self> {
        let row = sqlx::raw_sql(sql::BEGIN).fetch_one(connection).await?;
        Ok(Self {
            revision: row.try_get::<i64, _>("revision")? as Revision,
            timelines: (row.try_get("timeline")?, row.try_get("here")?),
            synchronous: row.try_get("synchronous")?,
        })
    }

    /// Refuses a server that may lack what another had acknowledged.
    fn check(&self) -> Result<()> {
        let (wrote, here) = &self.timelines;
        match wrote == here || self.synchronous {
            true => Ok(()),
            false => Err(Error::Unavailable {
                reason: format!(
                    "this PostgreSQL was promoted or restored (timeline {here}, the last write was on {wrote}) and may lack \
                     acknowledged writes: run `outrigger recover` to go on with what it has"
                ),
            }),
        }
    }
}

async fn current(postgres: &Postgres, connection: &mut PgConnection, keys: &[Key]) -> Result<HashMap<Key, Current>> {
    let number = |Key { group, resource, .. }: &Key| postgres.names.resource(group, resource);
    if keys.iter().any(|key| number(key).is_none()) {
        // Others may have been the first to write them.
        postgres.read_names().await?;
    }
    // Those of resources that nobody has written are not there.
    let known: Vec<(&Key, i32)> = keys.iter().filter_map(|key| Some((key, number(key)?))).collect();
    let read = sqlx::query(sql::CURRENT)
        .bind(known.iter().map(|(_, number)| *number).collect::<Vec<_>>())
        .bind(known.iter().map(|(key, _)| key.namespace.as_str()).collect::<Vec<_>>())
        .bind(known.iter().map(|(key, _)| key.name.as_str()).collect::<Vec<_>>())
        .fetch_all(connection)
        .await;
    let found = read.map_err(|error| error::store("reading what is to be changed", &error))?;
    postgres.learn(found.iter().map(|row| Ok((None, rows::schema(row, 1)?)))).await?;
    found.iter().map(|row| one(postgres, row, &known)).collect()
}

fn one(postgres: &Postgres, row: &PgRow, known: &[(&Key, i32)]) -> Result<(Key, Current)> {
    let place: i64 = rows::column(row, 0)?;
    let key = usize::try_from(place - 1).ok().and_then(|place| known.get(place));
    let (key, _) = key.ok_or_else(|| Error::Internal { reason: "an answer to no question".into() })?;
    let (revision, content) = rows::content(row, 1, &postgres.names)?;
    Ok((Key::clone(key), Current { revision, content: Some(Arc::new(content)) }))
}

/// The numbers of the resources and schemas of `records`, made on other connections where they are new: they may outlive
/// what the turn does.
async fn name(postgres: &Postgres, records: &[Arc<Record>]) -> sqlx::Result<Vec<(i32, i32)>> {
    let mut named = Vec::with_capacity(records.len());
    for Record { key, content, .. } in records.iter().map(|record| &**record) {
        let resource = || postgres.names.resource(&key.group, &key.resource);
        let schema = || postgres.names.schema_number(&content.value.schema);
        if resource().is_none() {
            postgres.names.make_resource(&postgres.pool, &key.group, &key.resource).await?;
        }
        if schema().is_none() {
            postgres.names.make_schema(&postgres.pool, &content.value.schema).await?;
        }
        let numbers = resource().zip(schema());
        named.push(numbers.ok_or_else(|| sqlx::Error::Protocol("a name that was made is not there".into()))?);
    }
    Ok(named)
}

/// How many of `records` the next statement takes: of each key one, and not too many bytes.
fn chunk(records: &[Arc<Record>]) -> usize {
    let (mut keys, mut weight) = (HashSet::new(), 0);
    for record in records {
        weight += record.stored.as_ref().map_or(0, |stored| stored.bytes.len());
        let first = keys.is_empty();
        let fits = first || (weight <= WEIGHT && keys.len() < ROWS);
        if !fits || !keys.insert(&record.key) {
            break;
        }
    }
    keys.len()
}

/// What [`sql::APPEND`] binds: a column each.
#[derive(Default)]
struct Rows<'a> {
    revision: Vec<i64>,
    change: Vec<i16>,
    resource: Vec<i32>,
    schema: Vec<i32>,
    splice: Vec<i32>,
    namespace: Vec<&'a str>,
    name: Vec<&'a str>,
    uid: Vec<&'a str>,
    labels: Vec<Option<String>>,
    fields: Vec<Option<String>>,
    value: Vec<Option<&'a [u8]>>,
}

// === impl Rows ===

impl<'a> Rows<'a> {
    fn of(records: &'a [Arc<Record>], named: &[(i32, i32)]) -> Self {
        let mut rows = Self::default();
        for (record, (resource, schema)) in records.iter().zip(named) {
            let Record { key, revision, change, content, stored, .. } = &**record;
            rows.revision.push(*revision as i64);
            rows.change.push(rows::change_number(*change));
            rows.resource.push(*resource);
            rows.schema.push(*schema);
            rows.splice.push(content.value.splice as i32);
            rows.namespace.push(&key.namespace);
            rows.name.push(&key.name);
            rows.uid.push(&content.uid);
            rows.labels.push(rows::labels_column(&content.labels));
            rows.fields.push(rows::labels_column(&content.fields));
            rows.value.push(stored.as_ref().map(|_| &content.value.json[..]));
        }
        rows
    }

    async fn append(self, connection: &mut PgConnection, writer: i64) -> sqlx::Result<()> {
        sqlx::query(sql::APPEND)
            .bind(self.revision)
            .bind(self.change)
            .bind(self.resource)
            .bind(self.schema)
            .bind(self.splice)
            .bind(self.namespace)
            .bind(self.name)
            .bind(self.uid)
            .bind(self.labels)
            .bind(self.fields)
            .bind(self.value)
            .bind(writer)
            .execute(connection)
            .await
            .map(|_| ())
    }
}
