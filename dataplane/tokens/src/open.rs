//! From a configuration to tokens that are served and looked after.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use kube::Client;
use proto::store::Store;
use runtime::{Context, tls::Identity};

use crate::{Config, Keyring, Secrets, Tokens, Verifier, expiry, review, secret_key, used, used::Used};

/// What tokens are marked with, by resource: see [`Tokens::new`].
pub type Tags = BTreeMap<String, String>;

/// How long is waited before the key is asked for again.
const AGAIN: Duration = Duration::from_secs(1);

/// Tokens in Secrets of a cluster, reached by a client of its own: one that tries again by itself would keep callers waiting
/// who are told to come again. As long as that cannot give the key, they are unavailable.
pub async fn in_cluster(
    config: &Config,
    mut cluster: kube::Config,
    tags: Tags,
    context: &Context,
) -> anyhow::Result<Tokens> {
    cluster.default_retry = false;
    let client = Client::try_from(cluster).context("setting up the client of the tokens' cluster")?;
    let ring = match &config.token_key_file {
        Some(path) => secret_key::of_file(path)?.into(),
        None => read_key(client.clone(), config.token_key_namespace.clone(), context).await,
    };
    let secrets = Arc::new(Secrets::new(client, &config.token_namespace));
    Ok(look_after(config, secrets, ring, tags, context))
}

async fn read_key(client: Client, namespace: String, context: &Context) -> Keyring {
    let ring = Keyring::default();
    let trying = {
        let ring = ring.clone();
        async move || match secret_key::of_cluster(client.clone(), &namespace).await {
            Ok(key) => {
                ring.put(key);
                true
            }
            Err(error) => {
                tracing::warn!("tokens are unavailable: {error:#}");
                false
            }
        }
    };
    if !trying().await {
        let mut draining = Box::pin(context.shutdown.draining());
        context.tasks.spawn("tokens: key", async move {
            loop {
                tokio::select! {
                    () = &mut draining => return,
                    () = tokio::time::sleep(AGAIN) => {}
                }
                if trying().await {
                    return;
                }
            }
        });
    }
    ring
}

/// Tokens in `store`, with the same data, for where there is no cluster. The key is in `dir` unless a flag says otherwise.
pub fn standalone(
    config: &Config,
    store: Arc<dyn Store>,
    dir: &Path,
    tags: Tags,
    context: &Context,
) -> anyhow::Result<Tokens> {
    let beside = dir.join("token.key");
    let key = secret_key::of_file(config.token_key_file.as_deref().unwrap_or(&beside))?;
    Ok(look_after(config, store, key.into(), tags, context))
}

/// Answers TokenReviews, if the configuration says where, until the process drains.
pub fn answer_reviews(config: &Config, tokens: &Tokens, identity: &Arc<Identity>, context: &Context) {
    let (Some(address), Some(ca)) = (config.token_webhook_listen, config.token_webhook_client_ca_file.clone()) else {
        return;
    };
    let used = Arc::<Used>::default();
    let writing =
        used::run(tokens.clone(), Arc::clone(&used), config.token_last_used_interval, context.shutdown.clone());
    context.tasks.spawn("tokens: last used", writing);
    let (verifier, identity, running) = (Verifier::new(tokens.clone(), used), Arc::clone(identity), context.clone());
    let per_second = config.token_reviews_per_second;
    context.tasks.critical("token reviews", async move {
        review::serve(verifier, (address, &ca), per_second, identity, &running).await
    });
}

fn look_after(config: &Config, secrets: Arc<dyn Store>, ring: Keyring, tags: Tags, context: &Context) -> Tokens {
    let tokens = Tokens::new(secrets, ring, Arc::clone(&context.clock), tags);
    let sweeping = expiry::run(tokens.clone(), config.token_expiry_interval, context.shutdown.clone());
    context.tasks.spawn("tokens: expiry", sweeping);
    tokens
}
