//! `kubectl cbt map`: draws where a volume has changed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use futures::{StreamExt, pin_mut};
use plugin::Connection;

use crate::{
    delta::Delta,
    map::{Grid, png, svg, terminal},
    output, pages,
    progress::Progress,
};

/// Flags of `kubectl cbt map`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Name of the VolumeSnapshotDelta.
    name: String,
    /// Write a picture instead: FILE.png or FILE.svg.
    #[arg(long, short, value_name = "FILE", value_parser = picture)]
    picture: Option<PathBuf>,
    /// Cells in a row.
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=512))]
    columns: u32,
    /// Rows.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=512))]
    rows: u32,
}

pub(crate) async fn run(args: &Args, connection: &Connection) -> Result<()> {
    let range = pages::Range { start: 0, limit: u64::MAX, page: 65_536 };
    let (mut grid, mut progress) = (None, Progress::new());
    let blocks = pages::blocks(Delta::new(connection, &args.name), range, progress.speaker());
    pin_mut!(blocks);
    while let Some(blocks) = blocks.next().await {
        let blocks = blocks?;
        progress.listed(&blocks);
        let grid = grid.get_or_insert_with(|| Grid::new(blocks.capacity(), args.columns, args.rows));
        blocks.iter().for_each(|block| grid.mark(block.offset, block.size));
    }
    // Where nothing has changed there may be no message to say how large the volume is.
    let grid = grid.unwrap_or_else(|| Grid::new(0, args.columns, args.rows));
    let title = format!("{}: {}", args.name, progress.summary());
    drop(progress);
    let Some(path) = &args.picture else {
        return output::printed(terminal::draw(&grid, &title, &mut output::stdout()));
    };
    let picture = if is_png(path) { png::encode(&grid)? } else { svg::encode(&grid, &title).into_bytes() };
    fs::write(path, picture).with_context(|| format!("writing --picture {}", path.display()))
}

fn is_png(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "png")
}

/// A name that says what the picture is to be.
fn picture(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let is_svg = path.extension().is_some_and(|extension| extension == "svg");
    if is_png(&path) || is_svg { Ok(path) } else { Err("it ends neither in .png nor in .svg".to_owned()) }
}
