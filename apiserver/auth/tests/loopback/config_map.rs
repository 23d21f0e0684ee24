//! Whom to believe, as the cluster's ConfigMap says it.

use std::time::Duration;

use runtime::health::Health;

use crate::{pki::Authority, server::Server};

const BOB: (&str, &str) = ("X-Remote-User", "bob");

fn data<'a>(users: &'a str, proxies: &'a str) -> [(&'a str, &'a str); 7] {
    [
        ("client-ca-file", users),
        ("requestheader-client-ca-file", proxies),
        ("requestheader-allowed-names", r#"["front-proxy"]"#),
        ("requestheader-username-headers", r#"["X-Remote-User"]"#),
        ("requestheader-uid-headers", r#"["X-Remote-Uid"]"#),
        ("requestheader-group-headers", r#"["X-Remote-Group"]"#),
        ("requestheader-extra-headers-prefix", r#"["X-Remote-Extra-"]"#),
    ]
}

async fn is_ready(health: &Health) -> bool {
    health.answer("/readyz", &[]).await.unwrap().status == 200
}

/// Waits until a condition holds.
async fn eventually(mut holds: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
}

#[tokio::test]
async fn nobody_is_believed_before_it_was_read() {
    let server = Server::behind_cluster().await;
    for headers in [&[][..], &[BOB], &[("Authorization", "Bearer alice-token")]] {
        assert_eq!(server.who(Some(&server.proxy()), headers).await.0, 503, "{headers:?}");
    }
    assert!(!is_ready(&server.health).await);
    server.cluster.set_config_map(&data(&server.users.pem, &server.proxies.pem));
    eventually(async || is_ready(&server.health).await).await;
    assert_eq!(server.who(Some(&server.proxy()), &[BOB]).await.0, 200);
    assert_eq!(server.who(Some(&server.users.client("alice")), &[]).await.0, 200);
}

#[tokio::test]
async fn a_ca_that_is_replaced_is_believed_no_longer() {
    let server = Server::behind_cluster().await;
    server.cluster.set_config_map(&data(&server.users.pem, &server.proxies.pem));
    eventually(async || is_ready(&server.health).await).await;

    let (old, rotated) = (server.proxy(), Authority::new("proxies"));
    server.cluster.set_config_map(&data(&server.users.pem, &rotated.pem));
    eventually(async || server.who(Some(&old), &[BOB]).await.0 == 401).await;
    assert_eq!(server.who(Some(&rotated.client("front-proxy")), &[BOB]).await.0, 200);
}

#[tokio::test]
async fn what_makes_no_sense_changes_nothing() {
    let server = Server::behind_cluster().await;
    let good = data(&server.users.pem, &server.proxies.pem);
    server.cluster.set_config_map(&good);
    eventually(async || is_ready(&server.health).await).await;

    let mut broken = good;
    broken[2].1 = "front-proxy";
    server.cluster.set_config_map(&broken);
    let rotated = Authority::new("users");
    server.cluster.set_config_map(&data("no certificate", &server.proxies.pem));
    server.cluster.set_config_map(&data(&rotated.pem, &server.proxies.pem));
    eventually(async || server.who(Some(&rotated.client("alice")), &[]).await.0 == 200).await;
    assert_eq!(server.who(Some(&server.proxy()), &[BOB]).await.0, 200);
}
