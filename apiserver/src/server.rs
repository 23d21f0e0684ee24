//! Listens, and hands each request to the router.

use std::{net::SocketAddr, sync::Arc, time::UNIX_EPOCH};

use admission::{Chain, hook::Services};
use anyhow::Context as _;
use axum::{Router, body::Body, extract::State};
use http::{Request, Response};
use machinery::time::{Clock, Timestamp};
use proto::store::Store;
use runtime::{
    Context,
    serve::{self, Listener, Settings},
    tls::{Identity, ServerTls},
};

use crate::{
    Audit, Config, Extension, Identities, Inflight, Kinds, Metrics, Namespaces,
    api::{Api, Parts, os_rng},
    filters,
};

/// An apiserver that listens.
pub struct Server {
    api: Arc<Api>,
    listener: Listener,
    context: Context,
}

// === impl Server ===

impl Server {
    /// Starts to listen. `extensions` are served beside what `config` names; `admission` is what
    /// may change or refuse a write; `identity` is the serving certificate.
    pub async fn bind(
        config: &Config,
        store: Arc<dyn Store>,
        extensions: &[Extension],
        identities: Identities,
        admission: Chain,
        identity: Arc<Identity>,
        context: &Context,
    ) -> anyhow::Result<Self> {
        let kinds = Kinds::load(&config.crds, extensions).context("loading the kinds to serve")?;
        let tls = ServerTls::asking(identity).context("setting TLS up")?;
        identities.source.advertise(Arc::clone(&tls), &context.tasks);
        let address = SocketAddr::new(config.bind_address.unwrap_or(identities.usual_address()), config.secure_port);
        let listener = Listener::tls(address, tls)
            .await
            .with_context(|| format!("listening on {address}: choose another --bind-address or --secure-port"))?;
        let api = Api::new(Parts {
            services: identities.cluster.clone().map_or_else(Services::default, Services::of),
            namespaces: identities.cluster.map_or_else(Namespaces::implicit, Namespaces::of),
            admission,
            store,
            kinds,
            authenticator: identities.authenticator,
            authorizer: identities.authorizer,
            health: context.health.clone(),
            metrics: Metrics::new(context.metrics.clone()),
            inflight: Inflight::new(config.max_requests_inflight, config.max_mutating_requests_inflight),
            audit: Audit::open(&config.audit, context).await?,
            tasks: context.tasks.clone(),
            shutdown: context.shutdown.clone(),
            clock: Arc::new(WallClock(Arc::clone(&context.clock))),
            rng: os_rng(),
            watch_cache_bytes: config.watch_cache_bytes,
        });
        Ok(Self { api, listener, context: context.clone() })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until the process drains.
    pub async fn serve(self) -> anyhow::Result<()> {
        let router = Router::new().fallback(answer).with_state(self.api);
        serve::serve(self.listener, router, Settings::default(), &self.context.tasks).await.context("serving HTTPS")
    }
}

async fn answer(State(api): State<Arc<Api>>, request: Request<Body>) -> Response<Body> {
    filters::handle(api, request).await
}

/// The process's clock, to the second.
struct WallClock(runtime::clock::Clock);

impl Clock for WallClock {
    fn now(&self) -> Timestamp {
        let since = (self.0)().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }
}
