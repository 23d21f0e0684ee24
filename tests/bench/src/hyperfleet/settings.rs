//! What a run for HyperFleet's API is told on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use crate::hyperfleet::measure::MEASURES;
use crate::settings::{at_least, seconds};

/// Measures HyperFleet's API on SQLite and on PostgreSQL, beside a server that knows its answers and beside pgbench.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    /// Clusters that there are before anything is measured
    #[arg(long, default_value = "10000", value_parser = at_least(100))]
    pub(crate) clusters: usize,

    /// Clients side by side, a connection each
    #[arg(long, default_value = "1,32,64", value_delimiter = ',', value_parser = at_least(1))]
    pub(crate) clients: Vec<usize>,

    /// Seconds that each measure takes at each target, over all rounds
    #[arg(id = "seconds", long, default_value = "4", value_parser = seconds, value_name = "SECONDS")]
    pub(crate) time: Duration,

    /// Rounds; every other round takes the targets in reverse
    #[arg(long, default_value = "2", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,

    /// Only these measures
    #[arg(long, value_delimiter = ',', value_parser = words())]
    only: Vec<String>,

    /// A short run that shows whether everything works; its numbers mean little
    #[arg(long)]
    quick: bool,

    /// Where to write the tables (Markdown) instead of stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

// === impl Settings ===

impl Settings {
    /// With what `--quick` stands for put in its place.
    pub(crate) fn settled(self) -> Self {
        if !self.quick {
            return self;
        }
        Self {
            clusters: self.clusters.min(200),
            clients: vec![1, 8],
            time: Duration::from_millis(300),
            rounds: 1,
            ..self
        }
    }

    /// Whether a measure runs.
    pub(crate) fn wants(&self, word: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == word)
    }

    /// How long a round takes.
    pub(crate) fn round(&self) -> Duration {
        self.time / self.rounds
    }

    /// How long the same load lasts before it, which does not count.
    pub(crate) fn warm_up(&self) -> Duration {
        self.round() / 10
    }
}

fn words() -> impl clap::builder::TypedValueParser<Value = String> {
    PossibleValuesParser::new(MEASURES.iter().map(|measure| measure.word)).map(|word| word)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Everything {
        #[command(flatten)]
        settings: Settings,
    }

    #[test]
    fn measures_are_chosen_by_their_words() {
        let settings = Everything::try_parse_from(["x", "--only", "get,label", "--quick"]).unwrap().settings.settled();
        assert!(settings.wants("get") && !settings.wants("list20"));
        assert_eq!((settings.clusters, settings.rounds), (200, 1));
        for args in [["x", "--only", "nothing"], ["x", "--clusters", "99"], ["x", "--clients", "0"]] {
            assert!(Everything::try_parse_from(args).is_err(), "{args:?}");
        }
    }
}
