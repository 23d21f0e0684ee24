//! `kubectl cbt get`: prints changed blocks as they come.

use std::io::{IsTerminal, Write, stdout};

use anyhow::Result;
use futures::{StreamExt, pin_mut};
use plugin::Connection;
use proto::cbt::Blocks;

use crate::{delta::Delta, output, pages, progress::Progress};

/// Flags of `kubectl cbt get`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Name of the VolumeSnapshotDelta.
    name: String,
    /// First block.
    #[arg(long, default_value_t = 0, value_name = "BLOCK")]
    offset: u64,
    /// Blocks at most; all when it is not given.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Blocks asked for at a time.
    #[arg(long, default_value_t = 65_536, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    page: u64,
    /// How to print them: columns, JSON lines, or nothing but their number and size.
    #[arg(long, short, default_value = "table", value_parser = ["table", "json", "summary"])]
    output: String,
}

pub(crate) async fn run(args: &Args, connection: &Connection) -> Result<()> {
    let range = pages::Range { start: args.offset, limit: args.limit.unwrap_or(u64::MAX), page: args.page };
    // Entries on a terminal show by themselves how far it is.
    let quiet = args.output != "summary" && stdout().is_terminal();
    let mut progress = if quiet { Progress::hidden() } else { Progress::new() };
    let blocks = pages::blocks(Delta::new(connection, &args.name), range, progress.speaker());
    pin_mut!(blocks);
    let mut out = output::stdout();
    if args.output == "table" {
        output::printed(writeln!(out, "{:<16} {:<16} SIZE", "BLOCK", "OFFSET"))?;
    }
    while let Some(blocks) = blocks.next().await {
        let blocks = blocks?;
        progress.listed(&blocks);
        output::printed(match args.output.as_str() {
            "table" => columns(&blocks, &mut out),
            "json" => lines(&blocks, &mut out),
            _ => Ok(()),
        })?;
    }
    if args.output == "summary" {
        output::printed(writeln!(out, "{}", progress.summary()))?;
    }
    output::printed(out.flush())
}

fn columns(blocks: &Blocks, out: &mut impl Write) -> std::io::Result<()> {
    blocks
        .iter()
        .try_for_each(|block| writeln!(out, "{:<16} {:<16} {}", block.offset / block.size, block.offset, block.size))
}

fn lines(blocks: &Blocks, out: &mut impl Write) -> std::io::Result<()> {
    blocks.iter().try_for_each(|block| {
        let index = block.offset / block.size;
        writeln!(out, "{{\"block\":{index},\"byteOffset\":{},\"sizeBytes\":{}}}", block.offset, block.size)
    })
}
