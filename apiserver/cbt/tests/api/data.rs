//! The data of blocks.

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use http::StatusCode;
use proto::cbt::{
    Data, Error, Snapshot,
    suite::{Subject, Synthetic},
};
use serde_json::json;

use crate::{
    DELTAS, delta, entries,
    source::{Named, Script, Seen},
    with_delta,
};

#[tokio::test]
async fn blocks_are_read_by_their_tokens() {
    let volume = Synthetic::sparse(8, 1 << 17);
    let server = with_delta(Named(volume.clone())).await;
    let list = entries(&server.get(&format!("{DELTAS}/d?fetchcbd=true")).await.json());
    let octets = server.accepting("application/octet-stream");
    for entry in &list {
        let token = entry["dataToken"]["token"].as_str().expect("a token");
        let offset = entry["offset"].as_u64().expect("an offset") << 17;
        let answer = octets.get(&format!("{DELTAS}/d/data?token={token}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(answer.headers["content-type"], "application/octet-stream");
        assert_eq!(answer.headers[cbt_api::volume_snapshot_delta::BLOCK_OFFSET], offset.to_string());
        assert!(answer.body == volume.data(offset..offset + (1 << 17)).await);
    }
    let token = |at: usize| list[at]["dataToken"]["token"].as_str().expect("a token");
    let several = octets.get(&format!("{DELTAS}/d/data?token={}&token={}", token(3), token(1))).await;
    let offset = |at: usize| list[at]["offset"].as_u64().expect("an offset") << 17;
    let mut expected = volume.data(offset(3)..offset(3) + (1 << 17)).await;
    expected.extend(volume.data(offset(1)..offset(1) + (1 << 17)).await);
    assert!(several.body == expected, "in the order of the tokens");
}

#[tokio::test]
async fn any_client_gets_octets_or_nothing() {
    let server = with_delta(Named(Synthetic::full(1, 1 << 16))).await;
    let list = entries(&server.get(&format!("{DELTAS}/d?fetchcbd=true")).await.json());
    let uri = format!("{DELTAS}/d/data?token={}", list[0]["dataToken"]["token"].as_str().expect("a token"));
    assert_eq!(server.accepting("application/json, */*").get(&uri).await.body.len(), 1 << 16);
    let refused = server.accepting("application/json").get(&uri).await;
    assert_eq!((refused.status, &refused.json()["reason"]), (StatusCode::NOT_ACCEPTABLE, &json!("NotAcceptable")));
}

#[tokio::test]
async fn tokens_are_handed_on_as_they_are() {
    let seen = Arc::new(Seen::default());
    let server = with_delta(Script { seen: Arc::clone(&seen), ..Script::default() }).await;
    let answer = server.accepting("*/*").get(&format!("{DELTAS}/d/data?token=AAAB%2B%2F%3D&token=b")).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 0));
    let read = seen.reads.lock().expect("a lock").pop().expect("a read");
    assert_eq!(read.tokens, [Bytes::from_static(b"AAAB+/="), Bytes::from_static(b"b")]);
    assert_eq!(read.target, Snapshot::Named { namespace: "default".to_owned(), name: "target".to_owned() });
}

#[tokio::test]
async fn what_cannot_be_read_is_a_status() {
    for (error, code, reason) in [
        (Error::Expired("the token has expired".to_owned()), 410, "Expired"),
        (Error::Invalid("the token was not given for this snapshot".to_owned()), 400, "BadRequest"),
        (Error::Invalid("the driver cannot read blocks".to_owned()), 400, "BadRequest"),
        (Error::Forbidden("the token is another's".to_owned()), 403, "Forbidden"),
    ] {
        let server = with_delta(Script { refusal: Some(error.clone()), ..Script::default() }).await;
        let answer = server.accepting("application/octet-stream").get(&format!("{DELTAS}/d/data?token=a")).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["reason"]), (code, &json!(reason)));
        assert!(answer.text().contains(&error.to_string()), "{}", answer.text());
    }
    let server = with_delta(Named(Synthetic::full(1, 1 << 16))).await.accepting("*/*");
    for query in ["", "?token=", "?token=a&token="] {
        let answer = server.get(&format!("{DELTAS}/d/data{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(answer.text().contains("token"), "{}", answer.text());
    }
    let forged = server.get(&format!("{DELTAS}/d/data?token=0-forged")).await;
    assert_eq!(forged.status, StatusCode::BAD_REQUEST, "{}", forged.text());
    assert_eq!(server.get(&format!("{DELTAS}/nope/data?token=a")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_reading_that_fails_is_cut() {
    let piece = Data { offset: 4096, bytes: Bytes::from_static(b"abc") };
    let end = Some(Error::Unavailable("gone".to_owned()));
    let server = with_delta(Script { pieces: vec![piece], end, ..Script::default() }).await.accepting("*/*");
    let answer = server.answer("GET", &format!("{DELTAS}/d/data?token=a"), "", String::new()).await;
    assert_eq!(
        (answer.status(), &answer.headers()["x-block-offset"]),
        (StatusCode::OK, &"4096".parse().expect("a value"))
    );
    let pieces: Vec<_> = answer.into_body().into_data_stream().collect().await;
    assert_eq!(pieces[0].as_ref().expect("what came before").as_ref(), b"abc");
    assert!(pieces.last().expect("an end").is_err());
}

#[tokio::test]
async fn data_is_read_and_nothing_else() {
    let server = with_delta(Named(Synthetic::full(1, 1 << 16))).await;
    let uri = format!("{DELTAS}/d/data");
    let object = delta("d", "base", "other");
    for (verb, answer) in [
        ("update", server.put(&uri, &object).await),
        ("patch", server.merge(&uri, &object).await),
        ("create", server.post(&uri, &object).await),
        ("delete", server.delete(&uri).await),
    ] {
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{verb}: {}", answer.text());
    }
    assert_eq!(server.get(&format!("{DELTAS}/d")).await.json()["spec"]["targetVolumeSnapshotName"], "target");
}
