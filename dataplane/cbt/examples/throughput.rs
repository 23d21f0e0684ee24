//! How fast the relay is on this machine: `cargo run --release -p cbt --example throughput [ENTRIES]`.
//!
//! A driver that computes its entries, the relay and a client are three processes: driver to relay through a socket, relay
//! to client by TLS, as backup software comes. Beside it the client asks the driver directly. The numbers are for people;
//! nothing is asserted.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use cbt::{Admit, Caller, Drivers, Relay, Resolve, Route};
use futures::{StreamExt, future::join_all, stream::BoxStream};
use kit::Authority;
use proto::cbt::{
    Blocks, ChangedBlocks, Data, Encoded, Info, Query, Read, Snapshot,
    client::Client,
    kubernetes::{GetMetadataAllocatedRequest, snapshot_metadata_client::SnapshotMetadataClient},
    server,
    suite::Synthetic,
};
use runtime::{
    Context,
    args::PeerTlsArgs,
    grpc,
    serve::{Listener, Settings, incoming},
    tls::{Identity, ServerTls},
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};
use tonic::{
    Status, Streaming,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};

const DRIVER: &str = "synthetic.example.com";
const BLOCK: u64 = 64 << 10;

fn main() -> anyhow::Result<()> {
    runtime::tls::install_provider();
    let args: Vec<_> = env::args().collect();
    let runtime = tokio::runtime::Runtime::new()?;
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "driver", socket, entries] => runtime.block_on(drive(Path::new(socket), entries.parse()?)),
        [_, "relay", folder, address] => runtime.block_on(relay(Path::new(folder), address.parse()?)),
        [_] => runtime.block_on(measure(1 << 24)),
        [_, entries] => runtime.block_on(measure(entries.parse().context("ENTRIES is a number")?)),
        _ => bail!("usage: throughput [ENTRIES]"),
    }
}

// === the driver ===

async fn drive(socket: &Path, entries: u64) -> anyhow::Result<()> {
    let context = Context::new();
    let listener = listen(socket, &context).await?;
    let routes = grpc::routes(server::service(Synthetic::full(entries, BLOCK))).await;
    grpc::serve_on(routes, incoming(listener, Settings::default(), &context.tasks), &context).await
}

async fn listen(socket: &Path, context: &Context) -> anyhow::Result<Listener> {
    grpc::listen(&format!("unix://{}", socket.display()), &PeerTlsArgs::default(), &context.tasks).await
}

/// A driver that says when a stream of it is dropped.
struct Telling {
    volume: Synthetic,
    dropped: mpsc::UnboundedSender<Instant>,
}

struct Dropped(mpsc::UnboundedSender<Instant>);

impl Drop for Dropped {
    fn drop(&mut self) {
        // Nobody waits for the last of them.
        let _ = self.0.send(Instant::now());
    }
}

#[async_trait]
impl ChangedBlocks for Telling {
    async fn info(&self) -> proto::cbt::Result<Info> {
        self.volume.info().await
    }

    async fn blocks(&self, query: Query) -> proto::cbt::Result<BoxStream<'static, proto::cbt::Result<Blocks>>> {
        let dropped = Dropped(self.dropped.clone());
        let messages = self.volume.blocks(query).await?;
        Ok(messages
            .inspect(move |_| {
                let _ = &dropped;
            })
            .boxed())
    }

    async fn read(&self, read: Read) -> proto::cbt::Result<BoxStream<'static, proto::cbt::Result<Data>>> {
        self.volume.read(read).await
    }
}

// === the relay ===

/// All snapshots are of the one driver.
struct Names;

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, target: &Snapshot, _: Option<&Snapshot>) -> proto::cbt::Result<Route> {
        let target = match target {
            Snapshot::Named { name, .. } => name.clone(),
            Snapshot::Handle(handle) => handle.clone(),
        };
        Ok(Route { driver: DRIVER.to_owned(), target, base: None, secrets: Default::default() })
    }
}

/// Anybody may ask anything.
struct Everybody;

#[async_trait]
impl Admit for Everybody {
    async fn admit(&self, _: &str, _: &str) -> Result<Box<dyn Caller>, Status> {
        Ok(Box::new(Self))
    }
}

impl Caller for Everybody {
    fn may_ask(&self, _: &str) -> Result<(), Status> {
        Ok(())
    }
}

