//! What the worker is made of.

use std::{sync::Arc, time::UNIX_EPOCH};

use runtime::clock::Clock;
use tokio::sync::Mutex;

use crate::{
    Config, cluster::Cluster, drivers::Drivers, guard::Limits, machine::Pace, metrics::Metrics, options::Defaults,
    records::Records, retention::Retention, time::Time,
};

/// Everything that a request or a restart needs.
pub(crate) struct Parts {
    pub(crate) records: Records,
    pub(crate) cluster: Arc<dyn Cluster>,
    pub(crate) drivers: Drivers,
    pub(crate) clock: Clock,
    pub(crate) metrics: Metrics,
    /// This worker, of all there have ever been.
    pub(crate) id: String,
    pub(crate) config: Config,
    /// Held from the look at what is in flight until it is written that another one is.
    pub(crate) beginning: Mutex<()>,
}

// === impl Parts ===

impl Parts {
    pub(crate) fn now(&self) -> Time {
        let since = (self.clock)().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    pub(crate) fn limits(&self) -> Limits {
        self.config.limits()
    }

    pub(crate) fn pace(&self) -> Pace {
        self.config.pace()
    }

    pub(crate) fn defaults(&self) -> Defaults {
        self.config.defaults()
    }

    pub(crate) fn retention(&self) -> Retention {
        self.config.retention()
    }
}
