//! What a run found out, for people (Markdown) and for programs (JSON).
//!
//! Every number is a row of its own with the targets side by side, so that no cell needs explaining, and the ratio to the
//! baseline behind them: above 1 is more, whether more is better or not.

mod compared;
mod json;
mod table;

use std::collections::BTreeSet;
use std::fmt::Write as _;

pub(crate) use compared::{Columns, Row, compared};
pub(crate) use json::json;
pub(crate) use table::Table;

use crate::procstat::Memory;
use crate::run::{Cell, Findings, GENERATOR};
use crate::settings::Settings;
use crate::target::{Peers, Target};
use table::number;

/// Processor time below which a process had no part in a measure, in seconds per 1,000 requests.
const IDLE: f64 = 0.005;

/// How to read the tables.
const LEGEND: &str = "\
Percentiles are exact. *database* is what the store grew by while the objects were loaded, its history included. *event* is \
the time from sending a write to the arrival of its event at a watcher, *last watcher* the same for the slowest watcher of \
each write.";

/// The machine that a run was made on.
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
}

/// The report as Markdown.
pub(crate) fn markdown(peers: &Peers, settings: &Settings, machine: &Machine, findings: &Findings) -> String {
    let mut text = introduction(peers, settings, machine, findings);
    for &size in &settings.sizes {
        let rows = metrics(peers, findings, size);
        section(&mut text, &format!("Objects of {}", bytes(size)), &peers.targets, &rows);
    }
    for &size in &settings.sizes {
        let rows = usage(peers, findings, size);
        let title = format!("Processor seconds per 1,000 requests or events, objects of {}", bytes(size));
        section(&mut text, &title, &peers.targets, &rows);
    }
    let _ = write!(text, "\n## Memory in MiB\n\n{}", memory(findings));
    let _ = write!(text, "\n## Errors\n\n{}", errors(peers, findings));
    text
}

/// Requests that failed, over all targets.
pub(crate) fn error_count(findings: &Findings) -> u64 {
    findings.cells.iter().map(|cell| cell.outcome.errors.count).sum()
}

fn introduction(peers: &Peers, settings: &Settings, machine: &Machine, findings: &Findings) -> String {
    let mut text = String::from("# Side by side\n\n");
    for (target, version) in peers.targets.iter().zip(&findings.versions) {
        let Target { name, group, version: api, plural, endpoint, store, .. } = target;
        let _ =
            writeln!(text, "- **{name}**: {plural}.{api}.{group} at {}, server {version}, store {store}", endpoint.url);
    }
    let Machine { processor, cores, kernel } = machine;
    let _ = writeln!(
        text,
        "\n{cores} cores of {processor}, Linux {kernel}, the load generator included. {} s a measure in {}, {} to a \
         connection; JSON over HTTP/2 and TLS throughout, not compressed.\n\n{LEGEND}",
        settings.time.as_secs_f64(),
        counted(settings.rounds as usize, "round"),
        counted(settings.per_connection, "client"),
    );
    for note in &peers.notes {
        let _ = writeln!(text, "\n**Note:** {note}");
    }
    text
}

fn section(text: &mut String, title: &str, targets: &[Target], rows: &[Row]) {
    if !rows.is_empty() {
        let columns = Columns {
            names: targets.iter().map(|target| target.name.clone()).collect(),
            baseline: targets.iter().position(|target| target.baseline),
        };
        let _ = write!(text, "\n## {title}\n\n{}", compared(&columns, rows));
    }
}

/// Every metric of one size.
fn metrics(peers: &Peers, findings: &Findings, size: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for cells in measures(findings, size) {
        let mut labels: Vec<&str> = Vec::new();
        for metric in cells.iter().flat_map(|cell| &cell.metrics) {
            if !labels.contains(&metric.label) {
                labels.push(metric.label);
            }
        }
        for label in labels {
            let value =
                |cell: &Cell| cell.metrics.iter().find(|metric| metric.label == label).map(|metric| metric.value);
            rows.push(Row { label: format!("{}: {label}", cells[0].what), values: by_target(peers, &cells, value) });
        }
    }
    rows
}

