//! A driver that does what a test says.

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use proto::cbt::{Block, Blocks, Builder, ChangedBlocks, Data, Error, Info, Kind, Query, Read, Result};

/// Answers each query as the function says.
pub(crate) struct Scripted<F>(pub(crate) F);

#[async_trait]
impl<F> ChangedBlocks for Scripted<F>
where
    F: Fn(Query) -> Result<BoxStream<'static, Result<Blocks>>> + Send + Sync + 'static,
{
    async fn info(&self) -> Result<Info> {
        Ok(Info { driver: super::DRIVER.to_owned(), version: "1".to_owned(), reads: false })
    }

    async fn blocks(&self, query: Query) -> Result<BoxStream<'static, Result<Blocks>>> {
        (self.0)(query)
    }

    async fn read(&self, _: Read) -> Result<BoxStream<'static, Result<Data>>> {
        Err(Error::Invalid("it does not read".to_owned()))
    }
}

/// The size of the volume.
pub(crate) const CAPACITY: u64 = 1 << 40;

/// A message of entries, offset and size.
pub(crate) fn message(kind: Kind, entries: &[(u64, u64)]) -> Blocks {
    of(kind, CAPACITY, entries)
}

/// A message of a volume of another size.
pub(crate) fn of(kind: Kind, capacity: u64, entries: &[(u64, u64)]) -> Blocks {
    let mut builder = Builder::new(kind, capacity);
    for &(offset, size) in entries {
        builder.push(Block { offset, size, token: &[] });
    }
    builder.finish()
}

/// A message that says nothing at all.
pub(crate) fn nothing() -> Blocks {
    Blocks::decode(Bytes::new()).expect("it is a message")
}
