//! Pages of a listing, as the API answers them.

use aws_sdk_ebs::{
    operation::{list_changed_blocks::ListChangedBlocksOutput, list_snapshot_blocks::ListSnapshotBlocksOutput},
    primitives::DateTime,
};
use proto::cbt::{Error, Result};

/// The size that the API documents for its blocks, in bytes.
pub(crate) const BLOCK_SIZE: u32 = 512 << 10;

/// A page.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) volume: Volume,
    pub(crate) entries: Vec<Entry>,
    /// What asks for the page after it, if there is one.
    pub(crate) next: Option<String>,
    /// When its block tokens expire, in seconds since 1970, if the answer says so.
    pub(crate) expires: Option<i64>,
}

/// What the answers of one listing have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Volume {
    /// Bytes of the volume.
    pub(crate) capacity: u64,
    /// Bytes of a block.
    pub(crate) block_size: u32,
}

/// A block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) index: u32,
    /// The token to read it with; a block that is gone from the later snapshot of a delta has none.
    pub(crate) token: Option<String>,
}

// === impl Page ===

impl Page {
    /// A page of allocated blocks.
    pub(crate) fn allocated(answer: ListSnapshotBlocksOutput) -> Result<Self> {
        let blocks = answer.blocks.unwrap_or_default();
        let entries = blocks.into_iter().map(|block| match block.block_token {
            Some(token) => entry(block.block_index, Some(token)),
            None => Err(broken("an allocated block has no token")),
        });
        Ok(Self {
            entries: entries.collect::<Result<_>>()?,
            volume: Volume::of(answer.volume_size, answer.block_size)?,
            next: answer.next_token,
            expires: answer.expiry_time.as_ref().map(DateTime::secs),
        })
    }

    /// A page of a delta.
    pub(crate) fn changed(answer: ListChangedBlocksOutput) -> Result<Self> {
        let blocks = answer.changed_blocks.unwrap_or_default();
        let entries = blocks.into_iter().map(|block| entry(block.block_index, block.second_block_token));
        Ok(Self {
            entries: entries.collect::<Result<_>>()?,
            volume: Volume::of(answer.volume_size, answer.block_size)?,
            next: answer.next_token,
            expires: answer.expiry_time.as_ref().map(DateTime::secs),
        })
    }

    /// Says how a page that should go on from block `from` breaks the contract.
    pub(crate) fn check(&self, from: u64) -> Result<()> {
        let mut least = from;
        for entry in &self.entries {
            let index = u64::from(entry.index);
            if index < least {
                return Err(broken(&format!("block {index} comes where {least} or a later one should")));
            }
            if index * u64::from(self.volume.block_size) >= self.volume.capacity {
                return Err(broken(&format!("block {index} is beyond the end of the volume")));
            }
            least = index + 1;
        }
        Ok(())
    }
}

// === impl Volume ===

impl Volume {
    /// From the answer's GiB and bytes.
    fn of(gib: Option<i64>, block_size: Option<i32>) -> Result<Self> {
        let capacity = gib.and_then(|gib| u64::try_from(gib).ok()?.checked_mul(1 << 30)).filter(|bytes| *bytes > 0);
        let block_size = block_size.and_then(|size| u32::try_from(size).ok()).filter(|size| *size > 0);
        match (capacity, block_size) {
            (Some(capacity), Some(block_size)) => Ok(Self { capacity, block_size }),
            (None, _) => Err(broken("there is no size of the volume")),
            (_, None) => Err(broken("there is no size of the blocks")),
        }
    }
}

fn entry(index: Option<i32>, token: Option<String>) -> Result<Entry> {
    match index.and_then(|index| u32::try_from(index).ok()) {
        Some(index) => Ok(Entry { index, token }),
        None => Err(broken("a block has no index")),
    }
}

/// The service does not keep its contract.
pub(crate) fn broken(what: &str) -> Error {
    Error::Broken(format!("a page of EBS cannot be right: {what}"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use aws_sdk_ebs::types::{Block, ChangedBlock};

    use super::*;

    fn page(indices: &[u32]) -> Page {
        let entries = indices.iter().map(|&index| Entry { index, token: None }).collect();
        Page { volume: Volume { capacity: 1 << 30, block_size: BLOCK_SIZE }, entries, next: None, expires: None }
    }

    #[test]
    fn entries_grow_from_where_the_page_begins_and_end_with_the_volume() {
        assert_eq!(page(&[]).check(7), Ok(()));
        assert_eq!(page(&[7, 8, 2047]).check(7), Ok(()));
        for bad in [&[6][..], &[7, 7], &[9, 8], &[2048]] {
            assert!(matches!(page(bad).check(7), Err(Error::Broken(_))), "{bad:?}");
        }
    }

    #[test]
    fn an_answer_without_what_it_must_have_is_broken() {
        let whole = || ListSnapshotBlocksOutput::builder().volume_size(1).block_size(524_288);
        let block = Block::builder().block_index(3).block_token("A").build();
        let good = Page::allocated(whole().blocks(block).build()).unwrap();
        assert_eq!(good.entries, [Entry { index: 3, token: Some("A".to_owned()) }]);
        assert_eq!(good.volume, Volume { capacity: 1 << 30, block_size: BLOCK_SIZE });
        let bad = [
            ListSnapshotBlocksOutput::builder().block_size(524_288).build(),
            ListSnapshotBlocksOutput::builder().volume_size(1).build(),
            whole().volume_size(-1).build(),
            whole().block_size(0).build(),
            whole().blocks(Block::builder().block_index(3).build()).build(),
            whole().blocks(Block::builder().block_index(-3).block_token("A").build()).build(),
        ];
        for answer in bad {
            assert!(matches!(Page::allocated(answer.clone()), Err(Error::Broken(_))), "{answer:?}");
        }
        let gone = ChangedBlock::builder().block_index(3).first_block_token("A").build();
        let delta = ListChangedBlocksOutput::builder().volume_size(1).block_size(524_288).changed_blocks(gone);
        assert_eq!(Page::changed(delta.build()).unwrap().entries, [Entry { index: 3, token: None }]);
    }
}
