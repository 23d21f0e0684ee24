//! What is measured at each target, and what is said of it.
//!
//! To add a measure: a file beside the others with a function from [`Run`] to [`Outcome`], a variant of [`Measure`], and
//! what it shows in [`Measure::metrics`]. A measure knows one target; alternation and rounds are [`crate::run`]'s.

pub(crate) mod fill;
mod get;
mod list;
mod seed;
mod watch;
mod writes;

use std::fmt;
use std::time::Duration;

use anyhow::Result;

use crate::client::Connector;
use crate::load::{Work, Worker, drive};
use crate::outcome::Outcome;
use crate::procstat::Usage;
use crate::settings::Settings;
use crate::target::{Process, Target};

/// One measure, at any target and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    Create { clients: usize },
    Get { clients: usize },
    Update { clients: usize },
    Status { clients: usize },
    Apply { clients: usize },
    List { objects: usize },
    Watch { watchers: usize, spread: Spread },
}

/// What the watchers watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    /// All namespaces: each event goes to every watcher, as to controllers.
    All,
    /// One namespace each: an event goes to one watcher, as to agents.
    Namespaces,
}

/// One measure at one target in one round.
pub(crate) struct Run<'a> {
    pub(crate) target: &'a Target,
    pub(crate) connector: &'a Connector,
    pub(crate) settings: &'a Settings,
    pub(crate) processes: &'a [Process],
    pub(crate) size: usize,
    pub(crate) round: usize,
}

/// A number of the table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Metric {
    pub(crate) label: &'static str,
    pub(crate) value: f64,
}

// === impl Measure ===

impl Measure {
    /// All that the settings ask for, in the order in which they run.
    pub(crate) fn all(settings: &Settings) -> Vec<Self> {
        let mut all = Vec::new();
        for &clients in &settings.clients {
            all.push(Self::Create { clients });
            all.push(Self::Get { clients });
            all.push(Self::Update { clients });
            all.push(Self::Status { clients });
            all.push(Self::Apply { clients });
        }
        all.push(Self::List { objects: settings.objects });
        for &watchers in &settings.watchers {
            all.push(Self::Watch { watchers, spread: Spread::All });
            if watchers > 1 {
                all.push(Self::Watch { watchers, spread: Spread::Namespaces });
            }
        }
        all.retain(|measure| settings.wants(measure.word()));
        all
    }

    /// The word that `--only` knows it by.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Get { .. } => "get",
            Self::Update { .. } => "update",
            Self::Status { .. } => "status",
            Self::Apply { .. } => "apply",
            Self::List { .. } => "list",
            Self::Watch { .. } => "watch",
        }
    }

    pub(crate) async fn run(self, run: &Run<'_>) -> Result<Outcome> {
        match self {
            Self::Create { clients } => writes::create(run, clients).await,
            Self::Get { clients } => get::get(run, clients).await,
            Self::Update { clients } => writes::update(run, clients).await,
            Self::Status { clients } => writes::status(run, clients).await,
            Self::Apply { clients } => writes::apply(run, clients).await,
            Self::List { .. } => list::list(run).await,
            Self::Watch { watchers, spread } => watch::watch(run, watchers, spread).await,
        }
    }

    /// The numbers that a table shows; those that could not be taken are left out.
    pub(crate) fn metrics(self, outcome: &Outcome) -> Vec<Metric> {
        let summary = |what| outcome.samples(what).summary();
        let metric = |label, value: Option<f64>| value.map(|value| Metric { label, value });
        let metrics = match self {
            Self::List { .. } => vec![
                metric("p50 ms", summary("whole").map(|s| s.p50)),
                metric("first byte p50 ms", summary("first byte").map(|s| s.p50)),
                metric("MB/s", outcome.rate().map(|_| outcome.bytes as f64 / 1e6 / outcome.elapsed.as_secs_f64())),
            ],
            Self::Watch { watchers, spread } => vec![
                metric("event p50 ms", summary("event").map(|s| s.p50)),
                metric("event p99 ms", summary("event").map(|s| s.p99)),
                // Where an event goes to one watcher, that is the last.
                metric("last watcher p50 ms", summary("last").map(|s| s.p50))
                    .filter(|_| watchers > 1 && spread == Spread::All),
                metric("write acknowledged p50 ms", summary("acknowledged").map(|s| s.p50)),
            ],
            _ => vec![
                metric("ops/s", outcome.rate()),
                metric("p50 ms", summary("latency").map(|s| s.p50)),
                metric("p99 ms", summary("latency").map(|s| s.p99)),
            ],
        };
        metrics.into_iter().flatten().collect()
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        match *self {
            Self::Status { clients } => write!(f, "status patch, {clients} client{}", plural(clients)),
            Self::Apply { clients } => write!(f, "server-side apply, {clients} client{}", plural(clients)),
            Self::Create { clients } | Self::Get { clients } | Self::Update { clients } => {
                write!(f, "{}, {clients} client{}", self.word(), plural(clients))
            }
            Self::List { objects } => write!(f, "list of {objects}"),
            Self::Watch { watchers, spread } => {
                let of = match spread {
                    Spread::All => "all namespaces",
                    Spread::Namespaces => "a namespace each",
                };
                write!(f, "watch, {watchers} watcher{} of {of}", plural(watchers))
            }
        }
    }
}

