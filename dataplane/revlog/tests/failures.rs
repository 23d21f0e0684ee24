//! What the log makes of an engine that fails, and of callers that go away.

use std::{
    collections::HashMap,
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use proto::store::{
    At, Batch, Content, Entry, Error, Key, Labels, ListOptions, Op, Result, Revision, Scope, Store, Value,
    WatchOptions, Write, Written,
};
use revlog::{Bounds, CommitError, Current, Engine, Log, Memory, Metrics, Options, Page, Range, Record, Turn};
use tokio::{sync::Semaphore, time};

/// What shall happen to the next commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is not made, and the engine knows.
    Refused,
    /// It is made, and the engine does not know.
    UnsureThere,
    /// It is not made, and the engine does not know.
    UnsureAbsent,
}

/// A memory that fails when it is told to.
struct Flaky {
    memory: Arc<Memory>,
    fate: Mutex<Option<Fate>>,
    /// How often a look whether a commit was made fails.
    blind: AtomicUsize,
    /// Commits pass one by one.
    gate: Semaphore,
    commits: AtomicUsize,
    closed: AtomicBool,
}

struct FlakyTurn<'a> {
    flaky: &'a Flaky,
    turn: <Memory as Engine>::Turn<'a>,
}

fn broken() -> Error {
    Error::Unavailable { reason: "broken".into() }
}

#[async_trait]
impl Engine for Flaky {
    type Turn<'a> = FlakyTurn<'a>;

    async fn bounds(&self) -> Result<Bounds> {
        self.memory.bounds().await
    }

    async fn begin(&self, keys: &[Key]) -> Result<FlakyTurn<'_>> {
        Ok(FlakyTurn { flaky: self, turn: self.memory.begin(keys).await? })
    }

    async fn committed(&self, last: &Record) -> Result<bool> {
        match self.blind.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1)) {
            Ok(_) => Err(broken()),
            Err(_) => self.memory.committed(last).await,
        }
    }

    async fn get(&self, key: &Key, at: Revision) -> Result<Option<Entry>> {
        self.memory.get(key, at).await
    }

    async fn page(&self, range: &Range<'_>) -> Result<Page> {
        self.memory.page(range).await
    }

    async fn count(&self, scope: &Scope, after: Option<(&str, &str)>) -> Result<u64> {
        self.memory.count(scope, after).await
    }

    async fn events(&self, scope: &Scope, after: Revision, upto: Revision) -> Result<Batch> {
        self.memory.events(scope, after, upto).await
    }

    async fn compact(&self, upto: Revision) -> Result<Revision> {
        self.memory.compact(upto).await
    }

    async fn maintain(&self) {
        self.memory.maintain().await;
    }

    async fn bytes(&self) -> Result<u64> {
        self.memory.bytes().await
    }

    async fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }
}

#[async_trait]
impl Turn for FlakyTurn<'_> {
    fn head(&self) -> Revision {
        self.turn.head()
    }

    fn current(&mut self) -> HashMap<Key, Current> {
        self.turn.current()
    }

    async fn commit(self, records: &[Arc<Record>]) -> Result<(), CommitError> {
        self.flaky.gate.acquire().await.expect("it is never closed").forget();
        self.flaky.commits.fetch_add(1, Ordering::AcqRel);
        let fate = self.flaky.fate.lock().expect("nobody panics").take();
        match fate {
            None => self.turn.commit(records).await,
            Some(Fate::Refused) => Err(CommitError::Refused(broken())),
            Some(Fate::UnsureAbsent) => Err(CommitError::Unsure(broken())),
            Some(Fate::UnsureThere) => {
                self.turn.commit(records).await?;
                Err(CommitError::Unsure(broken()))
            }
        }
    }
}

// === what the tests say it with ===

async fn open(options: Options) -> Arc<Log<Flaky>> {
    open_on(Arc::default(), options).await
}

async fn open_on(memory: Arc<Memory>, options: Options) -> Arc<Log<Flaky>> {
    let flaky = Flaky {
        memory,
        fate: Mutex::default(),
        blind: AtomicUsize::new(0),
        gate: Semaphore::new(Semaphore::MAX_PERMITS),
        commits: AtomicUsize::new(0),
        closed: AtomicBool::new(false),
    };
    let (log, work) = Log::open(flaky, options, Metrics::default()).await.expect("memory can be opened");
    spawn(work);
    log
}

fn fails(log: &Log<Flaky>, fate: Fate, blind: usize) {
    *log.engine().fate.lock().expect("nobody panics") = Some(fate);
    log.engine().blind.store(blind, Ordering::Release);
}

#[expect(clippy::disallowed_methods, reason = "a test has no runtime::Tasks")]
fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::spawn(task)
}

fn key(name: &str) -> Key {
    Key { group: "g".into(), resource: "r".into(), namespace: "n".into(), name: name.into() }
}

fn creation(name: &str) -> Write {
    let value = Value { json: Bytes::from_static(b"{}"), splice: 1, schema: "s".into() };
    let content = Content { uid: name.into(), labels: Labels::new(), fields: Labels::new(), value };
    Write { key: key(name), op: Op::Create(content) }
}

