//! The server's state: what every request may use, and nothing that belongs to one.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use auth::{Authenticator, Authorizer};
use machinery::time::Clock;
use proto::store::Store;
use runtime::{Shutdown, Tasks, health::Health};

use crate::{audit::Audit, cache::Cache, filters::Inflight, kinds::Kinds, metrics::Metrics, namespaces::Namespaces};

/// Fills a buffer with random bytes.
pub type Rng = Box<dyn FnMut(&mut [u8]) + Send>;

/// What a server is made of.
pub struct Parts {
    /// Where objects are kept.
    pub store: Arc<dyn Store>,
    /// What is served.
    pub kinds: Kinds,
    /// Who asks.
    pub authenticator: Arc<dyn Authenticator>,
    /// May they.
    pub authorizer: Arc<dyn Authorizer>,
    /// Which namespaces there are.
    pub namespaces: Namespaces,
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
    store: Arc<dyn Store>,
    kinds: RwLock<Arc<Kinds>>,
    cache: Cache,
    authenticator: Arc<dyn Authenticator>,
    authorizer: Arc<dyn Authorizer>,
    namespaces: Namespaces,
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
        let cache = Cache::new(Arc::clone(&parts.store), parts.tasks, parts.watch_cache_bytes);
        Arc::new(Self {
            store: parts.store,
            kinds: RwLock::new(Arc::new(parts.kinds)),
            cache,
            authenticator: parts.authenticator,
            authorizer: parts.authorizer,
            namespaces: parts.namespaces,
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
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
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

/// The operating system's randomness.
pub fn os_rng() -> Rng {
    Box::new(|buffer| getrandom::fill(buffer).expect("the operating system has randomness"))
}
