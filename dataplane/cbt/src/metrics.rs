//! What the relay counts, by driver. Names of snapshots are no labels: there is no end of them.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use proto::cbt::{Blocks, Error};

/// The relay's counters.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    started: Family<OfDriver, Counter>,
    open: Family<OfDriver, Gauge>,
    entries: Family<OfDriver, Counter>,
    bytes: Family<OfDriver, Counter>,
    errors: Family<Failure, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfDriver {
    driver: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failure {
    /// Empty for what failed before the driver was known.
    driver: String,
    reason: &'static str,
}

/// The counters of one open stream.
#[derive(Debug)]
pub(crate) struct Streams {
    open: Gauge,
    entries: Counter,
    bytes: Counter,
}

// === impl Metrics ===

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            started: Family::default(),
            open: Family::default(),
            entries: Family::default(),
            bytes: Family::default(),
            errors: Family::default(),
        };
        let registry = registry.sub_registry_with_prefix("outrigger_cbt");
        registry.register("streams", "Streams of blocks that drivers began", metrics.started.clone());
        registry.register("streams_open", "Streams of blocks that are open", metrics.open.clone());
        registry.register("entries", "Entries forwarded", metrics.entries.clone());
        registry.register("bytes", "Bytes of messages forwarded", metrics.bytes.clone());
        registry.register("errors", "Requests and streams that failed", metrics.errors.clone());
        metrics
    }

    /// A stream of a driver has begun.
    pub(crate) fn streams(&self, driver: &str) -> Streams {
        let of = OfDriver { driver: driver.to_owned() };
        self.started.get_or_create(&of).inc();
        let open = self.open.get_or_create(&of).clone();
        open.inc();
        let (entries, bytes) = (self.entries.get_or_create(&of).clone(), self.bytes.get_or_create(&of).clone());
        Streams { open, entries, bytes }
    }

    pub(crate) fn failed(&self, driver: &str, error: &Error) {
        self.errors.get_or_create(&Failure { driver: driver.to_owned(), reason: reason(error) }).inc();
    }
}

// === impl Streams ===

impl Streams {
    pub(crate) fn count(&self, blocks: &Blocks) {
        self.entries.inc_by(blocks.len() as u64);
        self.bytes.inc_by(blocks.encoded().len() as u64);
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.open.dec();
    }
}

fn reason(error: &Error) -> &'static str {
    match error {
        Error::NotFound(_) => "not_found",
        Error::NotReady(_) => "not_ready",
        Error::NoDelta(_) => "no_delta",
        Error::OutOfRange(_) => "out_of_range",
        Error::Invalid(_) => "invalid",
        Error::Forbidden(_) => "forbidden",
        Error::Expired(_) => "expired",
        Error::Throttled { .. } => "throttled",
        Error::Unavailable(_) => "unavailable",
        Error::Broken(_) => "broken",
        Error::Internal(_) => "internal",
    }
}
