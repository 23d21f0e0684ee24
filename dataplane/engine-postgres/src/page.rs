//! Reads of ranges: pages of objects as of a revision, and counts.

use proto::store::{Entry, Key, Result, Revision, Scope};
use revlog::{Page, Range};

use crate::{postgres::Postgres, query::Query, rows, sql};

/// Where in a row of a page things are.
const CONTENT: usize = 2;
const COUNT: usize = CONTENT + rows::CONTENT;

// === impl Postgres ===

impl Postgres {
    pub(crate) async fn read_page(&self, range: &Range<'_>) -> Result<Page> {
        let Some(resource) = self.resource(range.scope).await? else { return Ok(Page::default()) };
        let query = Query::new(sql::PAGE)
            .long(range.at)
            .long(range.bytes as u64)
            .long(range.rows as u64)
            .range(resource, range.scope, range.after)
            .labels(range.labels)
            .fields(range.fields)
            .push(sql::PAGE_CHANGED)
            .range(resource, range.scope, range.after)
            .push(sql::PAGE_END);
        let found = query.rows(&self.pool, "reading objects").await?;
        self.check_kept(range.at).await?;
        self.learn(found.iter().map(|row| Ok((None, rows::schema(row, CONTENT)?)))).await?;
        let mut entries = Vec::with_capacity(found.len());
        for row in &found {
            let (revision, content) = rows::content(row, CONTENT, &self.names)?;
            entries.push(Entry {
                key: key(range.scope, rows::column(row, 0)?, rows::column(row, 1)?),
                revision,
                content,
            });
        }
        // How many there were before the bytes were counted, though not more than asked for.
        let count = found.first().map_or(Ok(0), |row| rows::revision(row, COUNT))? as usize;
        let last = entries.last().filter(|_| entries.len() < count || count >= range.rows);
        let next = last.map(|Entry { key, .. }| (key.namespace.clone(), key.name.clone()));
        Ok(Page { entries, next })
    }

    pub(crate) async fn read_count(&self, scope: &Scope, after: Option<(&str, &str)>) -> Result<u64> {
        let Some(resource) = self.resource(scope).await? else { return Ok(0) };
        let query = Query::new(sql::COUNT).range(resource, scope, after);
        let found = query.rows(&self.pool, "counting objects").await?;
        found.first().map_or(Ok(0), |row| rows::revision(row, 0))
    }

    /// The object at `key` as of a revision, or as it is.
    pub(crate) async fn read_object(&self, key: &Key, at: Revision) -> Result<Option<Entry>> {
        let scope = key.scope();
        let Some(resource) = self.resource(&scope).await? else { return Ok(None) };
        let query = match at {
            Revision::MAX => Query::new(sql::GET).int(resource).text(&key.namespace).text(&key.name),
            at => {
                let named = |query: Query| query.range(resource, &scope, None).named(&key.namespace, &key.name);
                let unchanged = named(Query::new(sql::PAGE).long(at).long(1).long(1));
                named(unchanged.push(sql::PAGE_CHANGED)).push(sql::PAGE_END)
            }
        };
        let first = if at == Revision::MAX { 0 } else { CONTENT };
        let found = query.rows(&self.pool, "reading an object").await?;
        if at != Revision::MAX {
            self.check_kept(at).await?;
        }
        self.learn(found.iter().map(|row| Ok((None, rows::schema(row, first)?)))).await?;
        let Some(row) = found.first() else { return Ok(None) };
        let (revision, content) = rows::content(row, first, &self.names)?;
        Ok(Some(Entry { key: key.clone(), revision, content }))
    }
}

fn key(scope: &Scope, namespace: String, name: String) -> Key {
    Key { group: scope.group.clone(), resource: scope.resource.clone(), namespace, name }
}
