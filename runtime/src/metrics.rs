//! The process's metrics: one registry, one text.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use prometheus_client::{encoding::text::encode, registry::Registry};

/// The media type of [`Metrics::encode`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The one registry. Clones share it; metrics are registered when a component is built, never later.
#[derive(Clone, Default)]
pub struct Metrics {
    registry: Arc<RwLock<Registry>>,
}

// === impl Metrics ===

impl Metrics {
    /// Lets a component register what it counts.
    pub fn register<T>(&self, register: impl FnOnce(&mut Registry) -> T) -> T {
        register(&mut self.registry.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// All metrics as OpenMetrics text.
    pub fn encode(&self) -> String {
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        encode(&mut text, &registry).expect("writing to a String does not fail");
        text
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;

    use super::*;

    #[test]
    fn what_a_component_registers_is_in_the_text() {
        let metrics = Metrics::default();
        let requests = metrics.register(|registry| {
            let requests = Counter::<u64>::default();
            registry.register("apiserver_request", "Requests", requests.clone());
            requests
        });
        requests.inc_by(3);
        let text = metrics.encode();
        assert!(text.contains("apiserver_request_total 3\n"), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }
}
