//! The apiserver alone, with its storage elsewhere, or embedded where no --store is given.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use ::apiserver::{Config, Identities};
use anyhow::Context as _;
use proto::store::{Store, client::Client};
use runtime::{
    Context,
    args::{PeerTlsArgs, ProcessArgs},
    grpc,
    tls::{ClientTls, Identity, bootstrap::Pair},
};
use storage::Database;

use super::{embedded, listen, local_url, say, serving_certificate};

/// Flags of the apiserver.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The storage: https://HOST:PORT, or unix:///PATH. Embedded in this process when it is not given.
    #[arg(long, env = "OUTRIGGER_STORE", value_name = "URL")]
    store: Option<String>,
    /// The file of the embedded database.
    #[arg(
        long,
        env = "OUTRIGGER_DB_PATH",
        value_name = "FILE",
        default_value = "/var/lib/fleet-apiserver/bundledeployments.db"
    )]
    db_path: PathBuf,
    #[command(flatten)]
    storage: storage::Config,
    #[command(flatten)]
    peer: PeerTlsArgs,
    #[command(flatten)]
    api: Config,
    #[command(flatten)]
    process: ProcessArgs,
}

/// Where the serving certificate is looked for when no flag says otherwise.
const CERT_DIR: &str = "/var/run/fleet-apiserver/serving-cert";

pub(crate) fn run(args: Args) -> ExitCode {
    let process = args.process.clone();
    runtime::run("outrigger-apiserver", &process, |context| serve(args, context))
}

async fn serve(args: Args, context: Context) -> anyhow::Result<()> {
    let Args { store, db_path, storage, peer, api, .. } = args;
    let store = match store {
        Some(address) => remote(&address, &peer, &context)?,
        None => embedded(&Database::Sqlite(db_path), &storage, &context).await?,
    };
    let identities = Identities::behind(&api.trust, api.kubeconfig.as_deref(), &context).await?;
    let dir = api.serving.cert_dir.clone().unwrap_or_else(|| CERT_DIR.into());
    let pair = serving_certificate(&api, &dir, &context)?;
    let server = listen(&api, store, identities, &pair, &context).await?;
    say(&format!("The apiserver serves on {}", local_url(server.local_addr())))?;
    server.serve().await
}

fn remote(address: &str, peer: &PeerTlsArgs, context: &Context) -> anyhow::Result<Arc<dyn Store>> {
    let tls = match (&peer.peer_ca_file, &peer.peer_cert_file, &peer.peer_key_file) {
        (Some(ca), Some(cert), Some(key)) => {
            let pair = Pair { cert: cert.clone(), key: key.clone() };
            let identity = Identity::load(&pair, &context.tasks).context("loading --peer-cert-file")?;
            Some(ClientTls::new(identity, ca, &context.tasks).context("loading --peer-ca-file")?)
        }
        _ => None,
    };
    let channel = grpc::channel(address, tls.as_ref())
        .context("connecting to --store: https needs --peer-ca-file, --peer-cert-file and --peer-key-file")?;
    Ok(Arc::new(Client::new(channel)))
}
