//! What cannot be had, and what makes no sense.

use std::sync::Arc;

use api_testing::{Everybody, Server, USER};
use async_trait::async_trait;
use auth::{Attributes, Authorizer, Decision, User};
use axum::body::Body;
use futures::StreamExt;
use http::{Response, StatusCode};
use proto::cbt::{Block, Builder, Error, Kind, MEDIA_TYPE, suite::Synthetic};
use serde_json::{Value, json};

use crate::{
    DELTAS, delta,
    source::{Named, Script, message},
    with_delta,
};

const FETCH: &str = "/apis/cbt.storage.k8s.io/v1alpha1/namespaces/default/volumesnapshotdeltas/d?fetchcbd=true";

/// All that came, and whether it ended as it should.
async fn drained(answer: Response<Body>) -> (String, bool) {
    let (mut body, mut text) = (answer.into_body().into_data_stream(), Vec::new());
    while let Some(bytes) = body.next().await {
        match bytes {
            Ok(bytes) => text.extend_from_slice(&bytes),
            Err(_) => return (String::from_utf8_lossy(&text).into_owned(), false),
        }
    }
    (String::from_utf8_lossy(&text).into_owned(), true)
}

#[tokio::test]
async fn parameters_that_nobody_understands_are_refused() {
    let server = with_delta(Named(Synthetic::full(4, 1 << 16))).await;
    for (query, name) in [
        ("fetchCBD=true", "fetchCBD"),
        ("fetchcbd-true", "fetchcbd-true"),
        ("fetchcbd=yes", "fetchcbd"),
        ("fetchcbd", "fetchcbd"),
        ("fetchcbd=true&fetchcbd=false", "fetchcbd"),
        ("fetchcbd=true&offset=-1", "offset"),
        ("fetchcbd=true&offset=1.5", "offset"),
        ("fetchcbd=true&limit=18446744073709551616", "limit"),
        ("fetchcbd=true&limit=1&limit=2", "limit"),
        ("limit=all", "limit"),
    ] {
        let answer = server.get(&format!("{DELTAS}/d?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        let status = answer.json();
        assert_eq!((&status["kind"], &status["reason"]), (&json!("Status"), &json!("BadRequest")));
        assert_eq!(status["details"]["causes"][0]["field"], name, "{query}");
        assert!(status["message"].as_str().expect("a message").contains(name), "{query}: {status}");
    }
}

#[tokio::test]
async fn blocks_are_fetched_by_a_get_of_one_object_and_by_nothing_else() {
    let server = with_delta(Named(Synthetic::full(4, 1 << 16))).await;
    let object = delta("e", "base", "target");
    for (what, answer) in [
        ("list", server.get(&format!("{DELTAS}?fetchcbd=true")).await),
        ("list of all", server.get("/apis/cbt.storage.k8s.io/v1alpha1/volumesnapshotdeltas?fetchcbd=true").await),
        ("create", server.post(&format!("{DELTAS}?fetchcbd=true"), &object).await),
        ("update", server.put(&format!("{DELTAS}/d?fetchcbd=true"), &object).await),
        ("patch", server.merge(&format!("{DELTAS}/d?fetchcbd=true"), &json!({})).await),
        ("delete", server.delete(&format!("{DELTAS}/d?fetchcbd=true")).await),
        ("deletecollection", server.delete(&format!("{DELTAS}?fetchcbd=true")).await),
        ("status", server.get(&format!("{DELTAS}/d/status?fetchcbd=true")).await),
        ("data", server.get(&format!("{DELTAS}/d/data?fetchcbd=true&token=a")).await),
        ("misspelt", server.get(&format!("{DELTAS}?FetchCbd=true")).await),
    ] {
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{what}: {}", answer.text());
    }
    // A watch that is let through has no end.
    let watch = server.answer("GET", &format!("{DELTAS}?watch=1&fetchcbd=true"), "", String::new()).await;
    assert_eq!(watch.status(), StatusCode::BAD_REQUEST);
    assert_eq!(server.get(DELTAS).await.json()["items"].as_array().expect("items").len(), 1, "nothing was done");
    assert_eq!(server.get(&format!("{DELTAS}?limit=1")).await.status, StatusCode::OK, "a list has a limit of its own");
}

#[tokio::test]
async fn before_the_first_byte_an_error_is_a_status() {
    let text = || "because".to_owned();
    for (error, code, retry) in [
        (Error::NotFound(text()), 404, None),
        (Error::NotReady(text()), 409, None),
        (Error::NoDelta(text()), 409, None),
        (Error::OutOfRange(text()), 400, None),
        (Error::Invalid(text()), 400, None),
        (Error::Forbidden(text()), 403, None),
        (Error::Expired(text()), 410, None),
        (Error::Throttled { message: text(), retry_after: 9 }, 429, Some("9")),
        (Error::Unavailable(text()), 503, Some("1")),
        (Error::Broken(text()), 502, None),
        (Error::Internal(text()), 500, None),
    ] {
        for script in [
            Script { refusal: Some(error.clone()), ..Script::default() },
            Script { end: Some(error.clone()), ..Script::default() },
        ] {
            let server = with_delta(script).await;
            for accept in ["application/json", "application/x-ndjson", MEDIA_TYPE] {
                let answer = server.accepting(accept).get(FETCH).await;
                assert_eq!(answer.status.as_u16(), code, "{error:?}");
                assert_eq!(answer.headers.get("retry-after").map(|value| value.to_str().expect("text")), retry);
                assert_eq!(answer.json()["kind"], "Status");
                assert!(answer.text().contains("because"), "{}", answer.text());
            }
        }
    }
    let server = with_delta(Script { refusal: Some(Error::NoDelta(text())), ..Script::default() }).await;
    assert!(server.get(FETCH).await.text().contains("take all allocated blocks"));
}

#[tokio::test]
async fn an_object_that_is_not_there_is_not_found() {
    let server = with_delta(Named(Synthetic::full(4, 1 << 16))).await;
    let answer = server.get(&format!("{DELTAS}/nope?fetchcbd=true")).await;
    assert_eq!(
        (answer.status, &answer.json()["details"]["kind"]),
        (StatusCode::NOT_FOUND, &json!("volumesnapshotdeltas"))
    );
}

#[tokio::test]
async fn later_an_error_breaks_the_answer() {
    let script = || Script {
        messages: vec![message([1, 2]), message([3])],
        end: Some(Error::Unavailable("the driver is gone".to_owned())),
        ..Script::default()
    };
    let server = with_delta(script()).await;
    for accept in ["application/json", "application/yaml", MEDIA_TYPE] {
        let answer = server.accepting(accept).answer("GET", FETCH, "", String::new()).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let (text, whole) = drained(answer).await;
        assert!(!whole, "{accept}");
        assert!(serde_json::from_str::<Value>(&text).is_err(), "no part passes for the whole");
    }
    let (text, whole) =
        drained(server.accepting("application/x-ndjson").answer("GET", FETCH, "", String::new()).await).await;
    assert!(!whole);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!((&lines[2]["offset"], &lines[3]["error"]["code"]), (&json!(3), &json!(503)));
    assert_eq!(lines[3]["error"]["message"], "the driver is gone");
}

#[tokio::test]
async fn a_source_that_breaks_the_contract_is_not_believed() {
    let token = |token: &[u8]| {
        let mut builder = Builder::new(Kind::Fixed, 1 << 40);
        builder.push(Block { offset: 9 << 16, size: 1 << 16, token });
        builder.finish()
    };
    for (what, second) in [
        ("out of order", message([5, 4])),
        ("repeated", message([2, 3])),
        ("empty", message([])),
        ("endless", message(3..1000)),
        ("quoted", token(b"\"}}],\"x\":[")),
        ("beyond the end", message([1 << 30])),
    ] {
        let server = with_delta(Script { messages: vec![message([1, 2]), second], ..Script::default() }).await;
        let (text, whole) =
            drained(server.accepting("application/x-ndjson").answer("GET", FETCH, "", String::new()).await).await;
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert!(!whole, "{what}");
        assert_eq!(lines.iter().filter(|line| line.get("offset").is_some()).count(), 2, "{what}: the good ones");
        assert_eq!(lines[2]["error"]["code"], 502, "{what}");
    }
    let server = with_delta(Script { messages: vec![message([5, 4])], ..Script::default() }).await;
    assert_eq!(server.get(FETCH).await.status, StatusCode::BAD_GATEWAY);
}

/// Lets everybody do everything but read VolumeSnapshots.
struct NoSnapshots;

#[async_trait]
impl Authorizer for NoSnapshots {
    async fn authorize(&self, _: &User, asked: &Attributes) -> auth::Result<Decision> {
        if asked.resource != "volumesnapshots" {
            return Ok(Decision::Allow);
        }
        assert_eq!((asked.verb.as_str(), asked.group.as_str()), ("get", "snapshot.storage.k8s.io"));
        assert_eq!((asked.namespace.as_str(), asked.name.as_str()), ("default", ""));
        Ok(Decision::Deny { reason: String::new() })
    }
}

#[tokio::test]
async fn who_may_not_read_snapshots_gets_no_blocks() {
    let extensions = cbt_api::extensions(Arc::new(Named(Synthetic::full(4, 1 << 16))), None);
    let server = Server::with(&extensions, Arc::new(NoSnapshots)).await.sending(USER, "bob").accepting("*/*");
    server.post(DELTAS, &delta("d", "base", "target")).await;
    assert_eq!(server.get(&format!("{DELTAS}/d")).await.status, StatusCode::OK);
    for uri in [FETCH, &format!("{DELTAS}/d/data?token=a"), &format!("{DELTAS}/unknown?fetchcbd=true")] {
        let answer = server.get(uri).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{uri}");
        assert!(answer.text().contains(r#"cannot get resource \"volumesnapshots\" in API group \"snapshot.storage.k8s.io\" in the namespace \"default\""#), "{}", answer.text());
    }
    let may = Server::with(&extensions, Arc::new(Everybody)).await.sending(USER, "bob");
    may.post(DELTAS, &delta("d", "base", "target")).await;
    assert_eq!(may.get(FETCH).await.status, StatusCode::OK);
}
