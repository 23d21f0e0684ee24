//! What becomes of writes and watches while PostgreSQL ends connections, is killed, or is another server than before.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use engine_postgres::{Options, Postgres, check, query, recover};
use futures::{StreamExt, future::join_all};
use proto::store::{
    At, Change, Content, Error, Event, Expect, Key, Labels, ListOptions, Op, Revision, Scope, Store, Value,
    WatchOptions, Write,
};
use revlog::{Engine, Log, Metrics};
use tokio::time::{sleep, timeout};

/// What must happen happens within this time.
const SOON: Duration = Duration::from_secs(60);

fn options(url: &str) -> Options {
    Options::new(url.parse().expect("it is a URL of PostgreSQL"))
}

async fn log(url: &str) -> Arc<Log<Postgres>> {
    let engine = Postgres::open(options(url)).await.expect("it can be opened");
    let (log, work) = Log::open(engine, revlog::Options::default(), Metrics::default()).await.expect("it can be read");
    spawn(work);
    log
}

#[expect(clippy::disallowed_methods, reason = "a test has no runtime::Tasks")]
fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(work);
}

fn key(name: &str) -> Key {
    Key { group: "example.com".into(), resource: "widgets".into(), namespace: "n".into(), name: name.into() }
}

fn scope() -> Scope {
    Scope { group: "example.com".into(), resource: "widgets".into(), namespace: None }
}

