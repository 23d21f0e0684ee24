//! `watch`: the records' log after a revision.

use std::sync::Arc;

use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use hyperfleet_records::{Change, Changed, Records};
use proto::store::{self, Batch, Error, Event, Previous, Result, Revision, Scope};

use super::View;
use crate::{error::of_read, object::Shape};

pub(super) async fn watch(view: &View, scope: &Scope, after: Revision) -> Result<BoxStream<'static, Result<Batch>>> {
    let oldest = view.reached(after).await?.compacted;
    if after < oldest {
        return Err(Error::Compacted { requested: after, oldest });
    }
    let following =
        Following { records: view.records.clone(), shape: view.shape_of(scope).cloned(), after, waits: false };
    Ok(stream::try_unfold(following, Following::next).boxed())
}

/// A watch under way.
struct Following {
    records: Records,
    /// `None` where nothing happens: how far that is known is told all the same.
    shape: Option<Arc<Shape>>,
    after: Revision,
    /// Whether everything was told, and something new is to be waited for.
    waits: bool,
}

// === impl Following ===

impl Following {
    /// The next batch. The first comes at once, and later ones when there is something to tell.
    async fn next(mut self) -> Result<Option<(Batch, Self)>> {
        loop {
            if self.waits {
                self.records.changed(self.after).await.map_err(|error| of_read(error, self.after))?;
            }
            let batch = self.read().await?;
            let told = self.waits && batch.upto <= self.after;
            self.waits = batch.upto <= self.after || batch.events.is_empty();
            self.after = self.after.max(batch.upto);
            if !told {
                return Ok(Some((batch, self)));
            }
        }
    }

    async fn read(&self) -> Result<Batch> {
        let Some(shape) = &self.shape else {
            let bounds = self.records.bounds().await.map_err(|error| of_read(error, self.after))?;
            return Ok(Batch { events: Vec::new(), upto: bounds.head });
        };
        let changes = self.records.changes(shape.kind, self.after).await;
        let (changes, upto) = changes.map_err(|error| of_read(error, self.after))?;
        Ok(Batch { events: changes.into_iter().map(|change| event(shape, &change)).collect(), upto })
    }
}

fn event(shape: &Shape, Change { revision, changed, resource, previous }: &Change) -> Event {
    let change = match changed {
        Changed::Created => store::Change::Created,
        Changed::Updated => store::Change::Updated,
        Changed::Gone => store::Change::Deleted,
    };
    let previous = previous.as_ref().filter(|_| *changed == Changed::Updated);
    let previous = previous.map(|before| Previous { revision: before.revision, content: shape.content(before) });
    Event { change, entry: shape.entry_at(resource, *revision), previous }
}
