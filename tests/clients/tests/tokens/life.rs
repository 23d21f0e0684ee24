//! From `kubectl create` to `kubectl --token`, and to its end.

use kit::{BOB, Identity, eventually};
use serde_json::{Value, json};

use crate::setting::{GROUP, MERGE, Setting, create, example, plaintext, shared};

const NOBODY: Option<Value> = None;

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_makes_a_token_and_is_its_user() {
    let setting = shared();
    setting.namespace("life", &["bob"]).await;
    let bob = setting.cluster.kubectl_as(BOB).unwrap();
    let made = bob.ok(&["create", "-n", "life", "-f", &life(setting, "token.yaml"), "-o", "json"]).unwrap();
    let made: Value = serde_json::from_str(&made).unwrap();
    assert_eq!((&made["apiVersion"], &made["spec"]["enabled"]), (&json!("tomlebreux.com/v1alpha1"), &json!("true")));
    let shown = made["status"]["plaintextToken"].as_str().unwrap().to_owned();
    let whoami = || setting.kubectl().run(&["auth", "whoami", "-o", "json", "--token", &shown]).unwrap();
    let who: Value = serde_json::from_str(&whoami().success().unwrap()).unwrap();
    let who = &who["status"]["userInfo"];
    assert_eq!((&who["username"], &who["groups"]), (&json!("bob"), &json!(["system:authenticated"])), "{who}");
    assert_eq!(who["extra"]["tomlebreux.com/token"], json!(["life/my-token"]));
    let refused = setting.kubectl().run(&["get", "secrets", "-n", "life", "--token", &shown]).unwrap();
    assert!(refused.success().unwrap_err().to_string().contains(r#"User "bob" cannot list resource "secrets""#));

    bob.ok(&["apply", "-n", "life", "-f", &life(setting, "token-disabled.yaml")]).unwrap();
    assert_eq!(setting.review(&shown).await, json!({ "authenticated": false, "error": "the token is disabled" }));
    eventually!(whoami().success().is_err(), "kubectl is refused, too");
    bob.ok(&["apply", "-n", "life", "-f", &life(setting, "token.yaml")]).unwrap();
    assert_eq!(setting.review(&shown).await["authenticated"], true);

    let used = || {
        bob.ok(&[
            "get",
            "ranchertoken",
            "my-token",
            "-n",
            "life",
            "-o",
            "jsonpath={.metadata.generation} {.status.lastUsedAt}",
        ])
        .unwrap()
    };
    eventually!(used().starts_with("3 2"), "its use is noted, and no new generation: {}", used());
    bob.ok(&["delete", "ranchertoken", "my-token", "-n", "life"]).unwrap();
    assert_eq!(setting.review(&shown).await, json!({ "authenticated": false }));
    eventually!(whoami().success().is_err(), "kubectl is refused, too");
}

/// The example, in the namespace of the test.
fn life(setting: &Setting, name: &str) -> String {
    let document = std::fs::read_to_string(example(name)).unwrap().replace("namespace: default", "namespace: life");
    setting.scratch.write(name, document).unwrap().to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_a_user_works() {
    let setting = shared();
    let kubectl = setting.kubectl();
    let watch = kubectl.spawn("watch", &["get", "ranchertokens", "-w", "-n", "default"]).unwrap();
    eventually!(kubectl.run(&["get", "ranchertokens"]).unwrap().success().is_ok(), "they are served");
    let made = kubectl.ok(&["create", "-f", &example("token.yaml"), "-o", "yaml"]).unwrap();
    assert!(made.contains("plaintextToken: ort/default/my-token/") && made.contains("enabled: \"true\""), "{made}");
    let table = kubectl.ok(&["get", "ranchertoken", "my-token"]).unwrap();
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NAME", "USER", "CLUSTER", "ENABLED", "EXPIRES", "AGE"]);
    assert_eq!(lines[1][..4], ["my-token", "admin", "local", "true"]);
    let json = kubectl.ok(&["get", "ranchertokens.v1alpha1.tomlebreux.com", "my-token", "-o", "json"]).unwrap();
    assert!(json.contains(r#""enabled": "true""#) && !json.contains("plaintextToken"), "{json}");
    let yaml = kubectl.ok(&["get", "ranchertoken", "my-token", "-o", "yaml"]).unwrap();
    assert!(yaml.contains("apiVersion: tomlebreux.com/v1alpha2") && yaml.contains("enabled: true"), "{yaml}");
    let applied = kubectl.ok(&["apply", "-f", &example("token-disabled.yaml")]).unwrap();
    assert!(applied.contains("my-token configured"), "{applied}");
    assert!(kubectl.ok(&["get", "ranchertokens", "-o", "wide"]).unwrap().contains("Disabled"));
    let rotated = kubectl
        .ok(&[
            "create",
            "--raw",
            &format!("/apis/{GROUP}/v1alpha2/namespaces/default/ranchertokens/my-token/rotate"),
            "-f",
            "/dev/null",
        ])
        .unwrap();
    assert!(rotated.contains("plaintextToken"), "{rotated}");
    let deleted = kubectl.ok(&["delete", "-f", &example("token.yaml")]).unwrap();
    assert!(deleted.contains(r#""my-token" deleted"#), "{deleted}");
    let seen = || watch.output().lines().filter(|line| line.starts_with("my-token")).count();
    eventually!(seen() >= 4, "the watch has seen it made, disabled, rotated and deleted: {}", watch.output());
    let applied = kubectl.ok(&["apply", "--server-side", "-f", &example("token.yaml"), "-o", "yaml"]).unwrap();
    assert!(applied.contains("plaintextToken"), "an apply that creates shows it: {applied}");
    let again = kubectl.ok(&["apply", "--server-side", "-f", &example("token.yaml"), "-o", "yaml"]).unwrap();
    assert!(!again.contains("plaintextToken"), "{again}");
    kubectl.ok(&["delete", "ranchertoken", "my-token"]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_account_makes_tokens_for_itself() {
    let setting = shared();
    let kubectl = setting.kubectl();
    kubectl.ok(&["apply", "-f", &example("sa.yaml")]).unwrap();
    let account = kubectl.ok(&["create", "token", "token-user"]).unwrap();
    let own = setting.bearer(account.trim());
    let path = format!("/apis/{GROUP}/v1alpha2/namespaces/default/ranchertokens");
    let shown = create(&own, &path, "robot", json!({})).await;
    let who = setting.who(&shown).await.unwrap();
    assert_eq!(who["username"], "system:serviceaccount:default:token-user");
    assert!(who["groups"].as_array().unwrap().contains(&json!("system:serviceaccounts:default")), "{who}");
    own.send("DELETE", &format!("{path}/robot"), &[], "").await.unwrap().success().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_token_counts_and_the_one_before_does_not() {
    let setting = shared();
    let path = setting.namespace("rotates", &["alice"]).await;
    let alice = setting.user("alice");
    let old = create(&alice, &path, "a", json!({})).await;
    assert_eq!(setting.who(&old).await.unwrap()["username"], "alice");
    let new = plaintext(&alice.send("POST", &format!("{path}/a/rotate"), &[], "").await.unwrap());
    assert_eq!(setting.review(&old).await, json!({ "authenticated": false }));
    assert_eq!(setting.who(&new).await.unwrap()["username"], "alice");
    eventually!(setting.who(&old).await == NOBODY, "the kube-apiserver has forgotten the old one");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_refused_and_then_deleted() {
    let setting = shared();
    let path = setting.namespace("expires", &["alice"]).await;
    let alice = setting.user("alice");
    let mut watch = alice.lines(&format!("{path}?watch=1&timeoutSeconds=120"), &[]).await.unwrap();
    let shown = create(&alice, &path, "short", json!({ "ttl": "3s" })).await;
    let held = create(&alice, &path, "held", json!({ "ttl": "3s" })).await;
    let finalizer = json!({ "metadata": { "finalizers": ["example.com/hold"] } }).to_string();
    alice.send("PATCH", &format!("{path}/held"), &MERGE, finalizer).await.unwrap().success().unwrap();
    assert_eq!(setting.review(&shown).await["authenticated"], true);
    eventually!(setting.review(&shown).await["authenticated"] == false, "its time is over");
    eventually!(setting.who(&held).await == NOBODY, "so is that of the other");
    let mut deleted = Vec::new();
    while !deleted.contains(&"short".to_owned()) {
        let event: Value = serde_json::from_str(&watch.next(kit::PATIENCE).await.unwrap().unwrap()).unwrap();
        if event["type"] == "DELETED" {
            deleted.push(event["object"]["metadata"]["name"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(deleted, ["short"], "what is held stays");
    let state = async || alice.get(&format!("{path}/held")).await.unwrap().json().unwrap()["status"]["state"].clone();
    eventually!(state().await == "Deleting", "it waits for its finalizer");
    let none = json!({ "metadata": { "finalizers": null } }).to_string();
    alice.send("PATCH", &format!("{path}/held"), &MERGE, none).await.unwrap().success().unwrap();
    assert_eq!(alice.get(&format!("{path}/held")).await.unwrap().status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_kube_apiserver_is_told_whose_a_token_is() {
    let setting = shared();
    let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": { "token": "x" } });
    let stranger = kit::Authority::new("strangers").unwrap().client("kube-apiserver", None).unwrap();
    for identity in [Identity::Anonymous, Identity::Token(kit::ADMIN.to_owned()), Identity::Certificate(stranger)] {
        let answer = setting.webhook_as(&identity).post("/tokenreviews", &review).await;
        assert!(answer.is_err(), "there is no connection for {identity:?}");
    }
    let webhook = setting.webhook();
    let answer = webhook.post("/tokenreviews", &review).await.unwrap().success().unwrap();
    assert_eq!((&answer["status"], &answer["spec"]), (&json!({ "authenticated": false }), &json!({})));
    assert_eq!(webhook.post("/tokenreviews", &json!({})).await.unwrap().status, 400);
    assert_eq!(webhook.get("/tokenreviews").await.unwrap().status, 405);
    assert_eq!(webhook.get("/apis").await.unwrap().status, 404);
}
