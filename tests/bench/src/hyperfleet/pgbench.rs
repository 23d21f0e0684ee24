//! The least that PostgreSQL can do for an answer: a table of the documents as they are served, asked by pgbench.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use kit::{Postgres, Scratch};

use crate::hyperfleet::measure::{Measure, ZONES};
use crate::outcome::Outcome;

/// Fills the table with as many copies of a document as there are clusters.
pub(crate) fn prepare(postgres: &Postgres, url: &str, document: &str, clusters: usize) -> Result<()> {
    ensure!(!document.contains("$$"), "a document cannot be quoted");
    let statement = format!(
        "CREATE TABLE floor (id bigint PRIMARY KEY, name text NOT NULL UNIQUE, zone text NOT NULL, \
         created timestamptz NOT NULL DEFAULT clock_timestamp(), document text NOT NULL); \
         CREATE INDEX ON floor (created); CREATE INDEX ON floor (zone, created); \
         CREATE SEQUENCE numbers START {}; \
         INSERT INTO floor SELECT n, 'c-' || n, 'z' || n % {ZONES}, clock_timestamp(), $${document}$$ FROM generate_series(1, {clusters}) n; \
         ANALYZE floor",
        clusters + 1
    );
    postgres.sql(url, &statement).context("filling the table of pgbench").map(drop)
}

/// Runs a measure's statement for a time, in whole seconds and one at least.
pub(crate) async fn run(
    postgres: &Postgres,
    url: &str,
    scratch: &Scratch,
    measure: &Measure,
    clients: usize,
    clusters: usize,
    time: Duration,
) -> Result<Outcome> {
    let script = scratch.write("script.sql", measure.statement)?;
    let prefix = scratch.file("pgbench");
    let seconds = time.as_secs().max(1);
    let mut command = tokio::process::Command::new(postgres.program("pgbench"));
    command.args(["--no-vacuum", "--protocol=prepared", "--log", "--jobs=1"]);
    command.arg(format!("--log-prefix={}", prefix.display())).arg(format!("--file={}", script.display()));
    command
        .arg(format!("--client={clients}"))
        .arg(format!("--time={seconds}"))
        .arg(format!("--define=clusters={clusters}"));
    let output = command.arg(url).stdin(Stdio::null()).output().await.context("starting pgbench")?;
    ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
    let mut outcome = Outcome { elapsed: Duration::from_secs(seconds), ..Outcome::default() };
    for file in fs::read_dir(scratch.path()).context("looking for the log of pgbench")?.flatten() {
        if file.file_name().to_string_lossy().starts_with("pgbench.") {
            read(&file.path(), &mut outcome)?;
            fs::remove_file(file.path()).context("removing the log of pgbench")?;
        }
    }
    Ok(outcome)
}

/// Its log has a line for each transaction: client, number, microseconds, …
fn read(log: &Path, outcome: &mut Outcome) -> Result<()> {
    for line in fs::read_to_string(log).context("reading the log of pgbench")?.lines() {
        let micros = line.split(' ').nth(2).and_then(|micros| micros.parse().ok());
        outcome.observe("latency", Duration::from_micros(micros.with_context(|| format!("pgbench logged {line}"))?));
        outcome.requests += 1;
    }
    Ok(())
}