fn relay_to(socket: &Path, context: &Context) -> anyhow::Result<Relay> {
    let drivers = Drivers::default().with(DRIVER, Arc::new(connect(socket)?));
    Ok(Relay::new(Arc::new(Names), drivers, Duration::from_secs(60), &context.metrics))
}

async fn relay(folder: &Path, address: SocketAddr) -> anyhow::Result<()> {
    let context = Context::new();
    let relay = relay_to(&folder.join("driver.sock"), &context)?;
    let identity = Identity::parse(&fs::read(folder.join("tls.crt"))?, &fs::read(folder.join("tls.key"))?)?;
    let listener = Listener::tls(address, ServerTls::asking(Arc::new(identity))?).await?;
    let routes = grpc::routes(cbt::service(Arc::new(relay), Arc::new(Everybody))).await;
    grpc::serve_on(routes, incoming(listener, Settings::default(), &context.tasks), &context).await
}

fn connect(socket: &Path) -> anyhow::Result<Client<grpc::Channel>> {
    Ok(Client::new(grpc::channel(&format!("unix://{}", socket.display()), None)?))
}

// === the client ===

/// A process of this program, which ends with this one.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    fn start(args: &[&str]) -> anyhow::Result<Self> {
        let program = env::current_exe()?;
        Ok(Self(Command::new(program).args(args).spawn().with_context(|| format!("starting {args:?}"))?))
    }

    /// Seconds of CPU that it has used.
    fn cpu(&self) -> anyhow::Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let fields: Vec<_> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(ticks / 100.0)
    }

    /// MiB of memory: now, and at most.
    fn rss(&self) -> anyhow::Result<(f64, f64)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("0 kB");
            line.trim_start_matches(':').trim().trim_end_matches(" kB").parse::<f64>().map(|kib| kib / 1024.0)
        };
        Ok((of("VmRSS")?, of("VmHWM")?))
    }
}

struct Setup {
    relay: Process,
    _driver: Process,
    socket: PathBuf,
    channel: Channel,
    _folder: tempfile::TempDir,
}

impl Setup {
    async fn start(entries: u64) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let authority = Authority::new("throughput")?;
        let pair = authority.server(&["localhost"])?;
        fs::write(folder.path().join("tls.crt"), &pair.cert)?;
        fs::write(folder.path().join("tls.key"), &pair.key)?;
        let socket = folder.path().join("driver.sock");
        let driver = Process::start(&["driver", &socket.display().to_string(), &entries.to_string()])?;
        let [port] = kit::free_ports()?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let relay = Process::start(&["relay", &folder.path().display().to_string(), &address.to_string()])?;
        let ca = Certificate::from_pem(authority.cert());
        let endpoint = Endpoint::try_from(format!("https://{address}"))?
            .tls_config(ClientTlsConfig::new().ca_certificate(ca).domain_name("localhost"))?
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(4 << 20);
        let channel = loop {
            match endpoint.connect().await {
                Ok(channel) if socket.exists() => break channel,
                _ => sleep(Duration::from_millis(20)).await,
            }
        };
        Ok(Self { relay, _driver: driver, socket, channel, _folder: folder })
    }

    async fn list(&self, per_message: i32) -> anyhow::Result<Streaming<Encoded>> {
        let request = GetMetadataAllocatedRequest {
            security_token: "any".to_owned(),
            namespace: "default".to_owned(),
            snapshot_name: "target".to_owned(),
            starting_offset: 0,
            max_results: per_message,
        };
        let mut client = SnapshotMetadataClient::new(self.channel.clone());
        Ok(client.get_metadata_allocated(request).await?.into_inner())
    }
}

async fn measure(entries: u64) -> anyhow::Result<()> {
    println!("{entries} entries");
    println!(
        "{:>12} {:>8} {:>8} {:>12} {:>10} {:>16} {:>9}",
        "per message", "path", "wall s", "M entries/s", "relay CPU", "M per CPU s", "RSS MiB"
    );
    for per_message in [256, 1024, 16384] {
        let setup = Setup::start(entries).await?;
        direct(&setup, entries, per_message).await?;
        for _ in 0..3 {
            through(&setup, entries, per_message).await?;
        }
    }
    slow_readers(&Setup::start(entries).await?).await?;
    starts(&Setup::start(3).await?).await?;
    leaving(entries).await
}

