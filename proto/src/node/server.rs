//! The server: serves any [`NodePower`] over gRPC.

use futures::{StreamExt, stream::BoxStream};
use tonic::{Request, Response, Status, async_trait};

use super::{
    Error, NodePower,
    convert::required,
    wire::{self, node_power_server::NodePowerServer},
};

/// Serves `N`. Made by [`service`].
#[derive(Debug)]
pub struct Server<N> {
    power: N,
}

/// The gRPC service for `power`, ready for a `tonic` router.
pub fn service<N: NodePower>(power: N) -> NodePowerServer<Server<N>> {
    NodePowerServer::new(Server { power })
}

// === impl Server ===

#[async_trait]
impl<N: NodePower> wire::node_power_server::NodePower for Server<N> {
    type TakeStream = BoxStream<'static, Result<wire::TakeResponse, Status>>;

    async fn info(&self, _: Request<wire::InfoRequest>) -> Result<Response<wire::InfoResponse>, Status> {
        Ok(Response::new(self.power.info().await?.into()))
    }

    async fn describe(
        &self,
        request: Request<wire::DescribeRequest>,
    ) -> Result<Response<wire::DescribeResponse>, Status> {
        let node = required(request.into_inner().node, "node")?.into();
        let instance = Some(self.power.describe(&node).await?.into());
        Ok(Response::new(wire::DescribeResponse { instance }))
    }

    async fn plan(&self, request: Request<wire::PlanRequest>) -> Result<Response<wire::PlanResponse>, Status> {
        let request = request.into_inner();
        let mode = request.mode().try_into()?;
        let node = required(request.node, "node")?.into();
        Ok(Response::new(self.power.plan(&node, mode).await?.into()))
    }

    async fn take(&self, request: Request<wire::TakeRequest>) -> Result<Response<Self::TakeStream>, Status> {
        let progress = self.power.take(request.into_inner().try_into()?).await?;
        Ok(Response::new(progress.map(|item| item.map(Into::into).map_err(|error: Error| error.into())).boxed()))
    }
}
