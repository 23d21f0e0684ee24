//! The storage alone, served to apiservers by mTLS or through a Unix socket.

use std::{net::SocketAddr, path::Path, process::ExitCode};

use anyhow::{Context as _, bail};
use runtime::{
    Context,
    args::{PeerTlsArgs, ProcessArgs},
    serve::{Listener, Settings, incoming},
    tls::{Identity, ServerTls, bootstrap::Pair},
};
use storage::Database;

use super::{embedded, say};

/// Flags of the storage.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The database: `sqlite:PATH`. It is made if it is not there.
    #[arg(long, env = "OUTRIGGER_DB", value_name = "URL", default_value = "sqlite:outrigger.db")]
    db: Database,
    /// Where to listen: https://IP:PORT, or unix:///PATH.
    #[arg(long, env = "OUTRIGGER_LISTEN", value_name = "URL", default_value = "https://127.0.0.1:8444")]
    listen: String,
    #[command(flatten)]
    storage: storage::Config,
    #[command(flatten)]
    peer: PeerTlsArgs,
    #[command(flatten)]
    process: ProcessArgs,
}

pub(crate) fn run(args: Args) -> ExitCode {
    let process = args.process.clone();
    runtime::run("outrigger-storage", &process, |context| serve(args, context))
}

async fn serve(args: Args, context: Context) -> anyhow::Result<()> {
    let store = embedded(&args.db, &args.storage, &context).await?;
    let listener = listener(&args.listen, &args.peer, &context).await?;
    say(&format!("The storage serves on {}", listener.address()))?;
    let connections = incoming(listener, Settings::default(), &context.tasks);
    storage::serve(store, connections, &context).await
}

async fn listener(address: &str, peer: &PeerTlsArgs, context: &Context) -> anyhow::Result<Listener> {
    if let Some(path) = address.strip_prefix("unix:") {
        let path = Path::new(path.strip_prefix("//").unwrap_or(path));
        return Listener::unix(path).with_context(|| format!("listening on --listen {address}"));
    }
    let Some(socket) = address.strip_prefix("https://") else {
        bail!("--listen {address:?} is neither https://IP:PORT nor unix:///PATH");
    };
    let socket: SocketAddr = socket.parse().with_context(|| format!("--listen {address:?} is not https://IP:PORT"))?;
    let (Some(ca), Some(cert), Some(key)) = (&peer.peer_ca_file, &peer.peer_cert_file, &peer.peer_key_file) else {
        bail!(
            "--listen {address} needs --peer-ca-file, --peer-cert-file and --peer-key-file: a storage believes nobody without a certificate"
        );
    };
    let pair = Pair { cert: cert.clone(), key: key.clone() };
    let identity = Identity::load(&pair, &context.tasks).context("loading --peer-cert-file")?;
    let tls = ServerTls::requiring(identity, ca, &context.tasks).context("loading --peer-ca-file")?;
    Listener::tls(socket, tls).await.with_context(|| format!("listening on --listen {address}"))
}
