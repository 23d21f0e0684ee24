//! Two users, through the aggregator and past it, with the cluster's own RBAC.

use serde_json::{Value, json};

use crate::setting::{GROUP, MERGE, create, names, shared, token};

#[tokio::test(flavor = "multi_thread")]
async fn two_users_know_nothing_of_each_other() {
    let setting = shared();
    let path = setting.namespace("owners", &["alice", "eve"]).await;
    let (alice, eve) = (setting.user("alice"), setting.user("eve"));
    let mut watch = eve.lines(&format!("{path}?watch=1&timeoutSeconds=120"), &[]).await.unwrap();
    create(&alice, &path, "a1", json!({ "clusterName": "c" })).await;
    create(&alice, &path, "a2", json!({})).await;
    create(&eve, &path, "e", json!({})).await;
    let patch = json!({ "metadata": { "labels": { "user": "eve" } } }).to_string();
    alice.send("PATCH", &format!("{path}/a1"), &MERGE, patch.clone()).await.unwrap().success().unwrap();

    let one = format!("{path}/a1");
    for (method, uri, body) in [
        ("GET", one.clone(), String::new()),
        ("GET", format!("{one}/status"), String::new()),
        ("PATCH", one.clone(), patch),
        ("DELETE", one.clone(), String::new()),
        ("POST", format!("{one}/rotate"), String::new()),
    ] {
        let headers = if method == "PATCH" { &MERGE[..] } else { &[] };
        let answer = eve.send(method, &uri, headers, body).await.unwrap();
        assert_eq!(answer.status, 404, "{method} {uri}: {}", answer.text());
    }
    for (query, hers) in [
        ("", vec!["e"]),
        ("?resourceVersion=0", vec!["e"]),
        ("?labelSelector=user%3Deve", vec![]),
        ("?fieldSelector=spec.userID%3Dalice", vec![]),
        ("?fieldSelector=metadata.name%3Da1", vec![]),
        ("?limit=1", vec!["e"]),
    ] {
        assert_eq!(names(&eve, &format!("{path}{query}")).await, hers, "{query}");
    }
    for version in ["v1alpha1", "v1alpha2"] {
        assert_eq!(names(&alice, &path.replace("v1alpha2", version)).await, ["a1", "a2"], "{version}");
    }
    eve.send("DELETE", &path, &[], "").await.unwrap().success().unwrap();
    assert_eq!(names(&setting.cluster.admin(), &path).await, ["a1", "a2"]);
    for expected in ["ADDED", "DELETED"] {
        let event: Value = serde_json::from_str(&watch.next(kit::PATIENCE).await.unwrap().unwrap()).unwrap();
        assert_eq!((&event["type"], &event["object"]["metadata"]["name"]), (&json!(expected), &json!("e")), "{event}");
    }

    let all = json!([{ "apiGroups": [GROUP], "resources": ["ranchertokens"], "verbs": ["view-all"] }]);
    setting.grant("owners", &["warden"], all).await;
    let usual = json!([{ "apiGroups": [GROUP], "resources": ["ranchertokens"], "verbs": ["get", "list"] }]);
    setting.grant("owners", &["warden"], usual).await;
    kit::eventually!(names(&setting.user("warden"), &path).await == ["a1", "a2"], "who may view all sees all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_needs_impersonation() {
    let setting = shared();
    let path = setting.namespace("impersonates", &["alice"]).await;
    let robots = token("r", json!({ "userID": "robot" }));
    let refused = setting.user("alice").post(&path, &robots).await.unwrap();
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(refused.text().contains(r#"cannot impersonate resource \"users\""#), "{}", refused.text());
    let shown = crate::setting::plaintext(&setting.cluster.admin().post(&path, &robots).await.unwrap());
    let who = setting.who(&shown).await.unwrap();
    assert_eq!(
        (&who["username"], &who["groups"]),
        (&json!("robot"), &json!(["system:authenticated"])),
        "never a master"
    );
}
