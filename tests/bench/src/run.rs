//! One run: all measures at all targets, in alternation.
//!
//! ```text
//! for each size:     load and weigh each store
//!   for each measure:  round 1: A B C   round 2: C B A   …
//! ```
//! What drifts during a run, by heat, growth or neighbours, so falls on all targets alike. A measure that fails counts as
//! an error of its target and the run goes on.

use anyhow::{Context as _, Result};

use crate::client::{Call, Connector};
use crate::measure::{Measure, Metric, Run, fill};
use crate::namespaces;
use crate::outcome::Outcome;
use crate::procstat::Memory;
use crate::progress::Progress;
use crate::settings::Settings;
use crate::store;
use crate::target::{Peers, Process, Target};

/// The name of this process among those that are accounted for.
pub(crate) const GENERATOR: &str = "load generator";

/// Everything that a run found out.
pub(crate) struct Findings {
    /// What each target says its version is.
    pub(crate) versions: Vec<String>,
    pub(crate) cells: Vec<Cell>,
    pub(crate) memory: Vec<Footprint>,
}

/// One measure of one size at one target.
pub(crate) struct Cell {
    pub(crate) size: usize,
    pub(crate) what: String,
    /// The index of the target.
    pub(crate) target: usize,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) outcome: Outcome,
}

/// The memory of one process over the run.
pub(crate) struct Footprint {
    pub(crate) process: String,
    pub(crate) before: Memory,
    pub(crate) after: Memory,
}

/// All that stays the same during a run.
struct Bench<'a> {
    peers: &'a Peers,
    settings: &'a Settings,
    connectors: Vec<Connector>,
    processes: Vec<Process>,
    progress: Progress,
}

/// Measures everything.
pub(crate) async fn run(peers: &Peers, settings: &Settings) -> Result<Findings> {
    let mut processes = peers.processes.clone();
    processes.push(Process { name: GENERATOR.to_owned(), pid: std::process::id() });
    let connectors = peers.targets.iter().map(|target| Connector::new(&target.endpoint)).collect::<Result<_>>()?;
    let progress = Progress::new(steps(peers, settings));
    let bench = Bench { peers, settings, connectors, processes, progress };

    let versions = bench.versions().await?;
    namespaces::create(peers, settings).await.context("creating the namespaces")?;
    let before: Vec<Memory> = bench.processes.iter().map(Memory::now).collect();
    let mut cells = Vec::new();
    for &size in &settings.sizes {
        if settings.wants("list") {
            cells.extend(bench.fill(size).await?);
        }
        for measure in Measure::all(settings) {
            cells.extend(bench.measure(measure, size).await);
        }
    }
    bench.progress.done();
    let footprint = |(process, before): (&Process, Memory)| Footprint {
        process: process.name.clone(),
        before,
        after: Memory::now(process),
    };
    let memory = bench.processes.iter().zip(before).map(footprint).collect();
    Ok(Findings { versions, cells, memory })
}

/// How many steps the progress bar counts.
fn steps(peers: &Peers, settings: &Settings) -> usize {
    let measures = Measure::all(settings).len() * peers.targets.len() * settings.rounds as usize;
    let fills = if settings.wants("list") { peers.ways_in().len() } else { 0 };
    settings.sizes.len() * (measures + fills)
}

/// The order of the targets in a round.
pub(crate) fn order(targets: usize, round: usize) -> Vec<usize> {
    if round.is_multiple_of(2) { (0..targets).collect() } else { (0..targets).rev().collect() }
}

// === impl Bench ===

