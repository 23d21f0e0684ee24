//! Durations that were observed, and what is said of them. All samples are kept and sorted: a run has some hundred
//! thousand, and an exact percentile needs no argument about buckets.

use std::time::Duration;

/// Observed durations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<Duration>);

/// What a table shows of them, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

// === impl Samples ===

impl Samples {
    pub(crate) fn push(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// Nothing is said of nothing.
    pub(crate) fn summary(&self) -> Option<Summary> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let max = *sorted.last()?;
        Some(Summary { p50: millis(percentile(&sorted, 50)), p99: millis(percentile(&sorted, 99)), max: millis(max) })
    }
}

impl FromIterator<Duration> for Samples {
    fn from_iter<I: IntoIterator<Item = Duration>>(samples: I) -> Self {
        Self(samples.into_iter().collect())
    }
}

/// The smallest sample that `percent` of all samples do not exceed (nearest rank). `sorted` is not empty.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted[rank - 1]
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn up_to(n: u64) -> Samples {
        (1..=n).rev().map(Duration::from_millis).collect()
    }

    #[test]
    fn percentiles_are_nearest_rank() {
        let table =
            [(1, 1.0, 1.0), (2, 1.0, 2.0), (3, 2.0, 3.0), (100, 50.0, 99.0), (101, 51.0, 100.0), (1000, 500.0, 990.0)];
        for (n, p50, p99) in table {
            let summary = up_to(n).summary().unwrap();
            assert_eq!((summary.p50, summary.p99, summary.max), (p50, p99, n as f64), "of {n} samples");
        }
    }

    #[test]
    fn nothing_is_said_of_no_samples() {
        assert_eq!(Samples::default().summary(), None);
    }

    #[test]
    fn appended_samples_count() {
        let mut all = up_to(10);
        all.append(up_to(20));
        let summary = all.summary().unwrap();
        assert_eq!((summary.p50, summary.max), (8.0, 20.0));
    }
}
