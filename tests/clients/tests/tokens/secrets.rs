//! The Secret is the token.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kit::eventually;
use serde_json::{Value, json};

use crate::setting::{GROUP, MERGE, create, names, plaintext, shared, token};

fn secrets(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/secrets")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_and_its_secret_are_one_object() {
    let setting = shared();
    let path = setting.namespace("ones", &["alice"]).await;
    let (alice, admin) = (setting.user("alice"), setting.cluster.admin());
    let mut watch = alice.lines(&format!("{path}?watch=1&timeoutSeconds=120"), &[]).await.unwrap();
    let shown = create(&alice, &path, "a", json!({ "ttl": "1h" })).await;
    let object = alice.get(&format!("{path}/a")).await.unwrap().success().unwrap();
    let secret = admin.get(&format!("{}/a", secrets("ones"))).await.unwrap().success().unwrap();
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        assert_eq!(object["metadata"][field], secret["metadata"][field], "{field}");
    }
    assert_eq!(secret["type"], "tomlebreux.com/ranchertokens");
    let random = shown.rsplit('/').next().unwrap();
    let holds = |text: &str| {
        secret["data"]
            .as_object()
            .unwrap()
            .values()
            .any(|value| String::from_utf8_lossy(&STANDARD.decode(value.as_str().unwrap()).unwrap()).contains(text))
    };
    assert!(holds("sha3-512:") && !holds(random), "a hash, and no plaintext");

    // What others do to the Secret is done to the token.
    let labelled = json!({ "metadata": { "labels": { "by": "hand" } } }).to_string();
    admin.send("PATCH", &format!("{}/a", secrets("ones")), &MERGE, labelled).await.unwrap().success().unwrap();
    assert_eq!(names(&alice, &format!("{path}?labelSelector=by%3Dhand")).await, ["a"]);
    assert_eq!(setting.who(&shown).await.unwrap()["username"], "alice", "labels decide nothing");
    admin.send("DELETE", &format!("{}/a", secrets("ones")), &[], "").await.unwrap().success().unwrap();
    assert_eq!(alice.get(&format!("{path}/a")).await.unwrap().status, 404);
    assert_eq!(setting.review(&shown).await, json!({ "authenticated": false }));
    for expected in ["ADDED", "MODIFIED", "DELETED"] {
        let event: Value = serde_json::from_str(&watch.next(kit::PATIENCE).await.unwrap().unwrap()).unwrap();
        assert_eq!((&event["type"], &event["object"]["metadata"]["name"]), (&json!(expected), &json!("a")), "{event}");
    }
    create(&alice, &path, "a", json!({})).await;
    alice.send("DELETE", &format!("{path}/a"), &[], "").await.unwrap().success().unwrap();
    assert_eq!(admin.get(&format!("{}/a", secrets("ones"))).await.unwrap().status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_secret_of_that_name_is_in_the_way() {
    let setting = shared();
    let path = setting.namespace("foreign", &["alice"]).await;
    let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "taken" } });
    setting.cluster.admin().post(&secrets("foreign"), &secret).await.unwrap().success().unwrap();
    let alice = setting.user("alice");
    let refused = alice.post(&path, &token("taken", json!({}))).await.unwrap();
    assert_eq!(
        (refused.status, &refused.json().unwrap()["reason"]),
        (409, &json!("AlreadyExists")),
        "{}",
        refused.text()
    );
    assert_eq!(alice.get(&format!("{path}/taken")).await.unwrap().status, 404);
    assert_eq!(names(&alice, &path).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_write_secrets_becomes_nobody() {
    let setting = shared();
    let path = setting.namespace("forged", &["mallory"]).await;
    let all = json!([{ "apiGroups": [""], "resources": ["secrets"], "verbs": ["*"] }]);
    setting.grant("forged", &["mallory"], all).await;
    let mallory = setting.user("mallory");
    let shown = create(&mallory, &path, "own", json!({})).await;
    let secret = mallory.get(&format!("{}/own", secrets("forged"))).await.unwrap().success().unwrap();

    let mut planted = secret.clone();
    planted["metadata"] = json!({ "name": "planted" });
    planted["data"]["userID"] = json!(STANDARD.encode("admin"));
    planted["data"]["groups"] = json!(STANDARD.encode(r#"["system:masters"]"#));
    mallory.post(&secrets("forged"), &planted).await.unwrap().success().unwrap();
    let forged = shown.replace("/own/", "/planted/");
    assert_eq!(setting.who(&forged).await, None);
    let copy = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "copied" }, "type": secret["type"], "data": secret["data"] });
    mallory.post(&secrets("forged"), &copy).await.unwrap().success().unwrap();
    assert_eq!(setting.who(&shown.replace("/own/", "/copied/")).await, None);

    assert_eq!(setting.who(&shown).await.unwrap()["username"], "mallory");
    let edit = json!({ "data": { "userID": STANDARD.encode("admin") } }).to_string();
    mallory.send("PATCH", &format!("{}/own", secrets("forged")), &MERGE, edit).await.unwrap().success().unwrap();
    assert_eq!(setting.review(&shown).await["authenticated"], false);
    let nonsense = json!({ "data": null }).to_string();
    mallory.send("PATCH", &format!("{}/copied", secrets("forged")), &MERGE, nonsense).await.unwrap().success().unwrap();
    let list = setting.cluster.admin().get(&path).await.unwrap().success().unwrap();
    let states: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| &item["status"]["state"]).collect();
    assert_eq!(states, ["Invalid"; 3], "the list works, and says so");
    setting.cluster.admin().send("DELETE", &path, &[], "").await.unwrap().success().unwrap();
    assert_eq!(names(&setting.cluster.admin(), &path).await, [""; 0], "what is invalid can be deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_revisions_are_the_kube_apiservers() {
    let setting = shared();
    let path = setting.namespace("pages", &["alice"]).await;
    let alice = setting.user("alice");
    for name in ["a", "b", "c"] {
        create(&alice, &path, name, json!({})).await;
    }
    let first = alice.get(&format!("{path}?limit=2")).await.unwrap().success().unwrap();
    create(&alice, &path, "aa", json!({})).await;
    let next = first["metadata"]["continue"].as_str().unwrap();
    let rest = alice.get(&format!("{path}?limit=2&continue={next}")).await.unwrap().success().unwrap();
    assert_eq!(rest["items"].as_array().unwrap().len(), 1, "as of the first page");
    assert_eq!(rest["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    let revision = first["metadata"]["resourceVersion"].as_str().unwrap();
    let mut watch =
        alice.lines(&format!("{path}?watch=1&resourceVersion={revision}&timeoutSeconds=60"), &[]).await.unwrap();
    let event: Value = serde_json::from_str(&watch.next(kit::PATIENCE).await.unwrap().unwrap()).unwrap();
    assert_eq!((&event["type"], &event["object"]["metadata"]["name"]), (&json!("ADDED"), &json!("aa")));
    let exact = format!("{path}?resourceVersion={revision}&resourceVersionMatch=Exact");
    assert_eq!(names(&alice, &exact).await, ["a", "b", "c"]);
    let mut ancient = alice.lines(&format!("{path}?watch=1&resourceVersion=1&timeoutSeconds=60"), &[]).await.unwrap();
    let event: Value = serde_json::from_str(&ancient.next(kit::PATIENCE).await.unwrap().unwrap()).unwrap();
    assert!(event["object"]["code"] == 410 || event["type"] == "ADDED", "gone, or all of it: {event}");
    let future =
        alice.get(&format!("{path}?resourceVersion=99999999999&resourceVersionMatch=NotOlderThan")).await.unwrap();
    assert_eq!(future.status, 504, "{}", future.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_the_cluster_are_in_a_namespace_of_their_own() {
    let setting = shared();
    let admin = setting.cluster.admin();
    let path = format!("/apis/{GROUP}/v1alpha2/clusterranchertokens");
    let object = json!({ "apiVersion": "tomlebreux.com/v1alpha2", "kind": "ClusterRancherToken", "metadata": { "name": "c" }, "spec": {} });
    let shown = plaintext(&admin.post(&path, &object).await.unwrap());
    assert_eq!(setting.who(&shown).await.unwrap()["username"], "admin");
    let secret = admin.get(&format!("{}/c", secrets("outrigger-tokens"))).await.unwrap().success().unwrap();
    assert_eq!(secret["type"], "tomlebreux.com/clusterranchertokens");
    let listed = || async { names(&admin, &path).await };
    assert_eq!(listed().await, ["c"]);
    let kubectl = setting.kubectl();
    assert!(kubectl.ok(&["get", "clusterranchertokens"]).unwrap().contains("admin"));
    kubectl.ok(&["delete", "clusterranchertoken", "c"]).unwrap();
    eventually!(listed().await.is_empty(), "it is gone");
}
