//! TLS, which a proxy takes off in front of the stub.

use std::sync::Arc;

use kit::Scratch;
use proto::cbt::{Blocks, Error};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    process::{bench, list, spawn},
    support::{BLOCKS, REGION, key},
};

/// Not just any.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_must_show_a_certificate_that_the_machine_trusts() {
    let bench = bench().await;
    let authority = kit::Authority::new("test").unwrap();
    let stranger = kit::Authority::new("stranger").unwrap();
    let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", front.local_addr().unwrap().port());
    let mut proxy = JoinSet::new();
    proxy.spawn(terminate(front, authority.server(&["localhost"]).unwrap(), bench.stub.url()));
    let key = key();
    for (ca, trusted) in [(authority.cert(), true), (stranger.cert(), false)] {
        let scratch = Scratch::new("cbt-ebs").unwrap();
        let roots = scratch.write("roots.pem", ca).unwrap().display().to_string();
        let env = [
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", &*key.id),
            ("AWS_SECRET_ACCESS_KEY", &*key.secret),
            ("AWS_ENDPOINT_URL", &*url),
            ("SSL_CERT_FILE", &*roots),
        ];
        let (mut process, socket) = spawn(&scratch, &env);
        match list(&scratch, &mut process, &socket).await {
            Ok(messages) => {
                assert_eq!((messages.iter().map(Blocks::len).sum::<usize>(), trusted), (BLOCKS as usize, true))
            }
            Err(error) => assert!(matches!(error, Error::Unavailable(_)) && !trusted, "{error:?}"),
        }
    }
}

/// Takes TLS off in front of the stub.
async fn terminate(front: TcpListener, pair: kit::Pair, url: String) {
    let provider = rustls::crypto::ring::default_provider();
    let tls =
        rustls::ServerConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions().unwrap();
    let chain = vec![CertificateDer::from_pem_slice(pair.cert.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(tls.with_no_client_auth().with_single_cert(chain, key).unwrap()));
    let mut connections = JoinSet::new();
    loop {
        let (outside, _) = front.accept().await.unwrap();
        let (acceptor, stub) = (acceptor.clone(), url["http://".len()..].to_owned());
        connections.spawn(async move {
            let Ok(mut outside) = acceptor.accept(outside).await else { return };
            let mut inside = TcpStream::connect(stub).await.unwrap();
            // Either side may leave.
            let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
        });
    }
}
