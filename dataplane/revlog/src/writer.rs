//! The writer: one task that makes all waiting writes durable together.
//!
//! While a batch is on its way to the disk the next one gathers in the queue, so the batches grow with the load and one
//! sync of the disk serves them all. Nobody is answered before the hub has what was written.

use std::{
    collections::{HashMap, HashSet},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use proto::store::{Error, Key, Result, Revision};
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc, oneshot},
    time::{self, Instant},
};
use tracing::{Instrument, Span, info_span, warn};

use crate::{
    batch::{Plan, Prepared, plan},
    engine::{CommitError, Current, Engine, Record, Turn},
    log::Shared,
};

/// How many writes share a transaction at most.
const BATCH: usize = 1024;

/// How long to wait between looks at whether an unsure commit is there.
const PAUSE: Duration = Duration::from_millis(100);

/// A write in the queue.
pub(crate) struct Pending {
    pub(crate) write: Prepared,
    /// Whoever waits for it, or has gone: the write happens all the same.
    pub(crate) answer: oneshot::Sender<Result<Revision>>,
    /// What it asked for.
    pub(crate) span: Span,
    /// Its share of the memory that waiting writes may take.
    pub(crate) room: OwnedSemaphorePermit,
}

/// Those who wait for a batch, in its order.
struct Waiting {
    answer: oneshot::Sender<Result<Revision>>,
    _room: OwnedSemaphorePermit,
}

/// Takes writes from the queue until it is closed and empty.
pub(crate) async fn run<E: Engine>(log: Arc<Shared<E>>, mut queue: mpsc::Receiver<Pending>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut closing = pin!(log.closing());
    let mut closed = false;
    loop {
        tokio::select! {
            biased;
            () = &mut closing, if !closed => {
                queue.close();
                closed = true;
            }
            taken = queue.recv_many(&mut batch, BATCH) => match taken {
                0 => break,
                _ => log.append(std::mem::take(&mut batch)).await,
            },
        }
    }
}

// === impl Shared ===

impl<E: Engine> Shared<E> {
    /// Makes a batch durable, shows it to watchers and answers those who wait for it.
    async fn append(&self, batch: Vec<Pending>) {
        let start = Instant::now();
        let span = span(&batch);
        let (writes, waiting): (Vec<_>, Vec<_>) = batch
            .into_iter()
            .map(|Pending { write, answer, room, .. }| (write, Waiting { answer, _room: room }))
            .unzip();
        let outcomes = match self.commit(writes).instrument(span).await {
            Ok(plan) => {
                self.metrics.batch.observe(plan.records.len() as f64);
                self.metrics.commit.observe(start.elapsed().as_secs_f64());
                self.metrics.writes.inc_by(plan.records.len() as u64);
                self.show(plan.events()).await;
                plan.outcomes
            }
            Err(error) => vec![Err(error); waiting.len()],
        };
        self.metrics.refused.inc_by(outcomes.iter().filter(|outcome| outcome.is_err()).count() as u64);
        for (waiting, outcome) in waiting.into_iter().zip(outcomes) {
            // Whoever is gone does not hear it.
            waiting.answer.send(outcome).ok();
        }
    }

    /// Decides and commits. `Ok` means that all of the plan's records are durable, `Err` that none is, or nobody knows.
    async fn commit(&self, writes: Vec<Prepared>) -> Result<Plan> {
        let (turn, current) = self.turn(&writes).await?;
        let plan = plan(turn.head(), current, writes);
        match turn.commit(&plan.records).await {
            Ok(()) => (),
            Err(CommitError::Refused(error)) => return Err(error),
            Err(CommitError::Unsure(error)) => self.settle(plan.records.last(), error).await?,
        }
        self.wrote(&plan.records);
        Ok(plan)
    }

    /// Takes the turn, and finds out what the keys of `writes` are: from memory where that is as new as the log is, for
    /// which only the turn can vouch. Where others write, that is seldom so.
    async fn turn(&self, writes: &[Prepared]) -> Result<(E::Turn<'_>, HashMap<Key, Current>)> {
        let keys: HashSet<&Key> = writes.iter().map(|write| &write.key).collect();
        let mut keys: Vec<Key> = keys.into_iter().cloned().collect();
        if self.engine.others().is_some() {
            let mut turn = self.engine.begin(&keys).await?;
            let current = turn.current();
            return Ok((turn, current));
        }
        let (head, mut current) = self.hub.current(&keys);
        keys.retain(|key| !current.contains_key(key));
        let mut turn = self.engine.begin(&keys).await?;
        if turn.head() != head {
            // Somebody else has written: what is in memory is old.
            turn.commit(&[]).await.map_err(CommitError::into_error)?;
            keys.extend(current.drain().map(|(key, _)| key));
            turn = self.engine.begin(&keys).await?;
            self.hub.skip_to(turn.head());
        }
        current.extend(turn.current());
        Ok((turn, current))
    }

    /// Finds out whether an unsure commit happened: `Ok` if so. Nobody is answered, and nothing else is written, before
    /// that is known.
    async fn settle(&self, last: Option<&Arc<Record>>, error: Error) -> Result<()> {
        let Some(last) = last else { return Err(error) };
        warn!(rev = last.revision, "commit is unsure, reading it again: {error}");
        loop {
            match self.engine.committed(last).await {
                Ok(true) => break Ok(()),
                Ok(false) => break Err(error),
                Err(still) => warn!(rev = last.revision, "commit is still unsure: {still}"),
            }
            self.unsettled(true);
            tokio::select! {
                () = time::sleep(PAUSE) => (),
                () = self.closing() => break Err(Error::Internal { reason: format!("it is not known whether the write happened: {error}") }),
            }
        }
        .inspect(|()| self.unsettled(false))
        .inspect_err(|_| self.unsettled(false))
    }
}

/// The span of the transaction: part of the first write that asked for it, and following from all others.
fn span(batch: &[Pending]) -> Span {
    let first = batch.first().map_or_else(Span::none, |pending| pending.span.clone());
    let span = info_span!(parent: &first, "engine.append", writes = batch.len());
    for pending in batch.iter().skip(1) {
        span.follows_from(&pending.span);
    }
    span
}
