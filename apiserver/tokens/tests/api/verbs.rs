//! Tokens are as every other kind is; and what they refuse.

use serde_json::{Value, json};
use tokens::Verdict;

use crate::support::{TOKENS, World, create, plaintext, token};

const TEXTS: &str = "/apis/tomlebreux.com/v1alpha1/namespaces/default/ranchertokens";

#[tokio::test]
async fn both_versions_say_the_same_in_their_own_words() {
    let world = World::new().await;
    let alice = world.as_user("alice");
    let texts = json!({
        "apiVersion": "tomlebreux.com/v1alpha1", "kind": "RancherToken", "metadata": { "name": "a" },
        "spec": { "ttl": "3600", "enabled": "true" },
    });
    let made = alice.post(TEXTS, &texts).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(world.is(&plaintext(&made), "alice").await);
    assert_eq!(made.json()["spec"]["enabled"], "true");
    let typed = alice.get(&format!("{TOKENS}/a")).await.json();
    assert_eq!(
        (&typed["apiVersion"], &typed["spec"]["enabled"], &typed["spec"]["ttl"]),
        (&json!("tomlebreux.com/v1alpha2"), &json!(true), &json!("3600s"))
    );
    let disabled = alice.merge(&format!("{TEXTS}/a"), &json!({ "spec": { "enabled": "false" } })).await;
    assert_eq!(
        (disabled.status.as_u16(), &disabled.json()["spec"]["enabled"]),
        (200, &json!("false")),
        "{}",
        disabled.text()
    );
    assert_eq!(alice.get(&format!("{TOKENS}/a")).await.json()["spec"]["enabled"], false);
    let listed = alice.get(TEXTS).await.json();
    assert_eq!(
        (&listed["items"][0]["apiVersion"], &listed["items"][0]["spec"]["enabled"]),
        (&json!("tomlebreux.com/v1alpha1"), &json!("false"))
    );
    let mut watch = alice.watch(&format!("{TEXTS}?watch=1&resourceVersion=0&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true")).await;
    assert_eq!(watch.next().await["object"]["spec"]["enabled"], "false");
    for (uri, spec) in [
        (TEXTS, json!({ "enabled": true })),
        (TEXTS, json!({ "enabled": "maybe" })),
        (TOKENS, json!({ "enabled": "true" })),
        (TOKENS, json!({ "ttl": 3600 })),
    ] {
        let mut wrong = token("wrong", spec);
        wrong["apiVersion"] = json!(if uri == TEXTS { "tomlebreux.com/v1alpha1" } else { "tomlebreux.com/v1alpha2" });
        let refused = alice.post(uri, &wrong).await;
        assert_eq!(refused.status, 422, "{wrong}: {}", refused.text());
    }
}

