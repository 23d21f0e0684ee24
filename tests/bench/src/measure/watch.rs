//! Watch latency: from the moment a write is sent to the arrival of its event at each watcher.
//!
//! ```text
//! writer    sent ───────────────▶ acknowledged
//! watchers    └────────▶ event  ⋯ └▶ event of the last watcher
//! ```
//! The start is the sending and not the acknowledgement, which may well come after the event. Each write carries a number
//! in its status, by which its events are known. Writes are paced, so that a queue of events is not what is measured.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::client::{Call, Client};
use crate::measure::seed::{resource_version, seed};
use crate::measure::{Run, Spread};
use crate::namespaces;
use crate::object::encode;
use crate::outcome::{Errors, Outcome};
use crate::procstat::Usage;

/// Writes a second at most, and events a second at all watchers together.
const WRITES: f64 = 50.0;
const EVENTS: f64 = 2500.0;

/// How long events may be in coming after the last write.
const PATIENCE: Duration = Duration::from_secs(10);

/// What stands before the number of a write. A value: managed fields repeat names only.
const MARK: &[u8] = br#""release":"bench/"#;

/// A write that was acknowledged.
struct Write {
    sent: Instant,
    acknowledged: Instant,
}

/// An event that arrived.
#[derive(Clone, Copy)]
struct Arrival {
    number: u64,
    at: Instant,
}

/// Writes, in turn, to the objects that are watched.
struct Writer {
    client: Client,
    paths: Vec<String>,
    every: Duration,
    number: u64,
}

/// Latency of the events of paced writes.
pub(crate) async fn watch(run: &Run<'_>, watchers: usize, spread: Spread) -> Result<Outcome> {
    let client = run.connector.connect().await?;
    let paths = watched(run, &client, watchers, spread).await?;
    let (_streams, mut arrivals) = open(run, &client, watchers, spread).await?;
    let fan_out = match spread {
        Spread::All => watchers,
        Spread::Namespaces => 1,
    };
    let every = Duration::from_secs_f64(1.0 / WRITES.min(EVENTS / fan_out as f64));
    let mut writer = Writer { client, paths, every, number: 0 };

    let (warm_up, mut errors) = writer.write(run.settings.warm_up).await;
    collect(&mut arrivals, warm_up.len() * fan_out).await;
    let before = Usage::now(run.processes);
    let start = Instant::now();
    let (writes, failed) = writer.write(run.time()).await;
    let events = collect(&mut arrivals, writes.len() * fan_out).await;
    errors.absorb(failed);

    let mut outcome = latencies(&writes, &events);
    outcome.elapsed = start.elapsed();
    outcome.usage = Usage::now(run.processes).since(&before);
    outcome.errors.absorb(errors);
    outcome.errors.absorb(missing(writes.len() * fan_out, outcome.requests));
    Ok(outcome)
}

/// Creates what is written to: one object, or one in each watched namespace. Returns the paths of their statuses.
async fn watched(run: &Run<'_>, client: &Client, watchers: usize, spread: Spread) -> Result<Vec<String>> {
    let name = format!("watch-{watchers}-{spread:?}-{}-{}-{}", run.target.slug(), run.size, run.round).to_lowercase();
    let namespaces = match spread {
        Spread::All => vec![run.namespace()],
        Spread::Namespaces => (0..watchers).map(|i| namespaces::of_watcher(run.settings, i)).collect(),
    };
    let mut paths = Vec::with_capacity(namespaces.len());
    for namespace in namespaces {
        seed(run, client, &namespace, std::slice::from_ref(&name)).await?;
        paths.push(format!("{}/status", run.target.object(&namespace, &name)));
    }
    Ok(paths)
}

/// Opens all watches from now on; they end when what is returned is dropped.
async fn open(
    run: &Run<'_>,
    client: &Client,
    watchers: usize,
    spread: Spread,
) -> Result<(JoinSet<()>, UnboundedReceiver<Arrival>)> {
    let list = client.call(Call::get(format!("{}?limit=1", run.target.collection(None)))).await?;
    let since = resource_version(&list)?;
    let (arrived, arrivals) = unbounded_channel();
    let mut streams = JoinSet::new();
    for (i, client) in run.connector.clients(watchers, run.settings.per_connection).await?.into_iter().enumerate() {
        let collection = match spread {
            Spread::All => run.target.collection(None),
            Spread::Namespaces => run.target.collection(Some(&namespaces::of_watcher(run.settings, i))),
        };
        let query = format!("watch=true&allowWatchBookmarks=true&timeoutSeconds=600&resourceVersion={since}");
        let body = client.start(Call::get(format!("{collection}?{query}"))).await?.into_body();
        streams.spawn(listen(client, body, arrived.clone()));
    }
    Ok((streams, arrivals))
}

/// Reports each numbered event. A stream that ends shows as missing events.
async fn listen(client: Client, mut body: Incoming, arrived: UnboundedSender<Arrival>) {
    let mut lines = Lines::default();
    while let Some(Ok(frame)) = body.frame().await {
        let at = Instant::now();
        let Some(data) = frame.data_ref() else { continue };
        lines.push(data, |line| {
            if let Some(number) = number(line) {
                // Nobody listens any more: the measure is over.
                let _ = arrived.send(Arrival { number, at });
            }
        });
    }
    drop(client);
}

