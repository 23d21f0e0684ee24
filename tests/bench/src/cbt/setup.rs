//! Starts what is measured: a cluster with snapshots, the driver, the relay twice, the sidecar of Kubernetes, and an
//! apiserver that asks the relay.
//!
//! ```text
//! driver ◀─Unix─┬─ relay      Unix, and TLS for backup software ◀─Unix─ apiserver ◀─▶ storage
//!               ├─ relay      mTLS                                         ▲
//!               └─ sidecar    TLS                                    kube-apiserver
//! ```

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use kit::{Authority, Cluster, Outrigger, Scratch, Split};
use proto::cbt::client::Client;
use proto::cbt::kubernetes::snapshot_metadata_client::SnapshotMetadataClient;
use runtime::args::PeerTlsArgs;
use runtime::{Context, grpc};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint as Address};

use crate::cbt::settings::Settings;
use crate::cbt::source::Source;
use crate::cbt::streams::{SIDECAR, STRAIGHT};
use crate::cbt::way::{Reach, Way};
use crate::cbt::{driver, snapshots};
use crate::client::Connector;
use crate::procstat::children;
use crate::target::{Auth, Endpoint, Process};

/// The names of processes.
pub(crate) const DRIVER: &str = "driver";
pub(crate) const CLIENT: &str = "client";

/// Bytes of a stream, and of all, that may be on their way to backup software.
const WINDOWS: (u32, u32) = (2 << 20, 16 << 20);

/// What runs until the report is written.
pub(crate) struct Setup {
    ways: Vec<Way>,
    api: [(Endpoint, Vec<Process>); 2],
    straight: Client<grpc::Channel>,
    cluster: Vec<Process>,
    driver: kit::Process,
    _others: (Vec<kit::Process>, Split, Cluster, Scratch),
}

/// One column of a table of pages.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) source: Source,
    /// Those that have a part in it.
    pub(crate) processes: Vec<Process>,
}

/// Where what is started keeps its sockets, certificates and logs.
struct Place {
    scratch: Scratch,
    authority: Authority,
}

/// Who measures, as one of the processes.
pub(crate) fn client() -> Process {
    Process { name: CLIENT.to_owned(), pid: std::process::id() }
}

// === impl Setup ===

impl Setup {
    pub(crate) async fn start(settings: &Settings) -> Result<Self> {
        let cluster = Cluster::start(&kit::Options::default()).context("starting etcd and the kube-apiserver")?;
        snapshots::prepare(&cluster).await?;
        let admin = cluster.admin();
        for &entries in &settings.entries {
            snapshots::snapshot(&admin, entries).await?;
        }
        let token = snapshots::token(&admin).await?;

        let place = Place { scratch: Scratch::new("bench-cbt")?, authority: Authority::new("bench")? };
        let driver = place.driver()?;
        let straight = Client::new(grpc::channel(&place.address(DRIVER), None)?);
        let (near, metadata) = place.near(&cluster)?;
        let (far, peer) = place.far(&cluster)?;
        let sidecar = place.sidecar(&cluster)?;
        let unix = Client::new(grpc::channel(&place.address("relay"), None)?);
        let tls = Client::new(grpc::connect(&format!("https://{}", far.1), &peer, &Context::new().tasks)?);
        let way = |name, relay, reach| Way { name, relay, reach };
        let mut ways = vec![
            way(STRAIGHT, None, Reach::Driver(straight.clone())),
            way("Unix", Some(near.id()), Reach::Relay(unix)),
            way("mTLS", Some(far.0.id()), Reach::Relay(tls)),
            way("Kubernetes", Some(near.id()), Reach::Metadata(place.metadata(metadata)?, token.clone())),
        ];
        if let Some((sidecar, address)) = &sidecar {
            ways.push(way(SIDECAR, Some(sidecar.id()), Reach::Metadata(place.metadata(*address)?, token)));
        }

        let relay = format!("--cbt-relay={}", place.address("relay"));
        let mut split = Outrigger::split(&cluster, &[], &[&relay]).context("starting outrigger")?;
        split.apiserver.register(&cluster, "cbt.storage.k8s.io", "v1alpha1").await.context("registering outrigger")?;
        for &entries in &settings.entries {
            snapshots::delta(&admin, entries).await?;
        }
        let process = |name: &str, pid| Process { name: name.to_owned(), pid };
        let own = vec![
            process("apiserver", split.apiserver.process().id()),
            process("relay", near.id()),
            process(DRIVER, driver.id()),
            client(),
        ];
        let cluster_processes: Vec<_> =
            children().into_iter().filter(|child| ["etcd", "kube-apiserver"].contains(&child.name.as_str())).collect();
        let through = own.iter().chain(cluster_processes.iter().filter(|process| process.name != "etcd"));
        let (direct, aggregated) = place.endpoints(&cluster, &split.apiserver)?;
        let through = through.cloned().collect();
        let api = [(direct, own), (aggregated, through)];
        let mut others = vec![near, far.0];
        others.extend(sidecar.map(|(sidecar, _)| sidecar));
        let _others = (others, split, cluster, place.scratch);
        Ok(Self { ways, api, straight, cluster: cluster_processes, driver, _others })
    }

