//! The client: a [`ChangedBlocks`] that is elsewhere.

use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use http_body::Body;
use tonic::{Streaming, client::GrpcService};

use super::{
    Blocks, ChangedBlocks, Data, Encoded, Info, Query, Read, Result,
    wire::{self, changed_blocks_client::ChangedBlocksClient},
};
use crate::MESSAGE_LIMIT;

type StdError = Box<dyn std::error::Error + Send + Sync>;

/// Blocks behind a gRPC service: a `tonic` channel, or one in layers that add what every request carries.
#[derive(Debug, Clone)]
pub struct Client<T> {
    wire: ChangedBlocksClient<T>,
}

// === impl Client ===

impl<T> Client<T>
where
    T: GrpcService<tonic::body::Body>,
    T::Error: Into<StdError>,
    T::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <T::ResponseBody as Body>::Error: Into<StdError> + Send,
{
    /// What `service` reaches.
    pub fn new(service: T) -> Self {
        let wire = ChangedBlocksClient::new(service);
        Self { wire: wire.max_decoding_message_size(MESSAGE_LIMIT).max_encoding_message_size(MESSAGE_LIMIT) }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T> ChangedBlocks for Client<T>
where
    T: GrpcService<tonic::body::Body> + Clone + Send + Sync + 'static,
    T::Error: Into<StdError>,
    T::Future: Send,
    T::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <T::ResponseBody as Body>::Error: Into<StdError> + Send,
{
    async fn info(&self) -> Result<Info> {
        Ok(self.wire.clone().info(wire::InfoRequest {}).await?.into_inner().into())
    }

    async fn blocks(&self, query: Query) -> Result<BoxStream<'static, Result<Blocks>>> {
        let messages = self.wire.clone().blocks(wire::BlocksRequest::from(query)).await?.into_inner();
        Ok(read_as(messages, |Encoded(message)| Blocks::decode(message)))
    }

    async fn read(&self, read: Read) -> Result<BoxStream<'static, Result<Data>>> {
        let messages = self.wire.clone().read_blocks(wire::ReadBlocksRequest::from(read)).await?.into_inner();
        Ok(read_as(messages, |message| Ok(Data::from(message))))
    }
}

/// What `messages` say. The first error is the last item, and what the peer still sends is not waited for.
fn read_as<M: 'static, T: 'static>(messages: Streaming<M>, read: fn(M) -> Result<T>) -> BoxStream<'static, Result<T>> {
    stream::try_unfold(messages, move |mut messages| async move {
        let message = messages.message().await?;
        message.map(|message| Ok((read(message)?, messages))).transpose()
    })
    .boxed()
}
