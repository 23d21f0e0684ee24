//! Everything in one process: the apiserver, its storage and, without a cluster, its own CA and administrator.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode, sync::Arc};

use ::apiserver::{Config, Identities};
use ::cbt::Parts;
use anyhow::{Context as _, bail};
use proto::store::Store;
use runtime::{
    Context,
    args::{PeerTlsArgs, ProcessArgs},
    tls::bootstrap,
};
use storage::Database;

use super::{
    changed_blocks::{self, ChangedBlocksArgs},
    embedded,
    hyperfleet_view::HyperfleetArgs,
    listen, loaded, local_url, say, serving_certificate, shown, tokens,
};

/// Flags of the all-in-one.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder of everything: the database, certificates and a kubeconfig for the administrator.
    #[arg(long, env = "OUTRIGGER_DATA_DIR", value_name = "DIR", default_value = "./outrigger-data")]
    data_dir: PathBuf,
    /// The database, `sqlite:PATH`; outrigger.db in --data-dir when it is not given.
    #[arg(long, env = "OUTRIGGER_DB", value_name = "URL", conflicts_with = "db_path")]
    db: Option<Database>,
    /// The file of the database, as --db sqlite:PATH.
    #[arg(long, env = "OUTRIGGER_DB_PATH", value_name = "FILE")]
    db_path: Option<PathBuf>,
    #[command(flatten)]
    storage: storage::Config,
    #[command(flatten)]
    blocks: ChangedBlocksArgs,
    #[command(flatten)]
    restart: ::restart::Config,
    #[command(flatten)]
    tokens: ::tokens::Config,
    #[command(flatten)]
    hyperfleet: HyperfleetArgs,
    #[command(flatten)]
    peer: PeerTlsArgs,
    #[command(flatten)]
    api: Config,
    #[command(flatten)]
    process: ProcessArgs,
}

pub(crate) fn run(args: Args) -> ExitCode {
    let process = args.process.clone();
    runtime::run("outrigger", &process, |context| serve(args, context))
}

async fn serve(args: Args, context: Context) -> anyhow::Result<()> {
    let database = args.db.clone().or(args.db_path.clone().map(Database::Sqlite));
    let database = database.unwrap_or_else(|| Database::Sqlite(args.data_dir.join("outrigger.db")));
    let store = embedded(&database, &args.storage, &context).await?;
    match args.api.kubeconfig {
        Some(_) => behind_cluster(args, store, context).await,
        None => standalone(args, store, context).await,
    }
}

async fn behind_cluster(args: Args, store: Arc<dyn Store>, context: Context) -> anyhow::Result<()> {
    let Args { data_dir, blocks, restart, tokens, hyperfleet, peer, api, .. } = args;
    let identities = Identities::behind(&api.trust, api.kubeconfig.as_deref(), &context).await?;
    let dir = api.serving.cert_dir.clone().unwrap_or_else(|| data_dir.join("pki"));
    let identity = loaded(&serving_certificate(&api, &dir, &context)?, &context)?;
    let cluster = identities.cluster().cloned();
    let mut extensions = tokens::behind(&tokens, api.kubeconfig.as_deref(), &identity, &context).await?;
    extensions.extend(hyperfleet.serve(&data_dir, &context).await?);
    let parts = Parts { cluster: cluster.clone(), store: Some(Arc::clone(&store)), embedded: None, peer: peer.clone() };
    if let Some(relay) = blocks.behind(parts, &context)? {
        extensions.extend(changed_blocks::extensions(&relay, cluster.as_ref()));
        changed_blocks::serve_metadata(relay, Arc::clone(&identity), &context);
    }
    if let Some(cluster) = cluster.filter(|_| !restart.node_driver.is_empty()) {
        let (store, none) = (Arc::clone(&store), BTreeMap::new());
        let nodes = apiserver::cluster_config(api.kubeconfig.as_deref()).await?;
        let worker = ::restart::open(&restart, store, nodes, none, &peer, &context)?;
        extensions.extend(restart_api::extensions(worker, cluster, &context.tasks));
    }
    let server = listen(&api, store, &extensions, identities, identity, &context).await?;
    say(&format!("Outrigger serves on {}, behind the cluster of --kubeconfig", local_url(server.local_addr())))?;
    server.serve().await
}

async fn standalone(args: Args, store: Arc<dyn Store>, context: Context) -> anyhow::Result<()> {
    let Args { data_dir, blocks, tokens, hyperfleet, peer, api, .. } = args;
    if api.serving.cert_dir.is_some() || api.serving.tls_cert_file.is_some() {
        bail!("without --kubeconfig certificates are made in --data-dir: leave --cert-dir and --tls-cert-file out");
    }
    let (dir, names) = (data_dir.clone(), api.names.clone());
    let make = move |url: &str, now| bootstrap::standalone(&dir, &names, url, now);
    let made = make(&local_url(None), (context.clock)()).context("making certificates in --data-dir")?;
    let identities = Identities::standalone(&api.trust, &made.ca, &context)?;
    let parts = Parts { store: Some(Arc::clone(&store)), peer, ..Parts::default() };
    let relay = blocks.standalone(&data_dir, parts, &context)?;
    let identity = loaded(&made.serving, &context)?;
    let mut extensions = changed_blocks::extensions(&relay, None);
    extensions.extend(hyperfleet.serve(&data_dir, &context).await?);
    extensions.extend(tokens::standalone(&tokens, Arc::clone(&store), &data_dir, &identity, &context)?);
    let server = listen(&api, store, &extensions, identities, identity, &context).await?;
    let url = local_url(server.local_addr());
    let made = make(&url, (context.clock)()).context("writing the kubeconfig")?;
    bootstrap::renew(&context.tasks, Arc::clone(&context.clock), {
        let url = url.clone();
        move |now| make(&url, now)
    });
    say(&format!(
        "Outrigger serves on {url}\n\n  kubectl --kubeconfig {} get bundledeployments -A\n",
        shown(&made.kubeconfig).display()
    ))?;
    server.serve().await
}
