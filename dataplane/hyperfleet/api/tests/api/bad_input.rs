//! What clients send by mistake or on purpose: each is their fault, and says so.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::server::{LONG, V1, start};

#[tokio::test]
async fn bodies_that_no_database_takes_are_refused() {
    let server = start(&[]).await;
    let spec = |spec: &str| format!(r#"{{"kind":"Cluster","name":"a","spec":{{"a":{spec}}}}}"#).into_bytes();
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let mut broken = spec("\"x\"");
    let place = broken.len() - 4;
    broken[place] = 0xff;
    for (what, body) in [
        ("a NUL", spec(r#""\u0000""#)),
        ("half a pair", spec(r#""\ud800""#)),
        ("depth", spec(&deep)),
        ("a large number", spec("1e999999")),
        ("a small number", spec("1e-999999")),
        ("a key twice", spec(r#"{"b":1,"b":2}"#)),
        ("no UTF-8", broken),
        ("a long name", format!(r#"{{"kind":"Cluster","name":"{}","spec":{{}}}}"#, "a".repeat(64)).into_bytes()),
        ("a label without a key", br#"{"kind":"Cluster","name":"a","spec":{},"labels":{"":"x"}}"#.to_vec()),
        ("a label that is no text", br#"{"kind":"Cluster","name":"a","spec":{},"labels":{"x":1}}"#.to_vec()),
        ("null", b"null".to_vec()),
        ("nothing", Vec::new()),
    ] {
        let answer = server.send(server.api, Method::POST, &format!("{V1}/clusters"), &[], Bytes::from(body)).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.text());
        assert!(answer.json()["code"].as_str().is_some_and(|code| code.starts_with("hyperfleet-")), "{what}");
    }
    assert_eq!(server.get(&format!("{V1}/clusters")).await.json()["total"], 0, "nothing was made");
    server.stop().await;
}

#[tokio::test]
async fn queries_and_paths_that_make_no_sense_are_refused_or_find_nothing() {
    let server = start(&[]).await;
    server.cluster("a").await;
    let long = format!("search=name='{}'", "a".repeat(5000));
    for query in [
        "search=name%20=",
        "search=nope='a'",
        "search=((((",
        "search=name='%00'",
        "search=name='a';drop%20table%20clusters",
        "search=name='a')%20or%20(name='b'",
        "orderBy=nope",
        "orderBy=name;select%201",
        "orderBy=id%20desc%20nulls",
        "fields=nope",
        "fields=spec..a",
        &long,
    ] {
        let answer = server.get(&format!("{V1}/clusters?{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
    }
    for query in [
        "page=9223372036854775807",
        "pageSize=9223372036854775807&page=9223372036854775807",
        "page=%ff",
        "%ff=%00&&=&x",
    ] {
        assert_eq!(server.get(&format!("{V1}/clusters?{query}")).await.status, 200, "{query}");
    }
    let long = "a".repeat(10_000);
    for id in ["%00", "%ff", "..%2f..", "'", "%25", &long] {
        assert_eq!(server.get(&format!("{V1}/clusters/{id}")).await.status, 404, "{id}");
        assert_eq!(server.get(&format!("{V1}/clusters/{id}/nodepools")).await.status, 404, "{id}");
        assert_eq!(server.get(&format!("{V1}/clusters/{id}/statuses")).await.status, 404, "{id}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_is_too_long_or_does_not_come_is_refused() {
    let server = start(&["--http-read-timeout=200ms"]).await;
    let clusters = format!("{V1}/clusters");
    let length = 2 << 20;
    let mut stream = TcpStream::connect(server.api).await.expect("it listens");
    let head = |length: usize| format!("POST {clusters} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(head(length).as_bytes()).await.expect("it reads");
    // It need not read all of it to refuse it.
    let (mut read, mut write) = stream.into_split();
    let sending = async move {
        let _ = write.write_all(&vec![b' '; length]).await;
        std::future::pending::<()>().await;
    };
    let mut status = [0; 12];
    tokio::select! {
        () = sending => {}
        read = timeout(LONG, read.read_exact(&mut status)) => drop(read.expect("it answers").expect("a whole line")),
    }
    assert_eq!(&status, b"HTTP/1.1 413");

    let mut stream = TcpStream::connect(server.api).await.expect("it listens");
    stream.write_all(head(10).as_bytes()).await.expect("it reads");
    let mut status = [0; 12];
    timeout(LONG, stream.read_exact(&mut status)).await.expect("it answers").expect("a whole line");
    assert_eq!(&status, b"HTTP/1.1 408");
    drop(stream);
    server.stop().await;
}

#[tokio::test]
async fn many_connections_at_once_are_all_answered() {
    let server = std::sync::Arc::new(start(&[]).await);
    let id = server.cluster("a").await;
    let asked = (0..200).map(|number| {
        let (server, id) = (std::sync::Arc::clone(&server), id.clone());
        async move {
            let adapter = number % 3;
            let body = format!(r#"{{"adapter":"a{adapter}","observed_generation":1,"conditions":[{{"type":"Available","status":"True"}}]}}"#);
            let reported = server.post(&format!("{V1}/clusters/{id}/statuses"), &body).await.status;
            (reported, server.get(&format!("{V1}/clusters/{id}")).await.status)
        }
    });
    for (reported, got) in timeout(Duration::from_secs(60), futures::future::join_all(asked)).await.expect("no cliff") {
        assert_eq!((reported.as_u16(), got.as_u16()), (201, 200));
    }
    assert_eq!(server.get(&format!("{V1}/clusters/{id}/statuses")).await.json()["total"], 3);
    std::sync::Arc::into_inner(server).expect("nobody else asks").stop().await;
}
