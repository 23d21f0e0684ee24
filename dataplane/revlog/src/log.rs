//! The log: a [`Store`] over an [`Engine`].

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::stream::BoxStream;
use proto::store::{
    At, Batch, Change, Content, Entry, Error, Key, List, ListOptions, Op, Result, Revision, Scope, Status, Store,
    WatchOptions, Write, Written,
};
use tokio::{
    sync::{Mutex, Semaphore, mpsc, oneshot, watch},
    task,
    time::{self, Instant},
};
use tracing::{Span, debug, warn};

use crate::{
    batch::{Prepared, PreparedOp},
    codec::Stored,
    compact::{Age, Keep},
    engine::{Bounds, Engine, Record},
    hub::Hub,
    list::Listing,
    metrics::Metrics,
    pins::Pins,
    watch as watcher, writer,
    writer::Pending,
};

/// How many writes may wait.
const QUEUE: usize = 4096;

/// How many bytes of objects may wait to be written.
const WAITING: usize = 256 << 20;

/// Values from this size on are compressed away from the threads that serve requests.
const HEAVY: usize = 128 << 10;

/// What a log is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How long history is kept: how late a watcher or a list may come back.
    pub history: Duration,
    /// How many bytes of writes are kept as history, though they are younger.
    pub history_bytes: u64,
    /// From how many bytes on an object is stored compressed.
    pub compress: usize,
    /// How many bytes of events are kept in memory for watchers.
    pub ring_bytes: usize,
}

/// A [`Store`] over an [`Engine`].
pub struct Log<E> {
    shared: Arc<Shared<E>>,
    queue: mpsc::Sender<Pending>,
    room: Arc<Semaphore>,
    done: watch::Receiver<bool>,
}

/// What the log and its tasks share.
pub(crate) struct Shared<E> {
    pub(crate) engine: Arc<E>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) metrics: Metrics,
    options: Options,
    pins: Arc<Pins>,
    compacted: AtomicU64,
    written: AtomicU64,
    unsettled: AtomicBool,
    closing: watch::Sender<bool>,
    /// Held by whoever shows events to the hub, so that they come in order.
    pub(crate) showing: Mutex<()>,
}

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self { history: Duration::from_secs(300), history_bytes: 2 << 30, compress: 8 << 10, ring_bytes: 64 << 20 }
    }
}

// === impl Log ===

impl<E: Engine> Log<E> {
    /// The log that `engine` holds, and its work: a future that must be run for anything to be written, watched or
    /// compacted, and that ends after [`Log::close`].
    pub async fn open(
        engine: E,
        options: Options,
        metrics: Metrics,
    ) -> Result<(Arc<Self>, impl Future<Output = ()> + Send + 'static)> {
        let Bounds { head, compacted } = engine.bounds().await?;
        let (queue, waiting) = mpsc::channel(QUEUE);
        let (finished, done) = watch::channel(false);
        let shared = Arc::new(Shared {
            engine: Arc::new(engine),
            hub: Arc::new(Hub::new(head, options.ring_bytes, metrics.clone())),
            metrics,
            options,
            pins: Arc::default(),
            compacted: AtomicU64::new(compacted),
            written: AtomicU64::new(0),
            unsettled: AtomicBool::new(false),
            closing: watch::Sender::new(false),
            showing: Mutex::new(()),
        });
        shared.metrics.compacted.set(compacted as i64);
        let log = Self { shared: shared.clone(), queue, room: Arc::new(Semaphore::new(WAITING)), done };
        let work = async move {
            tokio::select! {
                () = writer::run(shared.clone(), waiting) => (),
                () = shared.hub.tell_progress() => (),
                () = shared.clone().compact_by_age() => (),
                () = shared.engine.maintain() => (),
                () = shared.follow_others() => (),
            }
            shared.hub.close();
            shared.engine.close().await;
            finished.send_replace(true);
        };
        Ok((Arc::new(log), work))
    }

    /// Ends the watches; everything else goes on.
    pub fn end_watches(&self) {
        self.shared.hub.close();
    }

    /// Finishes the writes that wait, ends the watches and leaves the engine tidy; returns when that is done.
    pub async fn close(&self) {
        self.shared.closing.send_replace(true);
        // An error means that the work was dropped: there is nothing left to wait for.
        self.done.clone().wait_for(|done| *done).await.ok();
    }

