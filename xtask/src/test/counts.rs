//! Adding up what every test program says of itself.

use std::fmt;

/// How the reason begins of an ignored test that `--all` runs.
const HEAVY: &str = "heavy:";

/// The sum over all test programs.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
    heavy: Vec<(String, String)>,
}

// === impl Counts ===

impl Counts {
    /// Takes in one line of output.
    pub(crate) fn read(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.passed += number_before(result, " passed");
            self.failed += number_before(result, " failed");
            self.skipped += number_before(result, " ignored");
        } else if let Some((test, reason)) =
            line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ignored, "))
            && let Some(reason) = reason.strip_prefix(HEAVY)
        {
            self.heavy.push((test.trim_end().to_owned(), reason.trim().to_owned()));
        }
    }

    /// A run that failed although no test did: a program ended before it could say its result.
    pub(crate) fn finish(&mut self, success: bool) {
        if !success && self.failed == 0 {
            self.failed = 1;
        }
    }

    /// How many tests failed.
    pub(crate) fn failed(&self) -> u64 {
        self.failed
    }

    /// The heavy tests that were not run, and why they are heavy.
    pub(crate) fn heavy(&self) -> &[(String, String)] {
        &self.heavy
    }

    /// Hands the heavy tests out to be run after all: they are no longer skipped.
    pub(crate) fn take_heavy(&mut self) -> Vec<String> {
        let names: Vec<String> = std::mem::take(&mut self.heavy).into_iter().map(|(name, _)| name).collect();
        self.skipped = self.skipped.saturating_sub(names.len() as u64);
        names
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

fn number_before(text: &str, word: &str) -> u64 {
    let number = text.split_once(word).map(|(before, _)| before.rsplit(' ').next().unwrap_or_default());
    number.and_then(|number| number.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_programs_are_summed() {
        let mut counts = Counts::default();
        for line in [
            "running 3 tests",
            "test a::works ... ok",
            "test b::heavy ... ignored, heavy: 100 kill -9 cycles",
            "test c::tool ... ignored, writes the recordings anew",
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: FAILED. 7 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s",
        ] {
            counts.read(line);
        }
        assert_eq!(counts.to_string(), "12 passed, 2 failed, 1 skipped");
        assert_eq!(counts.heavy(), [("b::heavy".to_owned(), "100 kill -9 cycles".to_owned())]);
        assert_eq!(counts.take_heavy(), ["b::heavy"]);
        assert_eq!(counts.to_string(), "12 passed, 2 failed, 0 skipped");
    }

    #[test]
    fn a_program_without_a_result_counts_as_a_failure() {
        let mut counts = Counts::default();
        counts.finish(false);
        assert_eq!(counts.to_string(), "0 passed, 1 failed, 0 skipped");
    }
}