async fn is_there(log: &Log<Flaky>, name: &str) -> bool {
    log.get(&key(name), At::Latest).await.expect("memory can be read").is_some()
}

async fn first_batch(log: &Log<Flaky>, after: Revision) -> Batch {
    let mut watch = log.watch(&key("x").scope(), WatchOptions { after }).await.expect("it can be watched");
    watch.next().await.expect("it goes on").expect("it does not fail")
}

// === commits that fail ===

#[tokio::test]
async fn a_refused_commit_fails_its_writers_and_takes_no_revision() {
    let log = open(Options::default()).await;
    fails(&log, Fate::Refused, 0);
    assert_eq!(log.write(creation("a")).await, Err(broken()));
    assert!(!is_there(&log, "a").await);
    assert_eq!(log.write(creation("a")).await, Ok(Written { revision: 1 }));
}

#[tokio::test(start_paused = true)]
async fn an_unsure_commit_that_was_made_is_acknowledged_and_watched() {
    for blind in [0, 3] {
        let log = open(Options::default()).await;
        fails(&log, Fate::UnsureThere, blind);
        assert_eq!(log.write(creation("a")).await, Ok(Written { revision: 1 }));
        assert_eq!(first_batch(&log, 0).await.events.len(), 1);
        assert_eq!(log.write(creation("b")).await, Ok(Written { revision: 2 }));
    }
}

#[tokio::test(start_paused = true)]
async fn an_unsure_commit_that_was_not_made_is_an_error() {
    for blind in [0, 3] {
        let log = open(Options::default()).await;
        fails(&log, Fate::UnsureAbsent, blind);
        assert_eq!(log.write(creation("a")).await, Err(broken()));
        assert_eq!(first_batch(&log, 0).await, Batch { events: vec![], upto: 0 });
        assert_eq!(log.write(creation("a")).await, Ok(Written { revision: 1 }));
    }
}

#[tokio::test(start_paused = true)]
async fn while_a_commit_is_unsure_reads_show_what_was_and_writes_are_refused() {
    let log = open(Options::default()).await;
    log.write(creation("a")).await.expect("it works");
    fails(&log, Fate::UnsureThere, 20);
    let unsure = spawn({
        let log = log.clone();
        async move { log.write(creation("b")).await }
    });
    time::sleep(Duration::from_secs(1)).await;
    assert!(matches!(log.write(creation("c")).await, Err(Error::Unavailable { .. })));
    assert!(matches!(log.status().await, Err(Error::Unavailable { .. })));
    assert!(is_there(&log, "a").await && !is_there(&log, "b").await);
    assert_eq!(unsure.await.expect("it does not panic"), Ok(Written { revision: 2 }));
    assert!(is_there(&log, "b").await);
    assert_eq!(log.write(creation("c")).await, Ok(Written { revision: 3 }));
}

#[tokio::test(start_paused = true)]
async fn closing_while_a_commit_is_unsure_says_that_nobody_knows() {
    let log = open(Options::default()).await;
    fails(&log, Fate::UnsureThere, usize::MAX);
    let unsure = spawn({
        let log = log.clone();
        async move { log.write(creation("a")).await }
    });
    time::sleep(Duration::from_secs(1)).await;
    log.close().await;
    assert!(matches!(unsure.await.expect("it does not panic"), Err(Error::Internal { .. })));
}

#[tokio::test]
async fn what_another_log_wrote_is_seen_by_writers_and_watchers() {
    let memory: Arc<Memory> = Arc::default();
    let (one, two) = (open_on(memory.clone(), Options::default()).await, open_on(memory, Options::default()).await);
    assert_eq!(one.write(creation("a")).await, Ok(Written { revision: 1 }));
    assert_eq!(two.write(creation("b")).await, Ok(Written { revision: 2 }));
    assert_eq!(two.write(creation("a")).await, Err(Error::AlreadyExists { key: key("a"), revision: 1 }));
    let delete = Write { key: key("b"), op: Op::Delete(Default::default()) };
    assert_eq!(one.write(delete).await, Ok(Written { revision: 3 }));
    assert_eq!(two.write(creation("b")).await, Ok(Written { revision: 4 }), "its memory of b is old");
    for (log, events) in [(&one, 3), (&two, 4)] {
        let batch = first_batch(log, 0).await;
        assert_eq!((batch.events.len(), batch.upto), (events, events as Revision));
    }
}

// === callers that go away, and the end ===