/// Arrivals up to a number of them, or until patience ends.
async fn collect(arrivals: &mut UnboundedReceiver<Arrival>, count: usize) -> Vec<Arrival> {
    let mut all = Vec::with_capacity(count);
    let fill = async {
        while all.len() < count
            && let Some(arrival) = arrivals.recv().await
        {
            all.push(arrival);
        }
    };
    // What is missing is counted by the caller.
    let _ = timeout(PATIENCE, fill).await;
    all
}

fn latencies(writes: &BTreeMap<u64, Write>, events: &[Arrival]) -> Outcome {
    let mut outcome = Outcome::default();
    let mut last: BTreeMap<u64, Duration> = BTreeMap::new();
    for Arrival { number, at } in events {
        let Some(write) = writes.get(number) else { continue };
        let latency = at.saturating_duration_since(write.sent);
        let slowest = last.entry(*number).or_default();
        *slowest = latency.max(*slowest);
        outcome.observe("event", latency);
        outcome.requests += 1;
    }
    for latency in last.into_values() {
        outcome.observe("last", latency);
    }
    for write in writes.values() {
        outcome.observe("acknowledged", write.acknowledged - write.sent);
    }
    outcome
}

fn missing(expected: usize, delivered: u64) -> Errors {
    let count = (expected as u64).saturating_sub(delivered);
    let first = (count > 0).then(|| format!("{count} of {expected} events did not arrive within {PATIENCE:?}"));
    Errors { count, first }
}

/// The number of the write that an event tells of.
fn number(line: &[u8]) -> Option<u64> {
    let at = line.windows(MARK.len()).rposition(|window| window == MARK)?;
    let digits: &[u8] = line[at + MARK.len()..].split(|byte| *byte == b'"').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

// === impl Writer ===

impl Writer {
    /// Paced writes for a time, at least one.
    async fn write(&mut self, time: Duration) -> (BTreeMap<u64, Write>, Errors) {
        let mut pace = interval(self.every);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut writes = BTreeMap::new();
        let mut errors = Errors::default();
        let deadline = Instant::now() + time;
        loop {
            pace.tick().await;
            self.number += 1;
            let sent = Instant::now();
            match self.client.call(self.call()).await {
                Ok(_) => drop(writes.insert(self.number, Write { sent, acknowledged: Instant::now() })),
                Err(error) => errors.absorb(Errors::one(&error)),
            }
            if Instant::now() >= deadline {
                return (writes, errors);
            }
        }
    }

    fn call(&self) -> Call {
        let path = self.paths[self.number as usize % self.paths.len()].clone();
        Call::merge_patch(path, encode(&json!({"status": {"release": format!("bench/{}", self.number)}})))
    }
}

/// Cuts a stream into lines.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
}

// === impl Lines ===

impl Lines {
    fn push(&mut self, data: &[u8], mut each: impl FnMut(&[u8])) {
        let mut parts = data.split(|byte| *byte == b'\n');
        let mut part = parts.next().unwrap_or_default();
        for next in parts {
            self.rest.extend_from_slice(part);
            each(&self.rest);
            self.rest.clear();
            part = next;
        }
        self.rest.extend_from_slice(part);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_however_the_stream_is_cut() {
        let stream = b"one\ntwo\n\nthree\nrest";
        for cut in 1..=stream.len() {
            let mut lines = Lines::default();
            let mut got = Vec::new();
            for data in stream.chunks(cut) {
                lines.push(data, |line| got.push(String::from_utf8(line.to_vec()).unwrap()));
            }
            assert_eq!(got, ["one", "two", "", "three"], "in pieces of {cut}");
            assert_eq!(lines.rest, b"rest");
        }
    }

    #[test]
    fn an_event_is_known_by_its_number() {
        let event =
            br#"{"object":{"metadata":{"managedFields":[{"f:release":{}}]},"status":{"release":"bench/42","x":1}}}"#;
        assert_eq!(number(event), Some(42));
        for other in [&br#"{"type":"BOOKMARK"}"#[..], br#""release":"stable""#, br#""release":"bench/x""#] {
            assert_eq!(number(other), None);
        }
    }

    #[test]
    fn latency_counts_from_the_sending_and_the_last_watcher_is_told_apart() {
        let sent = Instant::now();
        let ms = Duration::from_millis;
        let writes = BTreeMap::from([(1, Write { sent, acknowledged: sent + ms(5) })]);
        let events = [(1, 2), (1, 9), (7, 1)].map(|(number, after)| Arrival { number, at: sent + ms(after) });
        let outcome = latencies(&writes, &events);
        assert_eq!(outcome.requests, 2, "the event of an earlier write does not count");
        assert_eq!(outcome.samples("event").summary().unwrap().p50, 2.0);
        assert_eq!(outcome.samples("last").summary().unwrap().p50, 9.0);
        assert_eq!(outcome.samples("acknowledged").summary().unwrap().p50, 5.0);
    }

    #[test]
    fn missing_events_are_errors() {
        assert_eq!(missing(10, 10).count, 0);
        assert_eq!(missing(10, 7).count, 3);
        assert!(missing(10, 7).first.unwrap().starts_with("3 of 10 events"));
    }
}
