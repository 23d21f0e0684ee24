//! Puts the relay together, and serves it.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use kube::Client;
use proto::{
    cbt::{ChangedBlocks, server},
    store::Store,
};
use runtime::{
    Context,
    args::{ListenArgs, PeerTlsArgs},
    grpc,
    serve::{Listener, Settings, incoming},
    tls::{Identity, ServerTls},
};

use crate::{Cluster, Config, Drivers, Relay, Resolve, Reviews, Standalone, metadata};

/// What the relay is made of besides its configuration.
#[derive(Default)]
pub struct Parts {
    /// The cluster whose VolumeSnapshots are meant. Without one, names are those of the embedded driver.
    pub cluster: Option<Client>,
    /// Where DriverDiscovery and SnapshotMetadataService objects are.
    pub store: Option<Arc<dyn Store>>,
    /// A driver in this process.
    pub embedded: Option<Embedded>,
    /// What is shown to drivers, and which CA theirs are of.
    pub peer: PeerTlsArgs,
}

/// A driver in this process.
pub struct Embedded {
    /// The CSI driver that it stands for.
    pub name: String,
    /// The driver.
    pub blocks: Arc<dyn ChangedBlocks>,
}

/// A relay that can be served.
pub struct Server {
    relay: Arc<Relay>,
    config: Config,
    cluster: Option<Client>,
    store: Option<Arc<dyn Store>>,
    context: Context,
}

// === impl Server ===

impl Server {
    /// Puts a relay together. Nothing is connected to before it is needed, but what is followed is followed from now on.
    pub fn open(config: &Config, parts: Parts, context: &Context) -> anyhow::Result<Self> {
        let Parts { cluster, store, embedded, peer } = parts;
        let mut drivers =
            Drivers::connect(&config.cbt_drivers, &peer, &context.tasks).context("reading --cbt-driver")?;
        if let Some(store) = &store {
            drivers.discover(Arc::clone(store), &peer, &context.tasks);
        }
        let resolve: Arc<dyn Resolve> = match (&cluster, &embedded) {
            (Some(client), _) => Arc::new(Cluster::start(client.clone(), &context.tasks)),
            (None, Some(embedded)) => Arc::new(Standalone::new(&embedded.name)),
            (None, None) => match config.cbt_drivers.as_slice() {
                [only] => Arc::new(Standalone::new(&only.driver)),
                _ => bail!("without --kubeconfig there is one driver: give one --cbt-driver, or --cbt-dir"),
            },
        };
        if let Some(Embedded { name, blocks }) = embedded {
            drivers = drivers.with(&name, blocks);
        }
        let relay = Relay::new(resolve, drivers, config.cbt_driver_timeout, &context.metrics);
        Ok(Self { relay: Arc::new(relay), config: config.clone(), cluster, store, context: context.clone() })
    }

    /// The relay, for whoever is in the same process.
    pub fn relay(&self) -> Arc<Relay> {
        Arc::clone(&self.relay)
    }

    /// Whether backup software is served.
    pub fn serves_metadata(&self) -> bool {
        self.config.cbt_metadata_listen.is_some()
    }

    /// Serves apiservers where `listen` says, until the process drains.
    pub async fn serve_peers(&self, listen: &ListenArgs) -> anyhow::Result<()> {
        let routes = grpc::routes(server::service(self.relay())).await;
        grpc::serve(routes, listen, &self.context).await
    }

    /// Serves backup software where `--cbt-metadata-listen` says, as `identity`, until the process drains. Ends at once
    /// where it says nothing.
    pub async fn serve_metadata(&self, identity: Option<Arc<Identity>>) -> anyhow::Result<()> {
        let Some(address) = self.config.cbt_metadata_listen else { return Ok(()) };
        let Some(client) = &self.cluster else {
            bail!("--cbt-metadata-listen needs --kubeconfig: without a cluster nobody's token can be reviewed");
        };
        let identity = identity.context("--cbt-metadata-listen needs --tls-cert-file and --tls-private-key-file")?;
        let tls = ServerTls::asking(identity).context("using the serving certificate")?;
        let listening = Listener::tls(address, tls).await;
        let listener = listening.with_context(|| format!("listening on --cbt-metadata-listen {address}"))?;
        let (audience, tasks) = (self.config.cbt_audience.clone(), &self.context.tasks);
        let reviews = Reviews::start(audience, client.clone(), self.store.clone(), tasks);
        let routes = grpc::routes(metadata::service(self.relay(), Arc::new(reviews))).await;
        grpc::serve_on(routes, incoming(listener, Settings::default(), tasks), &self.context).await
    }
}

/// Serves apiservers and backup software until the process drains.
pub async fn serve(
    config: &Config,
    parts: Parts,
    listen: &ListenArgs,
    identity: Option<Arc<Identity>>,
    context: &Context,
) -> anyhow::Result<()> {
    let server = Server::open(config, parts, context)?;
    tokio::try_join!(server.serve_peers(listen), server.serve_metadata(identity)).map(|_| ())
}
