//! The verbs against an in-process router over the log in memory: no sockets, no cluster.

mod actor;
mod admission;
mod bookmarks;
mod edges;
mod expired;
mod large;
mod outage;
mod protobuf;
mod stores;

use http::StatusCode;
use serde_json::{Value, json};

use api_testing::{Answer, Server};

const WIDGETS: &str = "/apis/gold.example.com/v1/namespaces/default/widgets";

fn widget(name: &str, size: i64) -> Value {
    json!({
        "apiVersion": "gold.example.com/v1",
        "kind": "Widget",
        "metadata": { "name": name },
        "spec": { "size": size },
    })
}

fn revision(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().expect("a resourceVersion").parse().expect("a number")
}

async fn created(server: &Server, name: &str) -> Value {
    let answer = server.post(WIDGETS, &widget(name, 1)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn a_created_object_has_what_the_server_gives_it() {
    let server = Server::new().await;
    let mut sent = widget("a", 1);
    sent["metadata"]["uid"] = "mine".into();
    sent["metadata"]["generation"] = 7.into();
    sent["status"] = json!({ "phase": "Ready" });
    let object = server.post(WIDGETS, &sent).await.json();
    assert_ne!(object["metadata"]["uid"], "mine");
    assert_eq!(object["metadata"]["generation"], 1);
    assert_eq!(object["metadata"]["namespace"], "default");
    assert_eq!(object["spec"], json!({ "color": "red", "size": 1 }));
    assert_eq!(object.get("status"), None);
    assert_eq!(object["metadata"]["managedFields"][0]["operation"], "Update");
    assert_eq!(server.get(&format!("{WIDGETS}/a")).await.json(), object, "what was answered is what is stored");
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let server = Server::new().await;
    created(&server, "a").await;
    let answer = server.post(WIDGETS, &widget("a", 2)).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.json()["reason"], "AlreadyExists");
}

#[tokio::test]
async fn a_generated_name_begins_with_its_prefix() {
    let server = Server::new().await;
    let mut sent = widget("", 1);
    sent["metadata"] = json!({ "generateName": "gen-" });
    let object = server.post(WIDGETS, &sent).await.json();
    let name = object["metadata"]["name"].as_str().expect("a name").to_owned();
    assert!(name.starts_with("gen-") && name.len() == 9, "{name}");
}

#[tokio::test]
async fn an_update_needs_the_version_it_changes() {
    let server = Server::new().await;
    let object = created(&server, "a").await;
    let path = format!("{WIDGETS}/a");

    let answer = server.put(&path, &widget("a", 2)).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());

    let mut new = object.clone();
    new["spec"]["size"] = 2.into();
    let updated = server.put(&path, &new).await.json();
    assert_eq!(updated["metadata"]["generation"], 2);
    assert!(revision(&updated) > revision(&object));

    let stale = server.put(&path, &new).await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
    assert_eq!(stale.json()["reason"], "Conflict");
}

#[tokio::test]
async fn an_update_that_changes_nothing_makes_no_revision() {
    let server = Server::new().await;
    let object = created(&server, "a").await;
    let path = format!("{WIDGETS}/a");
    assert_eq!(server.put(&path, &object).await.json(), object);
    assert_eq!(server.merge(&path, &json!({ "spec": { "size": 1 } })).await.json(), object);
}

#[tokio::test]
async fn the_status_subresource_changes_nothing_but_the_status() {
    let server = Server::new().await;
    created(&server, "a").await;
    let patch = json!({
        "metadata": { "labels": { "dropped": "1" } },
        "spec": { "size": 99 },
        "status": { "phase": "Ready" },
    });
    let object = server.merge(&format!("{WIDGETS}/a/status"), &patch).await.json();
    assert_eq!(object["status"], json!({ "phase": "Ready" }));
    assert_eq!(object["spec"]["size"], 1);
    assert_eq!(object["metadata"]["generation"], 1);
    assert_eq!(object["metadata"].get("labels"), None);
    assert_eq!(object["metadata"]["managedFields"][1]["subresource"], "status");

    let object = server.merge(&format!("{WIDGETS}/a"), &json!({ "status": { "phase": "Lost" } })).await.json();
    assert_eq!(object["status"], json!({ "phase": "Ready" }));
}

