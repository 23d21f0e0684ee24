//! The database as a file: who may have it, how it is copied, what is in it, and what happens when it cannot grow.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use bytes::Bytes;
use engine_sqlite::{Answer, OpenError, Options, Sqlite, backup, check, query};
use proto::store::{
    At, Content, Entry, Error, Expect, Key, Labels, ListOptions, Op, Scope, Store, Value, Write, Written,
};
use revlog::{Engine, Log, Metrics};
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

type Opened = Arc<Log<Sqlite>>;

async fn open(path: &Path) -> Opened {
    open_with(Options::new(path)).await
}

async fn open_with(options: Options) -> Opened {
    let engine = Sqlite::open(options).await.expect("it can be opened");
    let (log, work) = Log::open(engine, revlog::Options::default(), Metrics::default()).await.expect("it can be read");
    spawn(work);
    log
}

#[expect(clippy::disallowed_methods, reason = "a test has no runtime::Tasks")]
fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::spawn(task)
}

fn key(group: &str, resource: &str, name: &str) -> Key {
    Key { group: group.into(), resource: resource.into(), namespace: "n".into(), name: name.into() }
}

fn content(text: &str) -> Content {
    let json = Bytes::from(format!(r#"{{"text":"{text}"}}"#));
    let value = Value { json, splice: 1, schema: "v1".into() };
    let labels = Labels::from([("a".to_owned(), "1".to_owned())]);
    Content { uid: "u".into(), labels, fields: Labels::new(), value }
}

async fn create(log: &Opened, key: Key, text: &str) -> Result<Written, Error> {
    log.write(Write { key, op: Op::Create(content(text)) }).await
}

async fn all(log: &Opened) -> Vec<Entry> {
    let scope = Scope { group: "g".into(), resource: "widgets".into(), namespace: None };
    let list = log.list(&scope, ListOptions::default()).await.expect("it can be listed");
    futures::TryStreamExt::try_concat(list.chunks).await.expect("it can be read")
}

async fn plain_sqlite(path: &Path, sql: &'static str) {
    let mut connection =
        SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.expect("it opens");
    sqlx::raw_sql(sql).execute(&mut connection).await.expect("it runs");
    connection.close().await.expect("it closes");
}

// === opening ===

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deep/er/x.db");
    let log = open(&path).await;
    create(&log, key("g", "widgets", "a"), "x").await.expect("it works");
    let before = all(&log).await;
    log.close().await;
    drop(log);
    let log = open(&path).await;
    assert_eq!(all(&log).await, before);
    assert_eq!(create(&log, key("g", "widgets", "b"), "y").await, Ok(Written { revision: 2 }));
}

#[tokio::test]
async fn closing_leaves_one_tidy_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.db");
    let log = open(&path).await;
    create(&log, key("g", "widgets", "a"), "x").await.expect("it works");
    assert!(path.with_extension("db-wal").exists());
    log.close().await;
    assert!(!path.with_extension("db-wal").exists() && !path.with_extension("db-shm").exists());
}

#[tokio::test]
async fn only_the_owner_can_read_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(&folder.path().join("x.db")).await;
    create(&log, key("g", "widgets", "a"), "x").await.expect("it works");
    for file in fs::read_dir(folder.path()).expect("it can be read") {
        let file = file.expect("it can be read");
        let mode = file.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", file.path());
    }
}

#[tokio::test]
async fn a_second_opener_is_refused_until_the_first_is_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.db");
    let first = Sqlite::open(Options::new(&path)).await.expect("it can be opened");
    let second = Sqlite::open(Options::new(&path)).await;
    assert!(matches!(second, Err(OpenError::InUse { .. })), "{second:?}");
    first.close().await;
    drop(first);
    Sqlite::open(Options::new(&path)).await.expect("it is free again");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.db");
    drop(Sqlite::open(Options::new(&path)).await.expect("it can be made"));
    plain_sqlite(&path, "INSERT INTO _sqlx_migrations VALUES (9999, 'from the future', datetime(), TRUE, x'00', 0)")
        .await;
    let opened = Sqlite::open(Options::new(&path)).await;
    assert!(matches!(opened, Err(OpenError::Newer { version: 9999, .. })), "{opened:?}");
}

