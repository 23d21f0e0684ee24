//! Listens, thrice: for the API, for health and for metrics.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use anyhow::{Context as _, bail};
use http::Request;
use hyper::body::Incoming;
use hyperfleet_records::Records;
use runtime::{
    Context,
    serve::{self, Listener, Settings},
    tls::{Identity, ServerTls, bootstrap::Pair},
};
use tower::service_fn;

use crate::{
    Config, ServerArgs,
    api::Api,
    config::listen,
    filters::{self, Origins},
    health::Health,
    jwt::Authenticator,
    metrics::Metrics,
    pending,
    schemas::Schemas,
};

/// An API that listens.
pub struct Server {
    api: Arc<Api>,
    health: Health,
    listeners: Listeners,
    context: Context,
}

struct Listeners {
    api: Listener,
    health: Listener,
    metrics: Listener,
}

// === impl Server ===

impl Server {
    /// Starts to listen.
    pub async fn bind(config: &Config, records: Records, context: &Context) -> anyhow::Result<Self> {
        let Config { server, jwt, rules } = config;
        let authenticator = match jwt.enable_jwt {
            true => Some(Authenticator::load(jwt, context).await?),
            false => None,
        };
        let listeners = Listeners::bind(server, jwt.enable_jwt, context).await?;
        let health = Health::new(&records, context);
        let api = Arc::new(Api {
            records,
            schemas: Schemas::load(&rules.openapi_schema_path, &context.tasks),
            rules: rules.clone(),
            authenticator,
            origins: Origins::new(&server.cors_allowed_origin, server.api_server_hostname.as_deref()),
            metrics: Metrics::new(&context.metrics),
            clock: Arc::clone(&context.clock),
            read_timeout: server.http_read_timeout,
            write_timeout: server.http_write_timeout,
        });
        let (draining, counting) = (context.shutdown.draining(), pending::count(Arc::clone(&api)));
        context.tasks.spawn("hyperfleet.pending", async move {
            tokio::select! {
                () = draining => (),
                () = counting => (),
            }
        });
        Ok(Self { api, health, listeners, context: context.clone() })
    }

    /// Where the API listens.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.listeners.api.local_addr()
    }

    /// Where health is served.
    pub fn health_addr(&self) -> Option<SocketAddr> {
        self.listeners.health.local_addr()
    }

    /// Where metrics are served.
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.listeners.metrics.local_addr()
    }

    /// The URL of the API, for people.
    pub fn url(&self) -> String {
        self.listeners.api.address()
    }

    /// Serves until the process drains.
    pub async fn serve(self) -> anyhow::Result<()> {
        let Self { api, health, listeners, context } = self;
        let (settings, tasks) = (Settings::default(), &context.tasks);
        let answer = service_fn(move |request: Request<Incoming>| {
            let api = Arc::clone(&api);
            async move { Ok::<_, Infallible>(filters::handle(api, request).await) }
        });
        let checked = health.clone();
        let check = service_fn(move |request: Request<Incoming>| {
            let health = checked.clone();
            async move { Ok::<_, Infallible>(Box::pin(health.health(request)).await) }
        });
        let count = service_fn(move |request: Request<Incoming>| {
            let health = health.clone();
            async move { Ok::<_, Infallible>(Box::pin(health.metrics(request)).await) }
        });
        tokio::try_join!(
            serve::serve(listeners.api, answer, settings, tasks),
            serve::serve(listeners.health, check, settings, tasks),
            serve::serve(listeners.metrics, count, settings, tasks),
        )
        .context("serving HyperFleet")?;
        Ok(())
    }
}

// === impl Listeners ===

impl Listeners {
    async fn bind(args: &ServerArgs, asks_for_tokens: bool, context: &Context) -> anyhow::Result<Self> {
        let address = listen("--api-server-bindaddress", &args.api_server_bindaddress).await?;
        if !address.ip().is_loopback() && !asks_for_tokens && !args.insecure_no_auth {
            bail!(
                "--api-server-bindaddress {} can be reached from elsewhere: ask for tokens with --enable-jwt, or give \
                 --insecure-no-auth if whoever reaches it may do everything",
                args.api_server_bindaddress
            );
        }
        let tls = match args.enable_https || args.enable_health_check_https || args.enable_metrics_https {
            true => Some(certificate(args, context)?),
            false => None,
        };
        let tls = |wanted: bool| tls.clone().filter(|_| wanted);
        let health = listen("--health-check-server-bindaddress", &args.health_check_server_bindaddress).await?;
        let metrics = listen("--metrics-server-bindaddress", &args.metrics_server_bindaddress).await?;
        Ok(Self {
            api: bound(address, tls(args.enable_https), "--api-server-bindaddress").await?,
            health: bound(health, tls(args.enable_health_check_https), "--health-check-server-bindaddress").await?,
            metrics: bound(metrics, tls(args.enable_metrics_https), "--metrics-server-bindaddress").await?,
        })
    }
}

fn certificate(args: &ServerArgs, context: &Context) -> anyhow::Result<Arc<ServerTls>> {
    let (Some(cert), Some(key)) = (args.https_cert_file.clone(), args.https_key_file.clone()) else {
        bail!("--enable-https needs --https-cert-file and --https-key-file");
    };
    let identity = Identity::load(&Pair { cert, key }, &context.tasks).context("loading --https-cert-file")?;
    ServerTls::anonymous(identity).context("setting TLS up for --enable-https")
}

async fn bound(address: SocketAddr, tls: Option<Arc<ServerTls>>, flag: &str) -> anyhow::Result<Listener> {
    let listener = match tls {
        Some(tls) => Listener::tls(address, tls).await,
        None => Listener::plain(address).await,
    };
    listener.with_context(|| format!("listening on {address}: choose another {flag}"))
}
