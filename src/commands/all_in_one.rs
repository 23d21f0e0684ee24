//! Everything in one process: the apiserver, its storage and, without a cluster, its own CA and administrator.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use ::apiserver::{Config, Identities};
use anyhow::{Context as _, bail};
use runtime::{Context, args::ProcessArgs, tls::bootstrap};
use storage::Database;

use super::{embedded, listen, local_url, say, serving_certificate, shown};

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
    api: Config,
    #[command(flatten)]
    process: ProcessArgs,
}

pub(crate) fn run(args: Args) -> ExitCode {
    let process = args.process.clone();
    runtime::run("outrigger", &process, |context| serve(args, context))
}

async fn serve(args: Args, context: Context) -> anyhow::Result<()> {
    let Args { data_dir, db, db_path, storage, api, .. } = args;
    let database =
        db.or(db_path.map(Database::Sqlite)).unwrap_or_else(|| Database::Sqlite(data_dir.join("outrigger.db")));
    let store = embedded(&database, &storage, &context).await?;
    if api.kubeconfig.is_some() {
        let identities = Identities::behind(&api.trust, api.kubeconfig.as_deref(), &context).await?;
        let dir = api.serving.cert_dir.clone().unwrap_or_else(|| data_dir.join("pki"));
        let pair = serving_certificate(&api, &dir, &context)?;
        let server = listen(&api, store, identities, &pair, &context).await?;
        say(&format!("Outrigger serves on {}, behind the cluster of --kubeconfig", local_url(server.local_addr())))?;
        return server.serve().await;
    }
    if api.serving.cert_dir.is_some() || api.serving.tls_cert_file.is_some() {
        bail!("without --kubeconfig certificates are made in --data-dir: leave --cert-dir and --tls-cert-file out");
    }
    let (dir, names) = (data_dir.clone(), api.names.clone());
    let make = move |url: &str, now| bootstrap::standalone(&dir, &names, url, now);
    let made = make(&local_url(None), (context.clock)()).context("making certificates in --data-dir")?;
    let identities = Identities::standalone(&api.trust, &made.ca, &context)?;
    let server = listen(&api, store, identities, &made.serving, &context).await?;
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
