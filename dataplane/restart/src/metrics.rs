//! What the worker counts.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::node_restart::{Phase, Status};

/// The worker's metrics.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    ended: Family<Ended, Counter>,
    phases: Family<InPhase, Histogram>,
    leads: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    provider: String,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InPhase {
    phase: &'static str,
}

/// From a second to about two hours.
fn seconds() -> Histogram {
    Histogram::new((0..=13).map(|power| f64::from(1 << power)))
}

// === impl Metrics ===

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let phases = Family::new_with_constructor(seconds as fn() -> Histogram);
        let metrics = Self { ended: Family::default(), phases, leads: Gauge::default() };
        let registry = registry.sub_registry_with_prefix("outrigger_node");
        registry.register("restarts", "Restarts of nodes that have ended, and how", metrics.ended.clone());
        let help = "How long restarts of nodes were in each phase";
        registry.register("restart_phase_seconds", help, metrics.phases.clone());
        let help = "Whether this worker is the one that works";
        registry.register("restart_worker_leads", help, metrics.leads.clone());
        metrics
    }

    pub(crate) fn leads(&self, leads: bool) {
        self.leads.set(leads.into());
    }

    /// A restart has gone from one phase to the next.
    pub(crate) fn entered(&self, from: Phase, spent: Duration, status: &Status) {
        self.phases.get_or_create(&InPhase { phase: from.as_str() }).observe(spent.as_secs_f64());
        if status.phase.is_end() {
            let result = match status.phase {
                Phase::Succeeded => "succeeded",
                Phase::Cancelled => "cancelled",
                Phase::Unknown => "unknown",
                _ => "failed",
            };
            let provider = if status.provider.is_empty() { "none" } else { &status.provider };
            self.ended.get_or_create(&Ended { provider: provider.to_owned(), result }).inc();
        }
    }
}
