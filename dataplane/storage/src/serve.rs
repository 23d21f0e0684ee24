//! Serves a store to other processes.

use std::{io, sync::Arc};

use futures::Stream;
use proto::store::{Store, server};
use runtime::{Context, grpc};
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::transport::server::Connected;

/// Serves `store`, and the health service beside it, on the connections that come in, until the process drains and what
/// runs is finished.
pub async fn serve<I, C>(store: Arc<dyn Store>, incoming: I, context: &Context) -> anyhow::Result<()>
where
    I: Stream<Item = io::Result<C>>,
    C: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
{
    grpc::serve_on(grpc::routes(server::service(store)).await, incoming, context).await
}
