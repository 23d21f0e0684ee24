//! `nodes/restart`.

use std::sync::Arc;

use api_testing::{Answer, Server};
use http::StatusCode;
use machinery::{
    GroupResource,
    status::{Cause, Status},
};
use serde_json::json;

use super::{NODES, RESTARTS, scripted::Scripted, usual};

const JSON: &str = "application/json";

async fn post(server: &Server, path: &str, content_type: &str, body: &str) -> Answer {
    server.send("POST", &format!("{NODES}/{path}"), content_type, body.to_owned()).await
}

fn options(worker: &Scripted) -> Vec<String> {
    let requests = worker.requests().into_iter();
    requests.map(|request| String::from_utf8(request.options.to_vec()).expect("text")).collect()
}

#[tokio::test]
async fn a_bare_post_is_a_restart_with_all_defaults() {
    let (server, worker) = usual().await;
    let answer = post(&server, "a/restart", "", "").await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    assert_eq!(answer.headers["location"], "../../noderestarts/a-1");
    let restart = answer.json();
    assert_eq!((&restart["kind"], &restart["status"]["phase"]), (&json!("NodeRestart"), &json!("Accepted")));
    assert_eq!(server.get(&format!("{RESTARTS}/a-1")).await.json(), restart, "what is answered is what is stored");
    let request = &worker.requests()[0];
    assert_eq!((request.node.as_str(), request.options.len()), ("a", 0));
    assert_eq!(
        (request.user.name.as_str(), request.user.groups.as_slice()),
        ("admin", &["system:masters".to_owned()][..])
    );
}

#[tokio::test]
async fn the_audit_log_tells_which_restart_it_was() {
    let (server, _) = usual().await;
    let answer = server.answer("POST", &format!("{NODES}/a/restart"), JSON, "{}".to_owned()).await;
    let told = answer.extensions().get::<apiserver::Annotations>().expect("annotations");
    assert_eq!(told.0.get("infraops.michael.io/restart").map(String::as_str), Some("a-1"));
}

#[tokio::test]
async fn one_that_is_there_already_is_answered_as_such() {
    let (server, _) = usual().await;
    let first = post(&server, "a/restart", JSON, "{}").await;
    let again = post(&server, "a/restart", JSON, "{}").await;
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::OK));
    assert_eq!(again.headers["location"], first.headers["location"]);
    assert_eq!(again.json(), first.json());
}

