//! The client: [`Restarts`] that are elsewhere.

use async_trait::async_trait;
use bytes::Bytes;
use http_body::Body;
use tonic::client::GrpcService;

use super::{
    Cancel, Request, Restarts, Result, Submitted,
    wire::{self, restarts_client::RestartsClient},
};

type StdError = Box<dyn std::error::Error + Send + Sync>;

/// A worker behind a gRPC service: a `tonic` channel, or one in layers that add what every request carries.
#[derive(Debug, Clone)]
pub struct Client<T> {
    wire: RestartsClient<T>,
}

// === impl Client ===

impl<T> Client<T>
where
    T: GrpcService<tonic::body::Body>,
    T::Error: Into<StdError>,
    T::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <T::ResponseBody as Body>::Error: Into<StdError> + Send,
{
    /// The worker that `service` reaches.
    pub fn new(service: T) -> Self {
        Self { wire: RestartsClient::new(service) }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T> Restarts for Client<T>
where
    T: GrpcService<tonic::body::Body> + Clone + Send + Sync + 'static,
    T::Error: Into<StdError>,
    T::Future: Send,
    T::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <T::ResponseBody as Body>::Error: Into<StdError> + Send,
{
    async fn plan(&self, request: Request) -> Result<Bytes> {
        let request = wire::PlanRequest { request: Some(request.into()) };
        Ok(self.wire.clone().plan(request).await?.into_inner().restart)
    }

    async fn submit(&self, request: Request) -> Result<Submitted> {
        let request = wire::SubmitRequest { request: Some(request.into()) };
        let wire::SubmitResponse { name, existing } = self.wire.clone().submit(request).await?.into_inner();
        Ok(Submitted { name, existing })
    }

    async fn cancel(&self, cancel: Cancel) -> Result<()> {
        self.wire.clone().cancel(wire::CancelRequest::from(cancel)).await?;
        Ok(())
    }
}