    /// The engine below.
    pub fn engine(&self) -> &E {
        &self.shared.engine
    }

    /// Forgets what only reads below `upto` need, whatever its age, though not what running lists read.
    pub async fn compact(&self, upto: Revision) -> Result<()> {
        self.shared.compact(upto).await
    }

    /// What is costly about a write, done before its turn.
    async fn prepare(&self, Write { key, op }: Write) -> Result<Prepared> {
        let op = match op {
            Op::Create(content) => {
                let (content, stored) = self.pack(content).await?;
                PreparedOp::Create(content, stored)
            }
            Op::Update(content, expect) => {
                let (content, stored) = self.pack(content).await?;
                PreparedOp::Update(content, stored, expect)
            }
            Op::Delete(expect) => PreparedOp::Delete(expect),
        };
        Ok(Prepared { key, op })
    }

    async fn pack(&self, content: Content) -> Result<(Arc<Content>, Stored)> {
        let (json, threshold) = (content.value.json.clone(), self.shared.options.compress);
        let stored = match json.len() >= HEAVY.max(threshold) {
            false => Stored::new(&json, threshold),
            true => task::spawn_blocking(move || Stored::new(&json, threshold))
                .await
                .map_err(|error| Error::Internal { reason: format!("compressing an object: {error}") })?,
        };
        Ok((Arc::new(content), stored))
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<E: Engine> Store for Log<E> {
    async fn get(&self, key: &Key, at: At) -> Result<Option<Entry>> {
        let at = match at {
            At::Exact(_) => return Err(invalid("an object is read as of the latest revision, or not older than one")),
            at => self.shared.resolve(at).await?,
        };
        if self.shared.engine.others().is_some() {
            return self.shared.engine.get(key, Revision::MAX).await;
        }
        match self.shared.hub.newest(key) {
            Some(event) if event.change == Change::Deleted => Ok(None),
            Some(event) => Ok(Some(event.entry.clone())),
            None => self.shared.engine.get(key, at).await,
        }
    }

    async fn list(&self, scope: &Scope, options: ListOptions) -> Result<List> {
        let ListOptions { at, after, limit, labels, fields, count } = options;
        let revision = self.shared.resolve(at).await?;
        let pin = self.shared.pins.pin(revision, Instant::now() + self.shared.options.history);
        self.shared.check_kept(revision).await?;
        let engine = self.shared.engine.clone();
        let count = match count {
            true => {
                let after = after.as_ref().map(|(namespace, name)| (namespace.as_str(), name.as_str()));
                Some(engine.count(scope, after).await?)
            }
            false => None,
        };
        let listing = Listing { engine, scope: scope.clone(), at: revision, after, limit, labels, fields, _pin: pin };
        Ok(List { revision, count, chunks: listing.stream() })
    }

    async fn watch(&self, scope: &Scope, options: WatchOptions) -> Result<BoxStream<'static, Result<Batch>>> {
        let Shared { engine, hub, metrics, .. } = &*self.shared;
        hub.reach(options.after).await?;
        self.shared.check_kept(options.after).await?;
        Ok(watcher::stream(engine.clone(), hub.clone(), metrics.clone(), scope.clone(), options.after))
    }

    async fn write(&self, write: Write) -> Result<Written> {
        write.check()?;
        self.shared.check_settled()?;
        let write = self.prepare(write).await?;
        let weight = u32::try_from(weight(&write)).unwrap_or(u32::MAX).min(WAITING as u32);
        let room = self.room.clone().acquire_many_owned(weight).await.expect("the semaphore is never closed");
        let (answer, answered) = oneshot::channel();
        let pending = Pending { write, answer, span: Span::current(), room };
        self.queue.send(pending).await.map_err(|_| shutting_down())?;
        let revision = answered.await.map_err(|_| shutting_down())??;
        Ok(Written { revision })
    }

    async fn status(&self) -> Result<Status> {
        self.shared.check_settled()?;
        let Bounds { head, compacted } = self.shared.engine.bounds().await?;
        let bytes = self.shared.engine.bytes().await?;
        self.shared.metrics.bytes.set(bytes as i64);
        let revision = if self.shared.engine.others().is_some() { head } else { self.shared.hub.head() };
        Ok(Status { revision, compacted, bytes })
    }
}

// === impl Shared ===

impl<E: Engine> Shared<E> {
    /// The revision to read as of. Where others write too, only the engine knows the latest.
    async fn resolve(&self, at: At) -> Result<Revision> {
        match at {
            At::Latest if self.engine.others().is_some() => Ok(self.engine.bounds().await?.head),
            At::Latest => Ok(self.hub.head()),
            At::NotOlderThan(revision) => self.hub.reach(revision).await,
            At::Exact(revision) => self.hub.reach(revision).await.map(|_| revision),
        }
    }

