//! The server: serves any [`Store`] over gRPC.
//!
//! What is streamed is cut into messages of bounded weight, so that a list of any length passes in constant memory.

use futures::{
    StreamExt, TryStreamExt,
    stream::{self, BoxStream},
};
use tonic::{Request, Response, Status, async_trait};

use super::{
    Batch, Entry, Event, Key, List, Scope, Store, WatchOptions, Write,
    convert::required,
    wire::{self, store_server::StoreServer},
};
use crate::{MESSAGE_LIMIT, MESSAGE_TARGET, store};

/// Serves `S`. Made by [`service`].
#[derive(Debug)]
pub struct Server<S> {
    store: S,
}

/// The gRPC service for `store`, ready for a `tonic` router.
pub fn service<S: Store>(store: S) -> StoreServer<Server<S>> {
    StoreServer::new(Server { store }).max_decoding_message_size(MESSAGE_LIMIT).max_encoding_message_size(MESSAGE_LIMIT)
}

// === impl Server ===

#[async_trait]
impl<S: Store> wire::store_server::Store for Server<S> {
    type ListStream = BoxStream<'static, Result<wire::ListResponse, Status>>;
    type WatchStream = BoxStream<'static, Result<wire::WatchResponse, Status>>;

    async fn get(&self, request: Request<wire::GetRequest>) -> Result<Response<wire::GetResponse>, Status> {
        let wire::GetRequest { key, at } = request.into_inner();
        let key: Key = required(key, "key")?.into();
        let entry = self.store.get(&key, at.into()).await?;
        Ok(Response::new(wire::GetResponse { entry: entry.map(Into::into) }))
    }

    async fn list(&self, request: Request<wire::ListRequest>) -> Result<Response<Self::ListStream>, Status> {
        let (scope, options) = request.into_inner().split()?;
        let List { revision, count, chunks } = self.store.list(&scope, options).await?;
        let head =
            wire::ListResponse { head: Some(wire::list_response::Head { revision, count }), entries: Vec::new() };
        Ok(Response::new(stream::iter([Ok(head)]).chain(messages(chunks, list_messages)).boxed()))
    }

    async fn watch(&self, request: Request<wire::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let wire::WatchRequest { scope, after } = request.into_inner();
        let scope: Scope = required(scope, "scope")?.into();
        let batches = self.store.watch(&scope, WatchOptions { after }).await?;
        Ok(Response::new(messages(batches, watch_messages)))
    }

    async fn write(&self, request: Request<wire::WriteRequest>) -> Result<Response<wire::WriteResponse>, Status> {
        let written = self.store.write(Write::try_from(request.into_inner())?).await?;
        Ok(Response::new(wire::WriteResponse { revision: written.revision }))
    }

    async fn status(&self, _: Request<wire::StatusRequest>) -> Result<Response<wire::StatusResponse>, Status> {
        Ok(Response::new(self.store.status().await?.into()))
    }
}

// === messages of bounded weight ===

/// `items` as messages, each item cut into as many as it takes.
fn messages<T: 'static, M: Send + 'static>(
    items: BoxStream<'static, store::Result<T>>,
    cut: fn(T) -> Vec<M>,
) -> BoxStream<'static, Result<M, Status>> {
    items.map_ok(move |item| stream::iter(cut(item)).map(Ok)).map_err(Status::from).try_flatten().boxed()
}

fn list_messages(entries: Vec<Entry>) -> Vec<wire::ListResponse> {
    pack(entries, |entry| entry.content.weight())
        .into_iter()
        .map(|entries| wire::ListResponse { head: None, entries: entries.into_iter().map(Into::into).collect() })
        .collect()
}

/// Each message is complete up to its last event, the last one up to where the batch is.
fn watch_messages(batch: Batch) -> Vec<wire::WatchResponse> {
    let mut messages: Vec<_> = pack(batch.events, Event::weight)
        .into_iter()
        .map(|events| {
            let upto = events.last().map_or(batch.upto, |event| event.entry.revision);
            wire::WatchResponse { events: events.into_iter().map(Into::into).collect(), upto }
        })
        .collect();
    match messages.last_mut() {
        Some(last) => last.upto = batch.upto,
        None => messages.push(wire::WatchResponse { events: Vec::new(), upto: batch.upto }),
    }
    messages
}

/// `items` in their order, in groups that weigh at most [`MESSAGE_TARGET`], or are one item.
fn pack<T>(items: Vec<T>, weight: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut groups = Vec::new();
    let mut group = Vec::new();
    let mut sum = 0;
    for item in items {
        let weight = weight(&item);
        if !group.is_empty() && sum + weight > MESSAGE_TARGET {
            groups.push(std::mem::take(&mut group));
            sum = 0;
        }
        sum += weight;
        group.push(item);
    }
    if !group.is_empty() {
        groups.push(group);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_packed_in_order_and_by_weight() {
        let mib = MESSAGE_TARGET;
        for (weights, expected) in [
            (vec![], vec![]),
            (vec![1, 2], vec![vec![1, 2]]),
            (vec![mib, 1], vec![vec![mib], vec![1]]),
            (vec![1, 3 * mib, 1, 1], vec![vec![1], vec![3 * mib], vec![1, 1]]),
            (vec![mib / 2, mib / 2, mib / 2], vec![vec![mib / 2, mib / 2], vec![mib / 2]]),
        ] {
            assert_eq!(pack(weights, |weight| *weight), expected);
        }
    }

    #[test]
    fn an_empty_batch_still_says_how_far_it_is() {
        let messages = watch_messages(Batch { events: Vec::new(), upto: 7 });
        assert_eq!(messages, [wire::WatchResponse { events: Vec::new(), upto: 7 }]);
    }
}
