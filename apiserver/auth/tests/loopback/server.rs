//! The server under test, and a client that shows what it likes.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use auth::{AccessReviews, Attributes, Authenticator, Authorizer, Decision, Delegated, Masters, Source, TrustArgs};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use runtime::{
    Shutdown, Tasks,
    health::Health,
    serve::{self, Listener, Peer},
    tls::{Identity, ServerTls},
};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tower::service_fn;

use crate::{
    cluster::Cluster,
    pki::{Authority, Leaf, Shown},
};

/// A server, its CAs and its cluster.
pub(crate) struct Server {
    /// Vouches for users.
    pub(crate) users: Authority,
    /// Vouches for the front proxy.
    pub(crate) proxies: Authority,
    pub(crate) cluster: Cluster,
    pub(crate) health: Health,
    pub(crate) address: SocketAddr,
    tls: TlsConnector,
    root: RootCertStore,
    tasks: Tasks,
    _dir: tempfile::TempDir,
}

/// An answer: its status, and its text.
pub(crate) type Answer = (u16, String);

// === impl Server ===

impl Server {
    /// A server that believes two CAs from files, and a front proxy by the name of `front-proxy`.
    pub(crate) async fn start() -> Self {
        Self::with(|args| args.requestheader_allowed_names = vec!["front-proxy".to_owned()]).await
    }

    /// The same, with other arguments.
    pub(crate) async fn with(change: impl FnOnce(&mut TrustArgs)) -> Self {
        let (users, proxies) = (Authority::new("users"), Authority::new("proxies"));
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str, pem: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, pem).unwrap();
            path
        };
        let mut args = TrustArgs {
            client_ca_file: Some(path("users.crt", &users.pem)),
            requestheader_client_ca_file: Some(path("proxies.crt", &proxies.pem)),
            ..TrustArgs::default()
        };
        change(&mut args);
        Self::serve(users, proxies, &args, true, dir).await
    }

    pub(crate) async fn serve(
        users: Authority,
        proxies: Authority,
        args: &TrustArgs,
        has_cluster: bool,
        dir: tempfile::TempDir,
    ) -> Self {
        runtime::tls::install_provider();
        let (cluster, shutdown) = (Cluster::new(), Shutdown::new());
        let (tasks, health) = (Tasks::new(shutdown.clone()), Health::new(&shutdown));
        let client = has_cluster.then(|| cluster.client());
        let source = Source::start(args, client.clone(), &tasks).unwrap();
        source.register(&health);

        let serving = Authority::new("serving");
        let (cert, key) = serving.issue(&Leaf::server()).pem;
        let tls = ServerTls::asking(Arc::new(Identity::parse(cert.as_bytes(), key.as_bytes()).unwrap())).unwrap();
        source.advertise(Arc::clone(&tls), &tasks);
        let authorizer: Arc<dyn Authorizer> = match &client {
            Some(client) => Arc::new(AccessReviews::new(client.clone())),
            None => Arc::new(Masters),
        };
        let clock = runtime::clock::system();
        let handler = Arc::new(Handler {
            authenticator: Delegated::new(source, client, Arc::clone(&authorizer), clock),
            authorizer,
        });
        let listener = Listener::tls("127.0.0.1:0".parse().unwrap(), tls).await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = service_fn(move |request| {
            let handler = Arc::clone(&handler);
            async move { Ok::<_, Infallible>(handler.answer(request).await) }
        });
        let serving_tasks = tasks.clone();
        tasks.critical(
            "server",
            async move { serve::serve(listener, service, Default::default(), &serving_tasks).await },
        );

        let mut root = RootCertStore::empty();
        root.add(CertificateDer::from_pem_slice(serving.pem.as_bytes()).unwrap()).unwrap();
        let tls = connector(&root, None);
        Self { users, proxies, cluster, health, address, tls, root, tasks, _dir: dir }
    }

    /// A server whose trust comes from the ConfigMap of its cluster.
    pub(crate) async fn behind_cluster() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (users, proxies) = (Authority::new("users"), Authority::new("proxies"));
        Self::serve(users, proxies, &TrustArgs::default(), true, dir).await
    }

    /// Asks for `/who` with a certificate and headers.
    pub(crate) async fn who(&self, shown: Option<&Shown>, headers: &[(&str, &str)]) -> Answer {
        self.ask("GET", "/who", shown, headers).await
    }

    /// The front proxy's certificate.
    pub(crate) fn proxy(&self) -> Shown {
        self.proxies.client("front-proxy")
    }

    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        shown: Option<&Shown>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(self.connect(shown).await)).await.unwrap();
        self.tasks.spawn("client", connection);
        answer(sender.send_request(request(method, path, headers)).await.unwrap()).await
    }

    /// Several requests, one after the other, on one HTTP/2 connection.
    pub(crate) async fn who_in_turn(&self, shown: Option<&Shown>, requests: &[&[(&str, &str)]]) -> Vec<Answer> {
        let io = TokioIo::new(self.connect(shown).await);
        let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
        self.tasks.spawn("client", connection);
        let mut answers = Vec::new();
        for headers in requests {
            answers.push(answer(sender.send_request(request("GET", "/who", headers)).await.unwrap()).await);
        }
        answers
    }

    async fn connect(&self, shown: Option<&Shown>) -> TlsStream<TcpStream> {
        let tls = shown.map_or_else(|| self.tls.clone(), |shown| connector(&self.root, Some(shown)));
        let stream = TcpStream::connect(self.address).await.unwrap();
        tls.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap()
    }
}