    /// All ways to a stream, the straight one first.
    pub(crate) fn ways(&self) -> Vec<Way> {
        self.ways.clone()
    }

    /// All that give pages, the driver first, each with a connection of its own.
    pub(crate) async fn targets(&self) -> Result<Vec<Target>> {
        let driver = Process { name: DRIVER.to_owned(), pid: self.driver() };
        let straight = Source::Driver(self.straight.clone());
        let mut targets = vec![Target { name: "driver", source: straight, processes: vec![driver, client()] }];
        for (name, (endpoint, processes)) in ["apiserver", "aggregated"].into_iter().zip(&self.api) {
            let source = Source::Api(Connector::new(endpoint)?.connect().await?);
            targets.push(Target { name, source, processes: processes.clone() });
        }
        Ok(targets)
    }

    /// The process of the driver.
    pub(crate) fn driver(&self) -> u32 {
        self.driver.id()
    }

    /// etcd and the kube-apiserver.
    pub(crate) fn cluster_processes(&self) -> Vec<Process> {
        self.cluster.clone()
    }
}

// === impl Place ===

impl Place {
    fn address(&self, name: &str) -> String {
        format!("unix://{}", self.socket(name).display())
    }

    fn socket(&self, name: &str) -> PathBuf {
        self.scratch.file(&format!("{name}.sock"))
    }

    fn spawn(&self, name: &str, program: &Path, args: &[String]) -> Result<kit::Process> {
        kit::Process::spawn(name, program, args, &self.scratch.file(&format!("{name}.log")))
    }

    /// This program, as the driver.
    fn driver(&self) -> Result<kit::Process> {
        let program = std::env::current_exe().context("finding this program")?;
        let args = ["driver".to_owned(), format!("--socket={}", self.socket(DRIVER).display())];
        let mut driver = self.spawn(DRIVER, &program, &args)?;
        listens(&mut driver, || self.socket(DRIVER).exists())?;
        Ok(driver)
    }

    /// The relay on a socket, and for backup software where it says.
    fn near(&self, cluster: &Cluster) -> Result<(kit::Process, SocketAddr)> {
        let (address, [cert, key]) = (free()?, self.pair("serving", &self.authority.server(&["localhost"])?)?);
        let more = [
            format!("--listen={}", self.address("relay")),
            format!("--cbt-metadata-listen={address}"),
            format!("--tls-cert-file={cert}"),
            format!("--tls-private-key-file={key}"),
        ];
        let mut relay = self.relay("relay", cluster, &more)?;
        listens(&mut relay, || self.socket("relay").exists() && TcpStream::connect(address).is_ok())?;
        Ok((relay, address))
    }

    /// The relay for other processes of ours elsewhere, and what such a process shows.
    fn far(&self, cluster: &Cluster) -> Result<((kit::Process, SocketAddr), PeerTlsArgs)> {
        let address = free()?;
        let server = self.pair("far", &self.authority.server(&["127.0.0.1"])?)?;
        let ca = self.scratch.write("ca.crt", self.authority.cert())?;
        let mut more = vec![format!("--listen=https://{address}"), format!("--peer-ca-file={}", ca.display())];
        more.extend([format!("--peer-cert-file={}", server[0]), format!("--peer-key-file={}", server[1])]);
        let mut relay = self.relay("far", cluster, &more)?;
        listens(&mut relay, || TcpStream::connect(address).is_ok())?;
        let [cert, key] = self.pair("client", &self.authority.client("bench", None)?)?;
        let (cert, key) = (Some(cert.into()), Some(key.into()));
        Ok(((relay, address), PeerTlsArgs { peer_ca_file: Some(ca), peer_cert_file: cert, peer_key_file: key }))
    }

