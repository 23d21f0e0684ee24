//! What a run is told on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use crate::object::SMALLEST;

/// Measures BundleDeployments side by side: Outrigger directly, Outrigger through the aggregator of a kube-apiserver, and
/// a CRD of the same schema on that kube-apiserver. Starts what it measures, on the loopback interface only.
#[derive(Clone, Debug, Parser)]
#[command(name = "bench")]
pub(crate) struct Settings {
    /// Seconds that each measure takes at each target, over all rounds
    #[arg(id = "seconds", long, default_value = "3", value_parser = seconds, value_name = "SECONDS")]
    pub(crate) time: Duration,

    /// Seconds of the same load before each measure, which do not count
    #[arg(long, default_value = "0.3", value_parser = seconds, value_name = "SECONDS")]
    pub(crate) warm_up: Duration,

    /// Rounds that the time is split into; every other round takes the targets in reverse
    #[arg(long, default_value = "2", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,

    /// Sizes of the objects, in bytes of compact JSON
    #[arg(long, default_value = "1024,4096", value_delimiter = ',', value_parser = at_least(SMALLEST))]
    pub(crate) sizes: Vec<usize>,

    /// Clients that write and read side by side
    #[arg(long, default_value = "1,32", value_delimiter = ',', value_parser = at_least(1))]
    pub(crate) clients: Vec<usize>,

    /// Clients that share one HTTP/2 connection
    #[arg(long, default_value = "1", value_parser = at_least(1), value_name = "CLIENTS")]
    pub(crate) per_connection: usize,

    /// Watchers, of all namespaces and, if more than one, of a namespace each
    #[arg(long, default_value = "1,500", value_delimiter = ',', value_parser = at_least(1))]
    pub(crate) watchers: Vec<usize>,

    /// Objects that are loaded, weighed and listed
    #[arg(long, default_value = "10000", value_parser = at_least(1))]
    pub(crate) objects: usize,

    /// Only these measures
    #[arg(long, value_delimiter = ',', value_parser = words())]
    pub(crate) only: Vec<String>,

    /// What the names of all namespaces begin with; a second run at the same servers needs another
    #[arg(long, default_value = "bench", value_name = "NAME")]
    pub(crate) prefix: String,

    /// A short run that shows whether everything works; its numbers mean little
    #[arg(long)]
    pub(crate) quick: bool,

    /// Measure what this JSON file describes instead of starting anything
    #[arg(long, value_name = "FILE")]
    pub(crate) peers: Option<PathBuf>,

    /// Where to write the tables (Markdown) instead of stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Where to write everything that was measured, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

// === impl Settings ===

impl Settings {
    /// With what `--quick` stands for put in its place, and nothing twice.
    pub(crate) fn settled(self) -> Self {
        let mut settings = self.shortened();
        for list in [&mut settings.sizes, &mut settings.clients, &mut settings.watchers] {
            let all = std::mem::take(list);
            list.extend(all.iter().enumerate().filter(|(i, one)| !all[..*i].contains(one)).map(|(_, one)| *one));
        }
        settings
    }

    fn shortened(self) -> Self {
        if !self.quick {
            return self;
        }
        let (time, warm_up) = (Duration::from_millis(500), Duration::from_millis(100));
        let objects = self.objects.min(500);
        let watchers = self.watchers.into_iter().map(|watchers| watchers.min(50)).collect();
        Self { time, warm_up, rounds: 1, objects, watchers, ..self }
    }

    /// Whether a measure runs.
    pub(crate) fn wants(&self, word: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == word)
    }
}

#[cfg(test)]
impl Default for Settings {
    fn default() -> Self {
        Self::parse_from(["bench"])
    }
}

pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("{text} is not a number of seconds"))?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if seconds <= 3600.0 => Ok(duration),
        _ => Err(format!("{text} is not between 0 and 3600 seconds")),
    }
}

pub(crate) fn at_least(least: usize) -> impl Fn(&str) -> Result<usize, String> + Clone + Send + Sync + 'static {
    move |text| match text.parse() {
        Ok(number) if number >= least => Ok(number),
        _ => Err(format!("{text} is not a whole number of at least {least}")),
    }
}

fn words() -> impl clap::builder::TypedValueParser<Value = String> {
    PossibleValuesParser::new(["create", "get", "update", "status", "apply", "list", "watch"]).map(|word| word)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn lists_are_separated_by_commas() {
        let settings = Settings::try_parse_from(["bench", "--clients", "1,8", "--only", "get,list"]).unwrap();
        assert_eq!(settings.clients, [1, 8]);
        assert!(settings.wants("list") && !settings.wants("watch"));
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        let table: [&[&str]; 8] = [
            &["--seconds", "-1"],
            &["--seconds", "1e9"],
            &["--seconds", "NaN"],
            &["--sizes", "1023"],
            &["--clients", "0"],
            &["--rounds", "0"],
            &["--only", "delete"],
            &["--objects", "0"],
        ];
        for args in table {
            assert!(Settings::try_parse_from([&["bench"], args].concat()).is_err(), "{args:?}");
        }
    }

    #[test]
    fn nothing_is_measured_twice() {
        let settings = Settings::parse_from(["bench", "--clients", "32,1,32", "--quick", "--watchers", "100,500"]);
        let settings = settings.settled();
        assert_eq!((settings.clients, settings.watchers), (vec![32, 1], vec![50]));
    }

    #[test]
    fn quick_is_small_whatever_else_is_said() {
        let settings = Settings::parse_from(["bench", "--quick", "--objects", "20", "--watchers", "2,500"]).settled();
        assert_eq!((settings.objects, settings.watchers, settings.rounds), (20, vec![2, 50], 1));
    }
}
