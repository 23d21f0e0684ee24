//! What a driver sends, as it is forwarded: checked, counted, cut where it is too large, and given up on in time.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use proto::cbt::{Blocks, Builder, Checker, Data, Error, Query, Result};
use tokio::time::{Instant, Sleep, sleep};

use crate::{
    metrics::{Metrics, Streams},
    relay::named,
};

/// What a message weighs at most, in bytes: Go's clients take 4 MiB unless they are told otherwise.
const WEIGHT: usize = 2 << 20;

/// A driver's answer. Its first error is its end, and the driver is let go of then.
pub(crate) struct Followed {
    messages: BoxStream<'static, Result<Blocks>>,
    checker: Checker,
    per_message: u32,
    /// What is left of a message that was too large.
    rest: VecDeque<Blocks>,
    silence: Silence,
    driver: String,
    metrics: Metrics,
    streams: Streams,
}

/// Measures how long a driver has sent nothing, though it was asked.
struct Silence {
    patience: Duration,
    sleep: Pin<Box<Sleep>>,
    running: bool,
}

// === impl Followed ===

impl Followed {
    pub(crate) fn new(
        messages: BoxStream<'static, Result<Blocks>>,
        query: &Query,
        driver: String,
        patience: Duration,
        metrics: &Metrics,
    ) -> Self {
        Self {
            messages,
            checker: Checker::new(query),
            per_message: query.per_message,
            rest: VecDeque::new(),
            silence: Silence::new(patience),
            streams: metrics.streams(&driver),
            driver,
            metrics: metrics.clone(),
        }
    }

    fn take(&mut self, blocks: Blocks) -> Result<Blocks> {
        self.checker.check(&blocks)?;
        self.streams.count(&blocks);
        if !is_too_large(&blocks, self.per_message) {
            return Ok(blocks);
        }
        self.rest = cut(&blocks, self.per_message);
        Ok(self.rest.pop_front().unwrap_or(blocks))
    }

    fn fail(&mut self, error: Error) -> Error {
        self.messages = stream::empty().boxed();
        let error = named(error, &self.driver);
        self.metrics.failed(&self.driver, &error);
        let (driver, entries, end) = (&self.driver, self.checker.count(), self.checker.end());
        tracing::info!(
            cbt.driver = driver,
            entries,
            end,
            "a stream of {driver} ended after {entries} entries: {error}"
        );
        error
    }
}

impl Stream for Followed {
    type Item = Result<Blocks>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if let Some(blocks) = this.rest.pop_front() {
            return Poll::Ready(Some(Ok(blocks)));
        }
        let item = match this.messages.poll_next_unpin(cx) {
            Poll::Ready(Some(item)) => item.and_then(|blocks| this.take(blocks)),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => {
                ready!(this.silence.poll(cx));
                Err(silent(&this.driver, this.silence.patience))
            }
        };
        this.silence.running = false;
        Poll::Ready(Some(item.map_err(|error| this.fail(error))))
    }
}

// === impl Silence ===

impl Silence {
    fn new(patience: Duration) -> Self {
        Self { patience, sleep: Box::pin(sleep(patience)), running: false }
    }

    /// Ready once it has lasted too long.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.running {
            self.sleep.as_mut().reset(Instant::now() + self.patience);
            self.running = true;
        }
        self.sleep.as_mut().poll(cx)
    }
}

fn silent(driver: &str, patience: Duration) -> Error {
    Error::Unavailable(format!("the driver {driver} sent nothing for {patience:?}"))
}

/// Data of a driver; its first error is its end.
pub(crate) fn data(
    pieces: BoxStream<'static, Result<Data>>,
    driver: String,
    patience: Duration,
    metrics: Metrics,
) -> BoxStream<'static, Result<Data>> {
    stream::unfold(Some((pieces, driver, metrics)), move |state| async move {
        let (mut pieces, driver, metrics) = state?;
        let next = tokio::time::timeout(patience, pieces.next()).await;
        match next.unwrap_or_else(|_| Some(Err(silent(&driver, patience))))? {
            Ok(piece) => Some((Ok(piece), Some((pieces, driver, metrics)))),
            Err(error) => {
                let error = named(error, &driver);
                metrics.failed(&driver, &error);
                Some((Err(error), None))
            }
        }
    })
    .boxed()
}

fn is_too_large(blocks: &Blocks, per_message: u32) -> bool {
    blocks.encoded().len() > WEIGHT || per_message > 0 && blocks.len() > per_message as usize
}

/// The same entries in messages of the size that was asked for.
fn cut(blocks: &Blocks, per_message: u32) -> VecDeque<Blocks> {
    let (issued, ttl) = blocks.validity();
    let begin = || {
        let mut builder = Builder::new(blocks.kind(), blocks.capacity());
        if ttl > 0 {
            builder.validity(issued, ttl);
        }
        builder
    };
    let (mut messages, mut builder) = (VecDeque::new(), begin());
    for block in blocks.iter() {
        builder.push(block);
        if builder.is_full(per_message) {
            messages.push_back(std::mem::replace(&mut builder, begin()).finish());
        }
    }
    if !builder.is_empty() {
        messages.push_back(builder.finish());
    }
    messages
}