// === impl Run ===

impl Run<'_> {
    /// The namespace of what this target is measured with.
    fn namespace(&self) -> String {
        crate::namespaces::of_target(self.settings, self.target, self.size)
    }

    /// The beginning of the names of this run's objects.
    fn prefix(&self, measure: &str, clients: usize) -> String {
        format!("{measure}-{clients}-{}", self.round)
    }

    /// Warms up, then measures.
    async fn measure<W: Work>(&self, workers: Vec<Worker<W>>) -> Outcome {
        let (workers, warm_up) = drive(workers, self.settings.warm_up).await;
        let before = Usage::now(self.processes);
        let (_workers, mut outcome) = drive(workers, self.time()).await;
        outcome.usage = Usage::now(self.processes).since(&before);
        outcome.errors.absorb(warm_up.errors);
        outcome
    }

    /// The time for one round.
    fn time(&self) -> Duration {
        self.settings.time / self.settings.rounds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_are_named_for_the_reader() {
        let table = [
            (Measure::Create { clients: 1 }, "create, 1 client"),
            (Measure::Status { clients: 32 }, "status patch, 32 clients"),
            (Measure::Apply { clients: 1 }, "server-side apply, 1 client"),
            (Measure::List { objects: 10_000 }, "list of 10000"),
            (Measure::Watch { watchers: 1, spread: Spread::All }, "watch, 1 watcher of all namespaces"),
            (Measure::Watch { watchers: 500, spread: Spread::Namespaces }, "watch, 500 watchers of a namespace each"),
        ];
        for (measure, name) in table {
            assert_eq!(measure.to_string(), name);
        }
    }

    #[test]
    fn only_what_is_asked_for_runs() {
        let settings =
            Settings { only: vec!["list".into(), "create".into()], clients: vec![1, 32], ..Settings::default() };
        let words: Vec<String> = Measure::all(&settings).iter().map(ToString::to_string).collect();
        assert_eq!(words, ["create, 1 client", "create, 32 clients", "list of 10000"]);
    }

    #[test]
    fn a_measure_without_samples_says_nothing() {
        assert!(Measure::Get { clients: 1 }.metrics(&Outcome::default()).is_empty());
        assert!(Measure::List { objects: 1 }.metrics(&Outcome::default()).is_empty());
    }

    #[test]
    fn a_list_is_told_in_megabytes_a_second() {
        let mut outcome =
            Outcome { elapsed: Duration::from_secs(2), requests: 4, bytes: 80_000_000, ..Outcome::default() };
        outcome.observe("whole", Duration::from_millis(500));
        let metrics = Measure::List { objects: 1 }.metrics(&outcome);
        assert_eq!(metrics, [Metric { label: "p50 ms", value: 500.0 }, Metric { label: "MB/s", value: 40.0 }]);
    }
}
