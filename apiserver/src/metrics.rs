//! The counters of the apiserver, under the names that Kubernetes dashboards know.

use std::time::Duration;

use machinery::GroupResource;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
};

use crate::{
    kinds::Kind,
    request::{RequestInfo, Target, Verb},
};

/// Upper bounds in seconds, as the kube-apiserver has them.
const SECONDS: [f64; 20] =
    [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0, 20.0];

/// Upper bounds of answers in bytes, as the kube-apiserver has them.
const BYTES: [f64; 7] = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
/// The same of what watchers are sent.
const WATCH_BYTES: [f64; 8] = [1024.0, 2048.0, 4096.0, 8192.0, 16384.0, 32768.0, 65536.0, 131_072.0];

/// The apiserver's counters, and the registry of the process that they are in.
#[derive(Clone)]
pub struct Metrics {
    registry: runtime::metrics::Metrics,
    requests: Family<RequestLabels, Counter>,
    durations: Family<DurationLabels, Histogram, fn() -> Histogram>,
    long_running: Family<DurationLabels, Gauge>,
    inflight: Family<InflightLabels, Gauge>,
    watch_events: Family<ResourceLabels, Counter>,
    watch_sizes: Family<ResourceLabels, Histogram, fn() -> Histogram>,
    slo_durations: Family<DurationLabels, Histogram, fn() -> Histogram>,
    sizes: Family<DurationLabels, Histogram, fn() -> Histogram>,
    terminations: Family<RequestLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    verb: String,
    group: String,
    version: String,
    resource: String,
    subresource: String,
    scope: String,
    component: String,
    code: u16,
    dry_run: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DurationLabels {
    verb: String,
    group: String,
    version: String,
    resource: String,
    subresource: String,
    scope: String,
    component: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InflightLabels {
    request_kind: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResourceLabels {
    group: String,
    resource: String,
}

// === impl Metrics ===

impl Metrics {
    /// Counters in `registry`.
    pub fn new(registry: runtime::metrics::Metrics) -> Self {
        let metrics = Self {
            registry,
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            long_running: Family::default(),
            inflight: Family::default(),
            watch_events: Family::default(),
            watch_sizes: Family::new_with_constructor(|| Histogram::new(WATCH_BYTES)),
            slo_durations: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            sizes: Family::new_with_constructor(|| Histogram::new(BYTES)),
            terminations: Family::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&self) {
        self.registry.register(|registry| {
            registry.register(
                "apiserver_request",
                "Requests by what they asked and how they ended",
                self.requests.clone(),
            );
            registry.register(
                "apiserver_request_duration_seconds",
                "Seconds from a request's head to the head of its answer",
                self.durations.clone(),
            );
            registry.register("apiserver_longrunning_requests", "Watches under way", self.long_running.clone());
            registry.register("apiserver_current_inflight_requests", "Requests under way", self.inflight.clone());
            registry.register("apiserver_watch_events", "Events sent to watchers", self.watch_events.clone());
            registry.register(
                "apiserver_watch_events_sizes",
                "Bytes sent to watchers at once",
                self.watch_sizes.clone(),
            );
            registry.register(
                "apiserver_request_sli_duration_seconds",
                "Seconds as above, of requests that the server could hurry",
                self.slo_durations.clone(),
            );
            registry.register(
                "apiserver_response_sizes",
                "Bytes of answers that are known at once",
                self.sizes.clone(),
            );
            registry.register(
                "apiserver_request_terminations",
                "Requests that the server refused or gave up in its own defence",
                self.terminations.clone(),
            );
        });
    }

    /// Everything in the registry, as text.
    pub fn encode(&self) -> String {
        self.registry.encode()
    }

    /// A request has been answered with `code`, and so many bytes if that is known.
    pub fn answered(&self, info: &RequestInfo, code: u16, bytes: Option<u64>, took: Duration) {
        let labels = duration_labels(info);
        self.durations.get_or_create(&labels).observe(took.as_secs_f64());
        if !info.long_running() {
            self.slo_durations.get_or_create(&labels).observe(took.as_secs_f64());
        }
        if let Some(bytes) = bytes.and_then(|bytes| u32::try_from(bytes).ok()) {
            self.sizes.get_or_create(&labels).observe(f64::from(bytes));
        }
        let DurationLabels { verb, group, version, resource, subresource, scope, component } = labels;
        let dry_run = info.param("dryRun").filter(|given| *given == "All").unwrap_or_default().to_owned();
        let labels = RequestLabels { verb, group, version, resource, subresource, scope, component, code, dry_run };
        if matches!(code, 429 | 504) {
            self.terminations.get_or_create(&labels).inc();
        }
        self.requests.get_or_create(&labels).inc();
    }

    /// A request is under way until the guard is dropped.
    pub fn under_way(&self, info: &RequestInfo) -> UnderWay {
        let gauge = match info.long_running() {
            true => self.long_running.get_or_create(&duration_labels(info)).clone(),
            false => {
                let request_kind = if info.verb.writes() { "mutating" } else { "readOnly" }.to_owned();
                self.inflight.get_or_create(&InflightLabels { request_kind }).clone()
            }
        };
        gauge.inc();
        UnderWay(gauge)
    }

    /// Events have been read for a watcher of `kind`, so many bytes of them.
    pub fn watched(&self, kind: &Kind, events: usize, bytes: usize) {
        let GroupResource { group, resource } = kind.group_resource();
        let labels = ResourceLabels { group, resource };
        self.watch_events.get_or_create(&labels).inc_by(events as u64);
        self.watch_sizes.get_or_create(&labels).observe(f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)));
    }
}

/// Counts one request as under way until it is dropped.
pub struct UnderWay(Gauge);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn duration_labels(info: &RequestInfo) -> DurationLabels {
    let path = match &info.target {
        Target::Resource(path) => path.clone(),
        Target::Other => Default::default(),
    };
    let scope = match (&path.name, &path.namespace) {
        _ if path.resource.is_empty() => "",
        // It is about one object, wherever that is created.
        _ if info.verb == Verb::Create => "resource",
        (Some(_), _) => "resource",
        (None, Some(_)) => "namespace",
        (None, None) => "cluster",
    };
    DurationLabels {
        verb: match info.verb {
            // As dashboards know them.
            Verb::Create => "POST".to_owned(),
            Verb::Update => "PUT".to_owned(),
            verb => verb.as_str().to_uppercase(),
        },
        group: path.group,
        version: path.version,
        resource: path.resource,
        subresource: path.subresource.unwrap_or_default(),
        scope: scope.to_owned(),
        component: "apiserver".to_owned(),
    }
}
