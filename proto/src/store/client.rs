//! The client: a [`Store`] that is elsewhere.

use async_trait::async_trait;
use bytes::Bytes;
use futures::{
    StreamExt, TryStreamExt,
    future::ready,
    stream::{self, BoxStream},
};
use http_body::Body;
use tonic::{Streaming, client::GrpcService};

use super::{
    At, Batch, Entry, Key, List, ListOptions, Result, Scope, Status, Store, WatchOptions, Write, Written,
    convert::required,
    wire::{self, store_client::StoreClient},
};
use crate::MESSAGE_LIMIT;

type StdError = Box<dyn std::error::Error + Send + Sync>;

/// A store behind a gRPC service: a `tonic` channel, or one in layers that add what every request carries.
#[derive(Debug, Clone)]
pub struct Client<T> {
    wire: StoreClient<T>,
}

// === impl Client ===

impl<T> Client<T>
where
    T: GrpcService<tonic::body::Body>,
    T::Error: Into<StdError>,
    T::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <T::ResponseBody as Body>::Error: Into<StdError> + Send,
{
    /// The store that `service` reaches.
    pub fn new(service: T) -> Self {
        let wire = StoreClient::new(service);
        Self { wire: wire.max_decoding_message_size(MESSAGE_LIMIT).max_encoding_message_size(MESSAGE_LIMIT) }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T> Store for Client<T>
where
    T: GrpcService<tonic::body::Body> + Clone + Send + Sync + 'static,
    T::Error: Into<StdError>,
    T::Future: Send,
    T::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <T::ResponseBody as Body>::Error: Into<StdError> + Send,
{
    async fn get(&self, key: &Key, at: At) -> Result<Option<Entry>> {
        let request = wire::GetRequest { key: Some(key.clone().into()), at: Some(at.into()) };
        let answer = self.wire.clone().get(request).await?.into_inner();
        answer.entry.map(Entry::try_from).transpose()
    }

    async fn list(&self, scope: &Scope, options: ListOptions) -> Result<List> {
        let request = wire::ListRequest::new(scope.clone(), options);
        let mut messages = self.wire.clone().list(request).await?.into_inner();
        let mut first = required(messages.message().await?, "first message")?;
        let head = required(first.head.take(), "head")?;
        let chunks = stream::iter([Ok(first)])
            .chain(messages)
            .try_filter(|message| ready(!message.entries.is_empty()))
            .map(|message: Result<_, tonic::Status>| message?.entries.into_iter().map(Entry::try_from).collect());
        Ok(List { revision: head.revision, count: head.count, chunks: chunks.boxed() })
    }

    async fn watch(&self, scope: &Scope, options: WatchOptions) -> Result<BoxStream<'static, Result<Batch>>> {
        let request = wire::WatchRequest { scope: Some(scope.clone().into()), after: options.after };
        let messages: Streaming<wire::WatchResponse> = self.wire.clone().watch(request).await?.into_inner();
        Ok(messages.map(|message| Batch::try_from(message?)).boxed())
    }

    async fn write(&self, write: Write) -> Result<Written> {
        // A message over the limit would end as a broken connection.
        write.check()?;
        let answer = self.wire.clone().write(wire::WriteRequest::from(write)).await?.into_inner();
        Ok(Written { revision: answer.revision })
    }

    async fn status(&self) -> Result<Status> {
        Ok(self.wire.clone().status(wire::StatusRequest {}).await?.into_inner().into())
    }
}