#[tokio::test]
async fn what_is_no_database_of_ours_is_refused_and_not_touched() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = folder.path().join("other.db");
    plain_sqlite(&other, "CREATE TABLE theirs (a)").await;
    let before = fs::read(&other).expect("it can be read");
    let opened = Sqlite::open(Options::new(&other)).await;
    assert!(matches!(opened, Err(OpenError::Foreign { .. })), "{opened:?}");
    assert_eq!(before.len(), fs::read(&other).expect("it can be read").len());
    let text = folder.path().join("text.db");
    fs::write(
        &text,
        "this is not a database at all, though it is long enough to be mistaken for a header of one ......",
    )
    .expect("it can be written");
    let opened = Sqlite::open(Options::new(&text)).await;
    assert!(matches!(opened, Err(OpenError::Sqlite { .. })), "{opened:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_write_ahead_log_does_not_grow_without_bound() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.db");
    let log = open_with(Options { log_bytes: 1 << 20, ..Options::new(&path) }).await;
    let text = "x".repeat(4000);
    let mut longest = 0;
    for round in 0..60 {
        let keys: Vec<_> = (0..50).map(|number| key("g", "widgets", &format!("{round}-{number}"))).collect();
        let writes = futures::future::join_all(keys.into_iter().map(|key| create(&log, key, &text))).await;
        assert!(writes.iter().all(Result::is_ok));
        longest = fs::metadata(path.with_extension("db-wal")).expect("it is there").len().max(longest);
    }
    // A passive checkpoint may lag behind such small batches; without any it would be over 24 MiB.
    assert!(longest < 8 << 20, "{longest} bytes");
}

// === backup, check, query ===

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_while_writing_is_the_store_at_one_revision() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, copy) = (folder.path().join("x.db"), folder.path().join("copy.db"));
    let log = open(&path).await;
    for number in 0..200 {
        create(&log, key("g", "widgets", &format!("w{number:04}")), "x").await.expect("it works");
    }
    let writer = spawn({
        let log = log.clone();
        async move {
            for number in 200.. {
                if create(&log, key("g", "widgets", &format!("w{number:04}")), "y").await.is_err() {
                    return;
                }
            }
        }
    });
    backup(&path, &copy).await.expect("it can be copied");
    writer.abort();
    assert_eq!(fs::metadata(&copy).expect("it is there").permissions().mode() & 0o777, 0o600);
    assert_eq!(check(&copy).await, Ok(vec![]));
    let restored = open(&copy).await;
    let revision = restored.status().await.expect("it works").revision;
    assert!(revision >= 200);
    let at = At::Exact(revision);
    let scope = Scope { group: "g".into(), resource: "widgets".into(), namespace: None };
    let then = log.list(&scope, ListOptions { at, ..ListOptions::default() }).await.expect("it can be listed");
    let then: Vec<Entry> = futures::TryStreamExt::try_concat(then.chunks).await.expect("it can be read");
    assert_eq!(all(&restored).await, then);
    assert_eq!(then.len() as u64, revision);
}

#[tokio::test]
async fn a_backup_overwrites_nothing_and_leaves_nothing_half_done() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, copy) = (folder.path().join("x.db"), folder.path().join("copy.db"));
    let _log = open(&path).await;
    fs::write(&copy, "precious").expect("it can be written");
    assert!(matches!(backup(&path, &copy).await, Err(Error::Invalid { .. })));
    assert_eq!(fs::read(&copy).expect("it can be read"), b"precious");
    let nowhere = folder.path().join("nowhere.db");
    assert!(backup(&nowhere, &folder.path().join("new.db")).await.is_err());
    let left: Vec<_> = fs::read_dir(folder.path()).expect("it can be read").flatten().map(|e| e.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("new.db")), "{left:?}");
    assert!(!nowhere.exists());
}

#[tokio::test]
async fn damage_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.db");
    let log = open(&path).await;
    for number in 0..100 {
        create(&log, key("g", "widgets", &number.to_string()), &"x".repeat(2000)).await.expect("it works");
    }
    log.close().await;
    assert_eq!(check(&path).await, Ok(vec![]));
    let mut bytes = fs::read(&path).expect("it can be read");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xa5);
    fs::write(&path, bytes).expect("it can be written");
    let found = check(&path).await;
    assert!(found.as_ref().is_ok_and(|found| !found.is_empty()) || found.is_err(), "{found:?}");
}

async fn rows(path: &Path, sql: &str) -> Vec<Vec<Option<String>>> {
    query(path, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}")).rows
}

fn text(cells: &[&str]) -> Vec<Option<String>> {
    cells.iter().map(|cell| Some((*cell).to_owned())).collect()
}

