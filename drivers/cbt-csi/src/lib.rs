//! Changed blocks of any CSI driver that has the SnapshotMetadata service, through its socket.
//!
//! The driver's messages have the encoding of ours: blocks of one size go through as they came. What is added is what
//! drivers are known to lack, and their clients to rely on:
//!
//! * every message is checked, and a driver that contradicts itself is refused ([`Error::Broken`]);
//! * a start is where an entry begins, and within the volume: neither is left to the driver;
//! * messages have as many entries as they can have, whatever was asked for, and are cut when there are more;
//! * ranges of any size do not depend on where a list starts or a message ends;
//! * a stream without a clean end is an error, and so is a deadline; no request has one.
//!
//! Nothing is kept but the size of volumes and of their blocks. The driver may come, go and restart: while it is not
//! there, every answer is [`Error::Unavailable`]. CSI has no way to read blocks, so there are no tokens.

mod answer;
mod channel;
mod config;
mod identity;
mod incoming;
mod layout;
mod runs;
mod status;

use std::path::PathBuf;

use async_trait::async_trait;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use proto::cbt::{Blocks, ChangedBlocks, Data, Error, Info, Query, Read, Result, Snapshot};
use tonic::transport::Channel;
use tracing::instrument;

use identity::Identity;
use incoming::{Incoming, max_results};
use layout::{Key, Layout, Layouts};

pub use config::Config;

/// Snapshots of a CSI driver.
pub struct Driver {
    socket: PathBuf,
    channel: Channel,
    block_size: u64,
    layouts: Layouts,
}

// === impl Driver ===

impl Driver {
    /// The driver behind the socket that the flags name; it is connected to when it is first asked something. Within an
    /// async runtime only.
    pub fn new(config: Config) -> Self {
        let channel = channel::channel(config.csi_address.clone());
        let (socket, block_size) = (config.csi_address, config.csi_block_size);
        Self { socket, channel, block_size, layouts: Layouts::default() }
    }

    /// Waits until the CSI driver is there, however long that takes, and logs which it is.
    pub async fn wait(&self) {
        let Identity { name, version } = identity::wait(&self.socket, || identity::identify(&self.channel)).await;
        tracing::info!(csi.driver = %name, csi.version = %version, "the CSI driver is {name} {version}");
    }

    /// What a list is made of, from before or by asking for its first entry; `None` if it has none.
    async fn layout(&self, key: &Key, query: &Query) -> Result<Option<Layout>> {
        if let Some(known) = self.layouts.get(key) {
            return Ok(Some(known));
        }
        let first = Incoming::open(&self.channel, key, query, 0, 1).await?.next().await?;
        let layout = first.as_ref().map(Layout::of);
        if let Some(layout) = layout {
            self.layouts.learn(key.clone(), layout);
        }
        Ok(layout)
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl ChangedBlocks for Driver {
    async fn info(&self) -> Result<Info> {
        let Identity { name, version } = identity::identify(&self.channel).await?;
        Ok(Info { driver: name, version, reads: false })
    }

    #[instrument(name = "cbt.blocks", skip_all, fields(cbt.target = ?query.target, cbt.base = ?query.base, start = query.start), err(level = "debug"))]
    async fn blocks(&self, query: Query) -> Result<BoxStream<'static, Result<Blocks>>> {
        let key = (query.base.as_ref().map(handle).transpose()?, handle(&query.target)?);
        let expected = if query.start == 0 { None } else { self.layout(&key, &query).await? };
        let from = match expected {
            Some(layout) => layout.start(&query, self.block_size)?,
            None if query.start == 0 => Some(0),
            None => None,
        };
        let Some(from) = from else { return Ok(stream::empty().boxed()) };
        let mut incoming = Incoming::open(&self.channel, &key, &query, from, max_results(&query)).await?;
        // Waited for, so that what can be refused is refused before there is a stream.
        let first = incoming.next().await.inspect_err(|_| self.layouts.forget(&key))?;
        let Some(first) = first else { return Ok(stream::empty().boxed()) };
        let layout = Layout::of(&first);
        self.layouts.learn(key, layout);
        if expected.is_some_and(|expected| expected != layout) {
            let what = "the CSI driver has changed its mind about the size of the volume or of its blocks: ask again";
            return Err(Error::Unavailable(what.to_owned()));
        }
        answer::answer(&query, layout.volume(self.block_size), first, incoming)
    }

    async fn read(&self, _: Read) -> Result<BoxStream<'static, Result<Data>>> {
        Err(Error::Invalid("this driver gives no tokens, and CSI reads no data".to_owned()))
    }
}

fn handle(snapshot: &Snapshot) -> Result<String> {
    match snapshot {
        Snapshot::Handle(handle) if !handle.is_empty() => Ok(handle.clone()),
        Snapshot::Handle(_) => Err(Error::Invalid("the handle of a snapshot is empty".to_owned())),
        Snapshot::Named { .. } => Err(Error::Invalid("this driver knows snapshots by their handles".to_owned())),
    }
}
