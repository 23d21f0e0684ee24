//! Kill -9, a hundred times, under 16 writers: what was acknowledged is there, and nothing is there twice.
//!
//! The writer is this test binary itself, started again to run the ignored test below; it reads the database's path on
//! standard input and says on standard output what was acknowledged.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use bytes::Bytes;
use futures::{StreamExt, future::join_all};
use proto::store::{
    At, Content, Error, Event, Expect, Key, Labels, ListOptions, Op, Revision, Scope, Store, Value, WatchOptions, Write,
};
use runtime::Context;
use storage::{Config, Database, PostgresArgs};

const CYCLES: u64 = 100;
const WRITERS: u64 = 16;

/// What marks a line as ours among those of the test harness.
const ACKNOWLEDGED: &str = "acknowledged ";

/// The writer that is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it is started, and killed, by the test below"]
async fn writer() {
    let mut path = String::new();
    std::io::stdin().read_line(&mut path).expect("somebody says where to write");
    let (store, _) = open(Path::new(path.trim())).await;
    let start = store.status().await.expect("it is open").revision;
    join_all((0..WRITERS).map(|writer| write_for_ever(&store, start, writer))).await;
}

/// Creates, updates and deletes objects of its own, counts one that belongs to all, and says so.
async fn write_for_ever(store: &Arc<dyn Store>, start: Revision, writer: u64) {
    for step in 0.. {
        let own = key(&format!("w{writer}-{}", step % 7));
        let text = format!("{start}-{writer}-{step}");
        let written = match step % 4 {
            3 => store.write(Write { key: own.clone(), op: Op::Delete(Expect::default()) }).await,
            _ => match store.write(Write { key: own.clone(), op: Op::Create(content(&text)) }).await {
                Err(Error::AlreadyExists { revision, .. }) => {
                    let expect = Expect { revision: Some(revision), uid: None };
                    store.write(Write { key: own.clone(), op: Op::Update(content(&text), expect) }).await
                }
                other => other,
            },
        };
        match written {
            Ok(written) => acknowledge(written.revision, &own, if step % 4 == 3 { "" } else { &text }),
            Err(Error::NotFound { .. }) => (),
            Err(error) => panic!("{error}"),
        }
        count(store).await;
    }
}

/// Adds one to what all writers count.
async fn count(store: &Arc<dyn Store>) {
    let key = key("counter");
    let written = match store.get(&key, At::Latest).await.expect("it can be read") {
        None => {
            let text = "1".to_owned();
            store.write(Write { key: key.clone(), op: Op::Create(content(&text)) }).await.map(|written| (written, text))
        }
        Some(entry) => {
            let text = (entry.content.uid.parse::<u64>().expect("a number") + 1).to_string();
            let expect = Expect { revision: Some(entry.revision), uid: None };
            let update = Write { key: key.clone(), op: Op::Update(content(&text), expect) };
            store.write(update).await.map(|written| (written, text))
        }
    };
    match written {
        Ok((written, text)) => acknowledge(written.revision, &key, &text),
        Err(Error::Conflict { .. } | Error::AlreadyExists { .. }) => (),
        Err(error) => panic!("{error}"),
    }
}

fn acknowledge(revision: Revision, key: &Key, text: &str) {
    let line = format!("{ACKNOWLEDGED}{revision} {} {text}\n", key.name);
    std::io::stdout().lock().write_all(line.as_bytes()).expect("somebody listens");
}

#[test]
fn nothing_acknowledged_is_lost_by_kill_9() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.db");
    let mut head = 0;
    let mut total = 0;
    for cycle in 0..CYCLES {
        let acknowledged = killed(&path, Duration::from_millis(20 + cycle * 37 % 120));
        let (verified, events) = verify(&path, head, &acknowledged);
        assert!(verified >= head, "revisions went back");
        head = verified;
        total += acknowledged.len();
        assert!(events >= acknowledged.len());
    }
    assert!(total as u64 > CYCLES * WRITERS, "too few writes to show anything: {total}");
    let found = block_on(storage::check(&Database::Sqlite(path), &PostgresArgs::default()));
    assert_eq!(found.expect("it can be looked at"), Vec::<String>::new());
}

