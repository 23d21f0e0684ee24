//! The adapter on a CSI driver that does everything wrong: it lies, hangs, floods, dies and comes back.
#![expect(clippy::unwrap_used, clippy::single_range_in_vec_init, reason = "tests; a list may have one range")]

mod driver;
mod ends;
mod lies;
mod requests;

use std::ops::Range;

use bytes::Bytes;
use cbt_csi::{Config, Driver};
use futures::StreamExt;
use proto::cbt::{Block, Blocks, Builder, ChangedBlocks, Error, Kind, Query, Result, Snapshot};
use tokio::time::timeout;

use driver::{Act, Hostile, SOON};

/// The volume that most answers here are about.
const CAPACITY: u64 = 1 << 30;

fn adapter(hostile: &Hostile) -> Driver {
    Driver::new(Config { csi_address: hostile.socket(), csi_block_size: 65536 })
}

fn snapshot(handle: &str) -> Snapshot {
    Snapshot::Handle(handle.to_owned())
}

fn delta() -> Query {
    Query::delta(snapshot("base"), snapshot("target"))
}

fn message(kind: Kind, capacity: u64, ranges: &[Range<u64>]) -> Bytes {
    let mut builder = Builder::new(kind, capacity);
    for range in ranges {
        builder.push(Block { offset: range.start, size: range.end - range.start, token: &[] });
    }
    builder.finish().encoded().clone()
}

/// Blocks of 4 KiB at these indices.
fn blocks(indices: &[u64]) -> Act {
    let ranges: Vec<_> = indices.iter().map(|index| index * 4096..(index + 1) * 4096).collect();
    Act::Send(message(Kind::Fixed, CAPACITY, &ranges))
}

fn ranges(ranges: &[Range<u64>]) -> Act {
    Act::Send(message(Kind::Variable, CAPACITY, ranges))
}

/// What came before the end, and how it ended.
async fn list(driver: &Driver, query: Query) -> (Vec<Range<u64>>, Result<()>) {
    let mut stream = match timeout(SOON, driver.blocks(query)).await.expect("a list begins soon") {
        Ok(stream) => stream,
        Err(error) => return (Vec::new(), Err(error)),
    };
    let mut listed = Vec::new();
    while let Some(message) = timeout(SOON, stream.next()).await.expect("a message comes soon") {
        match message {
            Ok(blocks) => listed.extend(entries(&blocks)),
            Err(error) => return (listed, Err(error)),
        }
    }
    (listed, Ok(()))
}

async fn refusal(driver: &Driver, query: Query) -> Error {
    list(driver, query).await.1.expect_err("a list")
}

fn entries(blocks: &Blocks) -> Vec<Range<u64>> {
    blocks.iter().map(|block| block.offset..block.offset + block.size).collect()
}
