//! `X-Remote-*` counts from the front proxy and from nobody else.

use rcgen::ExtendedKeyUsagePurpose;

use crate::{
    pki::{Authority, DAY, Leaf},
    server::{Answer, Server},
};

const BOB: (&str, &str) = ("X-Remote-User", "bob");
const MASTER: [(&str, &str); 2] = [("X-Remote-User", "bob"), ("X-Remote-Group", "system:masters")];

fn is_unauthorized((status, text): &Answer) -> bool {
    (*status, text.as_str()) == (401, "Unauthorized")
}

#[tokio::test]
async fn the_front_proxy_states_who_asks() {
    let server = Server::start().await;
    let proxy = server.proxy();
    let headers =
        [BOB, ("X-Remote-Group", "dev"), ("X-Remote-Uid", "7"), ("X-Remote-Extra-A%2Fb", "c"), ("accept", "*/*")];
    let expected = (200, "bob dev,system:authenticated accept".to_owned());
    assert_eq!(server.who(Some(&proxy), &headers).await, expected, "and the handler sees none of it");
    let asked = &server.cluster.access_asked()[0];
    assert_eq!((&asked["user"], &asked["uid"]), (&"bob".into(), &"7".into()));
    assert_eq!(asked["extra"]["a/b"][0], "c");
    assert_eq!(asked["nonResourceAttributes"]["path"], "/who");
}

#[tokio::test]
async fn without_a_certificate_nobody_states_anything() {
    let server = Server::start().await;
    for headers in [&[BOB][..], &MASTER, &[("X-Remote-Group", "system:masters")], &[("x_remote_user", "bob")], &[]] {
        assert!(is_unauthorized(&server.who(None, headers).await), "{headers:?}");
    }
    assert!(server.cluster.access_asked().is_empty());
}

#[tokio::test]
async fn another_certificate_is_not_the_front_proxys() {
    let server = Server::start().await;
    let now = runtime::clock::system()();
    let good = Leaf::client("front-proxy");
    let shown = [
        ("a user's CA", server.users.client("front-proxy")),
        ("another CA of the same name", Authority::new("proxies").client("front-proxy")),
        ("another name", server.proxies.client("mallory")),
        ("no name", server.proxies.client("")),
        ("for a server", server.proxies.issue(&Leaf { usage: ExtendedKeyUsagePurpose::ServerAuth, ..good.clone() })),
        ("expired", server.proxies.issue(&Leaf { valid: (now - DAY * 2, now - DAY), ..good.clone() })),
        ("not yet valid", server.proxies.issue(&Leaf { valid: (now + DAY, now + DAY * 2), ..good })),
    ];
    for (what, shown) in &shown {
        for headers in [&[BOB][..], &MASTER] {
            assert!(is_unauthorized(&server.who(Some(shown), headers).await), "{what} {headers:?}");
        }
    }
}

#[tokio::test]
async fn a_chain_must_be_whole() {
    let server = Server::start().await;
    let mut shown = server.proxies.intermediate("below").client("front-proxy");
    assert_eq!(server.who(Some(&shown), &[BOB]).await.0, 200);
    shown.chain.truncate(1);
    assert!(is_unauthorized(&server.who(Some(&shown), &[BOB]).await));
}

#[tokio::test]
async fn headers_that_disagree_are_refused() {
    let server = Server::start().await;
    let proxy = server.proxy();
    for headers in [
        &[BOB, ("X-Remote-User", "admin")][..],
        &[BOB, ("X_Remote_User", "admin")],
        &[BOB, ("x-remote_group", "system:masters")],
        &[("X-Remote-User", "")],
        &[("X_Remote_User", "bob")],
    ] {
        assert!(is_unauthorized(&server.who(Some(&proxy), headers).await), "{headers:?}");
    }
}

#[tokio::test]
async fn a_comma_makes_no_list() {
    let server = Server::start().await;
    let proxy = server.proxy();
    let (status, text) = server.who(Some(&proxy), &[("X-Remote-User", "bob,admin")]).await;
    assert_eq!(status, 403);
    assert!(text.contains(r#"User "bob,admin" cannot get path "/who""#), "{text}");
    let headers = [("X-Remote-User", "eve"), ("X-Remote-Group", "dev,system:masters")];
    assert_eq!(server.who(Some(&proxy), &headers).await.0, 403);
}

#[tokio::test]
async fn the_case_of_a_header_means_nothing() {
    let server = Server::start().await;
    assert_eq!(server.who(Some(&server.proxy()), &[("x-REMOTE-user", "bob")]).await.0, 200);
}

#[tokio::test]
async fn the_proxys_word_is_taken_before_a_token_and_a_liars_token_is_not_asked_about() {
    let server = Server::start().await;
    let both = [BOB, ("Authorization", "Bearer alice-token")];
    assert!(server.who(Some(&server.proxy()), &both).await.1.starts_with("bob "));
    assert!(is_unauthorized(&server.who(None, &both).await));
    assert_eq!(server.cluster.tokens_asked(), 0);
}

#[tokio::test]
async fn nothing_is_remembered_of_a_connections_earlier_requests() {
    let server = Server::start().await;
    let answers = server.who_in_turn(Some(&server.proxy()), &[&[BOB], &[], &MASTER, &[("accept", "*/*")]]).await;
    let statuses: Vec<u16> = answers.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [200, 401, 200, 401]);
}

#[tokio::test]
async fn without_names_any_certificate_of_the_proxys_own_ca_is_the_proxy() {
    let server = Server::with(|_| {}).await;
    assert_eq!(server.who(Some(&server.proxies.client("any")), &[BOB]).await.0, 200);
}

#[tokio::test]
async fn a_proxy_that_every_user_could_pass_for_is_believed_nothing() {
    let server = Server::with(|args| args.requestheader_client_ca_file = args.client_ca_file.clone()).await;
    let bob = server.users.client("bob");
    assert!(is_unauthorized(&server.who(Some(&bob), &MASTER).await));
    assert_eq!(server.who(Some(&bob), &[]).await.0, 200, "their own certificate still is");
}

#[tokio::test]
async fn other_header_names_are_read_and_removed_as_well() {
    let server = Server::with(|args| {
        args.requestheader_username_headers = vec!["X-Custom-User".to_owned(), "X-Remote-User".to_owned()];
    })
    .await;
    let proxy = server.proxy();
    let custom = ("X-Custom-User", "bob");
    let expected = (200, "bob system:authenticated ".to_owned());
    assert_eq!(server.who(Some(&proxy), &[custom]).await, expected);
    assert!(is_unauthorized(&server.who(Some(&proxy), &[custom, ("X-Remote-User", "alice")]).await), "smuggled");
    assert!(is_unauthorized(&server.who(Some(&server.users.client("alice")), &[custom]).await));
}

#[tokio::test]
async fn large_headers_are_refused_and_do_no_harm() {
    let server = Server::start().await;
    let large = "x".repeat(900 << 10);
    assert_eq!(server.who(Some(&server.proxy()), &[BOB, ("X-Remote-Extra-Large", &large)]).await.0, 200);
    let larger = "x".repeat(1 << 20);
    assert_eq!(server.who(Some(&server.proxy()), &[BOB, ("X-Remote-Extra-Large", &larger)]).await.0, 431);
    assert_eq!(server.who(Some(&server.proxy()), &[BOB]).await.0, 200);
}
