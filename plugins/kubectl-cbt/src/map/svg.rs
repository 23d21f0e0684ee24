//! The grid as a vector picture.

use std::fmt::Write;

use indicatif::HumanBytes;

use super::Grid;

/// Pixels of a cell, and of the title above.
const CELL: usize = 10;
const TITLE: usize = 24;

/// The picture.
pub(crate) fn encode(grid: &Grid, title: &str) -> String {
    let rows: Vec<Vec<f64>> = grid.rows().collect();
    let (width, height) = (grid.columns() as usize * CELL, rows.len() * CELL + TITLE);
    let title = escaped(&format!("{title} of {}", HumanBytes(grid.capacity())));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\">\n\
         <text x=\"2\" y=\"16\" font-size=\"13\">{title}</text>\n\
         <rect y=\"{TITLE}\" width=\"{width}\" height=\"{}\" fill=\"#eef2f5\"/>\n",
        height - TITLE
    );
    for (y, row) in rows.iter().enumerate() {
        for (x, part) in row.iter().enumerate().filter(|(_, part)| **part > 0.0) {
            let (x, y, opacity) = (x * CELL, y * CELL + TITLE, 0.15 + 0.85 * part);
            // Writing to a string cannot fail.
            let _ = writeln!(
                svg,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{CELL}\" height=\"{CELL}\" fill=\"#b3261e\" fill-opacity=\"{opacity:.2}\"/>"
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_cell_is_a_square_in_its_place() {
        let mut grid = Grid::new(400, 2, 2);
        grid.mark(200, 100);
        let svg = encode(&grid, "a<b");
        assert!(svg.contains("viewBox=\"0 0 20 44\"") && svg.contains("a&lt;b"), "{svg}");
        assert!(
            svg.contains("<rect x=\"0\" y=\"34\" width=\"10\" height=\"10\" fill=\"#b3261e\" fill-opacity=\"1.00\"/>")
        );
        assert_eq!(svg.matches("<rect x").count(), 1);
    }
}
