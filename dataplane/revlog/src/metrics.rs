//! What a log tells Prometheus.

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// The metrics of one log. Clones count into the same.
#[derive(Debug, Clone)]
pub struct Metrics {
    pub(crate) head: Gauge,
    pub(crate) compacted: Gauge,
    pub(crate) writes: Counter,
    pub(crate) refused: Counter,
    pub(crate) batch: Histogram,
    pub(crate) commit: Histogram,
    pub(crate) watchers: Gauge,
    pub(crate) behind: Counter,
    pub(crate) ring_bytes: Gauge,
    pub(crate) bytes: Gauge,
}

// === impl Metrics ===

impl Metrics {
    /// Metrics that `registry` shows.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let registry = registry.sub_registry_with_prefix("outrigger_log");
        let all = metrics.clone();
        registry.register("revision", "Newest revision that is visible to everybody", all.head);
        registry.register("compacted_revision", "Oldest revision that can be read as of", all.compacted);
        registry.register("writes", "Writes that became durable", all.writes);
        registry.register("writes_refused", "Writes that failed a precondition, or for the engine", all.refused);
        registry.register("batch_writes", "Writes that one transaction made durable", all.batch);
        registry.register("commit_duration_seconds", "From taking a batch until it was durable", all.commit);
        registry.register("watchers", "Watches that are open", all.watchers);
        registry.register("watch_history_reads", "Reads of history for watchers behind the ring", all.behind);
        registry.register("ring_bytes", "Bytes of events in memory", all.ring_bytes);
        registry.register("database_bytes", "Bytes of the database, its write-ahead log included", all.bytes);
        metrics
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            head: Gauge::default(),
            compacted: Gauge::default(),
            writes: Counter::default(),
            refused: Counter::default(),
            batch: Histogram::new((0..=10).map(|power| f64::from(1 << power))),
            commit: Histogram::new((0..=14).map(|power| 0.0002 * f64::from(1 << power))),
            watchers: Gauge::default(),
            behind: Counter::default(),
            ring_bytes: Gauge::default(),
            bytes: Gauge::default(),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_registry_shows_what_is_counted() {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        metrics.writes.inc_by(3);
        metrics.batch.observe(3.0);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        for line in ["outrigger_log_writes_total 3", "outrigger_log_batch_writes_bucket{le=\"4.0\"} 1"] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
