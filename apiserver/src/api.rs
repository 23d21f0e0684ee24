//! The server's state: what every request may use, and nothing that belongs to one.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use admission::{Chain, hook::Services};
use auth::{Authenticator, Authorizer};
use machinery::time::Clock;
use proto::store::Store;
use runtime::{
    Shutdown, Tasks,
    health::{Health, Probe},
};

use crate::{
    audit::Audit, cache::Cache, filters::Inflight, kinds::Kinds, metrics::Metrics, namespaces::Namespaces,
    stores::Stores,
};

/// Fills a buffer with random bytes.
pub type Rng = Box<dyn FnMut(&mut [u8]) + Send>;

/// What a server is made of.
pub struct Parts {
    /// Where objects are kept whose kinds bring no store.
    pub store: Arc<dyn Store>,
    /// What is served.
    pub kinds: Kinds,
    /// Who asks.
    pub authenticator: Arc<dyn Authenticator>,
    /// May they.
    pub authorizer: Arc<dyn Authorizer>,
    /// Which namespaces there are.
    pub namespaces: Namespaces,
    /// What may change or refuse a write.
    pub admission: Chain,
    /// Where the Services are that conversion webhooks may be behind.
    pub services: Services,
    /// Whether all is well.
    pub health: Health,
    /// Counters.
    pub metrics: Metrics,
    /// How many requests are let in at once.
    pub inflight: Inflight,
    /// What is said of requests.
    pub audit: Option<Arc<Audit>>,
    /// Background work.
    pub tasks: Tasks,
    /// The end of the process.
    pub shutdown: Shutdown,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Rng,
    /// The bytes of events that the watch cache may hold for each resource.
    pub watch_cache_bytes: usize,
}

/// A running server's state.
pub struct Api {
    stores: Stores,
    kinds: RwLock<Arc<Kinds>>,
    cache: Cache,
    authenticator: Arc<dyn Authenticator>,
    authorizer: Arc<dyn Authorizer>,
    namespaces: Namespaces,
    admission: Chain,
    health: Health,
    metrics: Metrics,
    inflight: Inflight,
    audit: Option<Arc<Audit>>,
    shutdown: Shutdown,
    clock: Arc<dyn Clock>,
    rng: Mutex<Rng>,
}

// === impl Api ===

impl Api {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Arc<Self> {
        let stores = Stores::new(parts.store, parts.kinds.stores().to_vec()).converting(&parts.kinds, &parts.services);
        watch_stores(&stores, &parts.health);
        let cache = Cache::new(stores.clone(), parts.tasks, parts.watch_cache_bytes);
        Arc::new(Self {
            stores,
            kinds: RwLock::new(Arc::new(parts.kinds)),
            cache,
            authenticator: parts.authenticator,
            authorizer: parts.authorizer,
            namespaces: parts.namespaces,
            admission: parts.admission,
            health: parts.health,
            metrics: parts.metrics,
            inflight: parts.inflight,
            audit: parts.audit,
            shutdown: parts.shutdown,
            clock: parts.clock,
            rng: Mutex::new(parts.rng),
        })
    }

    /// Where objects are kept.
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    /// What is served at this moment.
    pub fn kinds(&self) -> Arc<Kinds> {
        Arc::clone(&self.kinds.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The watch cache.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Who asks.
    pub fn authenticator(&self) -> &dyn Authenticator {
        &*self.authenticator
    }

    /// May they.
    pub fn authorizer(&self) -> &dyn Authorizer {
        &*self.authorizer
    }

    /// Which namespaces there are.
    pub fn namespaces(&self) -> &Namespaces {
        &self.namespaces
    }

    /// What may change or refuse a write.
    pub fn admission(&self) -> &Chain {
        &self.admission
    }

    /// Whether all is well.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Counters.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// How many requests are let in at once.
    pub fn inflight(&self) -> &Inflight {
        &self.inflight
    }

    /// What is said of requests.
    pub(crate) fn audit(&self) -> Option<&Arc<Audit>> {
        self.audit.as_ref()
    }

    /// The end of the process.
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// The time.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Randomness, one user at a time.
    pub fn with_rng<T>(&self, use_it: impl FnOnce(&mut dyn FnMut(&mut [u8])) -> T) -> T {
        use_it(&mut **self.rng.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A random (version 4) UUID.
    pub fn new_uid(&self) -> String {
        let mut bytes = [0; 16];
        self.with_rng(|fill| fill(&mut bytes));
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }
}

/// Without its own store the server lives, but should be asked nothing. Without one of the others it should be asked all the
/// same, for the other resources; the check of that one says so.
fn watch_stores(stores: &Stores, health: &Health) {
    let asking = |store: &Arc<dyn Store>| {
        let store = Arc::clone(store);
        move || {
            let store = Arc::clone(&store);
            async move { store.status().await.map(|_| ()).map_err(|error| error.to_string()) }
        }
    };
    health.register("storage", Probe::READY, asking(stores.own()));
    for (resource, store) in stores.apart() {
        health.register_part(format!("storage/{resource}"), Probe::READY, asking(store));
    }
}

/// The operating system's randomness.
pub fn os_rng() -> Rng {
    Box::new(|buffer| getrandom::fill(buffer).expect("the operating system has randomness"))
}
