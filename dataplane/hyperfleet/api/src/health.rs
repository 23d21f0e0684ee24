//! The two small servers beside the API: health, and metrics.
//!
//! | server | path | answer |
//! |---|---|---|
//! | health | GET /healthcheck | 200 `{}`; 503 in maintenance, and while the database is away |
//! | health | POST /healthcheck/down, /healthcheck/up | maintenance on and off, from this machine only |
//! | metrics | GET /metrics | OpenMetrics text |
//! | both | GET /livez, /readyz, /healthz | as every Outrigger process has them; 503 where they fail |

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{HeaderValue, Method, Request, StatusCode, header};
use hyperfleet_records::Records;
use runtime::{
    Context,
    health::Probe,
    serve::{Address, Peer},
};

use crate::{
    params::Params,
    reply::{self, Answer},
};

/// A database that takes longer is away.
const PATIENCE: Duration = Duration::from_secs(2);

/// What health is asked of.
#[derive(Clone)]
pub(crate) struct Health {
    records: Records,
    maintenance: Arc<AtomicBool>,
    context: Context,
}

// === impl Health ===

impl Health {
    /// Makes the database and the maintenance part of the process's readiness.
    pub(crate) fn new(records: &Records, context: &Context) -> Self {
        let health = Self { records: records.clone(), maintenance: Arc::default(), context: context.clone() };
        let asked = health.clone();
        context.health.register("hyperfleet-database", Probe::READY, move || {
            let asked = asked.clone();
            async move { asked.database().await }
        });
        let maintenance = Arc::clone(&health.maintenance);
        context.health.register("hyperfleet-maintenance", Probe::READY, move || {
            let down = maintenance.load(Ordering::Acquire);
            async move { if down { Err("maintenance mode".to_owned()) } else { Ok(()) } }
        });
        health
    }

    async fn database(&self) -> Result<(), String> {
        match tokio::time::timeout(PATIENCE, self.records.ping()).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer within {PATIENCE:?}")),
        }
    }

    /// Answers on the health port.
    pub(crate) async fn health<B>(self, request: Request<B>) -> Answer {
        let post = request.method() == Method::POST;
        match request.uri().path() {
            "/healthcheck" if request.method() == Method::GET => self.healthcheck().await,
            "/healthcheck/down" if post => self.switch(&request, true),
            "/healthcheck/up" if post => self.switch(&request, false),
            "/healthcheck" => not_allowed("GET"),
            "/healthcheck/down" | "/healthcheck/up" => not_allowed("POST"),
            _ => self.probe(&request).await,
        }
    }

    /// Answers on the metrics port.
    pub(crate) async fn metrics<B>(self, request: Request<B>) -> Answer {
        match request.uri().path() {
            "/metrics" if request.method() == Method::GET => {
                let text = HeaderValue::from_static(runtime::metrics::CONTENT_TYPE);
                reply::public(self.context.metrics.encode(), text)
            }
            "/metrics" => not_allowed("GET"),
            _ => self.probe(&request).await,
        }
    }

    async fn healthcheck(&self) -> Answer {
        let (status, body) = if self.maintenance.load(Ordering::Acquire) {
            (StatusCode::SERVICE_UNAVAILABLE, r#"{"maintenance_status":"maintenance mode"}"#)
        } else if let Err(why) = self.database().await {
            tracing::info!("health check failed: {why}");
            (StatusCode::SERVICE_UNAVAILABLE, r#"{"database_status":"unavailable"}"#)
        } else {
            (StatusCode::OK, "{}")
        };
        let mut answer = reply::public_json(body);
        *answer.status_mut() = status;
        answer
    }

    /// Everybody may ask here, so who is not on this machine changes nothing.
    fn switch<B>(&self, request: &Request<B>, down: bool) -> Answer {
        let address = request.extensions().get::<Peer>().map(|peer| peer.address);
        if let Some(Address::Tcp(address)) = address.filter(|address| !is_here(*address)) {
            tracing::warn!("{address} may not change the maintenance mode: only who is on this machine may");
            return reply::empty(StatusCode::FORBIDDEN);
        }
        self.maintenance.store(down, Ordering::Release);
        tracing::warn!("maintenance mode is {}", if down { "on" } else { "off" });
        reply::public_json("{}")
    }

    async fn probe<B>(&self, request: &Request<B>) -> Answer {
        let query: Vec<(String, String)> = Params::read(request.uri().query()).into_pairs();
        match self.context.health.answer(request.uri().path(), &query).await {
            None => reply::empty(StatusCode::NOT_FOUND),
            Some(answer) => {
                let status = match answer.status {
                    StatusCode::INTERNAL_SERVER_ERROR => StatusCode::SERVICE_UNAVAILABLE,
                    status => status,
                };
                let mut reply = reply::public(answer.body, HeaderValue::from_static(runtime::health::CONTENT_TYPE));
                *reply.status_mut() = status;
                reply
            }
        }
    }
}

fn is_here(address: Address) -> bool {
    match address {
        Address::Tcp(address) => address.ip().to_canonical().is_loopback(),
        Address::Unix => true,
    }
}

fn not_allowed(allowed: &'static str) -> Answer {
    let mut answer = reply::empty(StatusCode::METHOD_NOT_ALLOWED);
    reply::set(&mut answer, header::ALLOW, allowed);
    answer
}
