//! A real control plane: etcd and a kube-apiserver with RBAC and the aggregator, on loopback ports, in a temporary folder.
//!
//! Its users are in a token file: [`ADMIN`] (system:masters), [`BOB`] (nobody in particular), and Outrigger itself, which has
//! exactly the roles that a deployment gives it.

mod files;
mod roles;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use kube::config::{KubeConfigOptions, Kubeconfig};

use crate::{Client, Identity, Kubectl, Output, Peers, Process, Response, Scratch, eventually, free_ports};
use files::Files;

/// The token of the administrator.
pub const ADMIN: &str = "admin-token";
/// The token of bob, who is authenticated and may do nothing.
pub const BOB: &str = "bob-token";
/// The token of Outrigger.
pub(crate) const OUTRIGGER: &str = "outrigger-token";

/// What to start besides etcd and the kube-apiserver.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// More flags for the kube-apiserver.
    pub apiserver_flags: Vec<String>,
    /// Whether etcd waits for its disk, as it does in earnest. Tests do without; who measures it must not.
    pub durable: bool,
}

/// A running control plane; stopped when dropped, and when the test process ends.
#[derive(Debug)]
pub struct Cluster {
    controllers: Option<Process>,
    apiserver: Process,
    apiserver_flags: Vec<String>,
    etcd: Process,
    kubectl: Kubectl,
    peers: Peers,
    files: Files,
    port: u16,
    scratch: Scratch,
}

// === impl Cluster ===