fn content(text: &str) -> Content {
    let value = Value { json: Bytes::from(format!(r#"{{"text":"{text}"}}"#)), splice: 1, schema: "v1".into() };
    Content { uid: "u".into(), labels: Labels::new(), fields: Labels::new(), value }
}

async fn create(store: &dyn Store, name: &str, text: &str) -> Result<Revision, Error> {
    store.write(Write { key: key(name), op: Op::Create(content(text)) }).await.map(|written| written.revision)
}

/// Every event after `after` up to `upto`, resumed wherever the watch breaks.
async fn events(store: &dyn Store, mut after: Revision, upto: Revision) -> Vec<Event> {
    let mut seen = Vec::new();
    while after < upto {
        let Ok(mut watch) = store.watch(&scope(), WatchOptions { after }).await else {
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        while after < upto
            && let Some(Ok(batch)) = timeout(SOON, watch.next()).await.expect("the watch goes on")
        {
            after = batch.upto;
            seen.extend(batch.events);
        }
    }
    seen
}

/// Three replicas under writers, while `harm` does what it does, so many times.
async fn survive(url: &str, times: usize, harm: impl AsyncFn()) {
    const WRITERS: usize = 12;
    let logs = [log(url).await, log(url).await, log(url).await];
    let start = logs[0].status().await.expect("all is well at first").revision;
    let over = AtomicBool::new(false);
    let writers = (0..WRITERS).map(|writer| {
        let (store, over) = (Arc::clone(&logs[writer % logs.len()]), &over);
        async move {
            let (mut acknowledged, mut unsure) = (Vec::new(), Vec::new());
            for number in 0.. {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let name = format!("w{writer}-{number}");
                match create(&*store, &name, &name).await {
                    Ok(revision) => {
                        acknowledged.push((revision, name));
                        sleep(Duration::from_millis(30)).await;
                    }
                    Err(Error::Unavailable { .. } | Error::Internal { .. }) => {
                        unsure.push(name);
                        sleep(Duration::from_millis(20)).await;
                    }
                    Err(error) => panic!("{error:?}"),
                }
            }
            (acknowledged, unsure)
        }
    });
    let harming = async {
        for _ in 0..times {
            sleep(Duration::from_millis(300)).await;
            harm().await;
        }
        sleep(Duration::from_millis(300)).await;
        over.store(true, Ordering::Relaxed);
    };
    let (written, ()) = tokio::join!(join_all(writers), harming);
    let (acknowledged, unsure): (Vec<_>, Vec<_>) = written.into_iter().unzip();
    let acknowledged: HashMap<Revision, String> = acknowledged.concat().into_iter().collect();
    let unsure = unsure.concat();
    assert!(acknowledged.len() > WRITERS, "writes go on between faults: {}", acknowledged.len());

    let end = eventually(|| async { logs[0].status().await.ok().map(|status| status.revision) }).await;
    let mut seen = Vec::new();
    for log in &logs {
        seen.push(events(&**log, start, end).await);
    }
    let revisions: Vec<_> = seen[0].iter().map(|event| event.entry.revision).collect();
    assert_eq!(revisions, (start + 1..=end).collect::<Vec<_>>(), "no gap and no duplicate");
    assert!(seen.iter().all(|events| *events == seen[0]), "all replicas show the same");
    for event in &seen[0] {
        let name = &event.entry.key.name;
        assert_eq!(event.change, Change::Created);
        match acknowledged.get(&event.entry.revision) {
            Some(acknowledged) => assert_eq!(acknowledged, name),
            None => assert!(unsure.contains(name), "{name} was never answered with an error"),
        }
    }
    assert!(acknowledged.keys().all(|revision| *revision <= end), "every acknowledged write is there");
    assert_eq!(check(&options(url)).await, Ok(Vec::new()));
}

/// What `look` finds, once it finds something.
async fn eventually<T, F: Future<Output = Option<T>>>(look: impl Fn() -> F) -> T {
    let found = async {
        loop {
            match look().await {
                Some(found) => break found,
                None => sleep(Duration::from_millis(50)).await,
            }
        }
    };
    timeout(SOON, found).await.expect("it comes")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_while_connections_are_terminated() {
    let server = kit::Postgres::start().expect("PostgreSQL starts");
    survive(&server.url(), 10, async || server.terminate_connections().expect("they can be terminated")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    let server = kit::Postgres::start().expect("PostgreSQL starts");
    let (url, server) = (server.url(), tokio::sync::Mutex::new(server));
    let rounds = std::sync::atomic::AtomicUsize::new(0);
    survive(&url, 10, async || {
        // Every third time: starting takes longer than writing.
        if rounds.fetch_add(1, Ordering::Relaxed).is_multiple_of(3) {
            let mut server = server.lock().await;
            server.kill().expect("it can be killed");
            server.start_again().expect("it starts again");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "fifty standbys are made and promoted"]
async fn nothing_acknowledged_is_lost_by_fifty_failovers() {
    let server = kit::Postgres::start().expect("PostgreSQL starts");
    let (url, port, server) = (server.url(), server.port(), tokio::sync::Mutex::new(server));
    survive(&url, 50, async || {
        let mut server = server.lock().await;
        let mut standby = server.standby().expect("a standby can be made");
        // From the next write on, the log knows that whatever it acknowledges is there.
        let written = || server.sql(&url, "SELECT synchronous FROM outrigger.head").expect("the server answers");
        eventually(|| async { (written() == "t\n").then_some(()) }).await;
        server.kill().expect("it can be killed");
        standby.take_over(port).expect("the standby can be promoted");
        *server = standby;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_timeline_is_refused_until_it_is_recovered() {
    let server = kit::Postgres::start().expect("PostgreSQL starts");
    let url = server.url();
    let store = log(&url).await;
    let before = create(&*store, "a", "x").await.expect("it can be written");
    server.sql(&url, "UPDATE outrigger.head SET timeline = '000000AA'").expect("it can be changed");
    let Err(Error::Unavailable { reason }) = create(&*store, "b", "x").await else { panic!("it was not refused") };
    assert!(reason.contains("outrigger recover"), "{reason}");
    let listed = store.list(&scope(), ListOptions::default()).await;
    assert!(listed.is_ok(), "reads go on");
    let head = recover(&options(&url)).await.expect("it can be recovered");
    assert!(head > before + 100_000, "far above what may have been given out: {head}");
    let after = eventually(|| async { create(&*store, "b", "x").await.ok() }).await;
    assert_eq!(after, head + 1);
    let old = store.watch(&scope(), WatchOptions { after: before }).await.map(|_| ());
    assert!(matches!(old, Err(Error::Compacted { .. })), "{old:?}");
    assert!(store.get(&key("a"), At::Latest).await.expect("it can be read").is_some());
    assert_eq!(check(&options(&url)).await, Ok(Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_is_forgotten_a_partition_at_a_time() {
    let server = kit::Postgres::start().expect("PostgreSQL starts");
    let url = server.url();
    let store = log(&url).await;
    server.sql(&url, "UPDATE outrigger.head SET partition = 10").expect("nothing is written yet");
    create(&*store, "a", "0").await.expect("it can be written");
    for number in 1..35 {
        let op = Op::Update(content(&number.to_string()), Expect::default());
        store.write(Write { key: key("a"), op }).await.expect("it can be written");
    }
    let partitions =
        || server.sql(&url, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'outrigger.history'::regclass");
    assert_eq!(partitions().expect("they can be counted").trim(), "4");
    for _ in 0..4 {
        Engine::compact(store.engine(), 25).await.expect("it can be compacted");
    }
    assert_eq!(partitions().expect("they can be counted").trim(), "2");
    let seen = events(&*store, 25, 35).await;
    assert_eq!(seen.len(), 10);
    let previous = seen[0].previous.as_ref().map(|previous| previous.revision);
    assert_eq!(previous, Some(25));
    assert_eq!(check(&options(&url)).await, Ok(Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_can_read_it_with_sql() {
    let server = kit::Postgres::start().expect("PostgreSQL starts");
    let url = server.url();
    let store = log(&url).await;
    create(&*store, "a", "x").await.expect("it can be written");
    create(&*store, "b", "\\u0000").await.expect("what JSON allows can be written");
    let answer = query(&options(&url), "SELECT name, object ->> 'text' AS text FROM widgets ORDER BY name").await;
    let answer = answer.expect("it can be asked");
    assert_eq!(answer.columns, ["name", "text"]);
    assert_eq!(answer.rows, [[Some("a".to_owned()), Some("x".to_owned())], [Some("b".to_owned()), None]]);
    let refused = query(&options(&url), "DELETE FROM outrigger.current").await;
    assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
}
