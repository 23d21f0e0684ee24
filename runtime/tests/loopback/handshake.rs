//! What is agreed on in the handshake.

use std::sync::{Arc, Mutex};

use runtime::{serve::Settings, tls::ClientRoots};
use rustls::{
    ClientConfig, SignatureScheme,
    client::ResolvesClientCert,
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::client::{Server, roots};

/// Remembers which CAs the server says to know.
#[derive(Debug, Default)]
struct Hints(Mutex<Vec<Vec<u8>>>);

impl ResolvesClientCert for Hints {
    fn resolve(&self, hints: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        *self.0.lock().unwrap() = hints.iter().map(|hint| hint.to_vec()).collect();
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}

async fn advertised(server: &Server) -> Vec<Vec<u8>> {
    let hints = Arc::new(Hints::default());
    let config = ClientConfig::builder()
        .with_root_certificates(roots(&server.pki.ca))
        .with_client_cert_resolver(Arc::clone(&hints) as _);
    let stream = TcpStream::connect(server.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    std::mem::take(&mut *hints.0.lock().unwrap())
}

#[tokio::test]
async fn both_tls_versions_are_served_to_those_with_and_without_a_certificate() {
    let server = Server::start(Settings::default()).await;
    for version in [&TLS12, &TLS13] {
        for as_admin in [false, true] {
            let stream = server.try_connect(as_admin, &[version]).await.unwrap();
            assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        }
    }
}

#[tokio::test]
async fn the_cas_that_are_known_are_advertised_and_change_while_it_runs() {
    let server = Server::start(Settings::default()).await;
    assert!(advertised(&server).await.is_empty());
    let known = ClientRoots::parse(&std::fs::read(&server.pki.ca).unwrap()).unwrap().subjects();
    server.tls.advertise(known.clone()).unwrap();
    let expected: Vec<Vec<u8>> = known.iter().map(|name| name.as_ref().to_vec()).collect();
    assert_eq!(advertised(&server).await, expected);
}