    fn relay(&self, name: &str, cluster: &Cluster, more: &[String]) -> Result<kit::Process> {
        let mut args = vec![
            "cbt".to_owned(),
            format!("--cbt-driver={}={}", driver::NAME, self.address(DRIVER)),
            format!("--kubeconfig={}", cluster.outrigger_kubeconfig().display()),
        ];
        args.extend_from_slice(more);
        self.spawn(name, &kit::binary()?, &args)
    }

    /// The sidecar of Kubernetes as it is deployed, if it was built.
    fn sidecar(&self, cluster: &Cluster) -> Result<Option<(kit::Process, SocketAddr)>> {
        let Ok(program) = kit::sidecar_peer() else { return Ok(None) };
        let (address, health) = (free()?, free()?);
        let [cert, key] = self.pair("sidecar", &self.authority.server(&["localhost"])?)?;
        let args = [
            format!("--csi-address={}", self.address(DRIVER)),
            format!("--kubeconfig={}", cluster.kubeconfig().display()),
            format!("--port={}", address.port()),
            format!("--http-endpoint={health}"),
            format!("--tls-cert={cert}"),
            format!("--tls-key={key}"),
        ];
        let mut sidecar = self.spawn(SIDECAR, &program, &args)?;
        listens(&mut sidecar, || TcpStream::connect(health).is_ok())?;
        Ok(Some((sidecar, address)))
    }

    /// A client of the service for backup software.
    fn metadata(&self, address: SocketAddr) -> Result<SnapshotMetadataClient<Channel>> {
        let ca = Certificate::from_pem(self.authority.cert());
        let tls = ClientTlsConfig::new().ca_certificate(ca).domain_name("localhost");
        let address = Address::try_from(format!("https://{address}"))?.tls_config(tls)?;
        let (stream, connection) = WINDOWS;
        let address = address.initial_stream_window_size(stream).initial_connection_window_size(connection);
        Ok(SnapshotMetadataClient::new(address.connect_lazy()))
    }

    /// The apiserver itself, and the aggregator, for the administrator by certificate.
    fn endpoints(&self, cluster: &Cluster, apiserver: &Outrigger) -> Result<(Endpoint, Endpoint)> {
        let [cert, key] = self.pair("admin", &cluster.authority().client("bench", Some("system:masters"))?)?;
        let auth = Auth::Certificate { cert: cert.into(), key: key.into() };
        let endpoint = |name: &str, port: u16, ca: &str| -> Result<Endpoint> {
            let ca = self.scratch.write(&format!("{name}-ca.crt"), ca)?;
            Ok(Endpoint { url: format!("https://127.0.0.1:{port}"), ca, auth: auth.clone() })
        };
        let direct = endpoint("apiserver", apiserver.port(), apiserver.ca())?;
        Ok((direct, endpoint("kube-apiserver", cluster.port(), cluster.authority().cert())?))
    }

    /// The files of a certificate and its key.
    fn pair(&self, name: &str, pair: &kit::Pair) -> Result<[String; 2]> {
        let cert = self.scratch.write(&format!("{name}.crt"), &pair.cert)?;
        let key = self.scratch.write(&format!("{name}.key"), &pair.key)?;
        Ok([cert, key].map(|file| file.display().to_string()))
    }
}

fn free() -> Result<SocketAddr> {
    let [port] = kit::free_ports()?;
    Ok(SocketAddr::from(([127, 0, 0, 1], port)))
}

/// Waits until a process that has just been started listens; it is an error if it ends before.
fn listens(process: &mut kit::Process, does: impl Fn() -> bool) -> Result<()> {
    let mut ended;
    kit::eventually!(
        {
            ended = process.ensure_running();
            ended.is_err() || does()
        },
        "it listens; its log ends:\n{}",
        process.tail()
    );
    ended
}
