//! How fast records are: `cargo run --release -p hyperfleet-records --example throughput [sqlite:PATH | postgres://…]`.
//!
//! Reads, lists, searches, reports and creations among 10,000 clusters, with 1, 32 and 64 clients; the CPU is this
//! process's. The numbers are for people; nothing is asserted.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::{collections::BTreeMap, future::Future, time::Duration};

use futures::future::join_all;
use hyperfleet_records::{
    Database, Json, Key, Kind, New, Options, Query, Records, Report, ReportedCondition, Result, Search,
};
use tokio::time::Instant;

/// How many clusters there are.
const CLUSTERS: usize = 10_000;

/// How long each of the figures is measured.
const FOR: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    runtime::tls::install_provider();
    let folder = tempfile::tempdir()?;
    let database = match std::env::args().nth(1) {
        Some(url) => url.parse().map_err(anyhow::Error::msg)?,
        None => Database::Sqlite(folder.path().join("throughput.db")),
    };
    Records::migrate(&database).await?;
    let context = runtime::Context::new();
    let records = Records::open(&database, Options::default(), &context).await?;
    let keys = fill(&records).await?;
    println!("{:>14} {:>8} {:>10} {:>9} {:>9} {:>9}", "what", "clients", "per s", "p50 ms", "p99 ms", "cpu us");
    for clients in [1, 32, 64] {
        let key = |number: usize| &keys[number.wrapping_mul(7919) % keys.len()];
        measure("get", clients, async |number| records.get(key(number)).await.map(drop)).await;
        for (what, limit, search) in [
            ("list 20", 20, None),
            ("list 100", 100, None),
            ("search name", 20, Some("name = 'cluster-77'")),
            ("search label", 20, Some("labels.shard = '7' and labels.env = 'test'")),
        ] {
            let search = search.map(|search| Search::parse(search, Kind::Cluster)).transpose()?;
            let query = Query { search, limit, ..Query::default() };
            measure(what, clients, async |_| records.list(Kind::Cluster, None, &query).await.map(drop)).await;
        }
        let far = Query { limit: 20, offset: CLUSTERS as u64 / 2, ..Query::default() };
        measure("list 20 far", clients, async |_| records.list(Kind::Cluster, None, &far).await.map(drop)).await;
        measure("report", clients, async |number| records.report(key(number), report()).await.map(drop)).await;
        let new = |number| cluster(&format!("more-{clients}-{number}"), number);
        measure("create", clients, async |number| records.create(new(number)).await.map(drop)).await;
    }
    context.shutdown.drain();
    Ok(())
}

/// Clusters, each with a report; those that are there stay.
async fn fill(records: &Records) -> Result<Vec<Key>> {
    for begin in (0..CLUSTERS).step_by(100) {
        let new = |number| cluster(&format!("cluster-{number}"), number);
        join_all((begin..begin + 100).map(|number| records.create(new(number)))).await;
    }
    let page = records.list(Kind::Cluster, None, &Query { limit: CLUSTERS as u64, ..Query::default() }).await?;
    let key = |id| Key { kind: Kind::Cluster, owner: None, id };
    let keys: Vec<Key> = page.items.into_iter().map(|cluster| key(cluster.id)).collect();
    for chunk in keys.chunks(100) {
        join_all(chunk.iter().map(|key| records.report(key, report()))).await;
    }
    Ok(keys)
}

fn json(text: String) -> Json {
    Json::from(serde_json::value::RawValue::from_string(text).expect("JSON"))
}

fn cluster(name: &str, number: usize) -> New {
    let labels = [("env", "test".to_owned()), ("shard", (number % 100).to_string())];
    let labels = labels.map(|(key, value)| (key.to_owned(), value));
    let spec = format!(r#"{{"region":"us-central1","number":{number},"network":"{}"}}"#, "10.0.0.0/8 ".repeat(40));
    New {
        kind: Kind::Cluster,
        owner: None,
        name: name.to_owned(),
        spec: json(spec),
        labels: BTreeMap::from(labels),
        by: "throughput".to_owned(),
    }
}

fn report() -> Report {
    let condition = |r#type: &str| ReportedCondition {
        last_transition_time: None,
        message: Some("as it should be".to_owned()),
        reason: Some("Done".to_owned()),
        status: "True".to_owned(),
        r#type: r#type.to_owned(),
        others: serde_json::Map::new(),
    };
    Report {
        adapter: "dns".to_owned(),
        observed_generation: 1,
        observed_time: None,
        conditions: ["Available", "Applied", "Health"].map(condition).into(),
        data: serde_json::Map::new(),
        metadata: None,
    }
}

/// Does it with so many clients until the time is over, each time with another number.
async fn measure<F: Future<Output = Result<()>>>(what: &str, clients: usize, ask: impl Fn(usize) -> F) {
    let (start, cpu) = (Instant::now(), cpu());
    let client = async |client: usize| {
        let mut latencies = Vec::new();
        while start.elapsed() < FOR {
            let began = Instant::now();
            if ask(client + latencies.len() * clients).await.is_err() {
                break;
            }
            latencies.push(began.elapsed());
        }
        latencies
    };
    let mut latencies: Vec<Duration> = join_all((0..clients).map(client)).await.into_iter().flatten().collect();
    latencies.sort();
    let (seconds, count) = (start.elapsed().as_secs_f64(), latencies.len().max(1));
    let place = |part: f64| (count as f64 * part) as usize;
    let at = |part| latencies.get(place(part)).map_or(0.0, |latency| latency.as_secs_f64() * 1e3);
    let cpu = (self::cpu() - cpu).as_micros() as f64 / count as f64;
    println!("{what:>14} {clients:>8} {:>10.0} {:>9.3} {:>9.3} {cpu:>9.1}", count as f64 / seconds, at(0.5), at(0.99));
}

/// The CPU that this process has used, from `/proc`, where a tick is 10 ms.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}
