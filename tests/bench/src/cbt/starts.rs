//! Streams that are started a second, with everything that is asked before one begins: whose the token is, whether its
//! owner may, which snapshot is meant.

use anyhow::Result;
use futures::future::try_join_all;
use tokio::time::Instant;

use crate::cbt::Report;
use crate::cbt::cost::{Cost, Meter};
use crate::cbt::figures::{Figures, table};
use crate::cbt::settings::Settings;
use crate::cbt::setup::{Setup, client};
use crate::cbt::streams::SIDECAR;
use crate::cbt::way::{Ask, Reach, Way};
use crate::run::order;
use crate::samples::Samples;
use crate::target::Process;

const RELAY: &str = "relay";

/// What came of one way.
#[derive(Clone, Debug, Default)]
struct Starts {
    streams: u64,
    whole: Samples,
    cost: Cost,
}

/// Measures, and reports as it goes.
pub(crate) async fn starts(setup: &Setup, settings: &Settings, report: &mut Report) -> Result<()> {
    let ways: Vec<Way> = setup.ways().into_iter().filter(|way| matches!(way.reach, Reach::Metadata(..))).collect();
    let entries = settings.entries[0];
    let ask = Ask { entries, start: entries - 4, per_message: 256 };
    for &starters in &settings.starters {
        let mut all = vec![Starts::default(); ways.len()];
        for round in 0..settings.rounds as usize {
            for way in order(ways.len(), round) {
                report.step(format!("streams by {starters} at a time: {}", ways[way].name));
                all[way].take(setup, &ways[way], ask, starters, settings).await?;
            }
        }
        let columns: Vec<_> = ways.iter().zip(&all).map(|(way, starts)| (way.name, starts.figures())).collect();
        let title = format!("Streams of 4 entries, {starters} at a time");
        report.section(&title, &table(&columns, SIDECAR).to_string())?;
    }
    Ok(())
}

// === impl Starts ===

impl Starts {
    /// Starts one stream after the other at each of the starters, for a round.
    async fn take(&mut self, setup: &Setup, way: &Way, ask: Ask, starters: usize, settings: &Settings) -> Result<()> {
        way.list(ask).await?;
        let mut processes = vec![client()];
        processes.extend(way.relay.map(|pid| Process { name: RELAY.to_owned(), pid }));
        processes.extend(setup.cluster_processes());
        let meter = Meter::start(&processes);
        let starting = (0..starters).map(|_| async {
            let mut whole = Vec::new();
            while meter.elapsed() < settings.round() {
                let begun = Instant::now();
                way.list(ask).await?;
                whole.push(begun.elapsed());
            }
            anyhow::Ok(whole)
        });
        let whole = try_join_all(starting).await?;
        self.cost.absorb(&meter.end());
        self.streams += whole.iter().map(|whole| whole.len() as u64).sum::<u64>();
        self.whole.append(whole.into_iter().flatten().collect());
        Ok(())
    }

    fn figures(&self) -> Figures {
        let mut figures = Figures::default();
        let summary = self.whole.summary();
        figures.put("streams/s", self.streams as f64 / self.cost.elapsed.as_secs_f64());
        figures.put("a stream, p50 ms", summary.map(|summary| summary.p50));
        figures.put("a stream, p99 ms", summary.map(|summary| summary.p99));
        for process in self.cost.usage.0.keys() {
            let each = self.cost.seconds(process).map(|seconds| seconds * 1e3 / self.streams as f64);
            figures.put(format!("{process}, CPU ms a stream"), each);
        }
        figures.put("relay: RSS at most, MiB", self.cost.resident(RELAY));
        figures.put("CPUs that others had", self.cost.load());
        figures
    }
}
