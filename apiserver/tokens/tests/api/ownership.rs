//! Who sees which tokens, and for whom they may be made.

use serde_json::json;

use crate::support::{CLUSTER, TOKENS, World, create, names, plaintext, token};

/// A world in which alice has `a1` and `a2`, and bob `b`.
async fn shared() -> World {
    let world = World::new().await;
    for (user, name) in [("alice", "a1"), ("alice", "a2"), ("bob", "b")] {
        create(&world.as_user(user), name, json!({ "clusterName": "c" })).await;
    }
    world
}

#[tokio::test]
async fn a_caller_finds_their_own_alone() {
    let world = shared().await;
    let bob = world.as_user("bob");
    let uri = format!("{TOKENS}/a1");
    let patch = "application/merge-patch+json";
    let body = token("a1", json!({ "userID": "bob" })).to_string();
    for (method, uri, content_type, body) in [
        ("GET", uri.clone(), "", String::new()),
        ("GET", format!("{uri}/status"), "", String::new()),
        ("GET", format!("{uri}?resourceVersion=0"), "", String::new()),
        (
            "PUT",
            uri.clone(),
            "application/json",
            token("a1", json!({})).to_string().replace("\"name\":\"a1\"", "\"name\":\"a1\",\"resourceVersion\":\"1\""),
        ),
        ("PATCH", uri.clone(), patch, json!({ "spec": { "enabled": false } }).to_string()),
        ("PATCH", uri.clone(), patch, json!({ "metadata": { "labels": { "owner": "bob" } } }).to_string()),
        ("DELETE", uri.clone(), "", String::new()),
        ("POST", format!("{uri}/rotate"), "", String::new()),
        ("POST", format!("{uri}/rotate?dryRun=All"), "", String::new()),
    ] {
        let answer = bob.send(method, &uri, content_type, body).await;
        assert_eq!(answer.status, 404, "{method} {uri}: {}", answer.text());
        assert!(answer.text().contains(r#"ranchertokens.tomlebreux.com \"a1\" not found"#), "{}", answer.text());
    }
    for (method, uri, content_type) in [
        ("POST", TOKENS.to_owned(), "application/json"),
        ("PATCH", format!("{uri}?fieldManager=t"), "application/apply-patch+yaml"),
    ] {
        let answer = bob.send(method, &uri, content_type, body.clone()).await;
        assert_eq!(answer.status, 409, "{method}: {}", answer.text());
    }
    assert_eq!(world.as_user("alice").get(&uri).await.status, 200);
}

#[tokio::test]
async fn a_list_holds_their_own_whatever_it_selects() {
    let world = shared().await;
    let (alice, bob) = (world.as_user("alice"), world.as_user("bob"));
    alice.merge(&format!("{TOKENS}/a1"), &json!({ "metadata": { "labels": { "team": "x" } } })).await;
    for (query, expected) in [
        ("", vec!["a1", "a2"]),
        ("?limit=500", vec!["a1", "a2"]),
        ("?resourceVersion=0", vec!["a1", "a2"]),
        ("?labelSelector=team%3Dx", vec!["a1"]),
        ("?fieldSelector=spec.userID%3Dbob", vec![]),
        ("?fieldSelector=spec.userID!%3Dalice", vec![]),
        ("?fieldSelector=metadata.name%3Db", vec![]),
        ("?fieldSelector=metadata.name%3Da2", vec!["a2"]),
        ("?fieldSelector=spec.clusterName%3Dc,spec.enabled%3Dtrue", vec!["a1", "a2"]),
    ] {
        assert_eq!(names(&alice.get(&format!("{TOKENS}{query}")).await), expected, "{query}");
        let everywhere = "/apis/tomlebreux.com/v1alpha1/ranchertokens";
        assert_eq!(names(&alice.get(&format!("{everywhere}{query}")).await), expected, "{query}");
    }
    let page = alice.get(&format!("{TOKENS}?limit=1")).await;
    let next = page.json()["metadata"]["continue"].as_str().unwrap().to_owned();
    assert_eq!(names(&page), ["a1"]);
    let last = alice.get(&format!("{TOKENS}?limit=1&continue={next}")).await;
    assert_eq!((names(&last), last.json()["metadata"]["continue"].clone()), (vec!["a2".to_owned()], json!("")));
    assert_eq!(
        names(&bob.get(&format!("{TOKENS}?limit=1&continue={next}")).await),
        ["b"],
        "a token of a page is no pass"
    );
}

#[tokio::test]
async fn a_watch_tells_of_their_own() {
    let world = shared().await;
    let mut bobs = world
        .as_user("bob")
        .watch(&format!(
            "{TOKENS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        ))
        .await;
    assert_eq!(bobs.next().await["object"]["metadata"]["name"], "b");
    assert_eq!(bobs.next().await["type"], "BOOKMARK");
    let alice = world.as_user("alice");
    alice.merge(&format!("{TOKENS}/a1"), &json!({ "metadata": { "labels": { "spec.userID": "bob" } } })).await;
    alice.delete(&format!("{TOKENS}/a2")).await;
    create(&alice, "a3", json!({})).await;
    create(&world.as_user("bob"), "b2", json!({})).await;
    let event = bobs.next().await;
    assert_eq!((&event["type"], &event["object"]["metadata"]["name"]), (&json!("ADDED"), &json!("b2")), "{event}");
}

#[tokio::test]
async fn a_deletion_of_all_is_of_their_own() {
    let world = shared().await;
    assert_eq!(names(&world.as_user("bob").send("DELETE", TOKENS, "", String::new()).await), ["b"]);
    assert_eq!(names(&world.server.get(TOKENS).await), ["a1", "a2"]);
}

#[tokio::test]
async fn who_may_view_all_sees_all() {
    let world = shared().await;
    let carol = world.as_user("carol");
    assert_eq!(names(&carol.get(TOKENS).await), ["a1", "a2", "b"]);
    assert_eq!(names(&carol.get(&format!("{TOKENS}?fieldSelector=spec.userID%3Dbob")).await), ["b"]);
    let answer = carol.merge(&format!("{TOKENS}/b"), &json!({ "spec": { "enabled": false } })).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["status"]["state"]), (200, &json!("Disabled")));
    let revision = carol.get(TOKENS).await.json()["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    let mut watch = carol.watch(&format!("{TOKENS}?watch=1&resourceVersion={revision}")).await;
    create(&world.as_user("bob"), "b2", json!({})).await;
    assert_eq!(watch.next().await["object"]["metadata"]["name"], "b2");
}

#[tokio::test]
async fn tokens_of_others_are_made_by_who_may_be_them() {
    let world = World::new().await;
    let bobs = token("x", json!({ "userID": "bob" }));
    let refused = world.as_user("alice").post(TOKENS, &bobs).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(refused.text().contains("cannot impersonate resource"), "{}", refused.text());
    let uri = format!("{TOKENS}/x?fieldManager=t");
    let refused = world.as_user("alice").send("PATCH", &uri, "application/apply-patch+yaml", bobs.to_string()).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    let made = world.as_user("dave").post(TOKENS, &bobs).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(world.is(&plaintext(&made), "bob").await);
    assert_eq!(world.as_user("dave").get(&format!("{TOKENS}/x")).await.status, 404, "it is bob's");
    assert_eq!(world.as_user("bob").get(&format!("{TOKENS}/x")).await.status, 200);
    let root = world.as_user("dave").post(TOKENS, &token("y", json!({ "userID": "root" }))).await;
    assert_eq!(root.status, 403, "{}", root.text());
}

#[tokio::test]
async fn nobody_gets_more_groups_than_their_own_and_never_the_masters() {
    let world = World::new().await;
    let shown = create(&world.server, "m", json!({})).await;
    let tokens::Verdict::User(user) = world.review(&shown).await else { panic!("a user") };
    assert_eq!((user.name.as_str(), user.groups), ("admin", vec![]));
    let shown = create(&world.as_user("alice"), "a", json!({})).await;
    let tokens::Verdict::User(user) = world.review(&shown).await else { panic!("a user") };
    assert_eq!(user.groups, ["system:authenticated"]);
    assert_eq!(user.extra["tomlebreux.com/token"], ["default/a"]);
}

#[tokio::test]
async fn nobody_in_particular_gets_no_token() {
    let world = World::new().await;
    let refused = world.as_user("system:anonymous").post(TOKENS, &token("x", json!({}))).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
}

#[tokio::test]
async fn tokens_of_the_cluster_are_owned_alike() {
    let world = World::new().await;
    let object = json!({ "apiVersion": "tomlebreux.com/v1alpha2", "kind": "ClusterRancherToken", "metadata": { "name": "c" }, "spec": {} });
    let made = world.as_user("alice").post(CLUSTER, &object).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["metadata"].get("namespace"), None);
    assert!(world.is(&plaintext(&made), "alice").await);
    assert_eq!(world.as_user("bob").get(&format!("{CLUSTER}/c")).await.status, 404);
    assert_eq!(names(&world.as_user("bob").get(CLUSTER).await), [""; 0]);
    assert_eq!(names(&world.as_user("alice").get(CLUSTER).await), ["c"]);
}
