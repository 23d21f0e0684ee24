//! The adapter on CSI drivers that are other people's code, at least where it matters: one on the specification's own Go
//! code, and, where there is one, csi-driver-host-path.
#![expect(clippy::unwrap_used, reason = "tests")]

mod binary;
mod host_path;
mod peer;
mod volume;

use std::{ops::Range, path::Path};

use async_trait::async_trait;
use cbt_csi::{Config, Driver};
use futures::TryStreamExt;
use kit::{Process, Scratch};
use proto::cbt::{
    Blocks, ChangedBlocks, Query, Result,
    suite::{Subject, Truth},
};

/// A CSI driver that runs, the adapter on it, and what is true.
struct Real {
    adapter: Box<dyn ChangedBlocks>,
    truth: Truth,
    _processes: Vec<Process>,
    scratch: Scratch,
}

// === impl Real ===

impl Real {
    async fn new(process: Process, socket: &Path, truth: Truth, scratch: Scratch) -> Self {
        let driver = Driver::new(Config { csi_address: socket.to_owned(), csi_block_size: 65536 });
        tokio::time::timeout(kit::PATIENCE, driver.wait()).await.expect("the CSI driver starts");
        Self { adapter: Box::new(driver), truth, _processes: vec![process], scratch }
    }

    async fn list(&self, query: Query) -> Result<Vec<Range<u64>>> {
        let messages: Vec<Blocks> = self.adapter.blocks(query).await?.try_collect().await?;
        let blocks = messages.iter().flat_map(|blocks| blocks.iter());
        Ok(blocks.map(|block| block.offset..block.offset + block.size).collect())
    }
}

#[async_trait]
impl Subject for Real {
    fn blocks(&self) -> &dyn ChangedBlocks {
        &*self.adapter
    }

    fn truth(&self) -> &Truth {
        &self.truth
    }

    async fn data(&self, _: Range<u64>) -> Vec<u8> {
        unreachable!("CSI does not read")
    }
}