impl Cluster {
    /// The control plane that all tests of this process share. They keep out of each other's way by namespaces.
    ///
    /// # Panics
    /// If it does not start: then no test of the process can run.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<Cluster>> = OnceLock::new();
        match SHARED.get_or_init(|| Self::start(&Options::default())) {
            Ok(cluster) => cluster,
            Err(error) => panic!("the shared cluster did not start: {error:#}"),
        }
    }

    /// Starts one and waits until it is ready.
    pub fn start(options: &Options) -> Result<Self> {
        let (peers, scratch) = (Peers::locate()?, Scratch::new("cluster")?);
        let [port, etcd_client, etcd_peer] = free_ports()?;
        let files = Files::write(&scratch, port)?;
        let etcd = start_etcd(&peers, &scratch, (etcd_client, etcd_peer), options.durable)?;
        let flags = files.apiserver_flags(etcd_client, &options.apiserver_flags);
        let apiserver =
            Process::spawn("kube-apiserver", &peers.kube_apiserver(), &flags, &scratch.file("kube-apiserver.log"))?;
        let kubectl = Kubectl::new(&peers.kubectl(), &files.kubeconfig(ADMIN))?;
        let controllers = None;
        let mut cluster =
            Self { controllers, apiserver, apiserver_flags: flags, etcd, kubectl, peers, files, port, scratch };
        block_on(cluster.become_ready())?;
        Ok(cluster)
    }

    /// Raw requests as the administrator.
    #[must_use]
    pub fn admin(&self) -> Client {
        self.client_for(&Identity::Token(ADMIN.to_owned()))
    }

    /// Raw requests as anybody.
    ///
    /// # Panics
    /// If the identity's certificate is not one.
    #[must_use]
    pub fn client_for(&self, identity: &Identity) -> Client {
        Client::new("127.0.0.1", self.port, self.files.authority.cert(), identity).expect("the files are our own")
    }

    /// One raw request as the administrator.
    pub async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Response> {
        self.admin().send(method, path, headers, body).await
    }

    /// A typed client as the administrator.
    pub async fn client(&self) -> Result<kube::Client> {
        let kubeconfig = Kubeconfig::read_from(self.kubeconfig()).context("reading the kubeconfig")?;
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .context("using the kubeconfig")?;
        kube::Client::try_from(config).context("building a client")
    }

    /// kubectl as the administrator.
    pub fn kubectl(&self, args: &[&str]) -> Result<Output> {
        self.kubectl.run(args)
    }

    /// kubectl with a cache of its own, as the owner of a token.
    pub fn kubectl_as(&self, token: &str) -> Result<Kubectl> {
        Kubectl::new(&self.peers.kubectl(), &self.files.kubeconfig(token))
    }

    /// The administrator's kubeconfig.
    #[must_use]
    pub fn kubeconfig(&self) -> PathBuf {
        self.files.kubeconfig(ADMIN)
    }

    /// The kubeconfig of the owner of a token.
    #[must_use]
    pub fn kubeconfig_of(&self, token: &str) -> PathBuf {
        self.files.kubeconfig(token)
    }

    /// Outrigger's kubeconfig: its user has the roles of a deployment, and no more.
    #[must_use]
    pub fn outrigger_kubeconfig(&self) -> PathBuf {
        self.files.kubeconfig(OUTRIGGER)
    }

    /// The programs it runs.
    #[must_use]
    pub fn peers(&self) -> &Peers {
        &self.peers
    }

    /// Where it listens, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of its logs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.scratch.path()
    }

    /// The authority of its serving and client certificates.
    #[must_use]
    pub fn authority(&self) -> &crate::Authority {
        &self.files.authority
    }

    /// The authority of the aggregator's certificate: who has one of its certificates may speak for others.
    #[must_use]
    pub fn front_proxy_authority(&self) -> &crate::Authority {
        &self.files.front_proxy
    }

    /// Creates a namespace and waits until objects can be created in it.
    pub async fn namespace(&self, name: &str) -> Result<()> {
        let body = serde_json::json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.admin().post("/api/v1/namespaces", &body).await?.success()?;
        Ok(())
    }

    async fn become_ready(&mut self) -> Result<()> {
        let admin = self.admin();
        let deadline = crate::deadline(crate::PATIENCE * 2);
        loop {
            self.etcd.ensure_running()?;
            self.apiserver.ensure_running()?;
            match admin.get("/readyz").await {
                Ok(answer) if answer.status == 200 => break,
                _ if crate::deadline(std::time::Duration::ZERO) > deadline => {
                    anyhow::bail!("the kube-apiserver did not become ready:\n{}", self.apiserver.tail());
                }
                _ => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
            }
        }
        roles::grant(&admin).await?;
        let default = "/api/v1/namespaces/default";
        eventually!(admin.get(default).await.is_ok_and(|answer| answer.status == 200), "there is a default namespace");
        Ok(())
    }

    /// `kill -9` of the kube-apiserver; etcd stays.
    pub fn kill_apiserver(&mut self) -> Result<()> {
        self.apiserver.kill()
    }

    /// Starts the kube-apiserver again, and waits until it is ready.
    pub fn start_apiserver_again(&mut self) -> Result<()> {
        let log = self.scratch.file("kube-apiserver.log");
        let program = self.peers.kube_apiserver();
        self.apiserver = Process::spawn("kube-apiserver", &program, &self.apiserver_flags, &log)?;
        let admin = self.admin();
        block_on(async move {
            eventually!(admin.get("/readyz").await.is_ok_and(|answer| answer.status == 200), "it is ready again");
            Ok(())
        })
    }

    /// Starts the kube-controller-manager, which reads the discovery of that moment: register first what it should know.
    pub fn with_controllers(mut self) -> Result<Self> {
        self.controllers = Some(self.start_controllers()?);
        Ok(self)
    }

    fn start_controllers(&self) -> Result<Process> {
        let flags = [
            format!("--kubeconfig={}", self.kubeconfig().display()),
            "--controllers=garbage-collector-controller,namespace-controller,resourcequota-controller".to_owned(),
            "--leader-elect=false".to_owned(),
            "--use-service-account-credentials=false".to_owned(),
            "--secure-port=0".to_owned(),
            "--kube-api-qps=500".to_owned(),
            "--kube-api-burst=1000".to_owned(),
            "--namespace-sync-period=10s".to_owned(),
            "--resource-quota-sync-period=10s".to_owned(),
            "--v=4".to_owned(),
        ];
        let log = self.scratch.file("kube-controller-manager.log");
        Process::spawn("kube-controller-manager", &self.peers.kube_controller_manager(), &flags, &log)
    }
}

fn start_etcd(peers: &Peers, scratch: &Scratch, (client, peer): (u16, u16), durable: bool) -> Result<Process> {
    let (client, peer) = (format!("http://127.0.0.1:{client}"), format!("http://127.0.0.1:{peer}"));
    let mut flags = vec![
        format!("--data-dir={}", scratch.file("etcd").display()),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        "--log-level=warn".to_owned(),
    ];
    if !durable {
        flags.push("--unsafe-no-fsync".to_owned());
    }
    Process::spawn("etcd", &peers.etcd(), &flags, &scratch.file("etcd.log"))
}

/// Runs a future to its end on a thread of its own, so that it may be called from within another runtime.
pub fn block_on<T: Send>(future: impl Future<Output = Result<T>> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .context("building a runtime")?
                    .block_on(future)
            })
            .join()
            .map_err(|_| anyhow::anyhow!("a step of the set-up panicked"))?
    })
}
