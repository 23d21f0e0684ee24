//! `cargo xtask bench cbt`: changed blocks, from one driver, every way there is.
//!
//! Ratios count here too. Streams are compared with one straight from the driver, and the relay with the sidecar that
//! Kubernetes has for the same; pages and lists with what the driver gives to who asks it itself.
//!
//! ```text
//! setup      starts everything     way, source   who is asked      streams  pages     the measures
//! snapshots  objects in a cluster  cost          what it costs     whole    starts
//! driver     a process of its own  figures       tables
//! ```
//! To add a measure: a file with a function that takes a [`Setup`] and writes a section, and a word for `--only`.

mod cost;
pub(crate) mod driver;
pub(crate) mod figures;
mod pages;
mod settings;
mod setup;
mod snapshots;
mod source;
mod starts;
mod streams;
mod way;
mod whole;

use std::fs::File;
use std::io::{Write, stdout};

use anyhow::{Context as _, Result};

pub(crate) use settings::Settings;

use crate::progress::Progress;
use crate::report::Machine;
use setup::Setup;

/// Sections that are written as soon as there is something to say.
struct Report {
    out: Box<dyn Write>,
    progress: Progress,
}

/// Measures and reports.
pub(crate) async fn bench(settings: Settings) -> Result<()> {
    let settings = settings.settled();
    let mut report = Report::new(&settings)?;
    report.step("starting".to_owned());
    let setup = Setup::start(&settings).await?;
    if settings.wants("streams") {
        streams::streams(&setup, &settings, &mut report).await?;
    }
    if settings.wants("starts") {
        starts::starts(&setup, &settings, &mut report).await?;
    }
    if settings.wants("pages") {
        pages::pages(&setup, &settings, &mut report).await?;
    }
    if settings.wants("whole") {
        whole::whole(&setup, &settings, &mut report).await?;
    }
    report.progress.done();
    Ok(())
}

// === impl Report ===

impl Report {
    fn new(settings: &Settings) -> Result<Self> {
        let out: Box<dyn Write> = match &settings.out {
            Some(file) => Box::new(File::create(file).with_context(|| format!("writing {}", file.display()))?),
            None => Box::new(stdout()),
        };
        let mut report = Self { out, progress: Progress::endless() };
        let Machine { processor, cores, kernel } = Machine::this();
        report.write(&format!(
            "# Changed blocks side by side\n\n{cores} cores of {processor}, Linux {kernel}, the client included. {} rounds. \
             *CPUs that others had* is what the rest of the machine did meanwhile.\n",
            settings.rounds
        ))?;
        Ok(report)
    }

    fn section(&mut self, title: &str, tables: &str) -> Result<()> {
        self.write(&format!("\n## {title}\n\n{tables}"))
    }

    fn write(&mut self, text: &str) -> Result<()> {
        self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush()).context("writing the report")
    }

    fn step(&self, what: String) {
        self.progress.step(what);
    }
}
