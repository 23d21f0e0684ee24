//! Whole volumes by stream: every way, in alternation, for each length and each size of the messages.

use anyhow::Result;

use crate::cbt::Report;
use crate::cbt::cost::{Cost, Meter};
use crate::cbt::figures::{Figures, table};
use crate::cbt::settings::Settings;
use crate::cbt::setup::{CLIENT, DRIVER, Setup, client};
use crate::cbt::way::{Ask, Way};
use crate::run::order;
use crate::target::Process;

/// The column without a relay.
pub(crate) const STRAIGHT: &str = "straight";
/// The column of the sidecar of Kubernetes.
pub(crate) const SIDECAR: &str = "sidecar";

/// Whatever is between the client and the driver.
const RELAY: &str = "relay";

/// Measures, and reports as it goes.
pub(crate) async fn streams(setup: &Setup, settings: &Settings, report: &mut Report) -> Result<()> {
    let ways = setup.ways();
    for &entries in &settings.entries {
        for &per_message in &settings.per_message {
            let ask = Ask { entries, start: 0, per_message };
            let mut costs = vec![Cost::default(); ways.len()];
            for round in 0..settings.rounds as usize {
                for way in order(ways.len(), round) {
                    report.step(format!("{entries} entries, {per_message} a message: {}", ways[way].name));
                    costs[way].absorb(&one(setup, &ways[way], ask).await?);
                }
            }
            let title = format!("Streams of {entries} entries, {per_message} in a message");
            report.section(&title, &tables(&ways, &costs, entries * u64::from(settings.rounds)))?;
        }
    }
    Ok(())
}

async fn one(setup: &Setup, way: &Way, ask: Ask) -> Result<Cost> {
    // Connections are open then, and what is remembered of tokens is fresh.
    way.list(Ask { start: ask.entries - 1, ..ask }).await?;
    let mut processes = vec![Process { name: DRIVER.to_owned(), pid: setup.driver() }, client()];
    processes.extend(way.relay.map(|pid| Process { name: RELAY.to_owned(), pid }));
    let meter = Meter::start(&processes);
    way.list(ask).await?;
    Ok(meter.end())
}

/// All ways beside the straight one, and what is between beside the sidecar.
fn tables(ways: &[Way], costs: &[Cost], entries: u64) -> String {
    let all = ways.iter().zip(costs);
    let beside: Vec<_> = all.clone().map(|(way, cost)| (way.name, connection(cost, entries))).collect();
    let between = all.filter(|(way, _)| way.relay.is_some());
    let between: Vec<_> = between.map(|(way, cost)| (way.name, relay(cost, entries))).collect();
    format!("{}\n{}", table(&beside, STRAIGHT), table(&between, SIDECAR))
}

fn connection(cost: &Cost, entries: u64) -> Figures {
    let mut figures = Figures::default();
    let million = entries as f64 / 1e6;
    figures.put("million entries/s", million / cost.elapsed.as_secs_f64());
    figures.put("seconds for 16 million", cost.elapsed.as_secs_f64() * f64::from(1 << 24) / entries as f64);
    for process in [CLIENT, DRIVER] {
        let seconds = cost.seconds(process);
        figures.put(format!("{process}: million entries per CPU s"), seconds.map(|seconds| million / seconds));
        figures.put(format!("{process}: RSS at most, MiB"), cost.resident(process));
    }
    figures.put("CPUs that others had", cost.load());
    figures
}

fn relay(cost: &Cost, entries: u64) -> Figures {
    let mut figures = Figures::default();
    let seconds = cost.seconds(RELAY);
    figures.put("CPU s for 16 million", seconds.map(|seconds| seconds * f64::from(1 << 24) / entries as f64));
    figures.put("million entries per CPU s", seconds.map(|seconds| entries as f64 / 1e6 / seconds));
    figures.put("RSS at most, MiB", cost.resident(RELAY));
    figures.put("anonymous memory, MiB", cost.anonymous(RELAY));
    figures
}