#[tokio::test]
async fn views_show_objects_and_events_to_plain_sql() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.db");
    let log = open(&path).await;
    create(&log, key("g", "widgets", "a"), "x").await.expect("it works");
    create(&log, key("g", "widgets", "gone"), "x").await.expect("it works");
    log.write(Write { key: key("g", "widgets", "a"), op: Op::Update(content("y"), Expect::default()) })
        .await
        .expect("it works");
    log.write(Write { key: key("g", "widgets", "gone"), op: Op::Delete(Expect::default()) }).await.expect("it works");
    let columns = "namespace, name, uid, resource_version, labels, object";
    assert_eq!(
        rows(&path, &format!("SELECT {columns} FROM widgets")).await,
        [text(&["n", "a", "u", "3", r#"{"a":"1"}"#, r#"{"text":"y"}"#])]
    );
    assert_eq!(rows(&path, "SELECT object ->> 'text' FROM widgets").await, [text(&["y"])]);
    assert_eq!(
        rows(&path, "SELECT resource_version, type, name, resource FROM watch_events ORDER BY 1").await,
        [
            text(&["1", "ADDED", "a", "widgets"]),
            text(&["2", "ADDED", "gone", "widgets"]),
            text(&["3", "MODIFIED", "a", "widgets"]),
            text(&["4", "DELETED", "gone", "widgets"]),
        ]
    );
    assert_eq!(rows(&path, "SELECT resource_version FROM resource_version").await, [text(&["4"])]);
}

#[tokio::test]
async fn views_of_the_same_plural_are_told_apart_by_group() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.db");
    let log = open(&path).await;
    for (group, resource) in [("a.org", "widgets"), ("b.org", "widgets"), ("c", "history"), ("d", "od\"d; DROP")] {
        create(&log, key(group, resource, "a"), group).await.expect("it works");
    }
    for (view, expected) in
        [("widgets", "a.org"), ("\"widgets.b.org\"", "b.org"), ("\"history.c\"", "c"), ("\"od\"\"d; DROP\"", "d")]
    {
        assert_eq!(rows(&path, &format!("SELECT object ->> 'text' FROM {view}")).await, [text(&[expected])]);
    }
}

#[tokio::test]
async fn queries_show_compressed_objects_as_they_were_and_change_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.db");
    let log = open(&path).await;
    let long = "long ".repeat(10_000);
    create(&log, key("g", "widgets", "a"), &long).await.expect("it works");
    let answer = query(&path, "SELECT name, object, NULL AS nil FROM widgets").await.expect("it runs");
    let object = String::from_utf8(content(&long).value.json.to_vec()).expect("it is text");
    let expected = Answer {
        columns: ["name", "object", "nil"].map(str::to_owned).to_vec(),
        rows: vec![vec![Some("a".into()), Some(object), None]],
    };
    assert_eq!(answer, expected);
    assert!(rows(&path, "SELECT length(value) FROM history").await[0][0].as_ref().is_some_and(|len| len.len() < 5));
    for statement in ["DELETE FROM history", "DROP TABLE objects", "PRAGMA user_version = 7", "nonsense"] {
        let refused = query(&path, statement).await;
        assert!(
            matches!(refused, Err(Error::Invalid { .. })) || rows(&path, "PRAGMA user_version").await == [text(&["0"])]
        );
    }
    assert_eq!(all(&log).await.len(), 1);
    assert_eq!(query(&path, "SELECT * FROM widgets WHERE FALSE").await.expect("it runs").columns.len(), 8);
}

// === no space ===

#[tokio::test]
async fn a_full_disk_fails_writes_and_loses_nothing_and_space_lets_them_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.db");
    let log = open_with(Options { max_bytes: Some(1 << 20), ..Options::new(&path) }).await;
    let long: String =
        (0..7000u32).map(|i| char::from(b'a' + (i.wrapping_mul(2_654_435_761) >> 24) as u8 % 26)).collect();
    let mut written = 0;
    let refused = loop {
        match create(&log, key("g", "widgets", &format!("w{written:04}")), &long).await {
            Ok(Written { revision }) => {
                written += 1;
                assert_eq!(revision, written);
            }
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, Error::OutOfSpace { .. }), "{refused:?}");
    assert!(written > 10);
    assert_eq!(all(&log).await.len() as u64, written);
    assert_eq!(log.status().await.expect("reads go on").revision, written);
    // Deletions take little space, and compaction gives back what they freed.
    for number in 0..written / 2 {
        let key = key("g", "widgets", &format!("w{number:04}"));
        log.write(Write { key, op: Op::Delete(Expect::default()) }).await.expect("a deletion finds room");
    }
    log.compact(u64::MAX).await.expect("it can be compacted");
    create(&log, key("g", "widgets", "again"), &long).await.expect("there is space again");
    assert_eq!(all(&log).await.len() as u64, written - written / 2 + 1);
    log.close().await;
    assert_eq!(check(&path).await, Ok(vec![]));
}
