//! The relay of changed blocks alone, served to apiservers, and to backup software.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use ::cbt::Parts;
use proto::store::{Store, client::Client};
use runtime::{
    Context,
    args::{ListenArgs, ProcessArgs, ServingCertArgs},
    grpc,
    tls::Identity,
};

use super::changed_blocks;

/// Flags of the relay.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    relay: ::cbt::Config,
    #[command(flatten)]
    files: cbt_file::Config,
    /// The storage in which DriverDiscovery and SnapshotMetadataService objects are: https://HOST:PORT, or unix:///PATH.
    #[arg(long, env = "OUTRIGGER_STORE", value_name = "URL")]
    store: Option<String>,
    /// The cluster whose VolumeSnapshots are meant; without one there is a single driver, whose snapshots they are.
    #[arg(long, env = "OUTRIGGER_KUBECONFIG", value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    #[command(flatten)]
    serving: ServingCertArgs,
    #[command(flatten)]
    listen: ListenArgs,
    #[command(flatten)]
    process: ProcessArgs,
}

pub(crate) fn run(args: Args) -> ExitCode {
    let process = args.process.clone();
    runtime::run("outrigger-cbt", &process, |context| serve(args, context))
}

async fn serve(args: Args, context: Context) -> anyhow::Result<()> {
    let peer = args.listen.peer.clone();
    let store = args.store.map(|url| -> anyhow::Result<Arc<dyn Store>> {
        Ok(Arc::new(Client::new(grpc::connect(&url, &peer, &context.tasks)?)))
    });
    let in_cluster = std::env::var_os("KUBERNETES_SERVICE_HOST").is_some();
    let cluster = match args.kubeconfig.as_deref() {
        None if !in_cluster => None,
        path => Some(apiserver::cluster(path).await?),
    };
    let identity = match (&args.serving.tls_cert_file, &args.serving.tls_private_key_file) {
        (Some(cert), Some(key)) => Some(Identity::load(
            &runtime::tls::bootstrap::Pair { cert: cert.clone(), key: key.clone() },
            &context.tasks,
        )?),
        _ => None,
    };
    let embedded = changed_blocks::embedded(&args.files, &context)?;
    let parts = Parts { cluster, store: store.transpose()?, embedded, peer };
    ::cbt::serve(&args.relay, parts, &args.listen, identity, &context).await
}