fn connector(root: &RootCertStore, shown: Option<&Shown>) -> TlsConnector {
    let config = ClientConfig::builder().with_root_certificates(root.clone());
    let config = match shown {
        Some(shown) => config.with_client_auth_cert(shown.chain.clone(), shown.key.clone_key()).unwrap(),
        None => config.with_no_client_auth(),
    };
    TlsConnector::from(Arc::new(config))
}

fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Empty<Bytes>> {
    let mut request = Request::builder().method(method).uri(format!("https://localhost{path}"));
    request = request.header("host", "localhost");
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        request.headers_mut().unwrap().append(name, HeaderValue::from_str(value).unwrap());
    }
    request.body(Empty::new()).unwrap()
}

async fn answer(response: Response<Incoming>) -> Answer {
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// Says who asks, if they may.
struct Handler {
    authenticator: Delegated,
    authorizer: Arc<dyn Authorizer>,
}

// === impl Handler ===

impl Handler {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, _) = request.into_parts();
        let peer = parts.extensions.get::<Peer>().unwrap();
        let attributes = Attributes::path(&parts.method.as_str().to_lowercase(), parts.uri.path());
        let (status, text) = match self.admit(&parts.headers, peer, &attributes).await {
            Ok(text) => (200, text),
            Err(status) => (status.code, status.message),
        };
        Response::builder().status(status).body(Full::new(Bytes::from(text))).unwrap()
    }

    async fn admit(
        &self,
        headers: &HeaderMap,
        peer: &Peer,
        attributes: &Attributes,
    ) -> Result<String, machinery::status::Status> {
        let user = self.authenticator.authenticate(headers, peer).await.map_err(|error| error.status())?;
        let user = user.ok_or_else(machinery::status::Status::unauthorized)?;
        let mut left = headers.clone();
        self.authenticator.strip(&mut left);
        let left: Vec<&str> = left.keys().map(HeaderName::as_str).filter(|name| *name != "host").collect();
        match self.authorizer.authorize(&user, attributes).await.map_err(|error| error.status())? {
            Decision::Allow => Ok(format!("{} {} {}", user.name, user.groups.join(","), left.join(","))),
            Decision::Deny { reason } => Err(auth::forbidden(&user, attributes, &reason)),
        }
    }
}
