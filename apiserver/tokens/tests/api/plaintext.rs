//! The plaintext is shown once.

use serde_json::json;

use crate::support::{TOKENS, World, create, plaintext, token};

const APPLY: &str = "application/apply-patch+yaml";

#[tokio::test]
async fn who_creates_a_token_sees_it_and_nobody_after() {
    let world = World::new().await;
    let alice = world.as_user("alice");
    let mut watch = alice.watch(&format!("{TOKENS}?watch=1")).await;
    let answer = alice.post(TOKENS, &token("a", json!({ "ttl": "1h" }))).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let made = answer.json();
    let shown = plaintext(&answer);
    assert!(shown.starts_with("ort/default/a/"), "it says where it is kept");
    assert_eq!((&made["spec"]["userID"], &made["status"]["state"]), (&json!("alice"), &json!("Active")));
    assert_eq!(made["status"]["expiresAt"], "2023-11-14T23:13:20Z");
    let secret = shown.rsplit('/').next().unwrap();
    let (_, kept) = world.secret("a").await;
    let mut seen = vec![watch.next().await.to_string(), kept.to_string()];
    for uri in [format!("{TOKENS}/a"), TOKENS.to_owned(), format!("{TOKENS}/a/status")] {
        seen.push(alice.get(&uri).await.text());
        seen.push(world.server.get(&uri).await.text());
    }
    seen.push(
        alice
            .accepting("application/json;as=Table;g=meta.k8s.io;v=v1")
            .get(&format!("{TOKENS}?includeObject=Object"))
            .await
            .text(),
    );
    seen.push(alice.merge(&format!("{TOKENS}/a"), &json!({ "spec": { "enabled": false } })).await.text());
    seen.push(alice.delete(&format!("{TOKENS}/a")).await.text());
    seen.push(watch.next().await.to_string());
    for text in &seen {
        assert!(!text.contains(secret) && !text.contains("plaintextToken") && !text.contains("sha3"), "{text}");
    }
    assert!(seen[0].contains("\"ADDED\""), "{}", seen[0]);
}

#[tokio::test]
async fn an_apply_that_creates_shows_it_and_one_that_changes_does_not() {
    let world = World::new().await;
    let alice = world.as_user("alice");
    let uri = format!("{TOKENS}/a?fieldManager=test");
    let config = token("a", json!({ "ttl": "1h" })).to_string();
    let answer = alice.send("PATCH", &uri, APPLY, config.clone()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert!(world.is(&plaintext(&answer), "alice").await);
    assert!(!answer.json()["metadata"]["managedFields"].to_string().contains("plaintextToken"));
    for config in [config, token("a", json!({ "ttl": "30m" })).to_string()] {
        let again = alice.send("PATCH", &uri, APPLY, config).await;
        assert_eq!(
            (again.status.as_u16(), again.json()["status"].get("plaintextToken")),
            (200, None),
            "{}",
            again.text()
        );
    }
}

#[tokio::test]
async fn a_dry_run_makes_nothing_to_show() {
    let world = World::new().await;
    let alice = world.as_user("alice");
    let answer = alice.post(&format!("{TOKENS}?dryRun=All"), &token("a", json!({}))).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert!(!answer.text().contains("plaintextToken"), "{}", answer.text());
    let uri = format!("{TOKENS}/a?fieldManager=test&dryRun=All");
    let applied = alice.send("PATCH", &uri, APPLY, token("a", json!({})).to_string()).await;
    assert_eq!(applied.status, 201, "{}", applied.text());
    assert!(!applied.text().contains("plaintextToken"), "{}", applied.text());
    assert_eq!(alice.get(&format!("{TOKENS}/a")).await.status, 404);
}

#[tokio::test]
async fn what_is_sent_back_is_not_kept() {
    let world = World::new().await;
    let alice = world.as_user("alice");
    let shown = create(&alice, "a", json!({})).await;
    let mut object = alice.get(&format!("{TOKENS}/a")).await.json();
    object["status"]["plaintextToken"] = json!(shown);
    object["metadata"]["labels"] = json!({ "changed": "yes" });
    let answer = alice.put(&format!("{TOKENS}/a"), &object).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(!answer.text().contains("plaintextToken"), "{}", answer.text());
    assert!(!world.secret("a").await.1.to_string().contains("plaintextToken"));
    let answer = alice.merge(&format!("{TOKENS}/a/status"), &json!({ "status": { "plaintextToken": shown } })).await;
    assert_eq!(answer.status, 405, "{}", answer.text());
    object["metadata"] = json!({ "name": "b" });
    let other = alice.post(TOKENS, &object).await;
    assert_ne!(plaintext(&other), shown, "it is the server that says what is presented");
}

#[tokio::test]
async fn a_table_shows_none() {
    let world = World::new().await;
    let alice = world.as_user("alice").accepting("application/json;as=Table;g=meta.k8s.io;v=v1");
    let answer = alice
        .post(&format!("{TOKENS}?includeObject=Object"), &token("a", json!({ "ttl": "1h", "clusterName": "c" })))
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert!(!answer.text().contains("plaintextToken"), "{}", answer.text());
    let table = answer.json();
    let columns: Vec<&str> = table["columnDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|column| column["priority"] == 0)
        .map(|column| column["name"].as_str().unwrap())
        .collect();
    assert_eq!(columns, ["Name", "User", "Cluster", "Enabled", "Expires", "Age"]);
    assert_eq!(
        table["rows"][0]["cells"].as_array().unwrap()[..5],
        [json!("a"), json!("alice"), json!("c"), json!(true), json!("2023-11-14T23:13:20Z")]
    );
}
