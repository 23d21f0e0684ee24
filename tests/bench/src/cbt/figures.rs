//! The figures of one column, and the table of several.

use crate::report::{Columns, Row, Table, compared};

/// Figures by what they are of, in the order of the table.
#[derive(Debug, Default)]
pub(crate) struct Figures(Vec<(String, f64)>);

// === impl Figures ===

impl Figures {
    /// What could not be taken is left out, and so is what would be divided by a time that was too short to be taken.
    pub(crate) fn put(&mut self, what: impl Into<String>, value: impl Into<Option<f64>>) {
        self.0.extend(value.into().filter(|value| value.is_finite()).map(|value| (what.into(), value)));
    }

    fn get(&self, what: &str) -> Option<f64> {
        self.0.iter().find(|(own, _)| own == what).map(|(_, value)| *value)
    }
}

/// Columns side by side; the others are divided by the one that is named `baseline`, if there is one.
pub(crate) fn table(columns: &[(&str, Figures)], baseline: &str) -> Table {
    // Who has the most figures has them in the order that the table is to have.
    let mut by_length: Vec<&Figures> = columns.iter().map(|(_, figures)| figures).collect();
    by_length.sort_by_key(|figures| std::cmp::Reverse(figures.0.len()));
    let mut labels: Vec<&str> = Vec::new();
    for (label, _) in by_length.into_iter().flat_map(|figures| &figures.0) {
        if !labels.contains(&label.as_str()) {
            labels.push(label);
        }
    }
    let row = |label: &&str| Row {
        label: (*label).to_owned(),
        values: columns.iter().map(|(_, figures)| figures.get(label)).collect(),
    };
    let rows: Vec<Row> = labels.iter().map(row).collect();
    let names = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    compared(&Columns { names, baseline: columns.iter().position(|(name, _)| *name == baseline) }, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_some_have_is_a_dash_for_the_others() {
        let (mut ours, mut theirs) = (Figures::default(), Figures::default());
        ours.put("entries/s", 300.0);
        ours.put("entries per CPU s", 300.0 / 0.0);
        theirs.put("memory", 5.0);
        theirs.put("entries/s", 100.0);
        let table = table(&[("ours", ours), ("theirs", theirs)], "theirs").to_string();
        let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split('|').map(str::trim).collect()).collect();
        assert_eq!(rows[0][1..5], ["", "ours", "theirs", "ours ÷ theirs"]);
        assert_eq!(rows[2][1..5], ["memory", "–", "5.00", "–"]);
        assert_eq!(rows[3][1..5], ["entries/s", "300", "100", "3.00×"]);
        assert_eq!(rows.len(), 4);
    }
}
