//! A GET with blocks.

use std::sync::{Arc, atomic::Ordering};

use api_testing::Server;
use futures::StreamExt;
use http::StatusCode;
use machinery::yaml;
use proto::cbt::{Blocks, MEDIA_TYPE, Shape, Snapshot, suite::Synthetic};
use serde_json::{Value, json};

use crate::{
    DELTAS, entries, indices, server,
    source::{Named, Script, Seen, message},
    with_delta,
};

/// 1000 blocks of 64 KiB with gaps.
fn sparse() -> Named {
    Named(Synthetic::sparse(1000, 1 << 16))
}

async fn fetched(server: &Server, query: &str) -> Vec<Value> {
    let answer = server.get(&format!("{DELTAS}/d?fetchcbd=true{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text());
    entries(&answer.json())
}

#[tokio::test]
async fn the_object_comes_with_its_blocks() {
    let server = with_delta(sparse()).await;
    let stored = server.get(&format!("{DELTAS}/d")).await.json();
    assert_eq!(stored.get("status"), None, "blocks come when they are asked for");

    let answer = server.get(&format!("{DELTAS}/d?fetchcbd=true")).await;
    assert_eq!(
        (answer.status, &answer.headers["content-type"]),
        (StatusCode::OK, &"application/json".parse().expect("a value"))
    );
    let mut object = answer.json();
    let list = entries(&object);
    assert_eq!(list.len(), 256, "the default");
    assert_eq!(list[0]["blockSizeBytes"], 65536);
    assert_eq!(list[0]["dataToken"]["issuanceTime"], "2023-11-14T22:13:20Z");
    assert_eq!(list[0]["dataToken"]["ttl"], "1h0m0s");
    assert!(list.iter().all(|entry| entry["dataToken"]["token"].as_str().is_some_and(|token| !token.is_empty())));
    assert_eq!(object["status"]["volumeSizeBytes"], 2000 << 16);
    object.as_object_mut().expect("an object").remove("status");
    assert_eq!(object, stored);
}

#[tokio::test]
async fn pages_are_the_whole_at_any_size() {
    let server = with_delta(sparse()).await;
    let whole = fetched(&server, "&limit=0").await;
    assert_eq!(whole.len(), 1000);
    for limit in [1, 7, 255, 256, 999, 1000, 1001, u64::MAX] {
        let (mut pages, mut offset) = (Vec::new(), 0);
        loop {
            let page = fetched(&server, &format!("&limit={limit}&offset={offset}")).await;
            assert!(page.len() as u64 <= limit);
            let full = page.len() as u64 == limit;
            offset = page.last().map_or(offset, |last| last["offset"].as_u64().expect("an offset") + 1);
            pages.extend(page);
            if !full {
                break;
            }
        }
        assert_eq!(pages, whole, "pages of {limit}");
    }
}

#[tokio::test]
async fn an_offset_is_the_index_of_a_block() {
    let server = with_delta(sparse()).await;
    let whole = indices(&fetched(&server, "&limit=0").await);
    for offset in [0, 1, 2, 500, 1001, 1999, 2000] {
        let page = indices(&fetched(&server, &format!("&limit=3&offset={offset}")).await);
        let expected: Vec<u64> = whole.iter().copied().filter(|index| *index >= offset).take(3).collect();
        assert_eq!(page, expected, "from {offset}");
    }
}

#[tokio::test]
async fn every_representation_says_the_same() {
    let server = with_delta(sparse()).await;
    // The first fetch leaves its count in the object.
    fetched(&server, "&limit=0").await;
    let uri = format!("{DELTAS}/d?fetchcbd=true&limit=0");
    let json = server.get(&uri).await.json();
    let expected = entries(&json);

    let pretty = server.get(&format!("{uri}&pretty=true")).await;
    assert_eq!(pretty.json(), json);
    assert!(pretty.body.ends_with(b"\n    ],\n    \"driver\": \"synthetic.example.com\",\n    \"observedGeneration\": 1,\n    \"volumeSizeBytes\": 131072000\n  }\n}"));

    let yaml = server.accepting("application/yaml").get(&uri).await;
    assert_eq!(yaml.headers["content-type"], "application/yaml");
    assert_eq!(yaml::decode(&yaml.body).expect("YAML").value, json);

    let lines = server.accepting("application/x-ndjson").get(&uri).await;
    assert_eq!(lines.headers["content-type"], "application/x-ndjson");
    let parse = |line: &str| serde_json::from_str::<Value>(line).expect("each line is JSON");
    assert_eq!(lines.text().lines().map(parse).collect::<Vec<_>>(), expected);

    let messages = server.accepting(MEDIA_TYPE).get(&uri).await;
    assert_eq!(messages.headers["content-type"], MEDIA_TYPE);
    let blocks: Vec<u64> = decoded(&messages.body)
        .iter()
        .flat_map(|blocks| blocks.iter().map(|block| block.offset >> 16).collect::<Vec<_>>())
        .collect();
    assert_eq!(blocks, indices(&expected));
}

/// Messages, each after its length.
fn decoded(mut bytes: &[u8]) -> Vec<Blocks> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let (mut length, mut at) = (0, 0);
        while bytes[at] >= 0x80 {
            length |= usize::from(bytes[at] & 0x7f) << (7 * at);
            at += 1;
        }
        length |= usize::from(bytes[at]) << (7 * at);
        let (message, rest) = bytes[at + 1..].split_at(length);
        messages.push(Blocks::decode(bytes::Bytes::copy_from_slice(message)).expect("a message"));
        bytes = rest;
    }
    messages
}

