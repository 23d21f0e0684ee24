//! Two versions of a kind that a webhook converts: the same requests to us and to the kube-apiserver, and the same answers.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{sync::OnceLock, time::Duration};

use kit::{ADMIN, Client, Cluster, Crd, Identity, Options, Outrigger, Reply, Scratch, Webhooks, eventually};
use serde_json::{Value, json};
use tokio::sync::Mutex;

const DOCUMENT: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gizmos.conv.example.com}
spec:
  group: conv.example.com
  names: {kind: Gizmo, listKind: GizmoList, plural: gizmos, singular: gizmo}
  scope: Namespaced
  conversion:
    strategy: Webhook
    webhook:
      conversionReviewVersions: [v1]
      clientConfig: {url: "URL", caBundle: CA}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {address: {type: string}, kept: {type: string, default: first}}}
  - name: v2
    served: true
    storage: false
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [host]
            properties: {host: {type: string}, port: {type: integer}, kept: {type: string}}
"#;

const OURS: &str = "conv.example.com";
const THEIRS: &str = "oracle.conv.example.com";

struct Setting {
    cluster: Cluster,
    outrigger: Outrigger,
    _scratch: Scratch,
}

/// One server under one group.
struct Side {
    client: Client,
    group: &'static str,
}

fn setting() -> &'static Setting {
    static SHARED: OnceLock<Setting> = OnceLock::new();
    SHARED.get_or_init(|| {
        let (cluster, scratch) = (Cluster::start(&Options::default()).unwrap(), Scratch::new("conversion").unwrap());
        let webhooks = Webhooks::shared();
        webhooks.on("", "/convert", convert);
        let url = format!("https://127.0.0.1:{}/convert", webhooks.port());
        let document = DOCUMENT.replace("URL", &url).replace("CA}", &format!("{}}}", webhooks.ca_bundle()));
        let path = scratch.file("gizmos.yaml");
        std::fs::write(&path, &document).unwrap();
        let outrigger = Outrigger::behind(&cluster, &[&path], &[]).unwrap();
        let theirs = Crd::new(&document).in_group(OURS, THEIRS);
        kit::block_on(async { theirs.install(&cluster.admin()).await }).unwrap();
        Setting { cluster, outrigger, _scratch: scratch }
    })
}

/// What a webhook makes of a ConversionReview. A label of the object asks for trouble.
fn convert(review: &Value) -> Reply {
    let request = &review["request"];
    let desired = request["desiredAPIVersion"].as_str().unwrap_or_default();
    let objects: Vec<&Value> = request["objects"].as_array().into_iter().flatten().collect();
    let trouble = objects.iter().find_map(|object| object.pointer("/metadata/labels/trouble")).and_then(Value::as_str);
    let mut converted: Vec<Value> = objects.iter().map(|object| converted(object, desired)).collect();
    let (mut uid, mut result) = (request["uid"].clone(), json!({"status": "Success"}));
    match trouble {
        Some("failure") => result = json!({"status": "Failure", "message": "the webhook does not like it"}),
        Some("silent") => result = json!({"status": "Failure"}),
        Some("uid") => uid = json!("other"),
        Some("none") => converted.clear(),
        Some("name") => converted[0]["metadata"]["name"] = json!("other"),
        Some("version") => converted[0]["apiVersion"] = json!("other/v9"),
        Some("finalizers") => converted[0]["metadata"]["finalizers"] = json!(["example.com/mine"]),
        Some("error") => return Reply::Raw(500, "text/plain", "boom".to_owned()),
        _ => {}
    }
    let response = json!({"uid": uid, "convertedObjects": converted, "result": result});
    Reply::Document(json!({"kind": review["kind"], "apiVersion": review["apiVersion"], "response": response}))
}

fn converted(object: &Value, desired: &str) -> Value {
    let mut converted = object.clone();
    let spec = &object["spec"];
    converted["apiVersion"] = json!(desired);
    converted["metadata"]["annotations"]["converted"] = json!(desired.rsplit('/').next());
    converted["spec"] = match spec["address"].as_str() {
        Some(address) if desired.ends_with("v2") => {
            let (host, port) = address.split_once(':').unwrap_or((address, "0"));
            json!({"host": host, "port": port.parse::<i64>().unwrap_or_default(), "kept": spec["kept"], "unknown": 1})
        }
        _ => json!({
            "address": format!("{}:{}", spec["host"].as_str().unwrap_or_default(), spec["port"].as_i64().unwrap_or_default()),
            "kept": spec["kept"],
        }),
    };
    if let Some(spec) = converted["spec"].as_object_mut() {
        spec.retain(|_, value| !value.is_null());
    }
    converted
}

// === impl Side ===

impl Side {
    async fn pair(namespace: &str) -> [Self; 2] {
        let Setting { cluster, outrigger, .. } = setting();
        cluster.namespace(namespace).await.unwrap();
        let identity = Identity::Token(ADMIN.to_owned());
        [
            Self { client: cluster.client_for(&identity), group: THEIRS },
            Self { client: outrigger.client_for(&identity).unwrap(), group: OURS },
        ]
    }

