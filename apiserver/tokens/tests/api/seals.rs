//! Who may write Secrets must not be able to become anybody.

use base64::{Engine, prelude::BASE64_STANDARD};
use proto::token::Secret;
use serde_json::{Value, json};
use tokens::Verdict;

use crate::support::{TOKENS, World, create, key, names};

fn data(text: &str) -> Value {
    Value::from(BASE64_STANDARD.encode(text))
}

#[tokio::test]
async fn a_planted_hash_is_nobodys() {
    let world = World::new().await;
    create(&world.as_user("mallory"), "own", json!({})).await;
    let (like, mut secret) = world.secret("own").await;
    let hash = Secret::of([5; 32]).hash([0; 16]);
    secret["metadata"] = json!({ "name": "planted", "uid": "u" });
    for (field, text) in [("userID", "admin"), ("groups", r#"["system:masters"]"#), ("hash", hash.as_str())] {
        secret["data"][field] = data(text);
    }
    world.plant(key("default", "planted"), &like.content, &secret).await;
    let presented =
        proto::token::Presented { namespace: "default".into(), name: "planted".into(), secret: Secret::of([5; 32]) };
    let invalid = Verdict::Refused("the token is invalid: its status says why");
    assert_eq!(world.review(&presented.expose()).await, invalid);

    // Nor does anything done to it through the API make it somebody's.
    let uri = format!("{TOKENS}/planted");
    let shown = world.server.get(&uri).await.json();
    assert_eq!(shown["status"]["state"], "Invalid");
    assert!(shown["status"]["message"].as_str().unwrap().contains("somebody other than this API"), "{shown}");
    let patched =
        world.server.merge(&uri, &json!({ "metadata": { "labels": { "a": "b" } }, "spec": { "enabled": true } })).await;
    assert_eq!(
        (patched.status.as_u16(), &patched.json()["status"]["state"]),
        (200, &json!("Invalid")),
        "{}",
        patched.text()
    );
    let rotated = world.server.send("POST", &format!("{uri}/rotate"), "", String::new()).await;
    assert_eq!(rotated.status, 409, "{}", rotated.text());
    assert_eq!(world.review(&presented.expose()).await, invalid);
    assert_eq!(names(&world.server.get(TOKENS).await), ["own", "planted"], "the list still works");
    assert_eq!(world.server.delete(&uri).await.status, 200);
}

#[tokio::test]
async fn a_copy_is_nobodys() {
    let world = World::new().await;
    let shown = create(&world.as_user("alice"), "a", json!({})).await;
    let (like, mut secret) = world.secret("a").await;
    world.plant(key("other", "a"), &like.content, &secret).await;
    let elsewhere = shown.replace("ort/default/", "ort/other/");
    assert!(matches!(world.review(&elsewhere).await, Verdict::Refused(_)), "the same uid in another namespace");
    world.as_user("alice").delete(&format!("{TOKENS}/a")).await;
    assert_eq!(world.review(&shown).await, Verdict::Unknown);
    secret["metadata"]["uid"] = json!("another");
    world.plant(key("default", "a"), &like.content, &secret).await;
    assert!(matches!(world.review(&shown).await, Verdict::Refused(_)), "put back after it was deleted");
}

#[tokio::test]
async fn an_edit_makes_it_nobodys() {
    for (field, text) in [
        ("userID", "admin"),
        ("groups", r#"["system:masters"]"#),
        ("ttl", "9000h"),
        ("ttl", ""),
        ("enabled", "false"),
        ("mac", ""),
        ("mac", "AAAA"),
        ("hash", "nonsense"),
    ] {
        let world = World::new().await;
        let shown = create(&world.as_user("alice"), "a", json!({ "ttl": "1h" })).await;
        world.meddle("a", |secret| secret["data"][field] = data(text)).await;
        let verdict = world.review(&shown).await;
        assert!(!matches!(verdict, Verdict::User(_)), "{field} {text}: {verdict:?}");
        let listed = world.server.get(TOKENS).await;
        assert_eq!(listed.json()["items"][0]["status"]["state"], "Invalid", "{field} {text}");
    }
}

#[tokio::test]
async fn nonsense_is_shown_as_such() {
    let world = World::new().await;
    create(&world.as_user("alice"), "a", json!({})).await;
    create(&world.as_user("alice"), "b", json!({})).await;
    for nonsense in [
        json!({}),
        json!(null),
        json!({ "managedFields": "e30=", "generation": "eA==", "userID": "/////w==" }),
        json!(7),
    ] {
        world.meddle("a", |secret| secret["data"] = nonsense.clone()).await;
        let listed = world.server.get(TOKENS).await;
        assert_eq!(names(&listed), ["a", "b"], "{nonsense}");
        let states: Vec<_> =
            listed.json()["items"].as_array().unwrap().iter().map(|item| item["status"]["state"].clone()).collect();
        assert_eq!(states, ["Invalid", "Active"], "{nonsense}");
        assert_eq!(names(&world.as_user("alice").get(TOKENS).await), ["b"], "it is nobody's");
    }
}

#[tokio::test]
async fn a_token_that_is_being_made_is_not_there_yet() {
    let world = World::new().await;
    create(&world.as_user("alice"), "a", json!({})).await;
    world.meddle("a", |secret| secret["data"] = json!({ "pending": data("2023-11-14T22:13:20Z") })).await;
    assert_eq!(world.server.get(&format!("{TOKENS}/a")).await.status, 404);
    assert_eq!(names(&world.server.get(TOKENS).await), [""; 0]);
}
