//! Reads of history: what was written, what it made and what it replaced.

use std::future;

use async_trait::async_trait;
use proto::store::{Batch, Change, Entry, Event, Key, Previous, Result, Revision, Scope};
use revlog::Others;
use sqlx::postgres::PgRow;

use crate::{postgres::Postgres, query::Query, rows, sql};

/// How many revisions one read of one resource's events passes at most.
const REVISIONS: Revision = 10_000;

/// How many events one read returns at most, and how many bytes end it.
const EVENTS: u64 = 500;
const BYTES: u64 = 2 << 20;

/// Where in a row things are.
const MADE: usize = 5;
const REPLACED: usize = MADE + rows::CONTENT;
const COUNT: usize = REPLACED + rows::CONTENT + 2;

// === impl Postgres ===

impl Postgres {
    pub(crate) async fn read_events(&self, scope: &Scope, after: Revision, upto: Revision) -> Result<Batch> {
        let upto = upto.min(after + REVISIONS);
        let Some(resource) = self.resource(scope).await? else { return Ok(Batch { events: Vec::new(), upto }) };
        let query = Query::new(sql::EVENTS)
            .long(EVENTS)
            .long(BYTES)
            .int(resource)
            .long(after)
            .long(upto)
            .maybe_text(scope.namespace.as_deref());
        let (events, whole) = self.events_of(&query, after).await?;
        let cut = events.last().filter(|_| !whole);
        let complete = cut.map_or(upto, |event| event.entry.revision);
        Ok(Batch { events, upto: complete })
    }

    /// The events that `query` finds, and whether they are all.
    async fn events_of(&self, query: &Query, after: Revision) -> Result<(Vec<Event>, bool)> {
        let found = query.rows(&self.pool, "reading history").await?;
        self.check_kept(after).await?;
        let named = |row: &PgRow, first| Ok((Some(rows::column(row, 0)?), rows::schema(row, first)?));
        self.learn(found.iter().flat_map(|row| [named(row, MADE), named(row, REPLACED)])).await?;
        let count = found.first().map_or(Ok(0), |row| rows::revision(row, COUNT))?;
        let events: Vec<_> = found.iter().map(|row| self.event(row)).collect::<Result<_>>()?;
        let whole = events.len() as u64 == count && count < EVENTS;
        Ok((events, whole))
    }

    fn event(&self, row: &PgRow) -> Result<Event> {
        let (group, resource) = self.resource_name(rows::column(row, 0)?)?;
        let key = Key { group, resource, namespace: rows::column(row, 1)?, name: rows::column(row, 2)? };
        let (change, revision) = (rows::change(rows::column(row, 3)?)?, rows::revision(row, 4)?);
        let made = || rows::content(row, MADE, &self.names).map(|(_, content)| content);
        let replaced = || rows::content(row, REPLACED, &self.names);
        let (content, previous) = match change {
            Change::Created => (made()?, None),
            Change::Deleted => (replaced()?.1, None),
            Change::Updated => {
                let (revision, content) = replaced()?;
                (made()?, Some(Previous { revision, content }))
            }
        };
        Ok(Event { change, entry: Entry { key, revision, content }, previous })
    }
}

#[async_trait]
impl Others for Postgres {
    async fn appended(&self, after: Revision) {
        if self.notices.beyond(after).await.is_none() {
            // Nobody listens any more: the process ends.
            future::pending().await
        }
    }

    async fn events(&self, after: Revision) -> Result<Vec<Event>> {
        let query = Query::new(sql::ALL_EVENTS).long(EVENTS).long(BYTES).long(after);
        Ok(self.events_of(&query, after).await?.0)
    }
}
