//! How fast the log on SQLite is on this machine: `cargo run --release -p storage --example throughput [FOLDER [WHAT]]`.
//!
//! Creations and updates with 1, 32 and 256 writers, reads, and a list of everything, for objects of 1 KB and 4 KB. The
//! numbers are for people; nothing is asserted.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::{path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, future::join_all};
use proto::store::{At, Content, Expect, Key, Labels, ListOptions, Op, Scope, Store, Value, WatchOptions, Write};
use runtime::Context;
use storage::{Config, Database};
use tokio::time::Instant;

/// How long each of the figures is measured.
const FOR: Duration = Duration::from_secs(4);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let only = std::env::args().nth(2);
    println!(
        "{:>6} {:>8} {:>8} {:>10} {:>9} {:>9} {:>9}",
        "bytes", "what", "clients", "per s", "p50 ms", "p99 ms", "cpu us"
    );
    for size in [1000, 4000] {
        let file = tempfile::tempdir_in(&folder)?;
        let context = Context::new();
        let path = file.path().join("throughput.db");
        let store = storage::open(&Database::Sqlite(path), &Config::default(), &context).await?;
        measure(store, size, only.as_deref()).await;
        context.shutdown.drain();
        context.tasks.ended().await;
        let bytes = std::fs::metadata(file.path().join("throughput.db"))?.len();
        println!("{size:>6} database of {} MiB when closed", bytes >> 20);
    }
    Ok(())
}

async fn measure(store: Arc<dyn Store>, size: usize, only: Option<&str>) {
    let asked = |what| only.is_none_or(|only| only == what);
    let mut objects = 0;
    for clients in [1, 32, 256] {
        let made = run(&store, "create", size, clients, move |client, step| Write {
            key: key(objects + client + step * clients),
            op: Op::Create(content(size, step)),
        })
        .await;
        objects += made;
    }
    for clients in [1, 32, 256].into_iter().filter(|_| asked("update")) {
        run(&store, "update", size, clients, move |client, step| {
            // Each client updates objects of its own, spread over all.
            let number = (client + step.wrapping_mul(7919) * clients) % (objects / clients * clients);
            Write { key: key(number), op: Op::Update(content(size, step), Expect::default()) }
        })
        .await;
    }
    for clients in [1, 32].into_iter().filter(|_| asked("get")) {
        get(&store, size, clients, objects).await;
    }
    if asked("list") {
        list(&store, size, 10_000).await;
        list(&store, size, u64::MAX).await;
    }
    if asked("watch") {
        watch(&store, size).await;
    }
}

/// Writes what `write` makes of a client and a step, until the time is over; returns how many numbers were used up.
async fn run(
    store: &Arc<dyn Store>,
    what: &str,
    size: usize,
    clients: usize,
    write: impl Fn(usize, usize) -> Write + Copy + Send + Sync + 'static,
) -> usize {
    let (start, cpu) = (Instant::now(), cpu());
    let client = |client: usize| {
        let store = store.clone();
        spawn(async move {
            let mut latencies = Vec::new();
            while start.elapsed() < FOR {
                let began = Instant::now();
                // A client that deletes nothing and creates its own is refused nothing.
                if store.write(write(client, latencies.len())).await.is_err() {
                    break;
                }
                latencies.push(began.elapsed());
            }
            latencies
        })
    };
    let all = join_all((0..clients).map(client)).await;
    let longest = all.iter().flatten().map(Vec::len).max().unwrap_or(0);
    report(what, size, clients, start.elapsed(), cpu, all.into_iter().flatten().flatten().collect());
    longest * clients
}

async fn get(store: &Arc<dyn Store>, size: usize, clients: usize, objects: usize) {
    let (start, cpu) = (Instant::now(), cpu());
    let client = |client: usize| {
        let store = store.clone();
        spawn(async move {
            let mut latencies = Vec::new();
            while start.elapsed() < FOR {
                let began = Instant::now();
                let number = (client + latencies.len().wrapping_mul(7919) * clients) % objects;
                if store.get(&key(number), At::Latest).await.is_err() {
                    break;
                }
                latencies.push(began.elapsed());
            }
            latencies
        })
    };
    let all = join_all((0..clients).map(client)).await;
    report("get", size, clients, start.elapsed(), cpu, all.into_iter().flatten().flatten().collect());
}

