//! Millions of entries in one answer, a line each.

use anyhow::{Result, ensure};

use crate::cbt::Report;
use crate::cbt::cost::{Cost, Meter};
use crate::cbt::figures::{Figures, table};
use crate::cbt::settings::Settings;
use crate::cbt::setup::{Setup, Target};
use crate::cbt::source::{Ask, Form};
use crate::run::order;
use crate::samples::Samples;

/// What came of one target.
#[derive(Clone, Debug, Default)]
struct Lists {
    entries: u64,
    bytes: u64,
    first: Samples,
    cost: Cost,
}

/// Measures, and reports.
pub(crate) async fn whole(setup: &Setup, settings: &Settings, report: &mut Report) -> Result<()> {
    let targets = setup.targets().await?;
    let ask = Ask { entries: settings.entries[0], offset: 0, limit: settings.whole, form: Form::Lines };
    let mut all = vec![Lists::default(); targets.len()];
    for round in 0..settings.rounds as usize {
        for target in order(targets.len(), round) {
            report.step(format!("{} lines: {}", settings.whole, targets[target].name));
            all[target].take(&targets[target], ask).await?;
        }
    }
    let columns: Vec<_> =
        targets.iter().zip(&all).map(|(target, lists)| (target.name, figures(target, lists))).collect();
    let title = format!("{} entries in one answer, a line each", settings.whole);
    report.section(&title, &table(&columns, targets[0].name).to_string())
}

// === impl Lists ===

impl Lists {
    async fn take(&mut self, target: &Target, ask: Ask) -> Result<()> {
        target.source.answer(Ask { limit: 1, ..ask }).await?;
        let meter = Meter::start(&target.processes);
        let answer = target.source.answer(ask).await?;
        self.cost.absorb(&meter.end());
        ensure!(answer.lines == ask.limit, "{}: {} lines came, not {}", target.name, answer.lines, ask.limit);
        self.entries += ask.limit;
        self.bytes += answer.bytes;
        self.first.push(answer.first);
        Ok(())
    }
}

fn figures(target: &Target, lists: &Lists) -> Figures {
    let mut figures = Figures::default();
    let seconds = lists.cost.elapsed.as_secs_f64();
    figures.put("million entries/s", lists.entries as f64 / seconds / 1e6);
    figures.put("MB/s", lists.bytes as f64 / seconds / 1e6);
    figures.put("first byte, at most ms", lists.first.summary().map(|summary| summary.max));
    for process in &target.processes {
        let seconds = lists.cost.seconds(&process.name).map(|seconds| seconds * 1e6 / lists.entries as f64);
        figures.put(format!("{}, CPU s per million", process.name), seconds);
        figures.put(format!("{}: RSS at most, MiB", process.name), lists.cost.resident(&process.name));
    }
    figures.put("CPUs that others had", lists.cost.load());
    figures
}
