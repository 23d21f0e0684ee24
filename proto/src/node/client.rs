//! The client: a [`NodePower`] that is elsewhere.

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use http_body::Body;
use tonic::client::GrpcService;

use super::{
    Error, Info, Instance, Mode, Node, NodePower, Plan, Progress, Result, Take,
    status::{asked, taken},
    wire::{self, node_power_client::NodePowerClient},
};

type StdError = Box<dyn std::error::Error + Send + Sync>;

/// A driver behind a gRPC service: a `tonic` channel, or one in layers that add what every request carries.
///
/// A driver that cannot be connected to is [`Error::Unreachable`]. A connection that breaks during a step is
/// [`Error::Ambiguous`]: the driver may have asked its provider.
#[derive(Debug, Clone)]
pub struct Client<T> {
    wire: NodePowerClient<T>,
}

// === impl Client ===

impl<T> Client<T>
where
    T: GrpcService<tonic::body::Body>,
    T::Error: Into<StdError>,
    T::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <T::ResponseBody as Body>::Error: Into<StdError> + Send,
{
    /// The driver that `service` reaches.
    pub fn new(service: T) -> Self {
        Self { wire: NodePowerClient::new(service) }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T> NodePower for Client<T>
where
    T: GrpcService<tonic::body::Body> + Clone + Send + Sync + 'static,
    T::Error: Into<StdError>,
    T::Future: Send,
    T::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <T::ResponseBody as Body>::Error: Into<StdError> + Send,
{
    async fn info(&self) -> Result<Info> {
        let answer = self.wire.clone().info(wire::InfoRequest {}).await.map_err(asked)?;
        Ok(answer.into_inner().into())
    }

    async fn describe(&self, node: &Node) -> Result<Instance> {
        let request = wire::DescribeRequest { node: Some(node.clone().into()) };
        let answer = self.wire.clone().describe(request).await.map_err(asked)?.into_inner();
        let lacking = || Error::Unreachable("the driver answered without an instance".to_owned());
        answer.instance.map(Instance::from).ok_or_else(lacking)
    }

    async fn plan(&self, node: &Node, mode: Mode) -> Result<Plan> {
        let request = wire::PlanRequest { node: Some(node.clone().into()), mode: wire::Mode::from(mode).into() };
        self.wire.clone().plan(request).await.map_err(asked)?.into_inner().try_into()
    }

    async fn take(&self, take: Take) -> Result<BoxStream<'static, Result<Progress>>> {
        let messages = self.wire.clone().take(wire::TakeRequest::from(take)).await.map_err(taken)?.into_inner();
        Ok(messages.map(|message| message.map_err(taken)?.try_into()).boxed())
    }
}