    /// The normal form of an answer: what must differ between two servers has a name.
    async fn send(&self, method: &str, path: &str, content_type: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string().replace("GROUP", self.group) };
        let path = format!("/apis/{}/{path}", self.group);
        let answer = self.client.send(method, &path, &[("content-type", content_type)], body).await.unwrap();
        let mut value = answer.json().unwrap();
        anonymous(&mut value);
        let text = value.to_string().replace(self.group, "GROUP");
        json!({"status": answer.status, "body": serde_json::from_str::<Value>(&text).unwrap()})
    }
}

fn anonymous(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            // Which version's fields they name is a known difference: see docs/decisions/0011-versions.md.
            fields.remove("managedFields");
            fields.iter_mut().for_each(|(key, value)| match key.as_str() {
                "uid" | "resourceVersion" | "creationTimestamp" | "time" => *value = Value::from("<some>"),
                _ => anonymous(value),
            });
        }
        Value::Array(items) => items.iter_mut().for_each(anonymous),
        Value::String(text) if text.contains("response.uid=") => {
            "<another uid>".clone_into(text);
        }
        _ => {}
    }
}

/// Nobody can watch a version while there is an object that cannot be converted into it.
static TURN: Mutex<()> = Mutex::const_new(());

const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";

fn gizmo(version: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": format!("GROUP/{version}"), "kind": "Gizmo", "metadata": {"name": name}, "spec": spec})
}

/// Sends to both, and compares.
async fn same(sides: &[Side; 2], method: &str, path: &str, content_type: &str, body: Value) -> Value {
    let theirs = sides[0].send(method, path, content_type, &body).await;
    let ours = sides[1].send(method, path, content_type, &body).await;
    assert_eq!(ours, theirs, "{method} {path}: ours is left");
    ours
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_shown_in_each_version_and_kept_in_one() {
    let sides = Side::pair("each-version").await;
    let (v1, v2) = ("v1/namespaces/each-version/gizmos", "v2/namespaces/each-version/gizmos");
    same(&sides, "POST", v1, JSON, gizmo("v1", "one", &json!({"address": "a:1"}))).await;
    same(&sides, "POST", v2, JSON, gizmo("v2", "two", &json!({"host": "b", "port": 2}))).await;
    for path in [v1, v2] {
        for name in ["one", "two"] {
            same(&sides, "GET", &format!("{path}/{name}"), JSON, Value::Null).await;
        }
        same(&sides, "GET", path, JSON, Value::Null).await;
    }
    same(&sides, "PATCH", &format!("{v2}/one"), MERGE, json!({"spec": {"port": 7}})).await;
    same(&sides, "PATCH", &format!("{v1}/two"), MERGE, json!({"spec": {"address": "c:3"}})).await;
    same(&sides, "PATCH", &format!("{v2}/one"), MERGE, json!({"spec": {"host": null}})).await;
    let listed = same(&sides, "GET", v2, JSON, Value::Null).await;
    assert_eq!(listed["body"]["items"].as_array().map(Vec::len), Some(2));
    same(&sides, "DELETE", &format!("{v2}/one"), JSON, Value::Null).await;
    same(&sides, "GET", &format!("{v1}/one"), JSON, Value::Null).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_fails_is_told_of() {
    let _turn = TURN.lock().await;
    let sides = Side::pair("failing").await;
    let (v1, v2) = ("v1/namespaces/failing/gizmos", "v2/namespaces/failing/gizmos");
    for trouble in ["failure", "silent", "uid", "none", "name", "version", "finalizers", "error"] {
        let mut object = gizmo("v1", trouble, &json!({"address": "a:1"}));
        object["metadata"]["labels"] = json!({"trouble": trouble});
        same(&sides, "POST", v1, JSON, object).await;
        same(&sides, "GET", &format!("{v2}/{trouble}"), JSON, Value::Null).await;
        let mut object = gizmo("v2", &format!("{trouble}-two"), &json!({"host": "a"}));
        object["metadata"]["labels"] = json!({"trouble": trouble});
        same(&sides, "POST", v2, JSON, object).await;
        same(&sides, "GET", &format!("{v1}/{trouble}-two"), JSON, Value::Null).await;
    }
    same(&sides, "DELETE", v1, JSON, Value::Null).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_is_of_the_version_that_is_asked_for() {
    let _turn = TURN.lock().await;
    let sides = Side::pair("watched").await;
    for side in &sides {
        let watch = format!("/apis/{}/v2/namespaces/watched/gizmos?watch=true", side.group);
        let mut lines = side.client.lines(&watch, &[]).await.unwrap();
        let path = format!("/apis/{}/v1/namespaces/watched/gizmos", side.group);
        let mut object = gizmo("v1", "seen", &json!({"address": "a:1"}));
        object["apiVersion"] = json!(format!("{}/v1", side.group));
        side.client.post(&path, &object).await.unwrap().success().unwrap();
        side.client.send("DELETE", &format!("{path}/seen"), &[], "").await.unwrap().success().unwrap();
        for kind in ["ADDED", "DELETED"] {
            let line = lines.next(Duration::from_secs(30)).await;
            let line = line.unwrap_or_else(|error| panic!("{kind} in {}: {error:#}", side.group)).unwrap();
            let event: Value = serde_json::from_str(&line).unwrap();
            assert_eq!((&event["type"], &event["object"]["spec"]["host"]), (&json!(kind), &json!("a")), "{event}");
            assert_eq!(event["object"]["apiVersion"], format!("{}/v2", side.group));
        }
    }
    eventually!(!Webhooks::shared().take("").is_empty(), "the webhook was asked");
}
