//! Pages of JSON, one after the other on one connection: at the start of a volume, and at its far end.

use anyhow::{Result, ensure};

use crate::cbt::Report;
use crate::cbt::cost::{Cost, Meter};
use crate::cbt::figures::{Figures, table};
use crate::cbt::settings::Settings;
use crate::cbt::setup::{Setup, Target};
use crate::cbt::source::{Ask, Form};
use crate::run::order;
use crate::samples::Samples;

/// Where pages are.
const PLACES: [&str; 2] = ["start", "end"];

/// What came of one target and one place.
#[derive(Clone, Debug, Default)]
struct Pages {
    entries: u64,
    first: Samples,
    whole: Samples,
    cost: Cost,
}

/// Measures, and reports as it goes.
pub(crate) async fn pages(setup: &Setup, settings: &Settings, report: &mut Report) -> Result<()> {
    let (targets, entries) = (setup.targets().await?, settings.entries[0]);
    for &limit in &settings.limits {
        let mut all = vec![<[Pages; 2]>::default(); targets.len()];
        for round in 0..settings.rounds as usize {
            for target in order(targets.len(), round) {
                for place in order(PLACES.len(), round) {
                    report.step(format!("pages of {limit} at the {}: {}", PLACES[place], targets[target].name));
                    let offset = if place == 0 { 0 } else { entries - limit };
                    let ask = Ask { entries, offset, limit, form: Form::Object };
                    all[target][place].take(&targets[target], ask, settings).await?;
                }
            }
        }
        let columns: Vec<_> =
            targets.iter().zip(&all).map(|(target, pages)| (target.name, figures(target, pages))).collect();
        let title = format!("Pages of {limit} entries, of {entries}");
        report.section(&title, &table(&columns, targets[0].name).to_string())?;
    }
    Ok(())
}

// === impl Pages ===

impl Pages {
    /// Takes one page after the other, for a round.
    async fn take(&mut self, target: &Target, ask: Ask, settings: &Settings) -> Result<()> {
        target.source.verify(ask).await?;
        let bytes = target.source.answer(ask).await?.bytes;
        let meter = Meter::start(&target.processes);
        while meter.elapsed() < settings.round() {
            let answer = target.source.answer(ask).await?;
            ensure!(answer.bytes == bytes, "{}: a page has {} bytes, not {bytes}", target.name, answer.bytes);
            self.entries += ask.limit;
            self.first.push(answer.first);
            self.whole.push(answer.whole);
        }
        self.cost.absorb(&meter.end());
        Ok(())
    }

    fn rate(&self) -> f64 {
        self.entries as f64 / self.cost.elapsed.as_secs_f64()
    }
}

fn figures(target: &Target, pages: &[Pages; 2]) -> Figures {
    let mut figures = Figures::default();
    for (place, pages) in PLACES.iter().zip(pages) {
        let put =
            |figures: &mut Figures, what: &str, value: Option<f64>| figures.put(format!("{place}: {what}"), value);
        put(&mut figures, "million entries/s", Some(pages.rate() / 1e6));
        for (what, samples) in [("page", &pages.whole), ("first byte", &pages.first)] {
            let summary = samples.summary();
            put(&mut figures, &format!("{what}, p50 ms"), summary.map(|summary| summary.p50));
            put(&mut figures, &format!("{what}, p99 ms"), summary.map(|summary| summary.p99));
        }
        for process in &target.processes {
            let seconds = pages.cost.seconds(&process.name).map(|seconds| seconds * 1e6 / pages.entries as f64);
            put(&mut figures, &format!("{}, CPU s per million", process.name), seconds);
        }
        put(&mut figures, "CPUs that others had", Some(pages.cost.load()));
    }
    figures.put("entries/s, end ÷ start", pages[1].rate() / pages[0].rate());
    for process in &target.processes {
        let most = pages.iter().filter_map(|pages| pages.cost.resident(&process.name)).reduce(f64::max);
        figures.put(format!("{}: RSS at most, MiB", process.name), most);
    }
    figures
}
