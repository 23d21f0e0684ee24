//! Reading blocks.

use std::{pin::pin, sync::Arc};

use async_stream::try_stream;
use bytes::Bytes;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use proto::cbt::{Data, Error, Result};
use runtime::clock::Clock;

use crate::{api::Api, fault::Fault, handle::SnapshotId, messages::now, token::Token};

/// Reads blocks of one snapshot.
pub(crate) struct Reader {
    pub(crate) api: Api,
    pub(crate) snapshot: SnapshotId,
    pub(crate) clock: Clock,
}

// === impl Reader ===

impl Reader {
    /// The data of the blocks of `tokens`, in their order, `ahead` of them fetched at a time.
    pub(crate) fn stream(self, tokens: Vec<Token>, ahead: usize) -> BoxStream<'static, Result<Data>> {
        let reader = Arc::new(self);
        let blocks = stream::iter(tokens).map(move |token| {
            let reader = Arc::clone(&reader);
            async move { reader.block(&token).await.map(|bytes| Data { offset: token.offset(), bytes }) }
        });
        Box::pin(try_stream! {
            let mut blocks = pin!(blocks.buffered(ahead));
            while let Some(data) = blocks.next().await {
                yield data?;
            }
        })
    }

    /// The data of a block.
    async fn block(&self, token: &Token) -> Result<Bytes> {
        let expired = || now(&self.clock) >= token.expires;
        let gone = || Error::Expired(format!("the token of block {} of {} has expired", token.index, self.snapshot));
        match &token.block {
            None if expired() => Err(gone()),
            None => Ok(Bytes::from(vec![0; token.size as usize])),
            // The API has one reason for a token that expired and one that never was: the token says which.
            Some(block) => self.api.block(&self.snapshot, token, block).await.map_err(|fault| match fault {
                Fault::BlockToken(_) if expired() => gone(),
                fault => fault.into(),
            }),
        }
    }
}
