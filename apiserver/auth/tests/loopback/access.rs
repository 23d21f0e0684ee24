//! What users may do, and as whom.

use crate::{pki::Leaf, server::Server};

const BOB: (&str, &str) = ("X-Remote-User", "bob");

#[tokio::test]
async fn the_cluster_is_asked_about_every_kind_of_request_and_once_in_a_while() {
    let server = Server::start().await;
    let proxy = server.proxy();
    for _ in 0..3 {
        assert_eq!(server.who(Some(&proxy), &[BOB]).await.0, 200);
    }
    assert_eq!(server.cluster.access_asked().len(), 1);
    for _ in 0..3 {
        let (status, text) = server.ask("DELETE", "/who", Some(&proxy), &[BOB]).await;
        let expected = r#"forbidden: User "bob" cannot delete path "/who": no rule"#;
        assert_eq!((status, text.as_str()), (403, expected));
    }
    assert_eq!(server.cluster.access_asked().len(), 2);
    assert_eq!(server.who(Some(&proxy), &[BOB, ("X-Remote-Group", "dev")]).await.0, 200);
    assert_eq!(server.cluster.access_asked().len(), 3, "with another group it is another question");
}

#[tokio::test]
async fn nobody_may_anything_while_the_cluster_does_not_answer_but_masters_may() {
    let server = Server::start().await;
    server.cluster.set_down(true);
    assert_eq!(server.who(Some(&server.proxy()), &[BOB]).await.0, 500);
    assert_eq!(server.who(Some(&server.proxy()), &[BOB, ("X-Remote-Group", "system:masters")]).await.0, 200);
    server.cluster.set_down(false);
    assert_eq!(server.who(Some(&server.proxy()), &[BOB]).await.0, 200);
}

#[tokio::test]
async fn acting_as_somebody_else_needs_leave() {
    let server = Server::start().await;
    let master = server.users.issue(&Leaf { group: Some("system:masters"), ..Leaf::client("admin") });
    let alice = [("Impersonate-User", "alice"), ("Impersonate-Group", "ops")];
    let expected = (200, "alice ops,system:authenticated ".to_owned());
    assert_eq!(server.who(Some(&master), &alice).await, expected);
    assert_eq!(server.cluster.access_asked()[0]["user"], "alice", "she is asked about, not the master");

    let (status, text) = server.who(Some(&server.users.client("bob")), &alice).await;
    let expected = r#"users "alice" is forbidden: User "bob" cannot impersonate resource "users" in API group "" at the cluster scope: no rule"#;
    assert_eq!((status, text.as_str()), (403, expected));
    assert_eq!(server.who(Some(&master), &[("Impersonate-Group", "ops")]).await.0, 400);
    assert_eq!(server.who(None, &alice).await.0, 401);
}
