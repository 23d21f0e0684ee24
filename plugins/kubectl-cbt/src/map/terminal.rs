//! The grid in characters.

use std::io::{self, Write};

use indicatif::HumanBytes;

use super::Grid;

/// From nothing to everything. A cell of which anything has changed is never empty.
const SHADES: [char; 5] = ['·', '░', '▒', '▓', '█'];

/// Draws the grid under a title, each row after the offset that it begins at.
pub(crate) fn draw(grid: &Grid, title: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{title} of {}", HumanBytes(grid.capacity()))?;
    let rows: Vec<Vec<f64>> = grid.rows().collect();
    for (at, row) in rows.iter().enumerate() {
        let start = grid.capacity() as f64 * at as f64 / rows.len() as f64;
        let cells: String = row.iter().map(|&part| shade(part)).collect();
        writeln!(out, "{:>10} {cells}", HumanBytes(start as u64).to_string())?;
    }
    writeln!(out, "{:>10} {} nothing   {} some   {} all changed", "", SHADES[0], SHADES[2], SHADES[4])?;
    out.flush()
}

fn shade(part: f64) -> char {
    match part {
        0.0 => SHADES[0],
        part if part >= 1.0 => SHADES[4],
        part => SHADES[1 + (part * 3.0) as usize],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_change_shows() {
        let shades: String = [0.0, 1e-9, 0.32, 0.34, 0.5, 0.7, 0.999, 1.0].into_iter().map(shade).collect();
        assert_eq!(shades, "·░░▒▒▓▓█");
    }
}
