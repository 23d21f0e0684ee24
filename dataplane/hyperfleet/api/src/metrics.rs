//! What is counted, under the names of the first version and those of the newest.

use std::{fmt, time::Duration};

use http::Method;
use hyperfleet_records::Kind;
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder},
    metrics::{MetricType, TypedMetric, counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
};

/// Upper bounds in seconds, as the first version has them,
const OLD_SECONDS: [f64; 4] = [0.1, 1.0, 10.0, 30.0];
/// and the newest.
const SECONDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// What is counted.
#[derive(Clone)]
pub(crate) struct Metrics {
    old_count: Family<Old, Plain>,
    old_duration: Family<Old, Histogram, fn() -> Histogram>,
    requests: Family<New, Counter>,
    duration: Family<New, Histogram, fn() -> Histogram>,
    started: Family<Wish, Counter>,
    pending: Family<Wish, Gauge>,
    stuck: Family<Wish, Gauge>,
}

/// What adapters are to bring about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Wish {
    component: &'static str,
    version: &'static str,
    resource_type: &'static str,
    is_delete: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Old {
    method: &'static str,
    path: &'static str,
    code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct New {
    component: &'static str,
    version: &'static str,
    method: &'static str,
    path: &'static str,
    code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    component: &'static str,
    version: &'static str,
}

/// A counter whose name does not end with `_total`, as OpenMetrics wants it of counters: the first version's name does not.
#[derive(Debug, Clone, Default)]
struct Plain(Counter);

const COMPONENT: &str = "api";
const VERSION: &str = env!("CARGO_PKG_VERSION");

// === impl Plain ===

impl EncodeMetric for Plain {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.encode_gauge(&i64::try_from(self.0.get()).unwrap_or(i64::MAX))
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

impl TypedMetric for Plain {
    const TYPE: MetricType = MetricType::Unknown;
}

// === impl Metrics ===

impl Metrics {
    /// Counters in the registry of the process.
    pub(crate) fn new(registry: &runtime::metrics::Metrics) -> Self {
        let metrics = Self {
            old_count: Family::default(),
            old_duration: Family::new_with_constructor(|| Histogram::new(OLD_SECONDS)),
            requests: Family::default(),
            duration: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            started: Family::default(),
            pending: Family::default(),
            stuck: Family::default(),
        };
        let build = Family::<Build, Gauge>::default();
        build.get_or_create(&Build { component: COMPONENT, version: VERSION }).set(1);
        registry.register(|registry| {
            registry.register("api_inbound_request_count", "Number of requests served", metrics.old_count.clone());
            registry.register(
                "api_inbound_request_duration",
                "Request duration in seconds",
                metrics.old_duration.clone(),
            );
            registry.register(
                "hyperfleet_api_requests",
                "Requests by what they asked and how they ended",
                metrics.requests.clone(),
            );
            registry.register(
                "hyperfleet_api_request_duration_seconds",
                "Seconds from a request's head to its answer",
                metrics.duration.clone(),
            );
            registry.register(
                "hyperfleet_api_reconciliation_started",
                "Generations and deletions that adapters were given to bring about",
                metrics.started.clone(),
            );
            registry.register(
                "hyperfleet_api_resource_pending_reconciliation",
                "Records that are not Ready, or not gone, yet",
                metrics.pending.clone(),
            );
            registry.register(
                "hyperfleet_api_resource_pending_reconciliation_stuck",
                "Those of them that have been so for half an hour",
                metrics.stuck.clone(),
            );
            registry.register("hyperfleet_api_build_info", "Which build this is", build);
        });
        metrics
    }

    /// A request for a path's template was answered.
    pub(crate) fn answered(&self, method: &Method, path: &'static str, code: u16, took: Duration) {
        let method = method_name(method);
        let old = Old { method, path, code };
        self.old_count.get_or_create(&old).0.inc();
        self.old_duration.get_or_create(&old).observe(took.as_secs_f64());
        let new = New { component: COMPONENT, version: VERSION, method, path, code };
        self.requests.get_or_create(&new).inc();
        self.duration.get_or_create(&new).observe(took.as_secs_f64());
    }
}

impl Metrics {
    /// Adapters have something new to bring about.
    pub(crate) fn started(&self, kind: Kind, is_delete: bool) {
        self.started.get_or_create(&Wish::of(kind, is_delete)).inc();
    }

    /// So many records wait for their adapters, and so many for long.
    pub(crate) fn pending(&self, kind: Kind, is_delete: bool, pending: u64, stuck: u64) {
        let wish = Wish::of(kind, is_delete);
        self.pending.get_or_create(&wish).set(i64::try_from(pending).unwrap_or(i64::MAX));
        self.stuck.get_or_create(&wish).set(i64::try_from(stuck).unwrap_or(i64::MAX));
    }
}

// === impl Wish ===

impl Wish {
    fn of(kind: Kind, is_delete: bool) -> Self {
        let is_delete = if is_delete { "true" } else { "false" };
        Self { component: COMPONENT, version: VERSION, resource_type: kind.as_str(), is_delete }
    }
}

/// Clients may invent methods; they do not make new time series.
fn method_name(method: &Method) -> &'static str {
    ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
        .into_iter()
        .find(|name| *name == method.as_str())
        .unwrap_or("OTHER")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_under_both_names() {
        let registry = runtime::metrics::Metrics::default();
        let metrics = Metrics::new(&registry);
        metrics.answered(&Method::GET, "/api/hyperfleet/v1/clusters/-", 200, Duration::from_millis(20));
        metrics.answered(&Method::from_bytes(b"INVENTED").unwrap(), "-", 404, Duration::ZERO);
        let text = registry.encode();
        for line in [
            "api_inbound_request_count{method=\"GET\",path=\"/api/hyperfleet/v1/clusters/-\",code=\"200\"} 1\n",
            "api_inbound_request_count{method=\"OTHER\",path=\"-\",code=\"404\"} 1\n",
            "api_inbound_request_duration_bucket{le=\"0.1\",method=\"GET\",path=\"/api/hyperfleet/v1/clusters/-\",code=\"200\"} 1\n",
            "hyperfleet_api_requests_total{component=\"api\",version=\"0.1.0\",method=\"OTHER\",path=\"-\",code=\"404\"} 1\n",
            "hyperfleet_api_build_info{component=\"api\",version=\"0.1.0\"} 1\n",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }
}
