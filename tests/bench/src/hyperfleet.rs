//! `cargo xtask bench hyperfleet`: HyperFleet's API on both databases, beside the least that could answer the same.
//!
//! ```text
//! load ─┬─HTTP/1.1─▶ outrigger hyperfleet serve ─▶ SQLite
//!       ├─HTTP/1.1─▶ outrigger hyperfleet serve ─▶ PostgreSQL     both wait for the disk
//!       ╰─HTTP/1.1─▶ constant                                     the same bytes, out of memory
//! pgbench ────────────────────────────────────────▶ PostgreSQL    the same documents, a statement each
//! ```
//! What is to be seen is the processor time of a request: that of the server beside that of one that knows the answer, and
//! that of PostgreSQL beside that of a statement that could not do less. Targets take turns, and no test asserts a timing.
//!
//! To add a measure: a row in [`measure::MEASURES`], and what it sends in [`measure`].

mod client;
pub(crate) mod constant;
mod measure;
mod pgbench;
mod settings;
mod setup;

use std::fs::File;
use std::io::{Write, stdout};

use anyhow::{Context as _, Result};

pub(crate) use settings::Settings;

use crate::cbt::figures::{Figures, table};
use crate::outcome::Outcome;
use crate::procstat::{machine, with_ended};
use crate::progress::Progress;
use crate::report::Machine;
use crate::run::order;
use measure::{MEASURES, Measure};
use setup::{Setup, Target};

/// The column that others are divided by.
const BASELINE: &str = "constant";

/// Measures and reports.
pub(crate) async fn bench(settings: Settings) -> Result<u64> {
    let settings = settings.settled();
    let mut out: Box<dyn Write> = match &settings.out {
        Some(file) => Box::new(File::create(file).with_context(|| format!("writing {}", file.display()))?),
        None => Box::new(stdout()),
    };
    let progress = Progress::endless();
    progress.step(format!("starting, with {} clusters each", settings.clusters));
    let setup = Setup::start(&settings).await?;
    let Machine { processor, cores, kernel } = Machine::this();
    let mut write =
        |text: String| out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("writing the report");
    write(format!(
        "# HyperFleet side by side\n\n{cores} cores of {processor}, Linux {kernel}, the client included; {} clusters, {} rounds. \
         PostgreSQL waits for its disk, and so does SQLite. *constant* answers the same bytes out of memory; *pgbench* runs the least \
         statement that finds the same documents. *CPUs that others had* is what the rest of the machine did meanwhile.\n",
        settings.clusters, settings.rounds
    ))?;
    let mut errors = 0;
    for measure in MEASURES.iter().filter(|measure| settings.wants(measure.word)) {
        write(format!("\n## {}\n", measure.title))?;
        for &clients in &settings.clients {
            let columns = columns(&setup, measure, clients, &settings, &progress).await?;
            errors += columns.iter().map(|column| column.errors).sum::<u64>();
            let failures: Vec<String> = columns.iter().filter_map(|column| column.first_error.clone()).collect();
            let figures: Vec<_> = columns.into_iter().map(|column| (column.name, column.figures)).collect();
            let noun = if clients == 1 { "client" } else { "clients" };
            write(format!("\n{clients} {noun}:\n\n{}", table(&figures, BASELINE)))?;
            for failure in failures {
                write(format!("\n- {failure}\n"))?;
            }
        }
    }
    progress.done();
    Ok(errors)
}

/// One column of a table.
struct Column {
    name: &'static str,
    figures: Figures,
    errors: u64,
    first_error: Option<String>,
}

/// All targets, in turns.
async fn columns(
    setup: &Setup,
    measure: &'static Measure,
    clients: usize,
    settings: &Settings,
    progress: &Progress,
) -> Result<Vec<Column>> {
    let mut taken: Vec<Taken> = setup.targets.iter().map(|_| Taken::default()).collect();
    for round in 0..settings.rounds as usize {
        for place in order(setup.targets.len(), round) {
            let target = &setup.targets[place];
            progress.step(format!("{}, {clients} clients: {}", measure.title, target.name));
            taken[place].take(setup, target, measure, clients, settings).await?;
        }
    }
    Ok(setup.targets.iter().zip(taken).map(|(target, taken)| taken.column(target)).collect())
}

/// What came of one target.
#[derive(Default)]
struct Taken {
    outcome: Outcome,
    server: f64,
    database: f64,
    others: f64,
}

// === impl Taken ===

impl Taken {
    async fn take(
        &mut self,
        setup: &Setup,
        target: &Target,
        measure: &'static Measure,
        clients: usize,
        settings: &Settings,
    ) -> Result<()> {
        target.run(setup, measure, clients, settings.warm_up()).await?;
        let (cost, busy) = (target.cost(), machine() - own());
        let outcome = target.run(setup, measure, clients, settings.round()).await?;
        let after = target.cost();
        let (server, database) = (after.0 - cost.0, after.1 - cost.1);
        self.server += server;
        self.database += database;
        self.others += (machine() - own() - busy - server - database).max(0.0);
        self.outcome.follow(outcome);
        Ok(())
    }

    fn column(self, target: &Target) -> Column {
        let Self { outcome, server, database, others } = self;
        let (requests, seconds) = (outcome.requests as f64, outcome.elapsed.as_secs_f64());
        let mut figures = Figures::default();
        figures.put("requests/s", outcome.rate());
        let latency = outcome.samples("latency").summary();
        figures.put("p50 ms", latency.map(|latency| latency.p50));
        figures.put("p99 ms", latency.map(|latency| latency.p99));
        if target.has_server() {
            figures.put("server, CPU µs per request", server * 1e6 / requests);
        }
        if target.has_database() {
            figures.put("PostgreSQL, CPU µs per request", database * 1e6 / requests);
        }
        figures.put("CPUs that others had", others / seconds);
        let first_error = outcome
            .errors
            .first
            .map(|first| format!("{}: {} failed, the first: {first}", target.name, outcome.errors.count));
        Column { name: target.name, figures, errors: outcome.errors.count, first_error }
    }
}

/// Processor seconds of this process, which makes the load, and of the load generators that it started and saw end.
fn own() -> f64 {
    with_ended(std::process::id())
}
