//! Keys from files and URLs, as they are now.
//!
//! Files are followed. URLs are read at the start, every ten minutes, and when a token names a key that nobody knows, at most once a minute.
//! What cannot be read changes nothing.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use anyhow::Context as _;
use runtime::{Context, files, telemetry};
use tokio::{sync::Mutex, time::Instant};

use super::{
    fetch::Client,
    key::{self, Key},
};

/// Tokens with unknown keys cause no more than one reading in this time.
const PAUSE: Duration = Duration::from_secs(60);
/// Keys that are withdrawn are known no longer than this.
const REFRESH: Duration = Duration::from_secs(600);

/// The keys of one or several sources.
pub(super) struct KeySet {
    sources: Vec<Source>,
    client: Client,
    /// When an unknown key last caused a reading.
    asked: Mutex<Option<Instant>>,
}

struct Source {
    place: Place,
    keys: RwLock<Arc<Keys>>,
}

type Keys = BTreeMap<String, Arc<Key>>;

enum Place {
    File(PathBuf),
    Url(http::Uri),
}

// === impl KeySet ===

impl KeySet {
    /// Reads what can be read, and keeps it up to date. A file must be there; a URL may answer later.
    pub(super) async fn load(sources: &[String], client: &Client, context: &Context) -> anyhow::Result<Arc<Self>> {
        let sources = sources.iter().map(|text| Source::new(text)).collect::<anyhow::Result<Vec<_>>>()?;
        let set = Arc::new(Self { sources, client: client.clone(), asked: Mutex::default() });
        for (place, source) in set.sources.iter().enumerate() {
            match &source.place {
                Place::File(path) => {
                    let paths = vec![path.clone()];
                    let seen = files::read(&paths).context("reading the keys of --jwk-cert-file or --jwt-issuer")?;
                    source.take(&seen[0]).with_context(|| format!("the keys in {}", path.display()))?;
                    let followed = Arc::clone(&set);
                    files::follow(&context.tasks, paths, seen, move |contents| {
                        followed.sources[place].take_or_keep(Ok(contents[0].clone()));
                    });
                }
                Place::Url(_) => source.refresh(client).await,
            }
        }
        if set.sources.iter().any(|source| matches!(source.place, Place::Url(_))) {
            let (kept, draining) = (Arc::clone(&set), context.shutdown.draining());
            context.tasks.spawn("refresh keys", async move {
                tokio::select! {
                    () = draining => {}
                    () = kept.refresh_for_ever() => {}
                }
            });
        }
        Ok(set)
    }

    /// The key of a name; sources are read again for one that nobody knows.
    pub(super) async fn find(&self, kid: &str) -> Option<Arc<Key>> {
        if let Some(key) = self.known(kid) {
            return Some(key);
        }
        let mut asked = self.asked.lock().await;
        if asked.is_none_or(|asked| asked.elapsed() > PAUSE) {
            self.refresh().await;
            *asked = Some(Instant::now());
        }
        self.known(kid)
    }

    fn known(&self, kid: &str) -> Option<Arc<Key>> {
        self.sources.iter().find_map(|source| {
            let keys = source.keys.read().unwrap_or_else(PoisonError::into_inner);
            keys.get(kid).cloned()
        })
    }

    async fn refresh(&self) {
        for source in &self.sources {
            source.refresh(&self.client).await;
        }
    }

    async fn refresh_for_ever(&self) {
        loop {
            tokio::time::sleep(REFRESH).await;
            self.refresh().await;
        }
    }
}

// === impl Source ===

impl Source {
    fn new(text: &str) -> anyhow::Result<Self> {
        let place = match text.contains("://") {
            true => Place::Url(super::fetch::url(text)?),
            false => Place::File(text.into()),
        };
        Ok(Self { place, keys: RwLock::default() })
    }

    async fn refresh(&self, client: &Client) {
        let read = match &self.place {
            Place::File(path) => tokio::fs::read(path).await.with_context(|| format!("reading {}", path.display())),
            Place::Url(url) => client.get(url).await.with_context(|| format!("asking {url}")),
        };
        self.take_or_keep(read);
    }

    fn take_or_keep(&self, read: anyhow::Result<Vec<u8>>) {
        if let Err(error) = read.and_then(|read| self.take(&read)) {
            tracing::warn!("keeping the keys for tokens that were read before: {}", telemetry::chain(error.as_ref()));
        }
    }

    fn take(&self, published: &[u8]) -> anyhow::Result<()> {
        let keys = key::read(published).context("reading keys (JWKS)")?;
        let keys = keys.into_iter().map(|(kid, key)| (kid, Arc::new(key))).collect();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }
}
