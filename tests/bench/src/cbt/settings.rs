//! What a run for changed blocks is told on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use crate::settings::{at_least, seconds};

/// Measures changed blocks: streams through the relay beside one straight from the driver and beside the sidecar of
/// Kubernetes, pages through the apiserver, and how many streams are started a second.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Settings {
    /// Entries of the volumes, each a block of 64 KiB; pages are of the first
    #[arg(long, default_value = "16777216", value_delimiter = ',', value_parser = clap::value_parser!(u64).range(65_536..1 << 40))]
    pub(crate) entries: Vec<u64>,

    /// Entries in a message of a stream
    #[arg(long, default_value = "256,1024,16384", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) per_message: Vec<u32>,

    /// Entries in a page
    #[arg(long, default_value = "256,4096,65536", value_delimiter = ',', value_parser = clap::value_parser!(u64).range(1..=65_536))]
    pub(crate) limits: Vec<u64>,

    /// Entries of the list that is taken in one answer
    #[arg(long, default_value = "7000000", value_name = "ENTRIES", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) whole: u64,

    /// Clients that start streams side by side
    #[arg(long, default_value = "1,8", value_delimiter = ',', value_parser = at_least(1))]
    pub(crate) starters: Vec<usize>,

    /// Seconds that pages, and starts of streams, take at each target, over all rounds
    #[arg(id = "seconds", long, default_value = "6", value_parser = seconds, value_name = "SECONDS")]
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
        let first = self.entries[0];
        let settings = if self.quick {
            Self { entries: vec![first.min(1 << 18)], time: Duration::from_millis(500), rounds: 1, ..self }
        } else {
            self
        };
        Self { whole: settings.whole.min(settings.entries[0]), ..settings }
    }

    /// Whether a measure runs.
    pub(crate) fn wants(&self, word: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == word)
    }

    /// How long a round of a measure takes that lasts as long as it is told to.
    pub(crate) fn round(&self) -> Duration {
        self.time / self.rounds
    }
}

fn words() -> impl clap::builder::TypedValueParser<Value = String> {
    PossibleValuesParser::new(["streams", "pages", "whole", "starts"]).map(|word| word)
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

    fn parse(args: &[&str]) -> Result<Settings, clap::Error> {
        Everything::try_parse_from([&["x"], args].concat()).map(|everything| everything.settings.settled())
    }

    #[test]
    fn no_list_is_longer_than_its_volume() {
        let settings = parse(&["--entries", "100000,16777216", "--only", "pages"]).unwrap();
        assert_eq!((settings.whole, settings.entries.len()), (100_000, 2));
        assert!(settings.wants("pages") && !settings.wants("streams"));
        let quick = parse(&["--quick"]).unwrap();
        assert_eq!((quick.entries[0], quick.whole, quick.rounds), (1 << 18, 1 << 18, 1));
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        let table: [&[&str]; 6] = [
            &["--entries", "65535"],
            &["--limits", "65537"],
            &["--limits", "0"],
            &["--per-message", "0"],
            &["--rounds", "0"],
            &["--only", "writes"],
        ];
        for args in table {
            assert!(parse(args).is_err(), "{args:?}");
        }
    }
}
