//! From a configuration to a worker that works, and to one that is served.

use std::{collections::BTreeMap, convert::Infallible, io, sync::Arc};

use futures::Stream;
use proto::{
    node::{NodePower, client::Client},
    restart::{Restarts, server},
    store::Store,
};
use runtime::{Context, args::PeerTlsArgs, grpc};
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::transport::server::Connected;

use crate::{Config, Drivers, Worker, cluster::Kube};

/// A worker that works in this process, on the cluster of `cluster`. Its drivers are those of the configuration, reached
/// with the certificate of `peer`, and those that are `embedded`, by provider.
pub fn open(
    config: &Config,
    store: Arc<dyn Store>,
    cluster: kube::Config,
    embedded: BTreeMap<String, Arc<dyn NodePower>>,
    peer: &PeerTlsArgs,
    context: &Context,
) -> anyhow::Result<Arc<Worker>> {
    let mut drivers = embedded;
    for address in &config.node_driver {
        let channel = grpc::connect(&address.url, peer, &context.tasks)?;
        drivers.insert(address.provider.clone(), Arc::new(Client::new(channel)));
    }
    let drivers = Drivers::new(drivers, config.node_driver_timeout);
    let worker = Arc::new(Worker::new(config, store, Arc::new(Kube::connect(cluster)?), drivers, context));
    let running = Arc::clone(&worker);
    context.tasks.critical("restart worker", async move {
        running.run().await;
        Ok::<_, Infallible>(())
    });
    Ok(worker)
}

/// Serves `restarts`, and the health service beside it, on the connections that come in, until the process drains.
pub async fn serve<I, C>(restarts: Arc<dyn Restarts>, incoming: I, context: &Context) -> anyhow::Result<()>
where
    I: Stream<Item = io::Result<C>>,
    C: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
{
    grpc::serve_on(grpc::routes(server::service(restarts)).await, incoming, context).await
}