#[tokio::test]
async fn a_caller_that_goes_away_does_not_take_its_write_back() {
    let log = open(Options::default()).await;
    {
        let mut write = pin!(log.write(creation("a")));
        poll_fn(|cx| {
            assert!(write.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
    }
    assert_eq!(log.write(creation("b")).await, Ok(Written { revision: 2 }));
    assert!(is_there(&log, "a").await);
}

#[tokio::test]
async fn writes_that_wait_share_a_commit() {
    let log = open(Options::default()).await;
    let before = log.engine().gate.available_permits();
    log.engine().gate.forget_permits(before);
    let writes: Vec<_> = (0..100)
        .map(|number| {
            let log = log.clone();
            spawn(async move { log.write(creation(&number.to_string())).await })
        })
        .collect();
    // All are in the queue, or in the first commit, which waits at the gate.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    log.engine().gate.add_permits(1000);
    for write in writes {
        write.await.expect("it does not panic").expect("it works");
    }
    assert!(log.engine().commits.load(Ordering::Acquire) <= 2, "{:?} commits", log.engine().commits);
}

#[tokio::test]
async fn closing_finishes_what_waits_ends_watches_and_refuses_the_rest() {
    let log = open(Options::default()).await;
    let mut watch = log.watch(&key("x").scope(), WatchOptions { after: 0 }).await.expect("it can be watched");
    let write = spawn({
        let log = log.clone();
        async move { log.write(creation("a")).await }
    });
    tokio::task::yield_now().await;
    log.close().await;
    assert_eq!(write.await.expect("it does not panic"), Ok(Written { revision: 1 }));
    assert!(matches!(log.write(creation("b")).await, Err(Error::Unavailable { .. })));
    assert!(log.engine().closed.load(Ordering::Acquire));
    while let Some(batch) = watch.next().await {
        batch.expect("a watch ends cleanly");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_comes_to_an_end_though_writers_do_not_stop() {
    let log = open(Options::default()).await;
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let log = log.clone();
            spawn(async move {
                for step in 0.. {
                    if log.write(creation(&format!("{writer}-{step}"))).await.is_err() {
                        return step;
                    }
                }
                0
            })
        })
        .collect();
    time::sleep(Duration::from_millis(20)).await;
    time::timeout(Duration::from_secs(10), log.close()).await.expect("it closes");
    for writer in writers {
        writer.await.expect("it does not panic");
    }
}

// === history ===

#[tokio::test(start_paused = true)]
async fn history_is_compacted_by_age() {
    let log = open(Options { history: Duration::from_secs(60), ..Options::default() }).await;
    log.write(creation("a")).await.expect("it works");
    time::sleep(Duration::from_secs(30)).await;
    log.write(creation("b")).await.expect("it works");
    assert_eq!(log.status().await.expect("it works").compacted, 0);
    time::sleep(Duration::from_secs(40)).await;
    assert_eq!(log.status().await.expect("it works").compacted, 1);
    time::sleep(Duration::from_secs(60)).await;
    assert_eq!(log.status().await.expect("it works").compacted, 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_list_held_up_is_compacted_once_it_is_over() {
    let log = open(Options { history: Duration::from_secs(60), ..Options::default() }).await;
    log.write(creation("a")).await.expect("it works");
    time::sleep(Duration::from_secs(50)).await;
    log.write(creation("b")).await.expect("it works");
    let options = ListOptions { at: At::Exact(1), ..ListOptions::default() };
    let list = log.list(&key("x").scope(), options).await.expect("it can be listed");
    time::sleep(Duration::from_secs(65)).await;
    assert_eq!(log.status().await.expect("it works").compacted, 2, "a pin holds no longer than history");
    drop(list);
    let list = log.list(&key("x").scope(), ListOptions::default()).await.expect("it can be listed");
    log.write(creation("c")).await.expect("it works");
    time::sleep(Duration::from_secs(30)).await;
    let held = log.list(&key("x").scope(), ListOptions::default()).await.expect("it can be listed");
    drop(list);
    time::sleep(Duration::from_secs(50)).await;
    drop(held);
    time::sleep(Duration::from_secs(5)).await;
    assert_eq!(log.status().await.expect("it works").compacted, 3);
}

#[tokio::test(start_paused = true)]
async fn history_is_compacted_by_size_before_its_time() {
    let log = open(Options { history_bytes: 1000, ..Options::default() }).await;
    for number in 0..100 {
        log.write(creation(&number.to_string())).await.expect("it works");
        time::sleep(Duration::from_secs(1)).await;
    }
    time::sleep(Duration::from_secs(20)).await;
    let compacted = log.status().await.expect("it works").compacted;
    assert!((70..100).contains(&compacted), "{compacted}");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_takes_longer_than_history_is_cut_and_never_short() {
    let log = open(Options { history: Duration::from_secs(60), ..Options::default() }).await;
    for number in 0..1200 {
        log.write(creation(&format!("{number:04}"))).await.expect("it works");
    }
    let mut list = log.list(&key("x").scope(), Default::default()).await.expect("it can be listed");
    list.chunks.next().await.expect("there are some").expect("it does not fail");
    log.write(Write { key: key("0000"), op: Op::Delete(Default::default()) }).await.expect("it works");
    time::sleep(Duration::from_secs(200)).await;
    let rest: Vec<_> = list.chunks.collect().await;
    assert!(matches!(rest.as_slice(), [Err(Error::Compacted { requested: 1200, oldest: 1201 })]), "{rest:?}");
}
