//! Whom the server believes, and whom it asks: a cluster, or nobody but its own CA.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::Path,
    sync::Arc,
};

use anyhow::Context as _;
use auth::{AccessReviews, Authenticator, Authorizer, Delegated, Masters, Source, TrustArgs};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use runtime::Context;

/// Authentication and authorization of one server.
pub struct Identities {
    pub(crate) source: Source,
    pub(crate) authenticator: Arc<dyn Authenticator>,
    pub(crate) authorizer: Arc<dyn Authorizer>,
    pub(crate) cluster: Option<Client>,
}

/// The cluster that `kubeconfig` leads to, or that this process runs in.
pub async fn cluster(kubeconfig: Option<&Path>) -> anyhow::Result<Client> {
    Client::try_from(cluster_config(kubeconfig).await?).context("setting up the client of the cluster")
}

/// How to reach the same, for those who set their own client up.
pub async fn cluster_config(kubeconfig: Option<&Path>) -> anyhow::Result<Config> {
    match kubeconfig {
        Some(path) => {
            let kubeconfig = Kubeconfig::read_from(path).context("reading the file of --kubeconfig")?;
            Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
                .await
                .context("using the file of --kubeconfig")
        }
        None => {
            Config::incluster().context("finding the cluster that this process runs in: name one with --kubeconfig")
        }
    }
}

// === impl Identities ===

impl Identities {
    /// Without a cluster: certificates of the CA in `ca`, of which `system:masters` may do everything and others nothing.
    pub fn standalone(args: &TrustArgs, ca: &Path, context: &Context) -> anyhow::Result<Self> {
        let client_ca_file = args.client_ca_file.clone().or_else(|| Some(ca.to_owned()));
        let args = TrustArgs { client_ca_file, ..args.clone() };
        Self::new(&args, None, Arc::new(Masters), context)
    }

    /// Behind the cluster that `kubeconfig` leads to, or that this process runs in.
    pub async fn behind(args: &TrustArgs, kubeconfig: Option<&Path>, context: &Context) -> anyhow::Result<Self> {
        let client = cluster(kubeconfig).await?;
        Self::new(args, Some(client.clone()), Arc::new(AccessReviews::new(client)), context)
    }

    /// The cluster, if there is one.
    pub fn cluster(&self) -> Option<&Client> {
        self.cluster.as_ref()
    }

    /// Who says whether somebody may do something.
    pub fn authorizer(&self) -> &Arc<dyn Authorizer> {
        &self.authorizer
    }

    /// Where such a server listens unless it is told otherwise: a cluster comes over the network, a person alone does not.
    pub(crate) fn usual_address(&self) -> IpAddr {
        match self.cluster {
            Some(_) => Ipv4Addr::UNSPECIFIED.into(),
            None => Ipv4Addr::LOCALHOST.into(),
        }
    }

    fn new(
        args: &TrustArgs,
        cluster: Option<Client>,
        authorizer: Arc<dyn Authorizer>,
        context: &Context,
    ) -> anyhow::Result<Self> {
        let source = Source::start(args, cluster.clone(), &context.tasks).context("reading whom to believe")?;
        source.register(&context.health);
        let clock = Arc::clone(&context.clock);
        let authenticator = Delegated::new(source.clone(), cluster.clone(), Arc::clone(&authorizer), clock);
        Ok(Self { source, authenticator: Arc::new(authenticator), authorizer, cluster })
    }
}