/// Starts a writer, kills it some time after its first acknowledgement, and returns what it had acknowledged: by
/// revision the name, and the text or nothing for a deletion.
fn killed(path: &Path, after: Duration) -> BTreeMap<Revision, (String, String)> {
    let this = std::env::current_exe().expect("this test has a file");
    let mut child = Command::new(this)
        .args(["--ignored", "--exact", "writer", "--nocapture", "--test-threads=1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it can be started again");
    let mut stdin = child.stdin.take().expect("it is piped");
    writeln!(stdin, "{}", path.display()).expect("it reads");
    let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut first = String::new();
    while !first.contains(ACKNOWLEDGED) {
        first.clear();
        assert_ne!(stdout.read_line(&mut first).expect("it can be read"), 0, "the writer ended by itself");
    }
    let reader = thread::spawn(move || {
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).expect("it can be read");
        first + &rest
    });
    thread::sleep(after);
    child.kill().expect("it can be killed");
    child.wait().expect("it was killed");
    // A line without its end was not said.
    let said = reader.join().expect("it does not panic");
    let complete = said.rfind('\n').map_or("", |end| &said[..=end]);
    complete.lines().filter_map(acknowledged).collect()
}

fn acknowledged(line: &str) -> Option<(Revision, (String, String))> {
    // The harness begins the first line with its own words.
    let (_, line) = line.split_once(ACKNOWLEDGED)?;
    let (revision, rest) = line.split_once(' ')?;
    let (name, text) = rest.split_once(' ')?;
    Some((revision.parse().ok()?, (name.to_owned(), text.to_owned())))
}

/// Looks for everything acknowledged among the events after `head`, and at whether the objects are what the events made
/// of them; returns the new head, and how many events there were.
fn verify(path: &Path, head: Revision, acknowledged: &BTreeMap<Revision, (String, String)>) -> (Revision, usize) {
    block_on(async {
        let (store, context) = open(path).await;
        let scope = key("x").scope();
        let end = store.status().await.expect("it is open").revision;
        let mut watch = store.watch(&scope, WatchOptions { after: head }).await.expect("history is kept");
        let mut events: BTreeMap<Revision, Event> = BTreeMap::new();
        loop {
            let batch = watch.next().await.expect("it goes on").expect("it can be read");
            events.extend(batch.events.into_iter().map(|event| (event.entry.revision, event)));
            if batch.upto >= end {
                break;
            }
        }
        assert!(events.keys().copied().eq(head + 1..=end), "revisions have gaps");
        for (revision, (name, text)) in acknowledged {
            let event = events.get(revision).unwrap_or_else(|| panic!("revision {revision} of {name} is lost"));
            assert_eq!(&event.entry.key.name, name, "revision {revision} is another's");
            if !text.is_empty() {
                assert_eq!(event.entry.content, content(text), "revision {revision} says something else");
            }
        }
        newest_are_there(&store, &scope, &events).await;
        drop(watch);
        context.shutdown.drain();
        context.tasks.ended().await;
        (end, events.len())
    })
}

async fn newest_are_there(store: &Arc<dyn Store>, scope: &Scope, events: &BTreeMap<Revision, Event>) {
    let list = store.list(scope, ListOptions::default()).await.expect("it can be listed");
    let chunks: Vec<_> = list.chunks.map(|chunk| chunk.expect("it can be read")).collect().await;
    let objects: BTreeMap<_, _> = chunks.concat().into_iter().map(|entry| (entry.key.clone(), entry)).collect();
    let newest: BTreeMap<_, _> = events.values().map(|event| (event.entry.key.clone(), event)).collect();
    for (key, event) in newest {
        let expected = (event.change != proto::store::Change::Deleted).then_some(&event.entry);
        assert_eq!(objects.get(&key), expected, "{key}");
    }
}

async fn open(path: &Path) -> (Arc<dyn Store>, Context) {
    let context = Context::new();
    let store = storage::open(&Database::Sqlite(path.to_owned()), &Config::default(), &context).await;
    (store.expect("it can be opened"), context)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().expect("it can be made").block_on(future)
}

fn key(name: &str) -> Key {
    Key { group: "g".into(), resource: "r".into(), namespace: "n".into(), name: name.into() }
}

/// An object about `text`; the uid holds it too, so that it can be read back easily.
fn content(text: &str) -> Content {
    let value = Value { json: Bytes::from(format!("{text:>1000}")), splice: 0, schema: "s".into() };
    Content { uid: text.into(), labels: Labels::new(), fields: Labels::new(), value }
}
