//! The restart worker alone, served to apiservers.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode, sync::Arc};

use proto::store::client::Client;
use runtime::{
    Context,
    args::{ListenArgs, ProcessArgs},
    grpc,
    serve::{Settings, incoming},
};

/// Flags of the restart worker.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    worker: ::restart::Config,
    /// The storage that NodeRestarts are in: https://HOST:PORT, or unix:///PATH.
    #[arg(long, env = "OUTRIGGER_STORE", value_name = "URL")]
    store: String,
    /// The cluster whose nodes are restarted; the one that this process runs in when it is not given.
    #[arg(long, env = "OUTRIGGER_KUBECONFIG", value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    process: ProcessArgs,
}

pub(crate) fn run(args: Args) -> ExitCode {
    let process = args.process.clone();
    runtime::run("outrigger-restart", &process, |context| serve(args, context))
}

async fn serve(args: Args, context: Context) -> anyhow::Result<()> {
    let Args { worker, store, kubeconfig, listen, .. } = args;
    let store = Arc::new(Client::new(grpc::connect(&store, &listen.peer, &context.tasks)?));
    let cluster = apiserver::cluster_config(kubeconfig.as_deref()).await?;
    let worker = ::restart::open(&worker, store, cluster, BTreeMap::new(), &listen.peer, &context)?;
    let listener = grpc::listen(&listen.listen, &listen.peer, &context.tasks).await?;
    ::restart::serve(worker, incoming(listener, Settings::default(), &context.tasks), &context).await
}
