//! What was measured, side by side.

use super::table::{Table, number};

/// What is compared, and which of it the others are divided by.
pub(crate) struct Columns {
    pub(crate) names: Vec<String>,
    pub(crate) baseline: Option<usize>,
}

/// A row: a label and a value for each column.
pub(crate) struct Row {
    pub(crate) label: String,
    pub(crate) values: Vec<Option<f64>>,
}

/// Rows with their values side by side and, where there is a baseline, the ratios to it.
pub(crate) fn compared(columns: &Columns, rows: &[Row]) -> Table {
    let Columns { names, baseline } = columns;
    let others = |i: &usize| baseline.is_some_and(|baseline| baseline != *i);
    let ratios: Vec<usize> = (0..names.len()).filter(others).collect();
    let mut head = vec![String::new()];
    head.extend(names.iter().cloned());
    head.extend(ratios.iter().map(|i| format!("{} ÷ {}", names[*i], names[baseline.unwrap_or(*i)])));
    let mut table = Table::new(head);
    for Row { label, values } in rows {
        let mut cells = vec![label.clone()];
        cells.extend(values.iter().map(|value| value.map_or_else(|| "–".to_owned(), number)));
        cells.extend(ratios.iter().map(|i| ratio(values[*i], baseline.and_then(|baseline| values[baseline]))));
        table.row(cells);
    }
    table
}

fn ratio(value: Option<f64>, baseline: Option<f64>) -> String {
    match (value, baseline) {
        (Some(value), Some(baseline)) if baseline > 0.0 => format!("{}×", number(value / baseline)),
        _ => "–".to_owned(),
    }
}
