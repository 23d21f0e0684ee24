//! Markdown tables that also read well as text, and numbers in them.

use std::fmt;

/// A table; the first column is of words, the others of numbers.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

// === impl Table ===

impl Table {
    pub(crate) fn new(head: Vec<String>) -> Self {
        Self { rows: vec![head] }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.into_iter().map(|cell| cell.replace('|', "\\|")).collect());
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |i: usize| self.rows.iter().filter_map(|row| row.get(i)).map(|cell| cell.chars().count()).max();
        (0..columns).map(|i| width(i).unwrap_or_default().max(3)).collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        for (i, row) in self.rows.iter().enumerate() {
            f.write_str("|")?;
            for (j, (cell, width)) in row.iter().zip(&widths).enumerate() {
                if j == 0 { write!(f, " {cell:<width$} |")? } else { write!(f, " {cell:>width$} |")? }
            }
            f.write_str("\n")?;
            if i == 0 {
                rule(f, &widths)?;
            }
        }
        Ok(())
    }
}

fn rule(f: &mut fmt::Formatter<'_>, widths: &[usize]) -> fmt::Result {
    f.write_str("|")?;
    for (j, width) in widths.iter().enumerate() {
        let dashes = "-".repeat(width + 1);
        if j == 0 { write!(f, "{dashes}-|")? } else { write!(f, "{dashes}:|")? }
    }
    f.write_str("\n")
}

/// A number with about three digits that mean something, its thousands apart.
pub(crate) fn number(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let fraction = fraction.map(|fraction| format!(".{fraction}")).unwrap_or_default();
    format!("{sign}{}{fraction}", apart(whole))
}

/// `1234567` as `1,234,567`.
fn apart(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_mean_something() {
        let table = [
            (0.0, "0.000"),
            (0.012_34, "0.012"),
            (0.999_4, "0.999"),
            (0.999_6, "1.00"),
            (9.99, "9.99"),
            (9.996, "10.0"),
            (99.94, "99.9"),
            (99.96, "100"),
            (1234.5, "1,234"),
            (1_234_567.0, "1,234,567"),
            (-1234.0, "-1,234"),
        ];
        for (value, text) in table {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(vec![String::new(), "a".to_owned(), "÷".to_owned()]);
        table.row(vec!["get: ops/s".to_owned(), "1,000".to_owned(), "2×".to_owned()]);
        let expected = "\
|            |     a |   ÷ |
|------------|------:|----:|
| get: ops/s | 1,000 |  2× |
";
        assert_eq!(table.to_string(), expected);
    }

    #[test]
    fn a_bar_in_a_cell_does_not_end_it() {
        let mut table = Table::new(vec!["a".to_owned()]);
        table.row(vec!["x|y".to_owned()]);
        assert!(table.to_string().contains("| x\\|y |"));
    }
}
