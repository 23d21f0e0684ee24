//! What a failed exchange says of the request: that it was not sent, or that nobody knows.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::Request;
use kit::{Authority, Scratch};
use power::http::{Client, Endpoint, Limits, Trust};
use proto::node::Error;
use rustls::{ServerConfig, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// What must happen, and what must not.
const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(300);

/// What a server does with its one connection.
enum Server {
    /// Nothing, not even the handshake.
    Mute,
    /// Reads the request and never answers.
    Silent,
    /// Reads the request and writes this, then closes.
    Says(Vec<u8>),
}

struct Site {
    authority: Authority,
    scratch: Scratch,
    listener: TcpListener,
}

impl Site {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { authority: Authority::new("a CA").unwrap(), scratch: Scratch::new("exchange").unwrap(), listener }
    }

    fn endpoint(&self) -> Endpoint {
        format!("https://{}", self.listener.local_addr().unwrap()).parse().unwrap()
    }

    fn trust(&self, ca: &Authority) -> Trust {
        Trust::File(self.scratch.write("ca.crt", ca.cert()).unwrap())
    }

    /// What a client that trusts this CA and has these limits hears from a server with a certificate for `name`.
    async fn exchange(&self, trust: Trust, name: &str, answer: Duration, server: Server) -> Result<String, Error> {
        let client = Client::new(trust, Limits { connect: LONG.min(answer), answer }).unwrap();
        let request = Request::post("/ignored").body(Bytes::from_static(b"hello")).unwrap();
        let endpoint = self.endpoint().at("/path?query").unwrap();
        tokio::select! {
            answer = client.send(&endpoint, request) => answer.map(|answer| String::from_utf8(answer.into_body().to_vec()).unwrap()),
            () = self.serve(name, server) => unreachable!("a server never ends"),
        }
    }

    async fn serve(&self, name: &str, server: Server) {
        let pair = self.authority.server(&[name]).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                CertificateDer::pem_slice_iter(pair.cert.as_bytes()).collect::<Result<_, _>>().unwrap(),
                PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap(),
            )
            .unwrap();
        let (stream, _) = self.listener.accept().await.unwrap();
        if !matches!(server, Server::Mute) {
            let Ok(mut stream) = TlsAcceptor::from(Arc::new(config)).accept(stream).await else {
                return std::future::pending().await;
            };
            read_request(&mut stream).await;
            if let Server::Says(bytes) = server {
                // The client may hang up before it has read all.
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
            }
            return std::future::pending().await;
        }
        std::future::pending().await
    }
}

async fn read_request(stream: &mut TlsStream<TcpStream>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\nhello") {
        assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0, "the client hung up");
    }
    let request = String::from_utf8(request).unwrap();
    assert!(request.starts_with("POST /path?query HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nhost: 127.0.0.1:"), "{request}");
}

fn says(head: &str, body: &str) -> Server {
    Server::Says(format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes())
}

#[tokio::test]
async fn an_answer_of_any_status_is_an_answer() {
    let site = Site::new().await;
    let trust = site.trust(&site.authority);
    for head in ["200 OK", "500 Internal Server Error", "302 Found\r\nlocation: https://elsewhere.example/"] {
        assert_eq!(site.exchange(trust.clone(), "127.0.0.1", LONG, says(head, "well")).await.as_deref(), Ok("well"));
    }
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent() {
    let site = Site::new().await;
    let (trust, stranger) = (site.trust(&site.authority), Authority::new("another CA").unwrap());
    let unreachable = |heard: &Result<String, Error>| matches!(heard, Err(Error::Unreachable(_)));
    let heard = site.exchange(trust.clone(), "another.example", LONG, Server::Silent).await;
    assert!(unreachable(&heard), "a certificate for another name: {heard:?}");
    let heard = site.exchange(trust.clone(), "127.0.0.1", SHORT, Server::Mute).await;
    assert!(unreachable(&heard), "no handshake: {heard:?}");
    let heard = site.exchange(site.trust(&stranger), "127.0.0.1", LONG, Server::Silent).await;
    assert!(unreachable(&heard), "a certificate of another CA: {heard:?}");
    let (endpoint, client) = (site.endpoint(), Client::new(trust, Limits::answer_within(LONG)).unwrap());
    drop(site.listener);
    let heard = client.send(&endpoint, Request::new(Bytes::new())).await;
    assert!(matches!(&heard, Err(Error::Unreachable(message)) if message.contains("refused")), "{heard:?}");
}

#[tokio::test]
async fn once_the_request_is_sent_nobody_knows() {
    let site = Site::new().await;
    let trust = site.trust(&site.authority);
    let large = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(2 << 20));
    let cases = [
        ("no answer in time", SHORT, Server::Silent),
        ("the connection closes", LONG, Server::Says(Vec::new())),
        ("what is not HTTP", LONG, Server::Says(b"220 mail.example ESMTP\r\n".to_vec())),
        ("an answer cut short", LONG, Server::Says(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nhalf".to_vec())),
        ("an answer without end", LONG, Server::Says(large.into_bytes())),
    ];
    for (what, patience, server) in cases {
        let heard = site.exchange(trust.clone(), "127.0.0.1", patience, server).await;
        assert!(matches!(heard, Err(Error::Ambiguous(_))), "{what}: {heard:?}");
    }
}

#[test]
fn a_ca_file_that_holds_none_is_refused_at_once() {
    let scratch = Scratch::new("trust").unwrap();
    let empty = Trust::File(scratch.write("ca.crt", "").unwrap());
    assert!(Client::new(empty, Limits::answer_within(LONG)).is_err());
    let missing = Trust::File(scratch.file("none"));
    assert!(Client::new(missing, Limits::answer_within(LONG)).unwrap_err().to_string().contains("none"));
}
