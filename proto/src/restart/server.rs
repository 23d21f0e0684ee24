//! The server: serves any [`Restarts`] over gRPC.

use tonic::{Request, Response, Status, async_trait};

use super::{
    Restarts, Submitted,
    wire::{self, restarts_server::RestartsServer},
};

/// Serves `R`. Made by [`service`].
#[derive(Debug)]
pub struct Server<R> {
    restarts: R,
}

/// The gRPC service for `restarts`, ready for a `tonic` router.
pub fn service<R: Restarts>(restarts: R) -> RestartsServer<Server<R>> {
    RestartsServer::new(Server { restarts })
}

// === impl Server ===

#[async_trait]
impl<R: Restarts> wire::restarts_server::Restarts for Server<R> {
    async fn plan(&self, request: Request<wire::PlanRequest>) -> Result<Response<wire::PlanResponse>, Status> {
        let request = request.into_inner().request.unwrap_or_default();
        let restart = self.restarts.plan(request.into()).await?;
        Ok(Response::new(wire::PlanResponse { restart }))
    }

    async fn submit(&self, request: Request<wire::SubmitRequest>) -> Result<Response<wire::SubmitResponse>, Status> {
        let request = request.into_inner().request.unwrap_or_default();
        let Submitted { name, existing } = self.restarts.submit(request.into()).await?;
        Ok(Response::new(wire::SubmitResponse { name, existing }))
    }

    async fn cancel(&self, request: Request<wire::CancelRequest>) -> Result<Response<wire::CancelResponse>, Status> {
        self.restarts.cancel(request.into_inner().into()).await?;
        Ok(Response::new(wire::CancelResponse {}))
    }
}
