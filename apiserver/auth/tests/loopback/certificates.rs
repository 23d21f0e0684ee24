//! Users by client certificate.

use rcgen::ExtendedKeyUsagePurpose;

use crate::{
    pki::{DAY, Leaf},
    server::Server,
};

#[tokio::test]
async fn a_users_certificate_names_the_user_and_the_groups() {
    let server = Server::start().await;
    let master = Leaf { group: Some("system:masters"), ..Leaf::client("admin") };
    let expected = (200, "admin system:masters,system:authenticated ".to_owned());
    assert_eq!(server.who(Some(&server.users.issue(&master)), &[]).await, expected);
    assert!(server.cluster.access_asked().is_empty(), "nobody is asked about a master");

    assert_eq!(server.who(Some(&server.users.client("alice")), &[]).await.0, 200);
    let asked = server.cluster.access_asked();
    let id = asked[0]["extra"]["authentication.kubernetes.io/credential-id"][0].as_str().unwrap();
    assert!(id.starts_with("X509SHA256=") && id.len() == 11 + 64, "{id}");
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_no_identity_and_breaks_no_connection() {
    let server = Server::start().await;
    let now = runtime::clock::system()();
    let good = Leaf { group: Some("system:masters"), ..Leaf::client("admin") };
    let shown = [
        ("the proxies' CA", server.proxies.issue(&good)),
        ("an unknown CA", crate::pki::Authority::new("users").issue(&good)),
        ("for a server", server.users.issue(&Leaf { usage: ExtendedKeyUsagePurpose::ServerAuth, ..good.clone() })),
        ("expired", server.users.issue(&Leaf { valid: (now - DAY * 2, now - DAY), ..good.clone() })),
        ("not yet valid", server.users.issue(&Leaf { valid: (now + DAY, now + DAY * 2), ..good.clone() })),
        ("without a name", server.users.issue(&Leaf { name: "", ..good })),
    ];
    for (what, shown) in &shown {
        assert_eq!(server.who(Some(shown), &[]).await.0, 401, "{what}");
        let token = [("Authorization", "Bearer alice-token")];
        assert!(server.who(Some(shown), &token).await.1.starts_with("alice "), "{what}, but with a token");
    }
}

#[tokio::test]
async fn without_a_cluster_there_are_masters_and_nobody_else() {
    let (users, proxies) = (crate::pki::Authority::new("users"), crate::pki::Authority::new("proxies"));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("users.crt");
    std::fs::write(&path, &users.pem).unwrap();
    let args = auth::TrustArgs { client_ca_file: Some(path), ..Default::default() };
    let server = Server::serve(users, proxies, &args, false, dir).await;

    let master = server.users.issue(&Leaf { group: Some("system:masters"), ..Leaf::client("admin") });
    assert_eq!(server.who(Some(&master), &[]).await.0, 200);
    let (status, text) = server.who(Some(&server.users.client("bob")), &[]).await;
    assert_eq!((status, text.as_str()), (403, r#"forbidden: User "bob" cannot get path "/who""#));
    assert_eq!(server.who(None, &[]).await.0, 401);
    assert_eq!(server.who(None, &[("Authorization", "Bearer alice-token")]).await.0, 401);
    let proxied = [("X-Remote-User", "bob"), ("X-Remote-Group", "system:masters")];
    assert_eq!(server.who(Some(&server.proxy()), &proxied).await.0, 401);
}