#[tokio::test]
async fn a_finalizer_holds_the_object_until_it_goes() {
    let server = Server::new().await;
    let mut sent = widget("a", 1);
    sent["metadata"]["finalizers"] = json!(["example.com/hold"]);
    server.post(WIDGETS, &sent).await;
    let path = format!("{WIDGETS}/a");

    let marked = server.delete(&path).await.json();
    assert!(marked["metadata"]["deletionTimestamp"].is_string(), "{marked}");
    assert_eq!(marked["metadata"]["generation"], 2);
    let again = server.post(WIDGETS, &widget("a", 1)).await.json();
    assert!(again["message"].as_str().is_some_and(|text| text.starts_with("object is being deleted: ")), "{again}");

    let last = server.merge(&path, &json!({ "metadata": { "finalizers": null } })).await;
    assert_eq!(last.status, StatusCode::OK);
    assert_eq!(server.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_dry_run_leaves_no_trace() {
    let server = Server::new().await;
    let answer = server.post(&format!("{WIDGETS}?dryRun=All"), &widget("a", 1)).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert_eq!(answer.json()["metadata"].get("resourceVersion"), None);
    assert_eq!(server.get(&format!("{WIDGETS}/a")).await.status, StatusCode::NOT_FOUND);

    created(&server, "b").await;
    server.delete(&format!("{WIDGETS}/b?dryRun=All")).await;
    assert_eq!(server.get(&format!("{WIDGETS}/b")).await.status, StatusCode::OK);
    let body = json!({ "kind": "DeleteOptions", "apiVersion": "v1" });
    server.send("DELETE", &format!("{WIDGETS}/b?dryRun=All"), "application/json", body.to_string()).await;
    assert_eq!(server.get(&format!("{WIDGETS}/b")).await.status, StatusCode::OK, "the query counts beside a body");
}

#[tokio::test]
async fn pages_are_of_one_revision() {
    let server = Server::new().await;
    for name in ["a", "b", "d"] {
        created(&server, name).await;
    }
    let first = server.get(&format!("{WIDGETS}?limit=2")).await.json();
    assert_eq!(names(&first), ["a", "b"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 1);
    created(&server, "c").await;
    server.delete(&format!("{WIDGETS}/d")).await;
    let token = first["metadata"]["continue"].as_str().expect("a token").to_owned();
    let second = server.get(&format!("{WIDGETS}?limit=2&continue={token}")).await.json();
    assert_eq!(names(&second), ["d"]);
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    assert_eq!(second["metadata"]["continue"], "");
    assert_eq!(names(&server.get(WIDGETS).await.json()), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_collection_is_deleted_by_selector() {
    let server = Server::new().await;
    for (name, team) in [("a", "x"), ("b", "y"), ("c", "x")] {
        let mut sent = widget(name, 1);
        sent["metadata"]["labels"] = json!({ "team": team });
        server.post(WIDGETS, &sent).await;
    }
    let deleted = server.delete(&format!("{WIDGETS}?labelSelector=team%3Dx")).await.json();
    assert_eq!(names(&deleted), ["a", "c"]);
    assert_eq!(names(&server.get(WIDGETS).await.json()), ["b"]);
}

#[tokio::test]
async fn a_watch_begins_with_what_is_there_and_goes_on() {
    let server = Server::new().await;
    created(&server, "a").await;
    let mut watch = server.watch(&format!("{WIDGETS}?watch=1&allowWatchBookmarks=true")).await;
    assert_eq!(watch.next().await["object"]["metadata"]["name"], "a");
    let bookmark = watch.next().await;
    assert_eq!(bookmark["type"], "BOOKMARK");
    assert_eq!(bookmark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    let object = created(&server, "b").await;
    let added = watch.next().await;
    assert_eq!((&added["type"], &added["object"]), (&json!("ADDED"), &object));
    server.delete(&format!("{WIDGETS}/b")).await;
    let gone = watch.next().await;
    assert_eq!(gone["type"], "DELETED");
    assert!(revision(&gone["object"]) > revision(&object), "a deletion has a revision of its own");
}

#[tokio::test]
async fn a_selector_turns_updates_into_arrivals_and_departures() {
    let server = Server::new().await;
    let first = created(&server, "a").await;
    let rv = revision(&first);
    let mut watch = server.watch(&format!("{WIDGETS}?watch=1&resourceVersion={rv}&labelSelector=on%3D1")).await;
    let path = format!("{WIDGETS}/a");
    server.merge(&path, &json!({ "metadata": { "labels": { "on": "1" } } })).await;
    server.merge(&path, &json!({ "spec": { "size": 5 } })).await;
    let left = server.merge(&path, &json!({ "metadata": { "labels": null } })).await.json();
    let types: Vec<Value> =
        [watch.next().await, watch.next().await].iter().map(|event| event["type"].clone()).collect();
    assert_eq!(types, ["ADDED", "MODIFIED"]);
    let gone = watch.next().await;
    assert_eq!(gone["type"], "DELETED");
    assert_eq!(gone["object"]["metadata"]["labels"], json!({ "on": "1" }), "the object as it was when it was selected");
    assert_eq!(revision(&gone["object"]), revision(&left));
}

#[tokio::test]
async fn malformed_requests_get_the_status_that_says_why() {
    let server = Server::new().await;
    created(&server, "a").await;
    let path = format!("{WIDGETS}/a");
    let too_big = format!("{{\"pad\":\"{}\"}}", "x".repeat(3 * 1024 * 1024));
    let many = format!("[{}]", vec![r#"{"op":"test","path":"/kind","value":"Widget"}"#; 10_001].join(","));
    let cases = [
        ("POST", WIDGETS, "application/json", "{\"apiVersion\":".to_owned(), 400),
        ("POST", WIDGETS, "application/json", "[]".to_owned(), 400),
        ("POST", WIDGETS, "text/plain", "x".to_owned(), 415),
        ("POST", WIDGETS, "application/json", too_big, 413),
        ("POST", WIDGETS, "application/yaml", "a: [".to_owned(), 400),
        ("PATCH", &path, "application/strategic-merge-patch+json", "{}".to_owned(), 415),
        ("PATCH", &path, "application/merge-patch+json", "{\"spec\":".to_owned(), 400),
        ("PATCH", &path, "application/merge-patch+json", "[]".to_owned(), 400),
        ("PATCH", &path, "application/json-patch+json", "{}".to_owned(), 400),
        ("PATCH", &path, "application/json-patch+json", many, 413),
        ("PATCH", &path, "application/json-patch+json", r#"[{"op":"remove","path":"/x"}]"#.to_owned(), 422),
        ("PUT", WIDGETS, "application/json", "{}".to_owned(), 400),
        ("FOO", WIDGETS, "application/json", String::new(), 405),
        ("GET", "/apis/gold.example.com/v1/widgets/a", "", String::new(), 404),
        ("GET", "/apis/gold.example.com/v1/namespaces/default/nothing", "", String::new(), 404),
    ];
    for (method, path, content_type, body, code) in cases {
        let shown = body.chars().take(40).collect::<String>();
        let answer = server.send(method, path, content_type, body).await;
        assert_eq!(answer.status.as_u16(), code, "{method} {path} {content_type} {shown}: {}", answer.text());
    }
    for query in ["limit=abc", "resourceVersion=abc", "continue=abc", "labelSelector=a%20b", "fieldSelector=spec.x%3D1"]
    {
        assert_eq!(server.get(&format!("{WIDGETS}?{query}")).await.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn unknown_fields_are_dropped_with_a_warning_or_refused() {
    let server = Server::new().await;
    let mut sent = widget("a", 1);
    sent["spec"]["nope"] = 1.into();
    let strict = server.post(&format!("{WIDGETS}?fieldValidation=Strict"), &sent).await;
    assert_eq!(strict.status, StatusCode::BAD_REQUEST);
    let warned: Answer = server.post(WIDGETS, &sent).await;
    assert_eq!(warned.headers["warning"], r#"299 - "unknown field \"spec.nope\"""#);
    assert_eq!(warned.json()["spec"].get("nope"), None);
}

fn names(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().expect("items");
    items.iter().map(|item| item["metadata"]["name"].as_str().expect("a name").to_owned()).collect()
}