impl Bench<'_> {
    /// Asks each target for its version, which also shows that it answers.
    async fn versions(&self) -> Result<Vec<String>> {
        let mut versions = Vec::new();
        for (target, connector) in self.peers.targets.iter().zip(&self.connectors) {
            let client = connector.connect().await.with_context(|| target.name.clone())?;
            let answer = client.call(Call::get("/version".to_owned())).await.with_context(|| target.name.clone())?;
            let version: serde_json::Value = serde_json::from_slice(&answer)?;
            versions.push(version["gitVersion"].as_str().unwrap_or("unknown").to_owned());
        }
        Ok(versions)
    }

    /// Loads every store with the objects that are listed. Without them a list says nothing, so a failure ends the run.
    async fn fill(&self, size: usize) -> Result<Vec<Cell>> {
        let mut cells = Vec::new();
        for way_in in self.peers.ways_in() {
            let target = &self.peers.targets[way_in];
            self.progress.step(format!("{size} B, loading {}", target.store));
            let before = self.weigh(target).await?;
            let outcome =
                fill::fill(&self.at(way_in, size, 0)).await.with_context(|| format!("loading {}", target.store))?;
            let after = self.weigh(target).await?;
            let each =
                before.zip(after).map(|(before, after)| after.saturating_sub(before) as f64 / outcome.requests as f64);
            let metrics: Vec<Metric> =
                each.map(|value| Metric { label: "bytes per object", value }).into_iter().collect();
            let sharing = (0..self.peers.targets.len()).filter(|i| self.peers.targets[*i].store == target.store);
            cells.extend(sharing.map(|target| Cell {
                size,
                what: "database".to_owned(),
                target,
                metrics: metrics.clone(),
                outcome: Outcome::default(),
            }));
        }
        Ok(cells)
    }

    async fn weigh(&self, target: &Target) -> Result<Option<u64>> {
        match self.peers.store(target) {
            Some(store) => {
                store::weigh(&store.size).await.with_context(|| format!("weighing {}", store.name)).map(Some)
            }
            None => Ok(None),
        }
    }

    async fn measure(&self, measure: Measure, size: usize) -> Vec<Cell> {
        let targets = self.peers.targets.len();
        let mut outcomes = vec![Outcome::default(); targets];
        for round in 0..self.settings.rounds as usize {
            for target in order(targets, round) {
                self.progress.step(format!("{size} B, {measure}: {}", self.peers.targets[target].name));
                let outcome =
                    measure.run(&self.at(target, size, round)).await.unwrap_or_else(|error| Outcome::failed(&error));
                outcomes[target].follow(outcome);
            }
        }
        let cell = |(target, outcome): (usize, Outcome)| Cell {
            size,
            what: measure.to_string(),
            target,
            metrics: measure.metrics(&outcome),
            outcome,
        };
        outcomes.into_iter().enumerate().map(cell).collect()
    }

    fn at(&self, target: usize, size: usize, round: usize) -> Run<'_> {
        Run {
            target: &self.peers.targets[target],
            connector: &self.connectors[target],
            settings: self.settings,
            processes: &self.processes,
            size,
            round,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::fake::Fake;

    /// Two watchers and clients, some objects, hardly any time.
    fn small() -> Settings {
        let settings = Settings { clients: vec![2], watchers: vec![2], objects: 40, ..Settings::default() };
        let time = std::time::Duration::from_millis(60);
        Settings { sizes: vec![1024], time, warm_up: time / 4, ..settings }
    }

    #[tokio::test]
    async fn every_measure_says_something_and_nothing_fails() {
        let fake = Fake::start("").await;
        let findings = run(&fake.peers(), &small()).await.unwrap();
        assert_eq!(findings.versions, ["v0"]);
        for cell in findings.cells.iter().filter(|cell| cell.what != "database") {
            assert_eq!(cell.outcome.errors.first, None, "{}", cell.what);
            assert!(cell.outcome.requests > 0 && cell.metrics.len() >= 3, "{}", cell.what);
        }
        let what: Vec<&str> = findings.cells.iter().map(|cell| cell.what.as_str()).collect();
        let expected = [
            "database",
            "create, 2 clients",
            "get, 2 clients",
            "update, 2 clients",
            "status patch, 2 clients",
            "server-side apply, 2 clients",
            "list of 40",
            "watch, 2 watchers of all namespaces",
            "watch, 2 watchers of a namespace each",
        ];
        assert_eq!(what, expected);
    }

    #[tokio::test]
    async fn a_measure_that_is_refused_is_an_error_and_the_others_go_on() {
        let fake = Fake::start("/status").await;
        let settings = Settings { only: vec!["get".into(), "status".into()], ..small() };
        let findings = run(&fake.peers(), &settings).await.unwrap();
        let errors: Vec<u64> = findings.cells.iter().map(|cell| cell.outcome.errors.count).collect();
        assert!(errors[0] == 0 && errors[1] > 0, "{errors:?}");
        assert!(findings.cells[1].outcome.errors.first.as_ref().unwrap().ends_with("403 Forbidden: refused"));
    }

    #[tokio::test]
    async fn a_store_that_cannot_be_loaded_ends_the_run() {
        let fake = Fake::start("/namespaces/bench-list-1024/").await;
        let error = run(&fake.peers(), &small()).await.map(drop).unwrap_err();
        assert!(format!("{error:#}").starts_with("loading memory: loaded 0 of 40 objects"), "{error:#}");
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_ends_the_run() {
        let fake = Fake::start("").await;
        let peers = fake.peers();
        drop(fake);
        assert!(run(&peers, &small()).await.is_err());
    }

    #[test]
    fn every_other_round_is_reversed() {
        assert_eq!(order(3, 0), [0, 1, 2]);
        assert_eq!(order(3, 1), [2, 1, 0]);
        assert_eq!(order(3, 2), [0, 1, 2]);
    }
}
