//! A server that echoes, and clients for it.

use std::{convert::Infallible, net::SocketAddr, path::Path, sync::Arc};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use runtime::{
    Shutdown, Tasks,
    serve::{self, LastResponse, Listener, Peer, Settings},
    tls::{Identity, ServerTls, bootstrap},
};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use tokio::{net::TcpStream, sync::Notify};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tower::service_fn;

/// A server over TLS with certificates of its own.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) tasks: Tasks,
    pub(crate) pki: bootstrap::Standalone,
    pub(crate) tls: Arc<ServerTls>,
    /// What a request for `/slow` waits for.
    pub(crate) go_on: Arc<Notify>,
    /// Told when one has come.
    pub(crate) slow_begun: Arc<Notify>,
    pub(crate) dir: tempfile::TempDir,
}

pub(crate) type Sender2 = hyper::client::conn::http2::SendRequest<Full<Bytes>>;

// === impl Server ===

impl Server {
    pub(crate) async fn start(settings: Settings) -> Self {
        runtime::tls::install_provider();
        let (dir, tasks) = (tempfile::tempdir().unwrap(), Tasks::new(Shutdown::new()));
        let now = runtime::clock::system()();
        let pki = bootstrap::standalone(dir.path(), &[], "https://localhost:1", now).unwrap();
        let tls = ServerTls::asking(Identity::load(&pki.serving, &tasks).unwrap()).unwrap();
        let listener = Listener::tls("127.0.0.1:0".parse().unwrap(), Arc::clone(&tls)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (go_on, slow_begun) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (wait, begun) = (Arc::clone(&go_on), Arc::clone(&slow_begun));
        let service = service_fn(move |request: Request<Incoming>| {
            let (wait, begun) = (Arc::clone(&wait), Arc::clone(&begun));
            async move {
                if request.uri().path() == "/slow" {
                    begun.notify_one();
                    wait.notified().await;
                }
                let peer = request.extensions().get::<Peer>().unwrap();
                let text = format!("{:?} {} certificates", request.version(), peer.certificates.len());
                let mut response = Response::new(Full::new(Bytes::from(text)));
                if request.uri().path() == "/last" {
                    response.extensions_mut().insert(LastResponse);
                }
                Ok::<_, Infallible>(response)
            }
        });
        let serving = tasks.clone();
        tasks.critical("server", async move { serve::serve(listener, service, settings, &serving).await });
        Self { address, tasks, pki, tls, go_on, slow_begun, dir }
    }

    /// A TLS connection, as the admin or as nobody.
    pub(crate) async fn connect(&self, as_admin: bool) -> TlsStream<TcpStream> {
        self.try_connect(as_admin, &[&rustls::version::TLS13, &rustls::version::TLS12]).await.unwrap()
    }

    pub(crate) async fn try_connect(
        &self,
        as_admin: bool,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let config = ClientConfig::builder_with_protocol_versions(versions).with_root_certificates(roots(&self.pki.ca));
        let config = if as_admin {
            let (chain, key) = pair(&self.pki.admin);
            config.with_client_auth_cert(chain, key).unwrap()
        } else {
            config.with_no_client_auth()
        };
        let stream = TcpStream::connect(self.address).await?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
    }

    pub(crate) async fn http2(&self) -> Sender2 {
        let io = TokioIo::new(self.connect(true).await);
        let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
        self.tasks.spawn("client", connection);
        sender
    }

    pub(crate) async fn get1(&self, path: &str) -> String {
        let io = TokioIo::new(self.connect(false).await);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
        self.tasks.spawn("client", connection);
        text(sender.send_request(get(path)).await.unwrap()).await
    }
}

pub(crate) fn get(path: &str) -> Request<Full<Bytes>> {
    Request::get(format!("https://localhost{path}")).header("host", "localhost").body(Full::default()).unwrap()
}

pub(crate) async fn text(response: Response<Incoming>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

pub(crate) fn roots(ca: &Path) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    roots
}

pub(crate) fn pair(pair: &bootstrap::Pair) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = CertificateDer::pem_file_iter(&pair.cert).unwrap().map(Result::unwrap).collect();
    (chain, PrivateKeyDer::from_pem_file(&pair.key).unwrap())
}