/// The processor time of one size: all servers together, then each process that took part.
fn usage(peers: &Peers, findings: &Findings, size: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for cells in measures(findings, size).into_iter().filter(|cells| cells.iter().any(|cell| cell.outcome.requests > 0))
    {
        let servers = |cell: &Cell| per_thousand(cell, |process| process != GENERATOR);
        rows.push(Row { label: format!("{}: all servers", cells[0].what), values: by_target(peers, &cells, servers) });
        let names: BTreeSet<&String> = cells.iter().flat_map(|cell| cell.outcome.usage.0.keys()).collect();
        for name in names {
            let values = by_target(peers, &cells, |cell| per_thousand(cell, |process| process == name));
            if values.iter().flatten().any(|seconds| *seconds >= IDLE) {
                rows.push(Row { label: format!("{}: {name}", cells[0].what), values });
            }
        }
    }
    rows
}

fn per_thousand(cell: &Cell, counts: impl Fn(&str) -> bool) -> Option<f64> {
    let usage = cell.outcome.usage.0.iter().filter(|(process, _)| counts(process));
    let seconds: f64 = usage.map(|(_, seconds)| seconds).sum();
    (cell.outcome.requests > 0).then(|| seconds * 1e3 / cell.outcome.requests as f64)
}

/// The cells of one size by measure, in the order in which they ran.
fn measures(findings: &Findings, size: usize) -> Vec<Vec<&Cell>> {
    let mut measures: Vec<Vec<&Cell>> = Vec::new();
    for cell in findings.cells.iter().filter(|cell| cell.size == size) {
        match measures.iter_mut().find(|cells| cells[0].what == cell.what) {
            Some(cells) => cells.push(cell),
            None => measures.push(vec![cell]),
        }
    }
    measures
}

fn by_target(peers: &Peers, cells: &[&Cell], value: impl Fn(&Cell) -> Option<f64>) -> Vec<Option<f64>> {
    let of = |target| cells.iter().find(|cell| cell.target == target).and_then(|cell| value(cell));
    (0..peers.targets.len()).map(of).collect()
}

fn memory(findings: &Findings) -> Table {
    let head = ["", "RSS before", "RSS after", "anonymous before", "anonymous after", "RSS at most"];
    let mut table = Table::new(head.map(str::to_owned).to_vec());
    for footprint in &findings.memory {
        let (Memory { resident, anonymous, .. }, after) = (footprint.before, footprint.after);
        let sizes = [resident, after.resident, anonymous, after.anonymous, after.peak];
        let mut row = vec![footprint.process.clone()];
        row.extend(sizes.map(|size| number(size as f64 / f64::from(1 << 20))));
        table.row(row);
    }
    table
}

fn errors(peers: &Peers, findings: &Findings) -> String {
    let mut text = String::new();
    for cell in &findings.cells {
        let Some(first) = &cell.outcome.errors.first else { continue };
        let target = &peers.targets[cell.target].name;
        let _ = writeln!(
            text,
            "- {target}, {}, {}: {} of {}, the first: {first}",
            bytes(cell.size),
            cell.what,
            cell.outcome.errors.count,
            cell.outcome.errors.count + cell.outcome.requests
        );
    }
    if text.is_empty() { "None.\n".to_owned() } else { text }
}

/// `1 round`, `2 rounds`.
fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// A size for a heading.
fn bytes(size: usize) -> String {
    if size.is_multiple_of(1024) { format!("{} KB", size / 1024) } else { format!("{size} B") }
}

// === impl Machine ===

