//! Reads of ranges: pages of objects as of a revision, events, counts.

use futures::TryStreamExt;
use proto::store::{Batch, Change, Entry, Event, Key, Previous, Result, Revision, Scope};
use revlog::{Page, Range};
use sqlx::sqlite::SqliteRow;

use crate::{builder::Builder, error, rows, sql, sqlite::Sqlite};

/// How many keys a read with selectors passes at most.
const WINDOW: i64 = 10_000;

/// How many revisions one read of events passes at most.
const REVISIONS: Revision = 10_000;

/// How many events one read returns at most.
const EVENTS: i64 = 500;

/// How many bytes of JSON end a read of events.
const BYTES: usize = 1 << 20;

/// Where in a key order something is.
type Place = (String, String);

// === impl Sqlite ===

impl Sqlite {
    pub(crate) async fn read_page(&self, range: &Range<'_>) -> Result<Page> {
        let Some(resource) = self.names.of(range.scope) else { return Ok(Page::default()) };
        let selects = !range.labels.requirements.is_empty() || !range.fields.requirements.is_empty();
        let bound = match selects {
            true => self.bound(resource, range).await?,
            false => None,
        };
        let query = Builder::new(sql::PAGE, range.at as i64)
            .range(resource, range.scope, range.after)
            .upto(bound.as_ref())
            .labels(range.labels)
            .fields(range.fields)
            .push(sql::PAGE_END)
            .bind(range.rows as i64);
        let page = self.fill(query, !selects, range, bound).await?;
        self.check_kept(range.at)?;
        Ok(page)
    }

    /// Runs the query until the page is full.
    async fn fill(&self, query: Builder, keep: bool, range: &Range<'_>, bound: Option<Place>) -> Result<Page> {
        let mut reader = self.readers.take().await?;
        let mut found = query.build(keep).fetch(reader.connection());
        let (mut entries, mut bytes) = (Vec::new(), 0);
        let mut next = bound;
        while let Some(row) = found.try_next().await.map_err(|error| error::store("reading objects", error))? {
            let entry = self.entry(&row, range.scope)?;
            bytes += entry.content.value.json.len();
            entries.push(entry);
            if entries.len() >= range.rows || bytes >= range.bytes {
                next = entries.last().map(|Entry { key, .. }| (key.namespace.clone(), key.name.clone()));
                break;
            }
        }
        drop(found);
        reader.done();
        Ok(Page { entries, next })
    }

    /// The key up to which a read with selectors goes; `None` when it may go to the end.
    async fn bound(&self, resource: i64, range: &Range<'_>) -> Result<Option<Place>> {
        let query = Builder::new(sql::BOUND, range.at as i64).range(resource, range.scope, range.after);
        let query = query.push(sql::BOUND_END).bind(WINDOW - 1);
        let mut reader = self.readers.take().await?;
        let place = query.build(true).fetch_optional(reader.connection()).await;
        let place = place.map_err(|error| error::store("reading a range", error))?;
        reader.done();
        place.map(|row| Ok((rows::column(&row, 0)?, rows::column(&row, 1)?))).transpose()
    }

    fn entry(&self, row: &SqliteRow, scope: &Scope) -> Result<Entry> {
        let (revision, content) = rows::content(row, 2, &self.names)?;
        Ok(Entry { key: key(scope, rows::column(row, 0)?, rows::column(row, 1)?), revision, content })
    }

    pub(crate) async fn read_count(&self, scope: &Scope, after: Option<(&str, &str)>) -> Result<u64> {
        let Some(resource) = self.names.of(scope) else { return Ok(0) };
        let query = Builder::new(sql::COUNT, 0).range(resource, scope, after).build(true);
        let mut reader = self.readers.take().await?;
        let row = query.fetch_one(reader.connection()).await;
        let row = row.map_err(|error| error::store("counting objects", error))?;
        reader.done();
        Ok(rows::column::<i64>(&row, 0)? as u64)
    }

    pub(crate) async fn read_events(&self, scope: &Scope, after: Revision, upto: Revision) -> Result<Batch> {
        let upto = upto.min(after + REVISIONS);
        let Some(resource) = self.names.of(scope) else { return Ok(Batch { events: Vec::new(), upto }) };
        let mut reader = self.readers.take().await?;
        let mut found = sqlx::query(sql::EVENTS)
            .bind(resource)
            .bind(after as i64)
            .bind(upto as i64)
            .bind(scope.namespace.as_deref())
            .bind(EVENTS)
            .fetch(reader.connection());
        let (mut events, mut bytes) = (Vec::new(), 0);
        let mut full = false;
        while let Some(row) = found.try_next().await.map_err(|error| error::store("reading history", error))? {
            let event = self.event(&row, scope)?;
            bytes += event.entry.content.value.json.len();
            events.push(event);
            full = bytes >= BYTES || events.len() as i64 == EVENTS;
            if full {
                break;
            }
        }
        drop(found);
        reader.done();
        self.check_kept(after)?;
        let complete = events.last().filter(|_| full).map_or(upto, |event| event.entry.revision);
        Ok(Batch { events, upto: complete })
    }

    /// An event from its row, and the row before it of the same key.
    fn event(&self, row: &SqliteRow, scope: &Scope) -> Result<Event> {
        const AFTER: usize = 3;
        const BEFORE: usize = AFTER + rows::CONTENT;
        let key = key(scope, rows::column(row, 0)?, rows::column(row, 1)?);
        let change = rows::change(rows::column(row, 2)?)?;
        let revision = rows::revision(row, AFTER)?;
        let before = |row| rows::content(row, BEFORE, &self.names);
        let (content, previous) = match change {
            Change::Created => (rows::content(row, AFTER, &self.names)?.1, None),
            Change::Deleted => (before(row)?.1, None),
            Change::Updated => {
                let (revision, content) = before(row)?;
                (rows::content(row, AFTER, &self.names)?.1, Some(Previous { revision, content }))
            }
        };
        Ok(Event { change, entry: Entry { key, revision, content }, previous })
    }
}

fn key(scope: &Scope, namespace: String, name: String) -> Key {
    Key { group: scope.group.clone(), resource: scope.resource.clone(), namespace, name }
}
