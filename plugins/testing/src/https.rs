//! A server on a loopback port, with a certificate of an authority of its own. What it answers is the test's.

use std::{
    net::SocketAddr,
    sync::{Arc, mpsc},
    thread,
};

use anyhow::{Context as _, Result};
use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use kit::Authority;
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tokio::{net::TcpListener, runtime::Runtime, sync::Notify};
use tokio_rustls::TlsAcceptor;

/// The name in its certificate beside the address.
pub const NAME: &str = "inner.example.com";

/// The server.
#[derive(Debug)]
pub struct Https {
    address: SocketAddr,
    authority: Authority,
}

/// A connection.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The subject of the client's certificate.
    pub certificate: Option<String>,
    /// Ends the connection, whatever is on its way.
    pub hangup: Arc<Notify>,
}

// === impl Https ===

impl Https {
    /// Starts it on a thread of its own that ends with the test process. Each connection gets a router.
    pub fn start(router: impl Fn(Caller) -> Router + Send + Sync + 'static) -> Result<Self> {
        let authority = Authority::new("plugin-ca")?;
        let tls = TlsAcceptor::from(tls(&authority)?);
        let runtime = Runtime::new()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let (ready, started) = mpsc::channel();
        thread::spawn(move || {
            let _ = ready.send(());
            runtime.block_on(serve(listener, tls, router));
        });
        started.recv().context("starting the server")?;
        Ok(Self { address, authority })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Of its certificate, and of those of clients.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }
}

fn tls(authority: &Authority) -> Result<Arc<ServerConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.cert().as_bytes())?)?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let verifier = verifier.allow_unauthenticated().build()?;
    let pair = authority.server(&[NAME, "127.0.0.1"])?;
    let chain = vec![CertificateDer::from_pem_slice(pair.cert.as_bytes())?];
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes())?;
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(config.with_client_cert_verifier(verifier).with_single_cert(chain, key)?))
}

#[expect(clippy::disallowed_methods, reason = "a connection lives as long as its client")]
async fn serve(listener: TcpListener, tls: TlsAcceptor, router: impl Fn(Caller) -> Router + Send + Sync + 'static) {
    let router = Arc::new(router);
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, router) = (tls.clone(), Arc::clone(&router));
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream).await else { return };
            let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| subject(&chain[0]));
            let hangup = Arc::new(Notify::new());
            let service = TowerToHyperService::new(router(Caller { certificate, hangup: Arc::clone(&hangup) }));
            let builder = Builder::new(TokioExecutor::new());
            tokio::select! {
                _ = builder.serve_connection(TokioIo::new(stream), service) => {}
                () = hangup.notified() => {}
            }
        });
    }
}

fn subject(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    Some(certificate.subject().to_string())
}
