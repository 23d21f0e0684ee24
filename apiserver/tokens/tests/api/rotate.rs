//! Another plaintext for a token that there is.

use serde_json::json;
use tokens::Verdict;

use crate::support::{TOKENS, World, create, plaintext};

#[tokio::test]
async fn the_new_one_counts_and_the_old_one_does_not() {
    let world = World::new().await;
    let alice = world.as_user("alice");
    let old = create(&alice, "a", json!({ "ttl": "1h" })).await;
    let before = alice.get(&format!("{TOKENS}/a")).await.json();
    let answer = alice.send("POST", &format!("{TOKENS}/a/rotate"), "", String::new()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let new = plaintext(&answer);
    assert!(world.is(&new, "alice").await);
    assert_eq!(world.review(&old).await, Verdict::Unknown);
    let after = alice.get(&format!("{TOKENS}/a")).await.json();
    assert_eq!(after["status"].get("plaintextToken"), None);
    assert_ne!(after["status"]["fingerprint"], before["status"]["fingerprint"]);
    for field in ["uid", "generation", "creationTimestamp"] {
        assert_eq!(after["metadata"][field], before["metadata"][field], "{field}");
    }
    assert_eq!(
        (&after["spec"], &after["status"]["expiresAt"], &after["status"]["groups"]),
        (&before["spec"], &before["status"]["expiresAt"], &before["status"]["groups"])
    );
}

#[tokio::test]
async fn a_dry_run_leaves_the_old_one() {
    let world = World::new().await;
    let alice = world.as_user("alice");
    let old = create(&alice, "a", json!({})).await;
    let answer = alice.send("POST", &format!("{TOKENS}/a/rotate?dryRun=All"), "", String::new()).await;
    assert_eq!((answer.status.as_u16(), answer.text().contains("plaintextToken")), (201, false), "{}", answer.text());
    assert!(world.is(&old, "alice").await);
}

#[tokio::test]
async fn an_answer_that_could_not_show_it_is_refused_before() {
    let world = World::new().await;
    let alice = world.as_user("alice");
    let old = create(&alice, "a", json!({})).await;
    let table = alice.accepting("application/json;as=Table;g=meta.k8s.io;v=v1");
    assert_eq!(table.send("POST", &format!("{TOKENS}/a/rotate"), "", String::new()).await.status, 406);
    assert!(world.is(&old, "alice").await);
    let yaml = alice.accepting("application/yaml").send("POST", &format!("{TOKENS}/a/rotate"), "", String::new()).await;
    assert!(yaml.text().contains("plaintextToken: ort/default/a/"), "{}", yaml.text());
}

#[tokio::test]
async fn what_cannot_be_rotated_says_why() {
    let world = World::new().await;
    let alice = world.as_user("alice");
    assert_eq!(alice.send("POST", &format!("{TOKENS}/none/rotate"), "", String::new()).await.status, 404);
    assert_eq!(alice.get(&format!("{TOKENS}/none/rotate")).await.status, 405);
    create(&alice, "a", json!({ "ttl": "1m" })).await;
    world.pass(61);
    let answer = alice.send("POST", &format!("{TOKENS}/a/rotate"), "", String::new()).await;
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert!(answer.text().contains("expired"), "{}", answer.text());
}