async fn list(store: &Arc<dyn Store>, size: usize, limit: u64) {
    let (start, cpu_before) = (Instant::now(), cpu());
    let scope = Scope { group: "bench.example.com".into(), resource: "widgets".into(), namespace: None };
    let options = ListOptions { limit: Some(limit), ..ListOptions::default() };
    let Ok(list) = store.list(&scope, options).await else { return println!("{size:>6} list failed") };
    let count: Result<usize, _> =
        list.chunks.map_ok(|chunk| chunk.len()).try_fold(0, |a, b| async move { Ok(a + b) }).await;
    let took = start.elapsed();
    let count = count.unwrap_or(0);
    let used = (cpu() - cpu_before) * 1e6 / count as f64;
    let rate = count as f64 / took.as_secs_f64();
    println!("{size:>6} {:>8} {:>8} {rate:>10.0} in {took:?} for {count}, {used:.1} us of cpu each", "list", 1);
}

/// How long after an acknowledged write each of many watchers has its event.
async fn watch(store: &Arc<dyn Store>, size: usize) {
    let scope = Scope { group: "bench.example.com".into(), resource: "gadgets".into(), namespace: None };
    for watchers in [1, 500] {
        let after = store.status().await.map_or(0, |status| status.revision);
        let open = (0..watchers).map(|_| store.watch(&scope, WatchOptions { after }));
        let mut open: Vec<_> = join_all(open).await.into_iter().flatten().collect();
        let (mut latencies, cpu) = (Vec::new(), cpu());
        for step in 0..200 {
            let key = Key { resource: "gadgets".into(), ..key(watchers * 1000 + step) };
            let began = Instant::now();
            if store.write(Write { key, op: Op::Create(content(size, step)) }).await.is_err() {
                return;
            }
            join_all(open.iter_mut().map(|watch| async {
                while watch.next().await.is_some_and(|batch| batch.is_ok_and(|batch| batch.events.is_empty())) {}
                began.elapsed()
            }))
            .await
            .into_iter()
            .for_each(|latency| latencies.push(latency));
        }
        report("watch", size, watchers, latencies.iter().sum(), cpu, latencies);
    }
}

/// One line; `cpu` is what the process had used before.
fn report(what: &str, size: usize, clients: usize, took: Duration, cpu_before: f64, mut latencies: Vec<Duration>) {
    let used = (cpu() - cpu_before) * 1e6 / latencies.len() as f64;
    latencies.sort_unstable();
    let at = |share: usize| latencies.get(latencies.len() * share / 100).map_or(0.0, |d| d.as_secs_f64() * 1000.0);
    let rate = latencies.len() as f64 / took.as_secs_f64();
    println!("{size:>6} {what:>8} {clients:>8} {rate:>10.0} {:>9.2} {:>9.2} {used:>9.1}", at(50), at(99));
}

/// The seconds that this process has computed for: what a busy machine leaves comparable.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn key(number: usize) -> Key {
    Key {
        group: "bench.example.com".into(),
        resource: "widgets".into(),
        namespace: format!("cluster-{:03}", number % 100),
        name: format!("object-{number:08}"),
    }
}

fn content(size: usize, step: usize) -> Content {
    let uid = format!("0f0d8dbb-ff0f-4b2f-9c0a-{step:012}");
    let mut json = format!(r#"{{"metadata":{{"uid":"{uid}"}},"spec":""#);
    json.extend((0..size.saturating_sub(json.len() + 2)).map(|i| char::from(b'a' + ((i * 7 + step * 13) % 26) as u8)));
    json.push_str("\"}");
    let labels = Labels::from([("app".to_owned(), "bench".to_owned()), ("step".to_owned(), (step % 10).to_string())]);
    let value = Value { json: Bytes::from(json), splice: 13, schema: "v1alpha1/0123456789abcdef".into() };
    Content { uid, labels, fields: Labels::new(), value }
}

#[expect(clippy::disallowed_methods, reason = "an example has no tasks that anybody waits for by name")]
fn spawn<T: Send + 'static>(task: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::spawn(task)
}
