//! `list`: the objects as of one revision, read some at a time, selected here.

use std::sync::Arc;

use futures::{StreamExt, stream};
use hyperfleet_records::{Kind, Query, Records, Resource};
use proto::store::{At, Entry, Error, List, ListOptions, Result, Revision, Scope};

use super::View;
use crate::{error::of_read, object::Shape};

/// How many records are read at once.
const ROWS: usize = 250;

pub(super) async fn list(view: &View, scope: &Scope, options: ListOptions) -> Result<List> {
    let revision = revision(view, options.at).await?;
    let Some(shape) = view.shape_of(scope) else {
        return Ok(List { revision, count: options.count.then_some(0), chunks: stream::empty().boxed() });
    };
    let count = match options.count && options.after.is_none() {
        true => Some(count(&view.records, shape.kind).await?),
        false => None,
    };
    let reading = Reading::new(view.records.clone(), Arc::clone(shape), revision, options);
    let chunks = stream::try_unfold(reading, Reading::next);
    Ok(List { revision, count, chunks: chunks.boxed() })
}

/// The revision to read as of.
async fn revision(view: &View, at: At) -> Result<Revision> {
    match at {
        At::Latest | At::NotOlderThan(0) => Ok(view.bounds().await?.head),
        At::NotOlderThan(revision) => Ok(view.reached(revision).await?.head),
        At::Exact(requested) => match view.reached(requested).await?.compacted {
            oldest if requested < oldest => Err(Error::Compacted { requested, oldest }),
            _ => Ok(requested),
        },
    }
}

/// How many there are now, which is near enough.
async fn count(records: &Records, kind: Kind) -> Result<u64> {
    let page = records.list(kind, None, &Query { limit: 0, ..Query::default() }).await;
    page.map(|page| page.total).map_err(|error| of_read(error, 0))
}

/// A list under way.
struct Reading {
    records: Records,
    shape: Arc<Shape>,
    at: Revision,
    options: ListOptions,
    /// How many entries may still come.
    left: u64,
    /// Where the next rows begin.
    after: Option<String>,
    /// The one name that is asked for.
    only: Option<String>,
    done: bool,
}

// === impl Reading ===

impl Reading {
    fn new(records: Records, shape: Arc<Shape>, at: Revision, options: ListOptions) -> Self {
        let only = options.fields.exact("metadata.name").map(str::to_owned);
        let begin = options.after.as_ref().map(|(_, name)| name.clone());
        // The name that is asked for is behind its own beginning.
        let before = only.as_deref().and_then(|name| name.get(..name.len().checked_sub(1)?)).map(str::to_owned);
        let left = options.limit.unwrap_or(u64::MAX);
        Self { records, shape, at, options, left, after: begin.max(before), only, done: false }
    }

    /// The next entries that are selected; never none.
    async fn next(mut self) -> Result<Option<(Vec<Entry>, Self)>> {
        while !self.done && self.left > 0 {
            let rows = self.records.as_of(self.shape.kind, self.at, self.after.as_deref(), ROWS).await;
            let rows = rows.map_err(|error| of_read(error, self.at))?;
            self.done = rows.len() < ROWS || rows.last().is_some_and(|last| self.is_behind(last));
            self.after = rows.last().map(|last| last.object_name.clone());
            let mut entries: Vec<Entry> = rows.iter().filter_map(|row| self.selected(row)).collect();
            entries.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
            self.left -= entries.len() as u64;
            if !entries.is_empty() {
                return Ok(Some((entries, self)));
            }
        }
        Ok(None)
    }

    /// Whether nothing that is asked for comes after this row.
    fn is_behind(&self, row: &Resource) -> bool {
        self.only.as_ref().is_some_and(|only| row.object_name >= *only)
    }

    fn selected(&self, row: &Resource) -> Option<Entry> {
        if self.only.as_ref().is_some_and(|only| row.object_name != *only) {
            return None;
        }
        let entry = self.shape.entry(row);
        let Entry { key, content, .. } = &entry;
        let field = |field: &str| match field {
            "metadata.name" => Some(key.name.as_str()),
            "metadata.namespace" => Some(""),
            field => content.fields.get(field).map(String::as_str),
        };
        (self.options.labels.matches(&content.labels) && self.options.fields.matches(&field)).then_some(entry)
    }
}