#[tokio::test]
async fn kubectls_table_is_no_answer_with_blocks() {
    let server = with_delta(sparse()).await;
    let uri = format!("{DELTAS}/d?fetchcbd=true&limit=1");
    let table = "application/json;as=Table;v=v1;g=meta.k8s.io";
    assert_eq!(server.accepting(table).get(&uri).await.status, StatusCode::NOT_ACCEPTABLE);
    let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
    assert_eq!(entries(&server.accepting(kubectl).get(&uri).await.json()).len(), 1);
}

#[tokio::test]
async fn no_blocks_are_an_empty_list() {
    for messages in [vec![], vec![message([])]] {
        let server = with_delta(Script { messages, ..Script::default() }).await;
        let uri = format!("{DELTAS}/d?fetchcbd=true");
        assert_eq!(entries(&server.get(&uri).await.json()), Vec::<Value>::new());
        assert_eq!(entries(&server.get(&format!("{uri}&pretty=1")).await.json()), Vec::<Value>::new());
        let yaml = server.accepting("application/yaml").get(&uri).await;
        assert_eq!(entries(&yaml::decode(&yaml.body).expect("YAML").value), Vec::<Value>::new());
        assert_eq!(server.accepting("application/x-ndjson").get(&uri).await.text(), "");
    }
}

#[tokio::test]
async fn entries_without_a_token_say_so() {
    let blocks = Script { messages: vec![message([1])], ..Script::default() };
    let server = with_delta(blocks).await;
    // A token without validity, as a driver sends it that keeps none.
    let token = json!({ "token": "t", "issuanceTime": null, "ttl": "0s" });
    assert_eq!(fetched(&server, "").await[0]["dataToken"], token);
}

#[tokio::test]
async fn what_is_asked_for_is_asked_of_the_source() {
    let seen = Arc::new(Seen::default());
    let server = with_delta(Script { seen: Arc::clone(&seen), ..Script::default() }).await;
    fetched(&server, "&limit=9&offset=4").await;
    let asked = seen.queries.lock().expect("a lock").pop().expect("a query");
    let named = |name: &str| Snapshot::Named { namespace: "default".to_owned(), name: name.to_owned() };
    assert_eq!((asked.base, asked.target), (Some(named("base")), named("target")));
    assert_eq!((asked.shape, asked.start, asked.limit, asked.tokens), (Shape::Blocks, 4, 9, true));
    assert!(asked.per_message > 0, "what is made of a message must stay small");
}

#[tokio::test]
async fn gzip_is_for_others() {
    let server = with_delta(Named(Synthetic::full(10_000, 1 << 16))).await;
    let asking = server.sending("accept-encoding", "gzip");
    let answer = asking.get(&format!("{DELTAS}/d?fetchcbd=true&limit=0")).await;
    assert!(answer.headers.get("content-encoding").is_none());
    assert_eq!(entries(&answer.json()).len(), 10_000);
}

#[tokio::test]
async fn namespaces_are_kept_apart() {
    let server = server(sparse()).await;
    let other = DELTAS.replace("/default/", "/other/");
    server.post(DELTAS, &crate::delta("d", "base", "target")).await;
    assert_eq!(server.get(&format!("{other}/d?fetchcbd=true")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.delete(&format!("{other}/d")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.get(&other).await.json()["items"], json!([]));
    // The same names mean other snapshots there.
    server.post(&other, &crate::delta("d", "base", "target")).await;
    let refused = server.get(&format!("{other}/d?fetchcbd=true")).await;
    assert_eq!((refused.status, &refused.json()["reason"]), (StatusCode::NOT_FOUND, &json!("NotFound")));
    assert!(refused.text().contains("other"), "{}", refused.text());
    assert_eq!(fetched(&server, "&limit=2").await.len(), 2);
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_stream() {
    let seen = Arc::new(Seen::default());
    let script = Script { messages: vec![message([1])], stalls: true, seen: Arc::clone(&seen), ..Script::default() };
    let server = with_delta(script).await;
    let answer = server.answer("GET", &format!("{DELTAS}/d?fetchcbd=true"), "", String::new()).await;
    let mut body = answer.into_body().into_data_stream();
    let first = body.next().await.expect("something at once").expect("good");
    assert!(first.ends_with(b"}}"), "the first entry does not wait for others: {first:?}");
    assert_eq!(seen.ended.load(Ordering::SeqCst), 0);
    drop(body);
    assert_eq!(seen.ended.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn forgotten_parameters_are_pointed_out() {
    let server = with_delta(sparse()).await;
    let answer = server.get(&format!("{DELTAS}/d?limit=5")).await;
    assert_eq!((answer.status, answer.json().get("status")), (StatusCode::OK, None));
    assert!(answer.headers["warning"].to_str().expect("text").contains("fetchcbd=true"));
    let silent = server.get(&format!("{DELTAS}/d?fetchcbd=false&limit=5&unknown=x")).await;
    assert_eq!((silent.status, silent.headers.get("warning")), (StatusCode::OK, None));
}
