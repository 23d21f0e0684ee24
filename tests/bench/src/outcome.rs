//! What came of one measure at one target: counts and samples, added up over workers and rounds.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::procstat::Usage;
use crate::samples::Samples;

/// What came of a measure.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// The time that the requests took together, by the wall.
    pub(crate) elapsed: Duration,
    /// What was done successfully: requests answered, or events delivered.
    pub(crate) requests: u64,
    /// Bytes of the answers, where they count.
    pub(crate) bytes: u64,
    pub(crate) errors: Errors,
    /// The time that each process worked meanwhile.
    pub(crate) usage: Usage,
    /// Samples by what they are of.
    pub(crate) series: BTreeMap<&'static str, Samples>,
}

/// What went wrong: how often, and what it was the first time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Errors {
    pub(crate) count: u64,
    pub(crate) first: Option<String>,
}

// === impl Outcome ===

impl Outcome {
    /// Nothing but an error.
    pub(crate) fn failed(error: &anyhow::Error) -> Self {
        Self { errors: Errors::one(error), ..Self::default() }
    }

    pub(crate) fn observe(&mut self, what: &'static str, sample: Duration) {
        self.series.entry(what).or_default().push(sample);
    }

    /// The samples of one series; none if it has no samples.
    pub(crate) fn samples(&self, what: &str) -> Samples {
        self.series.get(what).cloned().unwrap_or_default()
    }

    /// Adds another part of the same measure, whose time the caller accounts for.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.requests += other.requests;
        self.bytes += other.bytes;
        self.errors.absorb(other.errors);
        self.usage.absorb(&other.usage);
        for (what, samples) in other.series {
            self.series.entry(what).or_default().append(samples);
        }
    }

    /// Adds another round of the same measure.
    pub(crate) fn follow(&mut self, round: Self) {
        self.elapsed += round.elapsed;
        self.absorb(round);
    }

    /// Requests, or events, a second.
    pub(crate) fn rate(&self) -> Option<f64> {
        (!self.elapsed.is_zero() && self.requests > 0).then(|| self.requests as f64 / self.elapsed.as_secs_f64())
    }
}

// === impl Errors ===

impl Errors {
    pub(crate) fn one(error: &anyhow::Error) -> Self {
        Self { count: 1, first: Some(format!("{error:#}")) }
    }

    pub(crate) fn absorb(&mut self, other: Self) {
        self.count += other.count;
        self.first = self.first.take().or(other.first);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn second(requests: u64) -> Outcome {
        Outcome { elapsed: Duration::from_secs(1), requests, ..Outcome::default() }
    }

    #[test]
    fn rounds_follow_each_other_and_parts_run_side_by_side() {
        let mut rounds = second(100);
        rounds.follow(second(50));
        assert_eq!(rounds.rate(), Some(75.0));

        let mut parts = second(100);
        parts.absorb(second(50));
        assert_eq!(parts.rate(), Some(150.0));
    }

    #[test]
    fn nothing_done_has_no_rate() {
        assert_eq!(second(0).rate(), None);
        assert_eq!(Outcome::default().rate(), None);
    }

    #[test]
    fn a_failure_is_an_error_and_nothing_done() {
        let outcome = Outcome::failed(&anyhow::anyhow!("refused"));
        assert_eq!((outcome.errors.count, outcome.requests, outcome.rate()), (1, 0, None));
    }

    #[test]
    fn the_first_error_is_kept_and_all_are_counted() {
        let mut errors = Errors::default();
        for what in ["first", "second"] {
            errors.absorb(Errors::one(&anyhow::anyhow!(what)));
        }
        assert_eq!((errors.count, errors.first.unwrap().as_str()), (2, "first"));
    }
}
