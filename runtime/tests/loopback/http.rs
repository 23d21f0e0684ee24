//! The life of a connection.

use std::time::Duration;

use runtime::serve::Settings;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::client::{Server, get, text};

/// Nothing here takes so long, unless it hangs.
const LONG: Duration = Duration::from_secs(10);

#[tokio::test]
async fn both_versions_are_served_and_requests_know_their_peer() {
    let server = Server::start(Settings::default()).await;
    assert_eq!(server.get1("/").await, "HTTP/1.1 0 certificates");
    let mut sender = server.http2().await;
    assert_eq!(text(sender.send_request(get("/")).await.unwrap()).await, "HTTP/2.0 1 certificates");
}

#[tokio::test]
async fn a_drain_finishes_what_runs_and_takes_nothing_new() {
    let server = Server::start(Settings::default()).await;
    let mut sender = server.http2().await;
    let slow = sender.send_request(get("/slow"));
    let slow = server.tasks.spawn("slow request", slow);
    server.slow_begun.notified().await;
    server.tasks.shutdown().drain();
    // The client is told: the connection takes no further request, while the one that runs goes on.
    timeout(LONG, async { while sender.send_request(get("/")).await.is_ok() {} }).await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
    assert!(server.tasks.running().contains(&"connection"));
    server.go_on.notify_one();
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
    drop(sender);
    timeout(LONG, server.tasks.ended()).await.unwrap();
    assert!(!server.tasks.failed());
}

#[tokio::test]
async fn an_abort_waits_for_nobody() {
    let server = Server::start(Settings::default()).await;
    let mut sender = server.http2().await;
    let slow = server.tasks.spawn("slow request", sender.send_request(get("/slow")));
    server.slow_begun.notified().await;
    server.tasks.shutdown().abort();
    assert!(timeout(LONG, slow).await.unwrap().unwrap().is_err());
    timeout(LONG, server.tasks.ended()).await.unwrap();
}

#[tokio::test]
async fn idle_connections_are_closed_and_busy_ones_are_not() {
    let settings = Settings {
        header_timeout: Duration::from_millis(300),
        idle_timeout: Duration::from_millis(300),
        ..Settings::default()
    };
    let server = Server::start(settings).await;
    let (mut silent, mut busy) = (server.connect(false).await, server.http2().await);
    let slow = server.tasks.spawn("slow request", busy.send_request(get("/slow")));
    server.slow_begun.notified().await;

    let mut nothing = Vec::new();
    timeout(LONG, silent.read_to_end(&mut nothing)).await.unwrap().ok();
    assert!(nothing.is_empty(), "who never asks is cut off without a word");
    tokio::time::sleep(settings.idle_timeout * 2).await;
    server.go_on.notify_one();
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
    timeout(LONG, async {
        while busy.ready().await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_last_response_ends_the_connection_after_it() {
    let server = Server::start(Settings::default()).await;
    let mut sender = server.http2().await;
    let slow = server.tasks.spawn("slow request", sender.send_request(get("/slow")));
    server.slow_begun.notified().await;
    assert_eq!(sender.send_request(get("/last")).await.unwrap().status(), 200);
    timeout(LONG, async { while sender.send_request(get("/")).await.is_ok() {} }).await.unwrap();
    server.go_on.notify_one();
    assert_eq!(slow.await.unwrap().unwrap().status(), 200, "what ran before is finished");
    assert_eq!(server.get1("/").await, "HTTP/1.1 0 certificates", "others are served on");
}

#[tokio::test]
async fn plain_http_is_answered_in_words() {
    let server = Server::start(Settings::default()).await;
    for method in ["GET", "PATCH"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(format!("{method} /version HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        timeout(LONG, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert_eq!(answer, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
    }
    assert_eq!(server.get1("/").await, "HTTP/1.1 0 certificates", "others are served on");
}

#[tokio::test]
async fn who_does_not_finish_the_handshake_is_cut_off_and_holds_up_nobody() {
    let settings = Settings { handshake_timeout: Duration::from_millis(300), ..Settings::default() };
    let server = Server::start(settings).await;
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let mut halfway = TcpStream::connect(server.address).await.unwrap();
    halfway.write_all(&[0x16, 3, 1]).await.unwrap();
    let mut garbage = TcpStream::connect(server.address).await.unwrap();
    garbage.write_all(&[0; 64]).await.unwrap();
    assert_eq!(server.get1("/").await, "HTTP/1.1 0 certificates");
    for stream in [&mut silent, &mut halfway, &mut garbage] {
        let mut rest = Vec::new();
        timeout(LONG, stream.read_to_end(&mut rest)).await.unwrap().ok();
    }
}
