//! A relay with everything that a deployment has, in this process, and backup software that asks it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use cbt::{Config, Embedded, Parts, Server};
use futures::StreamExt;
use kit::{Authority, Cluster};
use kube::{
    client::ClientBuilder,
    config::{KubeConfigOptions, Kubeconfig},
};
use proto::{
    cbt::{
        Blocks, ChangedBlocks, Encoded, Error, Query, Snapshot,
        kubernetes::{
            GetMetadataAllocatedRequest, GetMetadataDeltaRequest, snapshot_metadata_client::SnapshotMetadataClient,
        },
        suite::Synthetic,
    },
    store::Store,
};
use runtime::{Context, tls::Identity};
use tonic::{
    Code, Status, Streaming,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};
use tower::util::MapRequestLayer;

use super::objects::{self, AUDIENCE, DRIVER};

/// A relay that serves.
pub(crate) struct Relay {
    pub(crate) context: Context,
    /// How often the cluster was asked anything.
    pub(crate) asked: Arc<AtomicU64>,
    blocks: Arc<cbt::Relay>,
    address: SocketAddr,
    authority: Authority,
}

/// Somebody with a token, who asks about the snapshots of a namespace.
pub(crate) struct Backup {
    pub(crate) client: SnapshotMetadataClient<Channel>,
    pub(crate) token: String,
    pub(crate) namespace: String,
}

/// What came, and how it ended.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) messages: Vec<Blocks>,
    pub(crate) end: Result<(), Status>,
}

// === impl Relay ===

impl Relay {
    /// Serves the snapshots of `cluster` as a deployment would, by `driver`.
    pub(crate) async fn start(cluster: &Cluster, driver: Arc<dyn ChangedBlocks>) -> Self {
        Self::with(cluster, driver, None, None).await
    }

    pub(crate) async fn with(
        cluster: &Cluster,
        driver: Arc<dyn ChangedBlocks>,
        store: Option<Arc<dyn Store>>,
        audience: Option<&str>,
    ) -> Self {
        runtime::tls::install_provider();
        let (context, asked) = (Context::new(), Arc::default());
        let [port] = kit::free_ports().expect("there is a free port");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let config = Config {
            cbt_metadata_listen: Some(address),
            cbt_audience: audience.map(str::to_owned),
            ..Config::default()
        };
        let parts = Parts {
            cluster: Some(counted(cluster, &asked).await),
            store,
            embedded: Some(Embedded { name: DRIVER.to_owned(), blocks: driver }),
            ..Parts::default()
        };
        let server = Server::open(&config, parts, &context).expect("it is put together");
        let authority = Authority::new("serving").expect("a CA");
        let pair = authority.server(&["127.0.0.1", "localhost"]).expect("a certificate");
        let identity = Identity::parse(pair.cert.as_bytes(), pair.key.as_bytes()).expect("a good one");
        let blocks = server.relay();
        context.tasks.critical("metadata", async move { server.serve_metadata(Some(Arc::new(identity))).await });
        let listens = async {
            while tokio::net::TcpStream::connect(address).await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(kit::PATIENCE, listens).await.expect("it listens");
        Self { context, asked, blocks, address, authority }
    }

    /// The relay itself.
    pub(crate) fn blocks(&self) -> &cbt::Relay {
        &self.blocks
    }

    /// Where it is reached, and the CA of its certificate, PEM.
    pub(crate) fn reached(&self) -> (String, String) {
        (format!("localhost:{}", self.address.port()), self.authority.cert().to_owned())
    }

    pub(crate) fn channel(&self) -> Channel {
        let ca = Certificate::from_pem(self.authority.cert());
        let tls = ClientTlsConfig::new().ca_certificate(ca).domain_name("localhost");
        let endpoint = Endpoint::try_from(format!("https://{}", self.address)).expect("an address");
        endpoint.tls_config(tls).expect("a good CA").connect_lazy()
    }

    /// Backup software that may look at the snapshots of `namespace`.
    pub(crate) async fn backup(&self, cluster: &Cluster, namespace: &str) -> Backup {
        let admin = cluster.admin();
        objects::account(&admin, namespace, "backup").await;
        objects::grant(&admin, namespace, (namespace, "backup")).await;
        let token = objects::token(&admin, namespace, "backup", &[AUDIENCE]).await;
        let mut backup = self.backup_with(namespace, &token);
        backup.wait().await;
        backup
    }

    /// Backup software that shows a token.
    pub(crate) fn backup_with(&self, namespace: &str, token: &str) -> Backup {
        let client = SnapshotMetadataClient::new(self.channel());
        Backup { client, token: token.to_owned(), namespace: namespace.to_owned() }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.context.shutdown.drain();
    }
}

/// A client of the cluster with the rights of a deployment, whose questions are counted.
async fn counted(cluster: &Cluster, asked: &Arc<AtomicU64>) -> kube::Client {
    let kubeconfig = Kubeconfig::read_from(cluster.outrigger_kubeconfig()).expect("a kubeconfig");
    let options = KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.expect("a good one");
    let asked = Arc::clone(asked);
    let count = MapRequestLayer::new(move |request| {
        asked.fetch_add(1, Ordering::SeqCst);
        request
    });
    ClientBuilder::try_from(config).expect("a client").with_layer(&count).build()
}

// === impl Backup ===

impl Backup {
    /// RBAC and the watches of the relay know a moment later what was created.
    pub(crate) async fn wait(&mut self) {
        loop {
            match self.allocated("no-such-snapshot", 0, 0).await.code() {
                Code::NotFound => return,
                Code::PermissionDenied | Code::Unavailable | Code::Unauthenticated => {
                    // A refusal is remembered for ten seconds.
                    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                }
                other => panic!("{other:?}"),
            }
        }
    }

