//! A volume as a grid of cells, each as dark as the part of it that has changed.

pub(crate) mod png;
pub(crate) mod svg;
pub(crate) mod terminal;

/// The grid: rows from the start of the volume to its end.
pub(crate) struct Grid {
    capacity: u64,
    columns: u32,
    cells: Vec<u64>,
}

// === impl Grid ===

impl Grid {
    /// A volume of `capacity` bytes in which nothing has changed.
    pub(crate) fn new(capacity: u64, columns: u32, rows: u32) -> Self {
        Self { capacity, columns, cells: vec![0; columns as usize * rows as usize] }
    }

    /// Some bytes have changed.
    pub(crate) fn mark(&mut self, offset: u64, size: u64) {
        let end = offset.saturating_add(size).min(self.capacity);
        let (mut at, mut cell) = (offset, self.cell_of(offset));
        while at < end && cell < self.cells.len() {
            let until = self.start_of(cell + 1).min(end);
            self.cells[cell] += until.saturating_sub(at);
            (at, cell) = (until.max(at), cell + 1);
        }
    }

    /// The volume's size in bytes.
    pub(crate) fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Cells in a row.
    pub(crate) fn columns(&self) -> u32 {
        self.columns
    }

    /// Of each cell the part that has changed, 0 to 1, row by row.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Vec<f64>> {
        let part = |cell: usize| {
            let bytes = self.start_of(cell + 1) - self.start_of(cell);
            if bytes == 0 { 0.0 } else { self.cells[cell] as f64 / bytes as f64 }
        };
        let columns = self.columns as usize;
        (0..self.cells.len() / columns).map(move |row| (row * columns..(row + 1) * columns).map(part).collect())
    }

    /// The first byte of a cell.
    fn start_of(&self, cell: usize) -> u64 {
        let start = u128::from(self.capacity) * cell as u128 / self.cells.len() as u128;
        u64::try_from(start).unwrap_or(u64::MAX)
    }

    /// The cell that a byte is in.
    fn cell_of(&self, offset: u64) -> usize {
        if self.capacity == 0 {
            return self.cells.len();
        }
        let guess = u128::from(offset) * self.cells.len() as u128 / u128::from(self.capacity);
        let mut cell = usize::try_from(guess).unwrap_or(usize::MAX).min(self.cells.len());
        while cell < self.cells.len() && self.start_of(cell + 1) <= offset {
            cell += 1;
        }
        cell
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cell_is_as_dark_as_it_has_changed() {
        let mut grid = Grid::new(1000, 2, 2);
        grid.mark(0, 125);
        grid.mark(400, 200);
        grid.mark(990, 100);
        let rows: Vec<Vec<f64>> = grid.rows().collect();
        assert_eq!(rows, [[0.5, 0.4], [0.4, 0.04]]);
    }

    #[test]
    fn an_empty_volume_has_no_dark_cell() {
        let mut grid = Grid::new(0, 3, 1);
        grid.mark(0, 10);
        assert_eq!(grid.rows().collect::<Vec<_>>(), [[0.0; 3]]);
    }

    proptest! {
        #[test]
        fn every_changed_byte_is_counted_once(
            capacity in 1_u64..100_000,
            columns in 1_u32..40,
            rows in 1_u32..10,
            marks in prop::collection::vec((0_u64..1000, 1_u64..50), 0..20),
        ) {
            let mut grid = Grid::new(capacity, columns, rows);
            let (mut at, mut sum) = (0, 0);
            for (gap, size) in marks {
                at += gap;
                grid.mark(at, size);
                sum += (at + size).min(capacity).saturating_sub(at.min(capacity));
                at += size;
            }
            prop_assert_eq!(grid.cells.iter().sum::<u64>(), sum);
            prop_assert!(grid.rows().flatten().all(|part| (0.0..=1.0).contains(&part)));
        }
    }
}