#[tokio::test]
async fn discovery_prefers_types_and_knows_rotate() {
    let world = World::new().await;
    let group = world.server.get("/apis/tomlebreux.com").await.json();
    assert_eq!(group["preferredVersion"]["version"], "v1alpha2");
    for version in ["v1alpha1", "v1alpha2"] {
        let resources = world.server.get(&format!("/apis/tomlebreux.com/{version}")).await.json();
        let names: Vec<&str> =
            resources["resources"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        for name in [
            "ranchertokens",
            "ranchertokens/status",
            "ranchertokens/rotate",
            "clusterranchertokens",
            "clusterranchertokens/rotate",
        ] {
            assert!(names.contains(&name), "{version}: {names:?}");
        }
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_its_causes() {
    let world = World::new().await;
    let alice = world.as_user("alice");
    for (spec, field) in [
        (json!({ "ttl": "-1h" }), "spec.ttl"),
        (json!({ "ttl": "soon" }), "spec.ttl"),
        (json!({ "ttl": "999999h" }), "spec.ttl"),
        (json!({ "ttl": "9999999999999999999999999999h" }), "spec.ttl"),
        (json!({ "description": "x".repeat(1025) }), "spec.description"),
        (json!({ "enabled": "yes" }), "spec.enabled"),
    ] {
        let refused = alice.post(TOKENS, &token("x", spec.clone())).await;
        assert_eq!(refused.status, 422, "{spec}: {}", refused.text());
        let status = refused.json();
        let fields: Vec<&str> = status["details"]["causes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|cause| cause["field"].as_str().unwrap())
            .collect();
        assert!(fields.contains(&field), "{spec}: {status}");
    }
    for name in ["Upper", "under_score", &"x".repeat(254), "-a", "a/b"] {
        let refused = alice.post(TOKENS, &token(name, json!({}))).await;
        assert_eq!(refused.status, 422, "{name}: {}", refused.text());
    }
    let refused = alice.post(TOKENS, &token("x", json!({ "userID": "a\nb" }))).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    create(&alice, "x", json!({ "ttl": "1h", "clusterName": "c" })).await;
    for (change, field) in [
        (json!({ "userID": "bob" }), "spec.userID"),
        (json!({ "userID": null }), "spec.userID"),
        (json!({ "clusterName": "d" }), "spec.clusterName"),
        (json!({ "ttl": "2h" }), "spec.ttl"),
        (json!({ "ttl": null }), "spec.ttl"),
    ] {
        let refused = world.server.merge(&format!("{TOKENS}/x"), &json!({ "spec": change })).await;
        assert_eq!(refused.status, 422, "{change}: {}", refused.text());
        assert_eq!(refused.json()["details"]["causes"][0]["field"], field);
    }
    let again = alice.post(TOKENS, &token("x", json!({}))).await;
    assert_eq!((again.status.as_u16(), &again.json()["reason"]), (409, &json!("AlreadyExists")));
}

#[tokio::test]
async fn generations_revisions_and_finalizers_are_as_everywhere() {
    let world = World::new().await;
    let alice = world.as_user("alice");
    let uri = format!("{TOKENS}/a");
    let mut object = token("", json!({}));
    object["metadata"] = json!({ "generateName": "gen-" });
    let generated = alice.post(TOKENS, &object).await.json();
    assert!(generated["metadata"]["name"].as_str().unwrap().starts_with("gen-"), "{generated}");
    create(&alice, "a", json!({})).await;
    let first = alice.get(&uri).await.json();
    let changed = alice.merge(&uri, &json!({ "spec": { "enabled": false } })).await.json();
    assert_eq!((&first["metadata"]["generation"], &changed["metadata"]["generation"]), (&json!(1), &json!(2)));
    let mut stale = first.clone();
    stale["spec"]["description"] = json!("late");
    let conflict = alice.put(&uri, &stale).await;
    assert_eq!((conflict.status.as_u16(), &conflict.json()["reason"]), (409, &json!("Conflict")));
    alice.merge(&uri, &json!({ "metadata": { "finalizers": ["example.com/hold"] } })).await;
    let marked = alice.delete(&uri).await;
    assert!(marked.json()["metadata"]["deletionTimestamp"].is_string(), "{}", marked.text());
    assert_eq!(alice.get(&uri).await.json()["status"]["state"], "Deleting");
    alice.merge(&uri, &json!({ "metadata": { "finalizers": null } })).await;
    assert_eq!(alice.get(&uri).await.status, 404);
}

#[tokio::test]
async fn a_token_is_refused_when_it_is_disabled_expired_or_gone() {
    let world = World::new().await;
    let alice = world.as_user("alice");
    let uri = format!("{TOKENS}/a");
    let shown = create(&alice, "a", json!({ "ttl": "1h" })).await;
    assert!(world.is(&shown, "alice").await);
    alice.merge(&uri, &json!({ "spec": { "enabled": false } })).await;
    assert_eq!(world.review(&shown).await, Verdict::Refused("the token is disabled"));
    alice.merge(&uri, &json!({ "spec": { "enabled": true } })).await;
    assert!(world.is(&shown, "alice").await);
    world.pass(3600);
    assert_eq!(world.review(&shown).await, Verdict::Refused("the token has expired"));
    assert_eq!(alice.get(&uri).await.json()["status"]["expired"], true);
    alice.delete(&uri).await;
    assert_eq!(world.review(&shown).await, Verdict::Unknown);
    for text in ["", "ort/default/a/", "bob-token", &shown[..shown.len() - 1], &format!("{shown}x")] {
        assert_eq!(world.review(text).await, Verdict::Unknown, "{text}");
    }
}

#[tokio::test]
async fn an_object_is_what_its_secret_is() {
    let world = World::new().await;
    let alice = world.as_user("alice");
    create(&alice, "a", json!({ "description": "d" })).await;
    let object = alice.get(&format!("{TOKENS}/a")).await.json();
    let (entry, secret) = world.secret("a").await;
    assert_eq!(object["metadata"]["uid"], secret["metadata"]["uid"]);
    assert_eq!(object["metadata"]["resourceVersion"], Value::from(entry.revision.to_string()));
    let keys: Vec<&str> = secret["data"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["description", "enabled", "generation", "groups", "hash", "mac", "managedFields", "userID"]);
}
