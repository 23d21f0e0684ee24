//! The differences that are meant: `differences.toml`. One that no longer occurs fails a full run, so the list only shrinks.

use std::collections::BTreeSet;
use std::sync::Mutex;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use crate::compare::Difference;
use crate::target::Target;

/// A difference that is meant.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meant {
    /// The case, `area::name`; one `*` stands for any text.
    pub case: String,
    /// The step's label; one `*` stands for any text. Absent: every step of the case.
    pub step: Option<String>,
    /// Where in the answer: every place that begins with one of these.
    pub at: Vec<String>,
    /// On which of our targets; absent: on all.
    pub targets: Option<Vec<String>>,
    /// Why we differ.
    pub reason: String,
    /// The issue that will take it away, if it is not for good.
    pub until: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    difference: Vec<Meant>,
}

/// All of them, with a memory of which occurred.
#[derive(Debug)]
pub struct Differences {
    meant: Vec<Meant>,
    occurred: Mutex<BTreeSet<usize>>,
}

// === impl Differences ===

impl Differences {
    /// Reads them.
    pub fn parse(document: &str) -> Result<Self> {
        let Document { difference: meant } = toml::from_str(document).context("reading differences.toml")?;
        for entry in &meant {
            ensure!(!entry.reason.trim().is_empty(), "{}: a difference needs a reason", entry.case);
            ensure!(!entry.at.is_empty(), "{}: a difference says where", entry.case);
        }
        Ok(Self { meant, occurred: Mutex::default() })
    }

    /// Whether a difference is meant; remembers that it occurred.
    #[must_use]
    pub fn excuse(&self, case: &str, target: Target, found: &Difference) -> bool {
        let fitting = |(_, meant): &(usize, &Meant)| meant.fits(case, target, found);
        let all: Vec<usize> = self.meant.iter().enumerate().filter(fitting).map(|(index, _)| index).collect();
        self.occurred.lock().expect("no panic happens under this lock").extend(&all);
        !all.is_empty()
    }

    /// Those that did not occur.
    #[must_use]
    pub fn unused(&self) -> Vec<&Meant> {
        let occurred = self.occurred.lock().expect("no panic happens under this lock");
        self.meant.iter().enumerate().filter(|(index, _)| !occurred.contains(index)).map(|(_, meant)| meant).collect()
    }
}

// === impl Meant ===

impl Meant {
    fn fits(&self, case: &str, target: Target, found: &Difference) -> bool {
        target.ours()
            && self.targets.as_ref().is_none_or(|targets| targets.iter().any(|name| name == target.name()))
            && matches(&self.case, case)
            && self.step.as_ref().is_none_or(|step| matches(step, &found.step))
            && self
                .at
                .iter()
                .any(|at| found.at.strip_prefix(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    pattern
        .split_once('*')
        .map_or(pattern == text, |(start, end)| text.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"
        [[difference]]
        case = "list::*"
        step = "GET {r}?resourceVersion=abc"
        at = ["/status", "/body"]
        reason = "the oracle answers 500"
    "#;

    fn found(step: &str, at: &str) -> Difference {
        Difference { step: step.to_owned(), at: at.to_owned(), oracle: None, ours: None }
    }

    #[test]
    fn excuses_what_is_meant_and_nothing_else() {
        let differences = Differences::parse(DOCUMENT).unwrap();
        let step = "GET {r}?resourceVersion=abc";
        assert!(!differences.excuse("watch::bad", Target::Direct, &found(step, "/status")));
        assert!(!differences.excuse("list::bad", Target::Direct, &found("GET {r}", "/status")));
        assert!(!differences.excuse("list::bad", Target::Direct, &found(step, "/statuses")));
        assert!(!differences.excuse("list::bad", Target::Twin, &found(step, "/status")));
        assert_eq!(differences.unused().len(), 1);
        assert!(differences.excuse("list::bad", Target::Direct, &found(step, "/body/message")));
        assert_eq!(differences.unused().len(), 0);
    }

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(
            matches("list::*", "list::bad") && matches("* as bob", "GET {r} as bob") && matches("GET * a", "GET {r} a")
        );
        assert!(!matches("list::*", "watch::bad") && !matches("* as bob", "GET {r}") && !matches("a*a", "a"));
    }

    #[test]
    fn a_difference_without_a_reason_is_refused() {
        assert!(Differences::parse("[[difference]]\ncase = \"a\"\nat = [\"/status\"]\nreason = \" \"").is_err());
    }

    #[test]
    fn the_checked_in_list_is_readable() {
        Differences::parse(crate::judge::MEANT).unwrap();
    }
}
