//! What came of checking a value: the problems, and how much of the schema fitted.

use std::collections::HashSet;

use machinery::field::Error;
use serde_json::Value;

use crate::path::Path;

/// How many problems are kept: enough for any person, and not so many that a hostile object makes a huge answer.
pub(super) const LIMIT: usize = 1000;

/// The result of checking one value.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    problems: Vec<Problem>,
    /// How many checks fitted. Of several alternatives that all fail, the one that fitted best explains why.
    pub(super) matches: usize,
}

/// One thing that is wrong, at a position that is relative to what is validated.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    at: String,
    message: String,
    cause: Cause,
}

/// What kind of error a problem becomes.
#[derive(Clone, Debug)]
pub(super) enum Cause {
    Required,
    NotSupported {
        value: Value,
        supported: Vec<String>,
    },
    TooLong {
        max: i64,
    },
    TooMany {
        actual: usize,
        max: i64,
    },
    WrongType {
        value: Value,
    },
    Invalid {
        value: Value,
    },
    /// Said of the value as a whole, without its position.
    Unplaced,
}

// === impl Outcome ===

impl Outcome {
    /// Whether nothing is wrong.
    pub(super) fn is_valid(&self) -> bool {
        self.problems.is_empty()
    }

    /// Adds a problem at `path`; the message names the position itself.
    pub(super) fn add(&mut self, path: &Path<'_>, message: String, cause: Cause) {
        if self.problems.len() < LIMIT {
            self.problems.push(Problem { at: path.to_string(), message, cause });
        }
    }

    /// Adds a problem of a value that is not right in itself: `NAME in body MUST`.
    pub(super) fn invalid(&mut self, path: &Path<'_>, value: impl Into<Value>, must: &str) {
        self.add(path, format!("{path} in body {must}"), Cause::Invalid { value: value.into() });
    }

    /// Adds the outcome of a check of the same value or one below.
    pub(super) fn merge(&mut self, other: Outcome) {
        let room = LIMIT - self.problems.len();
        self.problems.extend(other.problems.into_iter().take(room));
        self.matches += other.matches;
    }

    /// The outcome with its problems forgiven.
    pub(super) fn tolerated(self) -> Self {
        Self { problems: Vec::new(), matches: self.matches }
    }

    /// The problems as errors of an object of which `at` was validated, each once.
    pub(super) fn into_errors(self, at: &str) -> Vec<Error> {
        let mut seen = HashSet::new();
        let fresh = |problem: &Problem| seen.insert(problem.message.clone());
        self.problems.into_iter().filter(fresh).map(|problem| problem.into_error(at)).collect()
    }
}

// === impl Problem ===

impl Problem {
    fn into_error(self, within: &str) -> Error {
        let whole = if within.is_empty() { "<nil>" } else { within };
        let at = match (within, self.at.trim_start_matches('.')) {
            (_, "") => whole.to_owned(),
            ("", at) => at.to_owned(),
            (within, at) => format!("{within}.{at}"),
        };
        match self.cause {
            Cause::Required => Error::required(at, ""),
            Cause::NotSupported { value, supported } => Error::not_supported(at, value, supported),
            Cause::TooLong { max } => Error::too_long(at, usize::try_from(max).unwrap_or_default()),
            Cause::TooMany { actual, max } => Error::too_many(at, actual, usize::try_from(max).unwrap_or_default()),
            Cause::WrongType { value } => Error::type_invalid(at, value, &self.message),
            Cause::Invalid { value } => Error::invalid(at, value, &self.message),
            Cause::Unplaced => Error::invalid(whole, "", &self.message),
        }
    }
}
