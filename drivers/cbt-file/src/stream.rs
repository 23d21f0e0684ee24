//! From blocking work to a stream: one message is made when one is asked for, and the thread is given back.

use std::time::Duration;

use futures::{StreamExt, stream, stream::BoxStream};
use proto::cbt::{Blocks, Error, Packer, Result};
use tokio::{task::spawn_blocking, time::Instant};

use crate::{
    cancel::Guard,
    ranges::{Ranges, Step},
};

/// How long entries wait for a message to be full.
const LINGER: Duration = Duration::from_millis(20);

/// Blocking work that makes one thing after another.
pub(crate) trait Produce: Send + 'static {
    /// What it makes.
    type Item: Send + 'static;

    /// The next, or `None` after the last. It is not asked again after an error.
    fn next(&mut self) -> Result<Option<Self::Item>>;
}

/// The messages of an answer.
pub(crate) struct Messages {
    packer: Packer,
    ranges: Box<dyn Ranges>,
    /// How it ended, when that is still to be said.
    ended: Option<Result<()>>,
}

/// What `producer` makes. Dropping the stream drops `guard`, which ends the work.
pub(crate) fn stream<P: Produce>(producer: P, guard: Guard) -> BoxStream<'static, Result<P::Item>> {
    stream::try_unfold((producer, guard), |(mut producer, guard)| async {
        let (next, producer) = blocking(move || (producer.next(), producer)).await?;
        Ok(next?.map(|item| (item, (producer, guard))))
    })
    .boxed()
}

/// Runs blocking work.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let span = tracing::Span::current();
    let done = spawn_blocking(move || span.in_scope(work)).await;
    done.map_err(|error| Error::Internal(format!("the work of the file driver did not end well: {error}")))
}

// === impl Messages ===

impl Messages {
    pub(crate) fn new(packer: Packer, ranges: Box<dyn Ranges>) -> Self {
        Self { packer, ranges, ended: None }
    }

    /// Looks on until there is a message, or it is time to send what there is.
    fn scan(&mut self) -> Result<Option<Blocks>> {
        let began = Instant::now();
        loop {
            if let Some(full) = self.packer.message() {
                return Ok(Some(full));
            }
            if self.packer.is_done() {
                return Ok(None);
            }
            match self.ranges.step()? {
                Step::Found(range) => self.packer.push(range)?,
                Step::End => return Ok(None),
                Step::Passed if began.elapsed() > LINGER => match self.packer.rest() {
                    Some(waiting) => return Ok(Some(waiting)),
                    None => continue,
                },
                Step::Passed => {}
            }
        }
    }
}

impl Produce for Messages {
    type Item = Blocks;

    fn next(&mut self) -> Result<Option<Blocks>> {
        if let Some(ended) = self.ended.take() {
            return ended.map(|()| None);
        }
        let ended = match self.scan() {
            Ok(Some(message)) => return Ok(Some(message)),
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        // What was found before an error is good. The head of an answer is no news once it has failed.
        match self.packer.rest().filter(|rest| ended.is_ok() || !rest.is_empty()) {
            Some(rest) => {
                self.ended = Some(ended);
                Ok(Some(rest))
            }
            None => ended.map(|()| None),
        }
    }
}
