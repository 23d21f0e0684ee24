//! Sources of blocks, good and bad.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use proto::cbt::{
    Block, Blocks, Builder, ChangedBlocks, Data, Error, Info, Kind, Query, Read, Result, Snapshot, suite::Synthetic,
};

/// The VolumeSnapshots `base`, `target` and `other` of namespace default, with the blocks of a computed volume.
pub(crate) struct Named(pub(crate) Synthetic);

/// Says what it is told, and notes what it is asked.
#[derive(Default)]
pub(crate) struct Script {
    /// The messages.
    pub(crate) messages: Vec<Blocks>,
    /// What comes instead of messages, or of a reading.
    pub(crate) refusal: Option<Error>,
    /// What comes after them.
    pub(crate) end: Option<Error>,
    /// Whether they never end: the last one is waited for.
    pub(crate) stalls: bool,
    /// The pieces of a reading.
    pub(crate) pieces: Vec<Data>,
    /// The name of the driver.
    pub(crate) driver: &'static str,
    /// What was seen.
    pub(crate) seen: Arc<Seen>,
}

/// What a source has seen.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) queries: Mutex<Vec<Query>>,
    pub(crate) reads: Mutex<Vec<Read>>,
    /// Messages that were taken.
    pub(crate) taken: AtomicUsize,
    /// Streams that ended, or were dropped.
    pub(crate) ended: AtomicUsize,
}

/// Counts when it goes.
struct Ending(Arc<Seen>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.ended.fetch_add(1, Ordering::SeqCst);
    }
}

/// A message of blocks of 64 KiB, of a volume of 1 TiB.
pub(crate) fn message(indices: impl IntoIterator<Item = u64>) -> Blocks {
    let mut builder = Builder::new(Kind::Fixed, 1 << 40);
    indices.into_iter().for_each(|index| builder.push(Block { offset: index << 16, size: 1 << 16, token: b"t" }));
    builder.finish()
}

#[async_trait]
impl ChangedBlocks for Named {
    async fn info(&self) -> Result<Info> {
        self.0.info().await
    }

    async fn blocks(&self, query: Query) -> Result<BoxStream<'static, Result<Blocks>>> {
        let base = query.base.as_ref().map(handle).transpose()?;
        self.0.blocks(Query { base, target: handle(&query.target)?, ..query }).await
    }

    async fn read(&self, read: Read) -> Result<BoxStream<'static, Result<Data>>> {
        self.0.read(Read { target: handle(&read.target)?, ..read }).await
    }
}

fn handle(snapshot: &Snapshot) -> Result<Snapshot> {
    match snapshot {
        Snapshot::Named { namespace, name } if namespace == "default" => Ok(Snapshot::Handle(name.clone())),
        other => Err(Error::NotFound(format!("there is no VolumeSnapshot {other:?}"))),
    }
}

#[async_trait]
impl ChangedBlocks for Script {
    async fn info(&self) -> Result<Info> {
        Ok(Info { driver: self.driver.to_owned(), version: "1".to_owned(), reads: true })
    }

    async fn blocks(&self, query: Query) -> Result<BoxStream<'static, Result<Blocks>>> {
        self.seen.queries.lock().expect("a lock").push(query);
        if let Some(error) = &self.refusal {
            return Err(error.clone());
        }
        let ending = Ending(Arc::clone(&self.seen));
        let messages = stream::iter(self.messages.clone()).map(move |message| {
            ending.0.taken.fetch_add(1, Ordering::SeqCst);
            Ok(message)
        });
        let end = stream::iter(self.end.clone().map(Err));
        match self.stalls {
            true => Ok(messages.chain(stream::pending()).boxed()),
            false => Ok(messages.chain(end).boxed()),
        }
    }

    async fn read(&self, read: Read) -> Result<BoxStream<'static, Result<Data>>> {
        self.seen.reads.lock().expect("a lock").push(read);
        if let Some(error) = &self.refusal {
            return Err(error.clone());
        }
        let pieces = stream::iter(self.pieces.clone()).map(Ok);
        Ok(pieces.chain(stream::iter(self.end.clone().map(Err))).boxed())
    }
}
