//! Bearer tokens.

use std::sync::{Arc, Mutex};

use crate::server::Server;

const ALICE: (&str, &str) = ("Authorization", "Bearer alice-token");

#[tokio::test]
async fn the_cluster_says_whose_a_token_is_and_is_asked_once_in_a_while() {
    let server = Server::start().await;
    for _ in 0..3 {
        let expected = (200, "alice dev,system:authenticated ".to_owned());
        assert_eq!(server.who(None, &[ALICE]).await, expected);
    }
    assert_eq!(server.cluster.tokens_asked(), 1);
    for _ in 0..3 {
        assert_eq!(server.who(None, &[("Authorization", "Bearer stolen")]).await.0, 401);
    }
    assert_eq!(server.cluster.tokens_asked(), 2, "a refusal holds as long");
}

#[tokio::test]
async fn what_is_no_token_is_not_asked_about() {
    let server = Server::start().await;
    for value in ["", "Bearer", "Bearer ", "Basic YWxpY2U6eA==", "alice-token"] {
        assert_eq!(server.who(None, &[("Authorization", value)]).await.0, 401, "{value:?}");
    }
    assert_eq!(server.who(None, &[ALICE, ("Authorization", "Bearer stolen")]).await.0, 401);
    assert_eq!(server.cluster.tokens_asked(), 0);
    assert_eq!(server.who(None, &[("Authorization", "Bearer nameless-token")]).await.0, 401);
}

#[tokio::test]
async fn nobody_gets_in_while_the_cluster_does_not_answer_and_everybody_does_after() {
    let server = Server::start().await;
    server.cluster.set_down(true);
    assert_eq!(server.who(None, &[ALICE]).await.0, 401);
    server.cluster.set_down(false);
    assert_eq!(server.who(None, &[ALICE]).await.0, 200, "a failure is not kept");
}

#[tokio::test]
async fn no_token_is_ever_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone());
    let _installed = tracing::subscriber::set_default(subscriber.finish());

    let server = Server::start().await;
    for token in ["canary-unknown", "canary-unreadable", "canary-erring"] {
        let header = format!("Bearer {token}");
        assert_eq!(server.who(None, &[("Authorization", &header)]).await.0, 401);
        let forged = [("Authorization", header.as_str()), ("X-Remote-User", "admin")];
        assert_eq!(server.who(None, &forged).await.0, 401);
    }
    server.cluster.set_down(true);
    assert_eq!(server.who(None, &[("Authorization", "Bearer canary-down")]).await.0, 401);

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("is not the front proxy") && log.contains("could not ask whose a token is"), "{log}");
    assert!(!log.contains("canary"), "{log}");
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