    /// Refuses what is compacted already; the engine refuses what comes to be so later.
    async fn check_kept(&self, requested: Revision) -> Result<()> {
        if self.engine.others().is_some() {
            self.forgot(self.engine.bounds().await?.compacted);
        }
        match self.compacted.load(Ordering::Acquire) {
            oldest if requested < oldest => Err(Error::Compacted { requested, oldest }),
            _ => Ok(()),
        }
    }

    fn check_settled(&self) -> Result<()> {
        match self.unsettled.load(Ordering::Acquire) {
            true => Err(Error::Unavailable { reason: "the database does not answer".into() }),
            false => Ok(()),
        }
    }

    /// Says whether there is a commit of which nobody knows whether it happened.
    pub(crate) fn unsettled(&self, unsettled: bool) {
        self.unsettled.store(unsettled, Ordering::Release);
    }

    /// Completes when the log is asked to close.
    pub(crate) async fn closing(&self) {
        // The sender is ours, so this cannot fail.
        self.closing.subscribe().wait_for(|closing| *closing).await.ok();
    }

    /// Counts what has been appended.
    pub(crate) fn wrote(&self, records: &[Arc<Record>]) {
        let bytes = records.iter().filter_map(|record| record.stored.as_ref()).map(|stored| stored.bytes.len() + 256);
        self.written.fetch_add(bytes.sum::<usize>() as u64, Ordering::Relaxed);
    }

    /// Compacts what is too old, for ever. What a pin or a failure holds up is tried again until it is done.
    async fn compact_by_age(self: Arc<Self>) {
        let keep = Keep { age: self.options.history, bytes: self.options.history_bytes };
        let (mut age, mut target, mut failed) = (Age::new(keep), 0, false);
        loop {
            let written = self.written.load(Ordering::Relaxed);
            target = age.mark(Instant::now(), self.hub.head(), written).unwrap_or(target);
            match self.compact(target).await {
                Ok(()) => failed = false,
                Err(error) if failed => debug!(rev = target, "compaction still fails: {error}"),
                Err(error) => {
                    failed = true;
                    warn!(rev = target, "compaction failed, it will be tried again: {error}");
                }
            }
            time::sleep(keep.interval()).await;
        }
    }

    async fn compact(&self, upto: Revision) -> Result<()> {
        let head = match self.engine.others() {
            Some(_) => self.engine.bounds().await?.head,
            None => self.hub.head(),
        };
        let upto = upto.min(head);
        loop {
            let target = self.pins.limit(upto, Instant::now());
            if self.compacted.load(Ordering::Acquire) >= target {
                return Ok(());
            }
            let compacted = self.engine.compact(target).await?;
            self.forgot(compacted);
            task::yield_now().await;
        }
    }

    /// Notes that what is only needed below `compacted` is gone.
    pub(crate) fn forgot(&self, compacted: Revision) {
        self.compacted.fetch_max(compacted, Ordering::AcqRel);
        self.metrics.compacted.set(compacted as i64);
    }
}

/// About how many bytes of memory a write takes while it waits.
fn weight(write: &Prepared) -> usize {
    match &write.op {
        PreparedOp::Create(content, stored) | PreparedOp::Update(content, stored, _) => {
            1024 + content.weight() + stored.bytes.len()
        }
        PreparedOp::Delete(_) => 1024,
    }
}

fn invalid(reason: &str) -> Error {
    Error::Invalid { reason: reason.to_owned() }
}

fn shutting_down() -> Error {
    Error::Unavailable { reason: "the store is shutting down".into() }
}
