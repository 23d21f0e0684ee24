//! The rows of `rows.toml`: what clients may rely on, and what shows each.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::cases::AREAS;

/// How many rows there are.
pub const ROWS: u16 = 180;

/// The rows as checked in.
pub const DOCUMENT: &str = include_str!("../rows.toml");

/// A behaviour, and what shows it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its number.
    pub row: u16,
    /// What it is about.
    pub what: String,
    /// Cases of the table, `area::name`.
    #[serde(default)]
    pub cases: Vec<String>,
    /// Tests elsewhere, `file::name`.
    #[serde(default)]
    pub tests: Vec<String>,
    /// Why nothing shows it.
    pub none: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    row: Vec<Row>,
}

/// Reads the rows.
pub fn parse(document: &str) -> Result<Vec<Row>> {
    Ok(toml::from_str::<Document>(document).context("reading rows.toml")?.row)
}

/// What is wrong with the rows, where `root` is the repository's folder.
#[must_use]
pub fn problems(rows: &[Row], root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let cases: BTreeSet<String> =
        AREAS.iter().flat_map(|(area, cases)| cases.iter().map(move |case| format!("{area}::{}", case.name))).collect();
    for number in 1..=ROWS {
        match rows.iter().filter(|row| row.row == number).count() {
            1 => {}
            count => found.push(format!("row {number} is there {count} times")),
        }
    }
    for row in rows {
        let number = row.row;
        let shown = !row.cases.is_empty() || !row.tests.is_empty();
        if shown == row.none.as_ref().is_some_and(|reason| !reason.is_empty()) {
            found.push(format!("row {number}, {}: name what shows it, or say why nothing does", row.what));
        }
        found.extend(
            row.cases.iter().filter(|case| !cases.contains(*case)).map(|case| format!("row {number}: no case {case}")),
        );
        found.extend(
            row.tests.iter().filter(|test| !exists(test, root)).map(|test| format!("row {number}: no test {test}")),
        );
    }
    found
}

/// Whether a file holds a function, or a list, that has the name of the test.
fn exists(test: &str, root: &Path) -> bool {
    let Some((file, name)) = test.split_once("::") else { return false };
    let Ok(text) = fs::read_to_string(root.join(file)) else { return false };
    text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_').any(|word| word == name)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::subject::SUBJECTS;

    /// The table had so many cases, each with a kind; it does not shrink.
    const CASES: usize = 600;

    #[test]
    fn every_row_is_shown_by_a_case_or_a_test() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        assert_eq!(problems(&parse(DOCUMENT).unwrap(), &root), Vec::<String>::new());
    }

    #[test]
    fn what_shows_nothing_is_found() {
        let document = "[[row]]\nrow = 1\nwhat = \"a\"\ncases = [\"list::no_such\"]\n[[row]]\nrow = 2\nwhat = \"b\"\n";
        let found = problems(&parse(document).unwrap(), Path::new("/"));
        for wanted in ["row 1: no case list::no_such", "row 2, b: name what shows it", "row 3 is there 0 times"] {
            assert!(found.iter().any(|problem| problem.starts_with(wanted)), "{wanted}");
        }
    }

    #[test]
    fn the_table_is_as_large_as_it_was() {
        let suits =
            |area: &str, case: &crate::cases::Case| SUBJECTS.iter().filter(|subject| case.suits(area, subject)).count();
        let cases: usize = AREAS.iter().flat_map(|(area, cases)| cases.iter().map(|case| suits(area, case))).sum();
        assert!(cases >= CASES, "{cases} cases");
    }
}
