//! What every request needs.

use std::{sync::Arc, time::Duration};

use hyperfleet_records::Records;
use jiff::Timestamp;
use runtime::clock::Clock;
use uuid::{NoContext, Uuid};

use crate::{Rules, filters::Origins, jwt::Authenticator, metrics::Metrics, schemas::Schemas};

/// What every request needs.
pub(crate) struct Api {
    pub(crate) records: Records,
    pub(crate) schemas: Arc<Schemas>,
    pub(crate) rules: Rules,
    /// Nobody is asked for a token without one.
    pub(crate) authenticator: Option<Authenticator>,
    pub(crate) origins: Origins,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Clock,
    /// For a request's body.
    pub(crate) read_timeout: Duration,
    /// For an answer.
    pub(crate) write_timeout: Duration,
}

// === impl Api ===

impl Api {
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::try_from((self.clock)()).unwrap_or_default()
    }

    /// What a request is known by in all logs.
    pub(crate) fn operation(&self, now: Timestamp) -> String {
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
        Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanos)).to_string()
    }
}
