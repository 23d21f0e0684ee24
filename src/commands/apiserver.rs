//! The apiserver alone, with its storage elsewhere, or embedded where no --store is given.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use ::apiserver::{Config, Identities};
use proto::{
    cbt, restart,
    store::{Store, client::Client},
};
use runtime::{
    Context,
    args::{PeerTlsArgs, ProcessArgs},
    grpc,
};
use storage::Database;

use super::{embedded, hyperfleet_view::RecordsArgs, listen, loaded, local_url, say, serving_certificate, tokens};

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
    /// The relay of changed blocks: https://HOST:PORT, or unix:///PATH. The group cbt.storage.k8s.io is served with it only.
    #[arg(long, env = "OUTRIGGER_CBT_RELAY", value_name = "URL")]
    cbt_relay: Option<String>,
    /// The restart worker: https://HOST:PORT, or unix:///PATH. The group infraops.michael.io is served with it only.
    #[arg(long, env = "OUTRIGGER_RESTART_WORKER", value_name = "URL")]
    restart_worker: Option<String>,
    /// The store of tokens: https://HOST:PORT, or unix:///PATH. Without it, --tokens keeps them from this process.
    #[arg(long, env = "OUTRIGGER_TOKEN_STORE", value_name = "URL", conflicts_with = "tokens")]
    token_store: Option<String>,
    #[command(flatten)]
    tokens: ::tokens::Config,
    #[command(flatten)]
    hyperfleet: RecordsArgs,
    #[command(flatten)]
    hyperfleet_rules: ::hyperfleet::Rules,
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
    let Args {
        store,
        db_path,
        storage,
        cbt_relay,
        restart_worker,
        token_store,
        tokens,
        hyperfleet,
        hyperfleet_rules,
        peer,
        api,
        ..
    } = args;
    let store = match store {
        Some(address) => Arc::new(Client::new(grpc::connect(&address, &peer, &context.tasks)?)),
        None => embedded(&Database::Sqlite(db_path), &storage, &context).await?,
    };
    let identities = Identities::behind(&api.trust, api.kubeconfig.as_deref(), &context).await?;
    let dir = api.serving.cert_dir.clone().unwrap_or_else(|| CERT_DIR.into());
    let pair = serving_certificate(&api, &dir, &context)?;
    let identity = loaded(&pair, &context)?;
    let mut extensions = tokens::behind(&tokens, api.kubeconfig.as_deref(), &identity, &context).await?;
    if let Some(url) = token_store {
        let tokens: Arc<dyn Store> = Arc::new(Client::new(grpc::connect(&url, &peer, &context.tasks)?));
        extensions.extend(tokens_api::extensions(&tokens));
    }
    extensions.extend(hyperfleet.extensions(&hyperfleet_rules, &context).await?);
    if let Some(url) = cbt_relay {
        let relay = Arc::new(cbt::client::Client::new(grpc::connect(&url, &peer, &context.tasks)?));
        extensions.extend(cbt_api::extensions(relay, identities.cluster().cloned()));
    }
    if let (Some(url), Some(cluster)) = (restart_worker, identities.cluster()) {
        let worker = Arc::new(restart::client::Client::new(grpc::connect(&url, &peer, &context.tasks)?));
        extensions.extend(restart_api::extensions(worker, cluster.clone(), &context.tasks));
    }
    let server = listen(&api, store, &extensions, identities, identity, &context).await?;
    say(&format!("The apiserver serves on {}", local_url(server.local_addr())))?;
    server.serve().await
}