async fn direct(setup: &Setup, entries: u64, per_message: u32) -> anyhow::Result<()> {
    let query = Query { per_message, ..Query::allocated(Snapshot::Handle("target".to_owned())) };
    let start = Instant::now();
    let mut messages = connect(&setup.socket)?.blocks(query).await?;
    let mut came = 0;
    while let Some(message) = messages.next().await {
        came += message?.len() as u64;
    }
    anyhow::ensure!(came == entries, "{came} entries came");
    let wall = start.elapsed().as_secs_f64();
    println!("{per_message:>12} {:>8} {wall:>8.2} {:>12.2}", "direct", came as f64 / wall / 1e6);
    Ok(())
}

async fn through(setup: &Setup, entries: u64, per_message: u32) -> anyhow::Result<()> {
    let (start, before) = (Instant::now(), setup.relay.cpu()?);
    let mut messages = setup.list(i32::try_from(per_message)?).await?;
    let mut came = 0;
    while let Some(message) = messages.message().await? {
        came += Blocks::decode(message.0)?.len() as u64;
    }
    anyhow::ensure!(came == entries, "{came} entries came");
    let (wall, cpu) = (start.elapsed().as_secs_f64(), setup.relay.cpu()? - before);
    let (_, most) = setup.relay.rss()?;
    let million = came as f64 / 1e6;
    println!(
        "{per_message:>12} {:>8} {wall:>8.2} {:>12.2} {cpu:>10.2} {:>16.1} {most:>9.1}",
        "relay",
        million / wall,
        million / cpu
    );
    Ok(())
}

/// 32 clients that each take some 50 KiB twenty times a second.
async fn slow_readers(setup: &Setup) -> anyhow::Result<()> {
    let reading = (0..32).map(|_| async {
        let mut messages = setup.list(4096).await?;
        loop {
            messages.message().await?;
            sleep(Duration::from_millis(50)).await;
        }
        #[expect(unreachable_code, reason = "it says what the errors are")]
        anyhow::Ok(())
    });
    // They are still reading then.
    let _ = timeout(Duration::from_secs(5), join_all(reading)).await;
    let (now, most) = setup.relay.rss()?;
    println!("32 slow readers: RSS {now:.1} MiB, at most {most:.1} MiB");
    Ok(())
}

/// One after the other, and eight at a time.
async fn starts(setup: &Setup) -> anyhow::Result<()> {
    for at_once in [1, 8] {
        let (start, before) = (Instant::now(), setup.relay.cpu()?);
        let rounds = 2000 / at_once;
        let listing = (0..at_once).map(|_| async {
            for _ in 0..rounds {
                let mut messages = setup.list(0).await?;
                while messages.message().await?.is_some() {}
            }
            anyhow::Ok(())
        });
        join_all(listing).await.into_iter().collect::<anyhow::Result<()>>()?;
        let (wall, cpu) = (start.elapsed().as_secs_f64(), setup.relay.cpu()? - before);
        let streams = (rounds * at_once) as f64;
        println!(
            "{at_once} at a time: {:.0} streams/s, {:.0} us of relay CPU each",
            streams / wall,
            cpu / streams * 1e6
        );
    }
    Ok(())
}

/// How long a driver works on for a client that has left; all three in this process, on sockets.
async fn leaving(entries: u64) -> anyhow::Result<()> {
    const TIMES: usize = 100;
    let (context, folder) = (Context::new(), tempfile::tempdir()?);
    let (back, front) = (folder.path().join("driver.sock"), folder.path().join("relay.sock"));
    let (dropped, mut drops) = mpsc::unbounded_channel();
    let driver = Telling { volume: Synthetic::full(entries, BLOCK), dropped };
    let services = [
        server::service(Arc::new(driver) as Arc<dyn ChangedBlocks>),
        server::service(Arc::new(relay_to(&back, &context)?) as Arc<dyn ChangedBlocks>),
    ];
    for (socket, service) in [&back, &front].into_iter().zip(services) {
        let connections = incoming(listen(socket, &context).await?, Settings::default(), &context.tasks);
        let (routes, own) = (grpc::routes(service).await, context.clone());
        context.tasks.spawn("server", async move { grpc::serve_on(routes, connections, &own).await });
    }
    let (client, mut longest) = (connect(&front)?, Duration::ZERO);
    for _ in 0..TIMES {
        let mut messages = client.blocks(Query::allocated(Snapshot::Handle("target".to_owned()))).await?;
        messages.next().await.context("a message")??;
        let left = Instant::now();
        drop(messages);
        longest = longest.max(drops.recv().await.context("a drop")? - left);
    }
    println!("a client that leaves frees the driver after {longest:?} at most, {TIMES} times");
    Ok(())
}