    pub(crate) async fn allocated(&mut self, snapshot: &str, starting_offset: i64, max_results: i32) -> Listed {
        let request = GetMetadataAllocatedRequest {
            security_token: self.token.clone(),
            namespace: self.namespace.clone(),
            snapshot_name: snapshot.to_owned(),
            starting_offset,
            max_results,
        };
        Listed::of(self.client.get_metadata_allocated(request).await).await
    }

    pub(crate) async fn delta(&mut self, base: &str, target: &str, starting_offset: i64, max_results: i32) -> Listed {
        let request = GetMetadataDeltaRequest {
            security_token: self.token.clone(),
            namespace: self.namespace.clone(),
            base_snapshot_id: base.to_owned(),
            target_snapshot_name: target.to_owned(),
            starting_offset,
            max_results,
        };
        Listed::of(self.client.get_metadata_delta(request).await).await
    }

    /// The same, with another token.
    pub(crate) fn showing(&self, token: &str) -> Self {
        Self { client: self.client.clone(), token: token.to_owned(), namespace: self.namespace.clone() }
    }

    /// The same, about another namespace.
    pub(crate) fn looking_at(&self, namespace: &str) -> Self {
        Self { client: self.client.clone(), token: self.token.clone(), namespace: namespace.to_owned() }
    }
}

// === impl Listed ===

impl Listed {
    async fn of(answer: Result<tonic::Response<Streaming<Encoded>>, Status>) -> Self {
        let (mut stream, mut messages) = match answer {
            Ok(answer) => (answer.into_inner(), Vec::new()),
            Err(status) => return Self { messages: Vec::new(), end: Err(status) },
        };
        while let Some(message) = stream.next().await {
            match message {
                Ok(Encoded(message)) => messages.push(Blocks::decode(message).expect("a message")),
                Err(status) => return Self { messages, end: Err(status) },
            }
        }
        Self { messages, end: Ok(()) }
    }

    /// How it ended.
    pub(crate) fn code(&self) -> Code {
        self.end.as_ref().map_or_else(Status::code, |()| Code::Ok)
    }

    /// What the status says.
    pub(crate) fn why(&self) -> &str {
        self.end.as_ref().map_or_else(Status::message, |()| "")
    }

    /// The ranges of a list that is whole.
    #[track_caller]
    pub(crate) fn ranges(&self) -> Vec<(u64, u64)> {
        if let Err(status) = &self.end {
            panic!("{status:?}");
        }
        self.messages.iter().flat_map(|message| message.iter()).map(|block| (block.offset, block.size)).collect()
    }
}

/// What a relay in the same process is asked.
pub(crate) fn query(namespace: &str, target: &str, base: Option<Snapshot>) -> Query {
    let target = Snapshot::Named { namespace: namespace.to_owned(), name: target.to_owned() };
    Query { base, ..Query::allocated(target) }
}

/// What a relay in the same process refuses with.
pub(crate) async fn refusal(relay: &Relay, query: Query) -> Error {
    relay.blocks().blocks(query).await.err().expect("it is refused")
}

/// A volume of so many entries of 64 KiB.
pub(crate) fn volume(entries: u64) -> Synthetic {
    Synthetic::sparse(entries, 64 << 10).with_truth()
}
