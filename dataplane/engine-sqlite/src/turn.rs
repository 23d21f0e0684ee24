//! A turn: reads what the keys are, and appends in one transaction.

use std::{collections::HashMap, sync::Arc, sync::LazyLock};

use async_trait::async_trait;
use proto::store::{Error, Key, Result, Revision};
use revlog::{CommitError, Current, Record, Turn};
use sqlx::{Sqlite as Database, sqlite::SqliteArguments, sqlite::SqliteRow};

use crate::{
    rows, sql,
    sqlite::{Place, Sqlite, Writer},
};

/// How many rows one statement appends: few shapes, so that all stay prepared.
const SIZES: [usize; 4] = [64, 16, 4, 1];

/// How many bytes of values one statement takes, but one row always.
const WEIGHT: usize = 8 << 20;

/// A turn on a [`Sqlite`].
#[derive(Debug)]
pub struct SqliteTurn<'a> {
    sqlite: &'a Sqlite,
    place: Place<'a>,
    head: Revision,
    current: HashMap<Key, Current>,
}

// === impl SqliteTurn ===

impl<'a> SqliteTurn<'a> {
    /// Takes the writer's place and reads `keys`. No transaction is needed for that: nobody else writes.
    pub(crate) async fn begin(sqlite: &'a Sqlite, keys: &[Key]) -> Result<Self> {
        let mut place = sqlite.writer().await?;
        let Writer { connection, head } = place.as_mut().expect("the writer's place is not empty once it is taken");
        let head = *head;
        if keys.is_empty() {
            return Ok(Self { sqlite, place, head, current: HashMap::new() });
        }
        let read = sqlx::query(sql::CURRENT).bind(places(sqlite, keys)).fetch_all(connection).await;
        let rows = match read {
            Ok(rows) => rows,
            Err(error) => return Err(sqlite.failed(&mut place, "reading what is to be changed", error).await),
        };
        let current = rows.iter().map(|row| current(row, keys, sqlite)).collect::<Result<_>>()?;
        Ok(Self { sqlite, place, head, current })
    }

    async fn append(&mut self, records: &[Arc<Record>]) -> sqlx::Result<()> {
        let Writer { connection, head } = self.place.as_mut().expect("the place is empty after a failure only");
        // New names are made in transactions of their own, so before the one that the statements below begin.
        let mut named = Vec::with_capacity(records.len());
        for Record { key, content, .. } in records.iter().map(|record| &**record) {
            let resource = self.sqlite.names.make_resource(connection, &key.group, &key.resource).await?;
            named.push((resource, self.sqlite.names.make_schema(connection, &content.value.schema).await?));
        }
        let (mut rest, mut names) = (records, named.into_iter());
        while !rest.is_empty() {
            let (chunk, after) = rest.split_at(chunk(rest));
            let statement = statement(chunk.len(), rest.len() == records.len(), after.is_empty());
            let mut query = sqlx::query(statement);
            for (record, (resource, schema)) in chunk.iter().zip(&mut names) {
                query = bind(query, record, resource, schema);
            }
            query.execute(&mut *connection).await?;
            rest = after;
        }
        *head = records.last().map_or(*head, |record| record.revision);
        Ok(())
    }
}

#[async_trait]
impl Turn for SqliteTurn<'_> {
    fn head(&self) -> Revision {
        self.head
    }

    fn current(&mut self) -> HashMap<Key, Current> {
        std::mem::take(&mut self.current)
    }

    async fn commit(mut self, records: &[Arc<Record>]) -> Result<(), CommitError> {
        if let Err(error) = self.append(records).await {
            // It may have been the last statement that failed, and that one commits.
            return Err(CommitError::Unsure(self.sqlite.failed(&mut self.place, "committing", error).await));
        }
        drop(self.place);
        self.sqlite.has_grown(records);
        Ok(())
    }
}

/// The keys for [`sql::CURRENT`]. Those of resources that nobody has written are not there.
fn places(sqlite: &Sqlite, keys: &[Key]) -> String {
    let mut places = Vec::with_capacity(keys.len());
    for Key { group, resource, namespace, name } in keys {
        places.push((sqlite.names.resource(group, resource), namespace, name));
    }
    serde_json::to_string(&places).expect("strings can be JSON")
}

