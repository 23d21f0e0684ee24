//! A list: pages as of one revision, each its own short read, until the range or the limit ends.

use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt};
use machinery::selector::{FieldSelector, LabelSelector};
use proto::store::{Entry, Result, Revision, Scope};

use crate::{
    engine::{Engine, Page, Range},
    pins::Pin,
};

/// How many objects one page has at most.
const ROWS: usize = 500;

/// How many bytes of JSON end a page.
const BYTES: usize = 1 << 20;

/// A list that is under way.
pub(crate) struct Listing<E> {
    pub(crate) engine: Arc<E>,
    pub(crate) scope: Scope,
    pub(crate) at: Revision,
    pub(crate) after: Option<(String, String)>,
    /// How many entries may still come; `None` is all.
    pub(crate) limit: Option<u64>,
    pub(crate) labels: LabelSelector,
    pub(crate) fields: FieldSelector,
    /// Keeps what is read as of `at` from compaction.
    pub(crate) _pin: Pin,
}

// === impl Listing ===

impl<E: Engine> Listing<E> {
    /// The entries, a page at a time.
    pub(crate) fn stream(self) -> BoxStream<'static, Result<Vec<Entry>>> {
        stream::try_unfold(Some(self), |listing| async {
            match listing {
                Some(listing) => listing.next().await,
                None => Ok(None),
            }
        })
        .boxed()
    }

    /// The next entries, and what is left to list after them.
    async fn next(mut self) -> Result<Option<(Vec<Entry>, Option<Self>)>> {
        loop {
            let rows = self.limit.map_or(ROWS, |limit| usize::try_from(limit).unwrap_or(ROWS).min(ROWS));
            if rows == 0 {
                return Ok(None);
            }
            let Page { entries, next } = self.engine.page(&self.range(rows)).await?;
            let mut entries: Vec<_> = entries.into_iter().filter(|entry| self.matches(entry)).collect();
            entries.truncate(rows);
            self.limit = self.limit.map(|limit| limit.saturating_sub(entries.len() as u64));
            let more = next.is_some();
            self.after = next;
            match (entries.is_empty(), more) {
                (true, false) => return Ok(None),
                (true, true) => (),
                (false, true) => return Ok(Some((entries, Some(self)))),
                (false, false) => return Ok(Some((entries, None))),
            }
        }
    }

    fn range(&self, rows: usize) -> Range<'_> {
        Range {
            scope: &self.scope,
            at: self.at,
            after: self.after.as_ref().map(|(namespace, name)| (namespace.as_str(), name.as_str())),
            rows,
            bytes: BYTES,
            labels: &self.labels,
            fields: &self.fields,
        }
    }

    fn matches(&self, entry: &Entry) -> bool {
        let fields = &entry.content.fields;
        self.labels.matches(&entry.content.labels)
            && self.fields.matches(&|field| match field {
                "metadata.name" => Some(entry.key.name.as_str()),
                "metadata.namespace" => Some(entry.key.namespace.as_str()),
                _ => fields.get(field).map(String::as_str),
            })
    }
}