impl Machine {
    pub(crate) fn this() -> Self {
        let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            processor: model.map_or("an unnamed processor", |(_, model)| model).to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: kernel.trim().to_owned(),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::time::Duration;

    use serde_json::json as value;

    use super::*;
    use crate::measure::Measure;
    use crate::outcome::{Errors, Outcome};
    use crate::run::Footprint;

    fn peers() -> Peers {
        let target = |name: &str, baseline: bool| {
            value!({
                "name": name, "baseline": baseline, "group": "g.example.org", "version": "v1", "plural": "things",
                "kind": "Thing", "store": name,
                "endpoint": {"url": "https://127.0.0.1:1", "ca": "ca", "auth": {"token": "token"}},
            })
        };
        serde_json::from_value(value!({"targets": [target("ours", false), target("theirs", true)]})).unwrap()
    }

    fn cell(target: usize, requests: u64, servers: f64) -> Cell {
        let mut outcome = Outcome { elapsed: Duration::from_secs(1), requests, ..Outcome::default() };
        outcome.usage.0 = [("etcd", 0.0), ("server", servers), (GENERATOR, 1.0)].map(|(n, s)| (n.to_owned(), s)).into();
        let measure = Measure::Get { clients: 1 };
        Cell { size: 1024, what: measure.to_string(), target, metrics: measure.metrics(&outcome), outcome }
    }

    fn findings(cells: Vec<Cell>) -> Findings {
        let before = Memory { resident: 10 << 20, anonymous: 1 << 20, peak: 10 << 20 };
        let after = Memory { resident: 20 << 20, anonymous: 2 << 20, peak: 30 << 20 };
        let memory = vec![Footprint { process: "server".to_owned(), before, after }];
        Findings { versions: vec!["v1".to_owned(), "v2".to_owned()], cells, memory }
    }

    fn text(findings: &Findings) -> String {
        let machine = Machine { processor: "X".to_owned(), cores: 2, kernel: "6".to_owned() };
        markdown(&peers(), &Settings { sizes: vec![1024], ..Settings::default() }, &machine, findings)
    }

    fn row(text: &str, label: &str) -> Vec<String> {
        let row = text.lines().find(|line| line.starts_with(&format!("| {label} "))).unwrap();
        row.split('|').map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty()).skip(1).collect()
    }

    #[test]
    fn targets_stand_side_by_side_with_the_ratio_to_the_baseline() {
        let text = text(&findings(vec![cell(0, 3000, 0.6), cell(1, 1500, 1.5)]));
        assert_eq!(row(&text, "get, 1 client: ops/s"), ["3,000", "1,500", "2.00×"]);
        assert!(text.contains("## Objects of 1 KB") && text.contains("## Errors\n\nNone."));
    }

    #[test]
    fn processor_time_is_per_thousand_requests_and_without_the_load_generator_in_the_sum() {
        let text = text(&findings(vec![cell(0, 3000, 0.6), cell(1, 1500, 1.5)]));
        assert_eq!(row(&text, "get, 1 client: all servers"), ["0.200", "1.00", "0.200×"]);
        assert_eq!(row(&text, "get, 1 client: load generator"), ["0.333", "0.667", "0.500×"]);
        assert!(!text.contains("get, 1 client: etcd"), "what had no part has no row");
    }

    #[test]
    fn what_could_not_be_measured_is_a_dash_and_its_error_is_told() {
        let mut broken = cell(0, 0, 0.0);
        broken.outcome.errors = Errors::one(&anyhow::anyhow!("connection refused"));
        let findings = findings(vec![broken, cell(1, 1500, 1.5)]);
        let text = text(&findings);
        assert_eq!(row(&text, "get, 1 client: ops/s"), ["–", "1,500", "–"]);
        assert!(text.contains("- ours, 1 KB, get, 1 client: 1 of 1, the first: connection refused"));
        assert_eq!(error_count(&findings), 1);
    }

    #[test]
    fn memory_is_before_and_after() {
        let text = text(&findings(Vec::new()));
        assert_eq!(row(&text, "server"), ["10.0", "20.0", "1.00", "2.00", "30.0"]);
    }

    #[test]
    fn the_json_has_the_numbers_of_the_tables() {
        let machine = Machine { processor: "X".to_owned(), cores: 2, kernel: "6".to_owned() };
        let json = json(&peers(), &Settings::default(), &machine, &findings(vec![cell(0, 3000, 0.6)]));
        assert_eq!(json["cells"][0]["metrics"]["ops/s"], 3000.0);
        assert_eq!(json["cells"][0]["processorSeconds"]["server"], 0.6);
        assert_eq!(json["memory"][0]["after"]["peak"], 30 << 20);
    }
}