fn current(row: &SqliteRow, keys: &[Key], sqlite: &Sqlite) -> Result<(Key, Current)> {
    let place: i64 = rows::column(row, 0)?;
    let key = usize::try_from(place).ok().and_then(|place| keys.get(place));
    let key = key.ok_or_else(|| Error::Internal { reason: "an answer to no question".into() })?;
    let deleted: bool = rows::column(row, 2)?;
    let content = match deleted {
        true => None,
        false => Some(Arc::new(rows::content(row, 3, &sqlite.names)?.1)),
    };
    Ok((key.clone(), Current { revision: rows::revision(row, 1)?, content }))
}

/// How many of `records` the next statement takes.
fn chunk(records: &[Arc<Record>]) -> usize {
    let weight = |record: &Arc<Record>| record.stored.as_ref().map_or(0, |stored| stored.bytes.len());
    let light = |size: usize| size == 1 || records[..size].iter().map(weight).sum::<usize>() <= WEIGHT;
    SIZES.into_iter().find(|size| *size <= records.len() && light(*size)).unwrap_or(1)
}

/// The statement that appends `rows` rows and begins or ends the transaction.
fn statement(rows: usize, begin: bool, commit: bool) -> &'static str {
    static STATEMENTS: LazyLock<HashMap<(usize, bool, bool), String>> = LazyLock::new(|| {
        let ends = [(false, false), (false, true), (true, false), (true, true)];
        let shapes = SIZES.into_iter().flat_map(|rows| ends.map(|(begin, commit)| (rows, begin, commit)));
        shapes.map(|shape| (shape, sql::append(shape.0, shape.1, shape.2))).collect()
    });
    &STATEMENTS[&(rows, begin, commit)]
}

type Query<'q> = sqlx::query::Query<'q, Database, SqliteArguments>;

fn bind<'q>(query: Query<'q>, record: &Record, resource: i64, schema: i64) -> Query<'q> {
    let Record { key, revision, change, previous, content, stored } = record;
    let live = stored.is_some();
    query
        .bind(*revision as i64)
        .bind(*previous as i64)
        .bind(rows::change_number(*change))
        .bind(resource)
        .bind(stored.as_ref().map_or(0, |stored| stored.encoding.number()))
        .bind(i64::from(content.value.splice))
        .bind(schema)
        .bind(key.namespace.clone())
        .bind(key.name.clone())
        .bind(content.uid.clone())
        .bind(rows::labels_column(&content.labels).filter(|_| live))
        .bind(rows::labels_column(&content.fields).filter(|_| live))
        .bind(stored.as_ref().map(|stored| stored.bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proto::store::{Change, Content, Labels, Value};
    use revlog::Stored;

    use super::*;

    fn records(sizes: &[usize]) -> Vec<Arc<Record>> {
        let value = Value { json: Bytes::new(), splice: 0, schema: String::new() };
        let content = Content { uid: String::new(), labels: Labels::new(), fields: Labels::new(), value };
        let content = Arc::new(content);
        let record = |size: &usize| Record {
            key: Key { group: String::new(), resource: "r".into(), namespace: String::new(), name: "n".into() },
            revision: 1,
            change: Change::Created,
            previous: 0,
            content: content.clone(),
            stored: Some(Stored::new(&Bytes::from(vec![0; *size]), usize::MAX)),
        };
        sizes.iter().map(|size| Arc::new(record(size))).collect()
    }

    #[test]
    fn a_batch_is_cut_into_few_shapes_and_bounded_weight() {
        for (sizes, expected) in [
            (vec![10; 1], 1),
            (vec![10; 3], 1),
            (vec![10; 4], 4),
            (vec![10; 63], 16),
            (vec![10; 200], 64),
            (vec![WEIGHT / 10; 64], 4),
            (vec![WEIGHT + 1; 4], 1),
        ] {
            assert_eq!(chunk(&records(&sizes)), expected, "{} records", sizes.len());
        }
    }

    #[test]
    fn every_shape_has_its_statement() {
        assert!(statement(64, true, false).starts_with("BEGIN"));
        assert!(statement(1, false, true).ends_with("COMMIT"));
    }
}
