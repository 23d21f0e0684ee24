//! What is printed: results to standard output, which may be closed early by `head`.

use std::io::{self, BufWriter, Write};

use anyhow::{Context as _, Result};

use crate::exit::Exit;

/// Standard output, buffered.
pub(crate) fn stdout() -> BufWriter<io::StdoutLock<'static>> {
    BufWriter::with_capacity(1 << 16, io::stdout().lock())
}

/// What became of printing. That nobody reads any more is no failure, and nothing like a connection that broke.
pub(crate) fn printed(result: io::Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Exit::Unread.into()),
        result => result.context("printing"),
    }
}

/// Prints a line.
pub(crate) fn line(text: &str) -> Result<()> {
    let mut out = stdout();
    printed(writeln!(out, "{text}").and_then(|()| out.flush()))
}

/// Columns under their headings, three spaces apart, as kubectl prints them.
pub(crate) fn table(headings: &[String], rows: &[Vec<String>], out: &mut impl Write) -> io::Result<()> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).chain(headings.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    for row in std::iter::once(headings).chain(rows.iter().map(Vec::as_slice)) {
        let line: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(out, "{}", line.join("   ").trim_end())?;
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let text = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let mut out = Vec::new();
        table(&text(&["NAME", "BASE"]), &[text(&["delta-1", ""]), text(&["d", "snapshot"])], &mut out).expect("memory");
        assert_eq!(String::from_utf8_lossy(&out), "NAME      BASE\ndelta-1\nd         snapshot\n");
    }
}
