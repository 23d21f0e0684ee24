//! Certificates that change while the server runs.

use std::{fs, time::Duration};

use runtime::{files, serve::Settings, tls::bootstrap};

use crate::client::Server;

/// The serving certificate that a new connection sees.
async fn served(server: &Server) -> Vec<u8> {
    server.connect(false).await.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

/// Lets the files be looked at again, without waiting for it.
async fn look_again() {
    tokio::time::pause();
    tokio::time::sleep(files::POLL * 2).await;
    tokio::time::resume();
    tokio::time::sleep(Duration::from_millis(50)).await;
}

#[tokio::test]
async fn a_new_certificate_is_served_and_a_broken_one_is_not() {
    let server = Server::start(Settings::default()).await;
    let first = served(&server).await;
    let key = fs::read(&server.pki.serving.key).unwrap();

    fs::write(&server.pki.serving.cert, "broken").unwrap();
    look_again().await;
    assert_eq!(served(&server).await, first);

    fs::remove_file(&server.pki.serving.cert).unwrap();
    look_again().await;
    assert_eq!(served(&server).await, first);

    let now = runtime::clock::system()();
    bootstrap::standalone(server.dir.path(), &["other.example".to_owned()], "https://localhost:1", now).unwrap();
    assert_ne!(fs::read(&server.pki.serving.key).unwrap(), key);
    look_again().await;
    assert_ne!(served(&server).await, first);
}
