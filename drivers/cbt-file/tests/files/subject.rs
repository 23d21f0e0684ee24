//! Two snapshots in a folder, for the shared suite and for our own questions.

use std::{
    fs::File,
    ops::Range,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use cbt_file::{Config, Driver};
use futures::TryStreamExt;
use proto::cbt::{
    ChangedBlocks, Checker, Query, Result, Shape, Snapshot,
    suite::{Subject, Truth},
};
use tempfile::TempDir;

use crate::disk::{Disk, Op, merged};

/// The block size of the tests, in bytes: so that the volumes can be small.
pub(crate) const BLOCK: u64 = 64 << 10;
/// A volume's size in bytes: more than what is compared at once, and not a multiple of a block.
pub(crate) const SIZE: u64 = (33 << 20) + 3 * 4096;

/// A driver, and what is true of two of its snapshots.
pub(crate) struct Files {
    pub(crate) driver: Driver,
    pub(crate) truth: Truth,
    pub(crate) target: Disk,
    /// Goes away with the test, after the driver.
    pub(crate) keep: Vec<Box<dyn Send + Sync>>,
}

// === impl Files ===

impl Files {
    /// The snapshots `default/monday` and `default/tuesday` of a folder, in which all is as on these disks.
    pub(crate) fn new(folder: TempDir, base: &Disk, target: Disk, granularity: u64) -> Self {
        let driver = open(folder.path());
        let (monday, tuesday) = (snapshot("default/monday"), snapshot("default/tuesday"));
        let truth = Truth {
            allocated: target.allocated(),
            changed: target.differs(base),
            unknown: snapshot("default/sunday"),
            ..Truth::new(monday, tuesday, target.size(), granularity)
        };
        Self { driver, truth, target, keep: vec![Box::new(folder)] }
    }
}

#[async_trait]
impl Subject for Files {
    fn blocks(&self) -> &dyn ChangedBlocks {
        &self.driver
    }

    fn truth(&self) -> &Truth {
        &self.truth
    }

    async fn data(&self, range: Range<u64>) -> Vec<u8> {
        self.target.bytes[range.start as usize..range.end as usize].to_vec()
    }
}

pub(crate) fn config(folder: &Path) -> Config {
    Config { cbt_dir: Some(folder.to_owned()), cbt_block_size: BLOCK, ..Config::default() }
}

pub(crate) fn open(folder: &Path) -> Driver {
    Driver::open(&config(folder), runtime::clock::system()).expect("the folder can be opened")
}

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().expect("there is a temporary folder")
}

pub(crate) fn snapshot(handle: &str) -> Snapshot {
    Snapshot::Handle(handle.to_owned())
}

pub(crate) fn delta(base: &str, target: &str) -> Query {
    Query::delta(snapshot(base), snapshot(target))
}

pub(crate) fn allocated(target: &str) -> Query {
    Query::allocated(snapshot(target))
}

pub(crate) fn blocks(query: Query) -> Query {
    Query { shape: Shape::Blocks, ..query }
}

/// What a query is answered with, what touches as one; it must keep the contract.
pub(crate) async fn ranges(driver: &Driver, query: Query) -> Result<Vec<Range<u64>>> {
    let mut checker = Checker::new(&query);
    let mut messages = driver.blocks(query).await?;
    let mut ranges = Vec::new();
    while let Some(message) = messages.try_next().await? {
        checker.check(&message)?;
        ranges.extend(message.iter().map(|block| block.offset..block.offset + block.size));
    }
    Ok(merged(ranges))
}

/// A raw image with these things done to it.
pub(crate) fn image(folder: &Path, name: &str, size: u64, ops: &[Op]) -> PathBuf {
    let path = folder.join(name);
    let file = File::create(&path).expect("an image can be made");
    file.set_len(size).expect("it can be so large");
    apply(&path, ops);
    path
}

/// Does these things to a raw image.
pub(crate) fn apply(image: &Path, ops: &[Op]) {
    let file = File::options().write(true).open(image).expect("there is an image");
    for op in ops {
        match op {
            Op::Write(range, byte) => {
                let bytes = vec![*byte; (range.end - range.start) as usize];
                file.write_all_at(&bytes, range.start).expect("there is room");
            }
            Op::Punch(range) => {
                let flags = rustix::fs::FallocateFlags::PUNCH_HOLE | rustix::fs::FallocateFlags::KEEP_SIZE;
                rustix::fs::fallocate(&file, flags, range.start, range.end - range.start).expect("holes can be made");
            }
        }
    }
    file.sync_all().expect("it can be written out");
}
