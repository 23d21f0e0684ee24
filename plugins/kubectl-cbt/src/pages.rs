//! Blocks by pages: one stream from any block to the end, which goes on where an answer broke.
//!
//! An answer is a sequence of messages, each after its length as a varint.

use anyhow::{Result, bail};
use bytes::{Buf, Bytes, BytesMut};
use futures::{Stream, StreamExt};
use proto::{
    MESSAGE_LIMIT,
    cbt::{Blocks, Checker, Error, Query, Shape, Snapshot},
};

use crate::{patience::Patience, progress::Speaker};

/// Whoever has pages.
pub(crate) trait Pages {
    /// At most `limit` blocks from block `start` on, as messages.
    async fn page(&self, start: u64, limit: u64) -> Result<Messages>;
}

/// What is wanted of a delta.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range {
    /// The first block.
    pub(crate) start: u64,
    /// How many entries; `u64::MAX` is all.
    pub(crate) limit: u64,
    /// Entries in one page.
    pub(crate) page: u64,
}

/// The messages of a delta from a block on. Those without entries tell the volume's size.
pub(crate) fn blocks(pages: impl Pages, range: Range, speaker: Speaker) -> impl Stream<Item = Result<Blocks>> {
    async_stream::try_stream! {
        let Range { mut start, limit: mut left, page } = range;
        let (mut patience, mut size) = (Patience::new(speaker), None);
        while left > 0 {
            let limit = left.min(page);
            let mut checker = checker(start, limit);
            let broken = match pages.page(start, limit).await {
                Ok(mut messages) => loop {
                    match messages.next().await {
                        Ok(Some(blocks)) => {
                            checker.check(&blocks)?;
                            if let Some(first) = blocks.iter().next() {
                                one_size(&mut size, first.size)?;
                                start = blocks.end() / first.size;
                                patience.restore();
                            }
                            yield blocks;
                        }
                        Ok(None) => break None,
                        Err(error) => break Some(error),
                    }
                },
                Err(error) => Some(error),
            };
            left -= checker.count();
            match broken {
                None if checker.count() < limit => return,
                None => {}
                Some(error) => patience.wait(error).await?,
            }
        }
    }
}

/// Of an answer, which is to be what was asked for.
fn checker(start: u64, limit: u64) -> Checker {
    let nobody = Snapshot::Handle(String::new());
    Checker::new(&Query { shape: Shape::Blocks, start, limit, ..Query::allocated(nobody) })
}

/// Pages count blocks, so these are as large in all of them.
fn one_size(size: &mut Option<u64>, given: u64) -> Result<(), Error> {
    match *size.get_or_insert(given) == given {
        true => Ok(()),
        false => Err(Error::Broken("the size of the blocks has changed from one page to the next".to_owned())),
    }
}

/// The messages of one answer.
pub(crate) struct Messages {
    body: futures::stream::BoxStream<'static, Result<Bytes>>,
    read: BytesMut,
}

// === impl Messages ===

impl Messages {
    /// Of a body.
    pub(crate) fn new<E>(body: impl Stream<Item = Result<Bytes, E>> + Send + 'static) -> Self
    where
        E: Into<anyhow::Error>,
    {
        Self { body: body.map(|bytes| bytes.map_err(Into::into)).boxed(), read: BytesMut::new() }
    }

    /// The next message; `None` at a clean end.
    pub(crate) async fn next(&mut self) -> Result<Option<Blocks>> {
        loop {
            if let Some(message) = cut(&mut self.read)? {
                return Ok(Some(Blocks::decode(message)?));
            }
            match self.body.next().await {
                Some(bytes) => self.read.extend_from_slice(&bytes?),
                None if self.read.is_empty() => return Ok(None),
                None => bail!("the answer ends within a message"),
            }
        }
    }
}

/// Takes a whole message off the front, if there is one.
fn cut(read: &mut BytesMut) -> Result<Option<Bytes>> {
    let mut length = 0_u64;
    for (at, byte) in read.iter().enumerate().take(5) {
        length |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if length > MESSAGE_LIMIT {
                break;
            }
            if read.len() < at + 1 + length {
                return Ok(None);
            }
            read.advance(at + 1);
            return Ok(Some(read.split_to(length).freeze()));
        }
    }
    match read.len() {
        0..5 if read.iter().all(|byte| byte & 0x80 != 0) => Ok(None),
        _ => Err(Error::Broken("the answer is not a sequence of messages".to_owned()).into()),
    }
}

#[cfg(test)]
mod tests;
