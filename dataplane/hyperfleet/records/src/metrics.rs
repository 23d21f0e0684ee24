//! What the database was asked, and how that ended.

use std::sync::Arc;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{counter::Counter, family::Family, gauge::ConstGauge, histogram::Histogram},
    registry::Registry,
};
use tokio::time::Instant;

use crate::{Error, Result, database::Pool};

/// How often each operation failed how, how long it took, and how many connections there are.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    seconds: Family<Operation, Histogram>,
    errors: Family<Failed, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    operation: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failed {
    operation: &'static str,
    error: &'static str,
}

/// Asked for its numbers when somebody looks.
struct Connections(Arc<dyn Fn() -> (u64, u64, u64) + Send + Sync>);

// === impl Metrics ===

impl Default for Metrics {
    fn default() -> Self {
        let seconds = || Histogram::new((0..=14).map(|power| 0.0001 * f64::from(1 << power)));
        Self { seconds: Family::new_with_constructor(seconds), errors: Family::default() }
    }
}

impl Metrics {
    /// Registers them under the names that HyperFleet's dashboards know.
    pub(crate) fn register(registry: &mut Registry, pool: Arc<Pool>) -> Self {
        let metrics = Self::default();
        let registry = registry.sub_registry_with_prefix("hyperfleet_db");
        let help = "How long the database took, waiting for a connection included";
        registry.register("query_duration_seconds", help, metrics.seconds.clone());
        registry.register("errors", "What the database was asked and did not do", metrics.errors.clone());
        registry.register_collector(Box::new(Connections(Arc::new(move || pool.usage()))));
        metrics
    }

    /// Runs an operation, and counts it. What a client is to blame for is no error of the database.
    pub(crate) async fn observe<T>(&self, operation: &'static str, run: impl Future<Output = Result<T>>) -> Result<T> {
        let start = Instant::now();
        let result = run.await;
        self.seconds.get_or_create(&Operation { operation }).observe(start.elapsed().as_secs_f64());
        let error = match &result {
            Err(Error::Unavailable(_)) => Some("unavailable"),
            Err(Error::Internal(_)) => Some("internal"),
            _ => None,
        };
        if let Some(error) = error {
            self.errors.get_or_create(&Failed { operation, error }).inc();
        }
        result
    }
}

// === impl Connections ===

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connections")
    }
}

impl Collector for Connections {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let (open, in_use, max) = (self.0)();
        for (name, help, value) in [
            ("connections_open", "Connections to the database", open),
            ("connections_in_use", "Connections that are in use", in_use),
            ("connections_idle", "Connections that are not in use", open.saturating_sub(in_use)),
            ("connections_max", "Connections at most", max),
        ] {
            let gauge = ConstGauge::new(value as i64);
            let metric = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(metric)?;
        }
        Ok(())
    }
}
