//! `noderestarts`.

use http::StatusCode;
use machinery::{GroupResource, status::Status};
use serde_json::json;

use super::{RESTARTS, usual};

#[tokio::test]
async fn restarts_are_read_listed_and_watched() {
    let (server, worker) = usual().await;
    let mut watch = server.watch(&format!("{RESTARTS}?watch=1")).await;
    worker.put("a", json!({ "phase": "Accepted" })).await;
    worker.put("b", json!({ "phase": "Accepted" })).await;
    worker.put("a", json!({ "phase": "Draining", "drain": { "left": 3 } })).await;
    let seen = [watch.next().await, watch.next().await, watch.next().await];
    let seen = seen.map(|event| format!("{} {}", event["type"], event["object"]["status"]["phase"]));
    assert_eq!(seen, ["\"ADDED\" \"Accepted\"", "\"ADDED\" \"Accepted\"", "\"MODIFIED\" \"Draining\""]);
    for (selector, count) in [
        ("", 2),
        ("?fieldSelector=spec.nodeName%3Da", 1),
        ("?fieldSelector=status.phase%3DAccepted", 1),
        ("?fieldSelector=status.phase%3DSent", 0),
    ] {
        let list = server.get(&format!("{RESTARTS}{selector}")).await.json();
        assert_eq!(list["items"].as_array().map(Vec::len), Some(count), "{selector}");
    }
    let table = server.accepting("application/json;as=Table;v=v1;g=meta.k8s.io").get(RESTARTS).await.json();
    assert_eq!(
        table["rows"][0]["cells"].as_array().expect("cells")[..4],
        ["a-1", "a", "Draining", "Soft"].map(|cell| json!(cell))
    );
}

#[tokio::test]
async fn restarts_are_made_at_the_node_and_nowhere_else() {
    let (server, worker) = usual().await;
    worker.put("a", json!({ "phase": "Accepted" })).await;
    let path = format!("{RESTARTS}/a-1");
    let restart = server.get(&path).await.json();
    for (method, path, content_type) in [
        ("POST", RESTARTS, "application/json"),
        ("PUT", &path, "application/json"),
        ("PATCH", &path, "application/merge-patch+json"),
        ("PATCH", &path, "application/apply-patch+yaml"),
    ] {
        let answer = server.send(method, path, content_type, restart.to_string()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method}: {}", answer.text());
        let message = answer.json()["message"].as_str().expect("a message").to_owned();
        assert!(message.ends_with(": to restart a node, POST to nodes/NAME/restart"), "{message}");
    }
    let all = server.delete(RESTARTS).await;
    assert_eq!(all.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(all.text().contains("delete them one by one"), "{}", all.text());
    assert_eq!(server.get(&path).await.json(), restart);
}

#[tokio::test]
async fn to_delete_a_restart_is_to_cancel_it() {
    let (server, worker) = usual().await;
    worker.put("a", json!({ "phase": "Draining" })).await;
    let path = format!("{RESTARTS}/a-1");
    let dry = server.delete(&format!("{path}?dryRun=All")).await;
    assert_eq!((dry.status, &dry.json()["status"]), (StatusCode::OK, &json!("Success")));
    assert_eq!(worker.cancels(), []);

    let deleted = server.delete(&path).await.json();
    assert_eq!((&deleted["status"], &deleted["details"]["name"]), (&json!("Success"), &json!("a-1")));
    let cancel = &worker.cancels()[0];
    let asked = (cancel.name.as_str(), cancel.uid.as_str(), cancel.user.name.as_str());
    assert_eq!(asked, ("a-1", "uid-of-a-1", "admin"));
    assert_eq!(server.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.delete(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(worker.cancels().len(), 1);
}

#[tokio::test]
async fn what_takes_its_time_to_go_is_answered_as_it_is() {
    let (server, worker) = usual().await;
    worker.linger();
    worker.put("a", json!({ "phase": "Cordoned" })).await;
    let left = server.delete(&format!("{RESTARTS}/a-1")).await;
    assert_eq!((left.status, &left.json()["status"]["phase"]), (StatusCode::OK, &json!("Cordoned")));
}

#[tokio::test]
async fn a_deletion_may_say_what_it_means() {
    let (server, worker) = usual().await;
    worker.put("a", json!({ "phase": "Draining" })).await;
    let path = format!("{RESTARTS}/a-1");
    for (preconditions, field) in
        [(json!({ "uid": "other" }), "uid"), (json!({ "resourceVersion": "999" }), "resourceVersion")]
    {
        let body = json!({ "kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions });
        let refused = server.send("DELETE", &path, "application/json", body.to_string()).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert!(refused.text().contains(&format!("preconditions.{field} is")), "{}", refused.text());
    }
    assert_eq!(worker.cancels(), []);
    let body = json!({ "preconditions": { "uid": "uid-of-a-1" } });
    assert_eq!(server.send("DELETE", &path, "application/json", body.to_string()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_not_cancelled() {
    let (server, worker) = usual().await;
    worker.put("a", json!({ "phase": "Sent" })).await;
    let restarts = GroupResource::new("infraops.michael.io", "noderestarts");
    worker.refuse(Status::conflict(&restarts, "a-1", "the provider was asked already"));
    for query in ["?dryRun=All", ""] {
        let refused = server.delete(&format!("{RESTARTS}/a-1{query}")).await;
        assert_eq!((refused.status, &refused.json()["reason"]), (StatusCode::CONFLICT, &json!("Conflict")), "{query}");
    }
    assert_eq!(worker.cancels().len(), 1, "the dry run is answered from what is stored");
}
