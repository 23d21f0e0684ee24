//! Tokens: a part of an apiserver, or served to apiservers on their own.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use ::apiserver::Extension;
use ::tokens::{Config, Tokens};
use anyhow::Context as _;
use proto::store::Store;
use runtime::{
    Context,
    args::{ListenArgs, ProcessArgs, ServingCertArgs},
    grpc,
    serve::{Settings, incoming},
    tls::{Identity, bootstrap::Pair},
};

/// Flags of tokens on their own.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    tokens: Config,
    /// The cluster whose Secrets keep the tokens; the one that this process runs in when it is not given.
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
    runtime::run("outrigger-tokens", &process, |context| serve(args, context))
}

async fn serve(args: Args, context: Context) -> anyhow::Result<()> {
    let Args { tokens: config, kubeconfig, serving, listen, .. } = args;
    let cluster = ::apiserver::cluster_config(kubeconfig.as_deref()).await?;
    let tokens = ::tokens::in_cluster(&config, cluster, tokens_api::tags(), &context).await?;
    if config.token_webhook_listen.is_some() {
        let (Some(cert), Some(key)) = (serving.tls_cert_file, serving.tls_private_key_file) else {
            anyhow::bail!("--token-webhook-listen needs --tls-cert-file and --tls-private-key-file");
        };
        let identity = Identity::load(&Pair { cert, key }, &context.tasks).context("loading --tls-cert-file")?;
        ::tokens::answer_reviews(&config, &tokens, &identity, &context);
    }
    let listener = grpc::listen(&listen.listen, &listen.peer, &context.tasks).await?;
    let connections = incoming(listener, Settings::default(), &context.tasks);
    ::storage::serve(Arc::new(tokens), connections, &context).await
}

/// The kinds, if they are asked for: in Secrets of the cluster that `kubeconfig` leads to. TokenReviews are answered as `identity`.
pub(super) async fn behind(
    config: &Config,
    kubeconfig: Option<&Path>,
    identity: &Arc<Identity>,
    context: &Context,
) -> anyhow::Result<Vec<Extension>> {
    if !config.tokens {
        return Ok(Vec::new());
    }
    let cluster = ::apiserver::cluster_config(kubeconfig).await?;
    let tokens = ::tokens::in_cluster(config, cluster, tokens_api::tags(), context).await?;
    Ok(extensions(config, tokens, identity, context))
}

/// The kinds, in `store`.
pub(super) fn standalone(
    config: &Config,
    store: Arc<dyn Store>,
    dir: &Path,
    identity: &Arc<Identity>,
    context: &Context,
) -> anyhow::Result<Vec<Extension>> {
    let tokens = ::tokens::standalone(config, store, dir, tokens_api::tags(), context)?;
    Ok(extensions(config, tokens, identity, context))
}

fn extensions(config: &Config, tokens: Tokens, identity: &Arc<Identity>, context: &Context) -> Vec<Extension> {
    ::tokens::answer_reviews(config, &tokens, identity, context);
    let tokens: Arc<dyn Store> = Arc::new(tokens);
    tokens_api::extensions(&tokens)
}
