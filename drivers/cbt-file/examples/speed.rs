//! How fast the driver is on this machine: `cargo run --release -p cbt-file --example speed [FOLDER]`.
//!
//! The delta of two sparse images of 4 GiB, of two that differ in 1 GiB, and of two that do not differ in 1 GiB of data;
//! the same in blocks of 512 KiB; entries with tokens; and the memory that all of it took. The numbers are for people;
//! nothing is asserted.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use cbt_file::{Config, Driver};
use futures::TryStreamExt;
use proto::cbt::{ChangedBlocks, Query, Shape, Snapshot};
use tokio::time::Instant;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(folder)?;
    let path = folder.path();
    let spread = |step: u64| (0..4 * GIB).step_by((step * MIB) as usize);
    image(path, "empty", 4 * GIB, [].into_iter(), 0)?;
    image(path, "sparse", 4 * GIB, spread(64), 64 << 10)?;
    image(path, "data", GIB, (0..GIB).step_by(MIB as usize), MIB)?;
    image(path, "same", GIB, (0..GIB).step_by(MIB as usize), MIB)?;
    image(path, "other", GIB, [].into_iter(), 0)?;
    other(path, "other")?;
    let config = Config { cbt_dir: Some(path.to_owned()), ..Config::default() };
    let driver = Driver::open(&config, runtime::clock::system())?;
    let small = Config { cbt_block_size: 4096, ..config };
    let small = Driver::open(&small, runtime::clock::system())?;
    println!("{:<44} {:>9} {:>8} {:>9} {:>9} {:>8}", "what", "entries", "ms", "MB/s", "entries/s", "cpu ms");
    for round in ["cold", "warm"] {
        println!("{round}");
        for (base, target, what) in [
            ("empty", "sparse", "4 GiB sparse, 4 MiB of data"),
            ("data", "same", "1 GiB of data, none of it changed"),
            ("data", "other", "1 GiB of data, all of it changed"),
        ] {
            for (shape, tokens) in [(Shape::Ranges, false), (Shape::Blocks, true)] {
                measure(&driver, what, query(base, target, shape, tokens)).await?;
            }
        }
    }
    measure(&small, "1 GiB in blocks of 4 KiB, with tokens", query("empty", "data", Shape::Blocks, true)).await?;
    measure(&small, "the same without tokens", query("empty", "data", Shape::Blocks, false)).await?;
    let allocated = Query { base: None, ..query("", "data", Shape::Blocks, true) };
    measure(&small, "allocated, in blocks of 4 KiB, with tokens", allocated.clone()).await?;
    measure(&small, "the same without tokens", Query { tokens: false, ..allocated }).await?;
    println!("memory at most: {} MiB", memory()?);
    Ok(())
}

fn query(base: &str, target: &str, shape: Shape, tokens: bool) -> Query {
    let snapshot = |name: &str| Snapshot::Handle(format!("default/{name}"));
    Query { shape, tokens, ..Query::delta(snapshot(base), snapshot(target)) }
}

/// A sparse image with `length` bytes of data at each of `places`.
fn image(folder: &Path, name: &str, size: u64, places: impl Iterator<Item = u64>, length: u64) -> anyhow::Result<()> {
    let file = File::create(folder.join(format!("{name}.img")))?;
    file.set_len(size)?;
    let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8 + 1).collect();
    for place in places {
        file.write_all_at(&bytes, place)?;
    }
    Ok(())
}

/// Data of which every cell is another.
fn other(folder: &Path, name: &str) -> anyhow::Result<()> {
    let file = File::options().write(true).open(folder.join(format!("{name}.img")))?;
    let bytes: Vec<u8> = (0..MIB).map(|at| (at % 241) as u8 + 2).collect();
    (0..GIB).step_by(MIB as usize).try_for_each(|place| file.write_all_at(&bytes, place))?;
    Ok(())
}

async fn measure(driver: &Driver, what: &str, query: Query) -> anyhow::Result<()> {
    let shape = if query.shape == Shape::Blocks { "blocks" } else { "ranges" };
    let (start, before) = (Instant::now(), cpu()?);
    let mut messages = driver.blocks(query).await?;
    let (mut entries, mut capacity) = (0, 0);
    while let Some(message) = messages.try_next().await? {
        entries += message.len();
        capacity = message.capacity();
    }
    let (seconds, cpu) = (start.elapsed().as_secs_f64(), cpu()? - before);
    let rate = |count: f64| count / seconds;
    println!(
        "{:<44} {entries:>9} {:>8.1} {:>9.0} {:>9.0} {cpu:>8}",
        format!("{what}, {shape}"),
        seconds * 1e3,
        rate(capacity as f64) / 1e6,
        rate(entries as f64),
    );
    Ok(())
}

/// Milliseconds of processor time so far.
fn cpu() -> anyhow::Result<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 =
        fields.get(11..13).context("no times in stat")?.iter().flat_map(|field| field.parse::<u64>()).sum();
    Ok(ticks * 10)
}

/// The most memory that this process had, in MiB.
fn memory() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM")).context("no VmHWM in status")?;
    let kilobytes: u64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kilobytes >> 10)
}