#[tokio::test]
async fn options_reach_the_worker_without_what_is_not_its_affair() {
    let (server, worker) = usual().await;
    let given = r#"{"kind":"RestartOptions","apiVersion":"infraops.michael.io/v1","mode":"Hard","wait":"0s"}"#;
    assert_eq!(post(&server, "a/restart", JSON, given).await.status, StatusCode::CREATED);
    assert_eq!(post(&server, "b/restart", "application/yaml", "mode: Hard\n").await.status, StatusCode::CREATED);
    assert_eq!(options(&worker), [r#"{"mode":"Hard"}"#, r#"{"mode":"Hard"}"#]);
}

#[tokio::test]
async fn a_dry_run_is_a_plan_and_leaves_nothing() {
    let (server, worker) = usual().await;
    let answer = post(&server, "a/restart?dryRun=All", JSON, r#"{"mode":"Hard"}"#).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let plan = answer.json();
    assert_eq!((&plan["kind"], &plan["status"]["plan"]["verdict"]), (&json!("NodeRestart"), &json!("it would")));
    assert_eq!(options(&worker), [r#"{"mode":"Hard"}"#]);
    assert_eq!(server.get(RESTARTS).await.json()["items"], json!([]));
    let refused = post(&server, "a/restart?dryRun=maybe", JSON, "").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(worker.requests().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_read_or_answered_asks_for_nothing() {
    let (server, worker) = usual().await;
    for (content_type, body, code) in [
        (JSON, "{", 400),
        (JSON, "[]", 400),
        (JSON, r#"{"mode":"Soft","mode":"Hard"}"#, 400),
        (JSON, r#"{"drain":{"enabld":true}}"#, 400),
        (JSON, r#"{"kind":"NodeRestart"}"#, 400),
        (JSON, r#"{"wait":"soon"}"#, 422),
        ("text/plain", "Hard", 415),
    ] {
        let answer = post(&server, "a/restart", content_type, body).await;
        assert_eq!(answer.status.as_u16(), code, "{body}: {}", answer.text());
        assert_eq!(answer.json()["kind"], "Status");
    }
    let refused = post(&server.accepting("text/html"), "a/restart", JSON, "").await;
    assert_eq!(refused.status, StatusCode::NOT_ACCEPTABLE);
    assert_eq!(worker.requests(), []);
}

#[tokio::test]
async fn the_workers_refusals_are_answered_as_they_are() {
    let nodes = GroupResource::new("infraops.michael.io", "nodes");
    let mut guarded = Status::forbidden(&nodes, "a", "it is a control-plane node: <b>lift it</b>");
    let cause = Cause { reason: "ControlPlane".into(), ..Cause::default() };
    guarded.details.get_or_insert_default().causes.push(cause);
    for refusal in [
        guarded,
        Status::not_found(&nodes, "a"),
        Status::conflict(&nodes, "a", "it restarts"),
        Status::new(422, None, "no providerID"),
        Status::too_many_requests("slowly", 7),
        Status::unavailable("no driver for it", 1),
    ] {
        let (server, worker) = usual().await;
        worker.refuse(refusal.clone());
        for path in ["a/restart", "a/restart?dryRun=All"] {
            let answer = post(&server, path, JSON, "").await;
            assert_eq!(answer.status.as_u16(), refusal.code);
            assert_eq!(answer.json(), refusal.to_value());
            assert_eq!(answer.headers["content-type"], JSON);
        }
    }
}

#[tokio::test]
async fn who_says_nothing_of_what_it_accepts_gets_a_line_of_text() {
    let (server, worker) = usual().await;
    for _ in 0..2 {
        let answer = post(&server.accepting(""), "a/restart", "", "").await;
        assert_eq!((answer.status, answer.text().as_str()), (StatusCode::OK, "Node a: restart a-1 is Accepted\n"));
        assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
    let any = post(&server.accepting("*/*"), "a/restart", "", "").await;
    assert_eq!((any.status, &any.json()["kind"]), (StatusCode::OK, &json!("NodeRestart")));
    worker.refuse(Status::bad_request("no"));
    let refused = post(&server.accepting(""), "a/restart", "", "").await;
    assert_eq!(refused.json()["kind"], "Status");
}

#[tokio::test]
async fn a_table_of_the_answer_has_the_columns_of_a_restart() {
    let (server, _) = usual().await;
    let server = server.accepting("application/json;as=Table;v=v1;g=meta.k8s.io");
    let table = post(&server, "a/restart", "", "").await.json();
    assert_eq!(table["columnDefinitions"][2]["name"], "Phase");
    assert_eq!(
        table["rows"][0]["cells"].as_array().expect("cells")[..3],
        [json!("a-1"), json!("a"), json!("Accepted")]
    );
}

#[tokio::test]
async fn an_answer_that_waits_comes_when_the_restart_ends() {
    let (server, worker) = usual().await;
    let server = Arc::new(server);
    let waiting = async { post(&server, "a/restart", JSON, r#"{"wait":"10m"}"#).await };
    let ends = async {
        let mut watch = server.watch(&format!("{RESTARTS}?watch=1")).await;
        assert_eq!(watch.next().await["type"], "ADDED");
        worker.put("b", json!({ "phase": "Succeeded" })).await;
        worker.put("a", json!({ "phase": "Rebooting" })).await;
        worker.put("a", json!({ "phase": "Succeeded" })).await;
    };
    let (answer, ()) = tokio::join!(waiting, ends);
    assert_eq!((answer.status, &answer.json()["status"]["phase"]), (StatusCode::CREATED, &json!("Succeeded")));
    let again = post(&server, "a/restart", JSON, r#"{"wait":"10m"}"#).await;
    assert_eq!(again.status, StatusCode::OK, "what has ended is not waited for");
    assert_eq!(options(&worker), ["", ""], "to wait is no option of the restart");
}

#[tokio::test(start_paused = true)]
async fn an_answer_waits_no_longer_than_the_request_lasts() {
    let (server, _) = usual().await;
    for query in ["", "?timeout=6s"] {
        let answer = post(&server, &format!("a/restart{query}"), JSON, r#"{"wait":"10m"}"#).await;
        assert!(answer.status.is_success(), "{query}: {}", answer.text());
        assert_eq!(answer.json()["status"]["phase"], "Accepted");
    }
}

#[tokio::test]
async fn what_goes_wrong_once_it_is_accepted_says_that_it_is() {
    let (server, worker) = usual().await;
    worker.forget();
    let answer = post(&server, "a/restart", JSON, "").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    let message = answer.json()["message"].as_str().expect("a message").to_owned();
    assert!(message.starts_with("the restart is accepted as noderestarts \"a-1\", but "), "{message}");
}
