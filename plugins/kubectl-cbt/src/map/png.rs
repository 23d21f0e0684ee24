//! The grid as a picture of pixels.

use anyhow::{Context as _, Result};

use super::Grid;

/// Pixels of a cell.
const CELL: u32 = 8;

/// Unchanged, and wholly changed.
const COLOURS: ([f64; 3], [f64; 3]) = ([238.0, 242.0, 245.0], [179.0, 38.0, 30.0]);

/// The picture.
pub(crate) fn encode(grid: &Grid) -> Result<Vec<u8>> {
    let rows: Vec<Vec<f64>> = grid.rows().collect();
    let (width, height) = (grid.columns() * CELL, rows.len() as u32 * CELL);
    let mut pixels = Vec::with_capacity((width * height * 3) as usize);
    for row in &rows {
        let line: Vec<u8> = row.iter().flat_map(|&part| colour(part).repeat(CELL as usize)).collect();
        (0..CELL).for_each(|_| pixels.extend_from_slice(&line));
    }
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().context("drawing")?;
    writer.write_image_data(&pixels).context("drawing")?;
    writer.finish().context("drawing")?;
    Ok(out)
}

/// What has changed at all is told apart from what has not.
fn colour(part: f64) -> [u8; 3] {
    let weight = if part > 0.0 { 0.15 + 0.85 * part } else { 0.0 };
    std::array::from_fn(|at| (COLOURS.0[at] + (COLOURS.1[at] - COLOURS.0[at]) * weight).round() as u8)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_reader_of_pictures_sees_the_changed_cell() {
        let mut grid = Grid::new(400, 2, 2);
        grid.mark(300, 100);
        let encoded = encode(&grid).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(encoded)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((frame.width, frame.height), (16, 16));
        let pixel = |x: usize, y: usize| &pixels[(y * 16 + x) * 3..][..3];
        assert_eq!((pixel(0, 0), pixel(15, 15)), (&[238, 242, 245][..], &[179, 38, 30][..]));
        assert_eq!(pixel(7, 15), pixel(0, 0));
    }
}
