//! The database away, and back: 503 on reads and writes while it is, health that says so, and nobody who has to help.
#![expect(clippy::unwrap_used, reason = "tests")]

use anyhow::Result;
use hyperfleet_tests::cx::{Cx, path};
use hyperfleet_tests::server::Server;
use kit::{Postgres, Scratch, eventually};
use serde_json::{Value, json};

/// A server on a PostgreSQL of its own, and a cluster in it.
async fn start() -> (Postgres, Server, Cx, Value) {
    let postgres = Postgres::start().unwrap();
    let server = Server::start_on(Scratch::new("outage").unwrap(), &postgres.url(), &[], &[]).unwrap();
    let cx = Cx::new(server.target()).unwrap();
    let cluster = cx.cluster("before").await.unwrap();
    (postgres, server, cx, cluster)
}

async fn assert_away(server: &Server, cx: &Cx, cluster: &Value) -> Result<()> {
    let place = path(cluster);
    for (method, path, body) in [
        ("GET", place.clone(), String::new()),
        ("GET", "/clusters".to_owned(), String::new()),
        ("GET", format!("{place}/statuses"), String::new()),
        ("POST", "/clusters".to_owned(), cx.body("during").to_string()),
        ("PATCH", place.clone(), json!({"spec": {"x": 1}}).to_string()),
        (
            "POST",
            format!("{place}/statuses"),
            hyperfleet_tests::cx::report("dns", 1, &[("Available", "True")]).to_string(),
        ),
        ("DELETE", place.clone(), String::new()),
    ] {
        let answer = cx.send(method, &path, &[], body).await?;
        assert_eq!(answer.status, 503, "{method} {path}: {}", answer.text());
        let error = answer.json()?;
        let text = error.to_string();
        assert!(error["reason"].is_string() && !text.contains("postgres://") && !text.contains("127.0.0.1"), "{text}");
    }
    // What needs no database is answered.
    assert_eq!(cx.get("/compatibility").await?.status, 200);
    assert_eq!(server.health("GET", "/readyz").await?.status, 503);
    assert_eq!(server.health("GET", "/healthcheck").await?.status, 503);
    Ok(())
}

async fn assert_back(server: &mut Server, cx: &Cx, cluster: &Value) {
    eventually!(server.health("GET", "/healthcheck").await.unwrap().status == 200, "it is well again");
    eventually!(cx.get(&path(cluster)).await.unwrap().status == 200, "it reads again");
    assert_eq!(cx.read(cluster).await.unwrap(), *cluster, "nothing of the outage was written");
    cx.cluster("after").await.unwrap();
    server.process().ensure_running().unwrap();
    assert_eq!(cx.search("name like '%-during'", "").await.unwrap().json().unwrap()["total"], json!(0));
}

#[tokio::test]
async fn a_stopped_database_is_503_until_it_is_back() {
    let (mut postgres, mut server, cx, cluster) = start().await;
    postgres.stop().unwrap();
    eventually!(cx.get(&path(&cluster)).await.unwrap().status == 503, "it notices");
    assert_away(&server, &cx, &cluster).await.unwrap();
    postgres.start_again().unwrap();
    assert_back(&mut server, &cx, &cluster).await;
}

#[tokio::test]
async fn a_killed_database_is_503_until_it_is_back() {
    let (mut postgres, mut server, cx, cluster) = start().await;
    postgres.kill().unwrap();
    assert_away(&server, &cx, &cluster).await.unwrap();
    postgres.start_again().unwrap();
    assert_back(&mut server, &cx, &cluster).await;
}

#[tokio::test]
async fn connections_that_were_cut_are_opened_again() {
    let (postgres, mut server, cx, cluster) = start().await;
    for round in 0..3 {
        postgres.terminate_connections().unwrap();
        eventually!(cx.get(&path(&cluster)).await.unwrap().status == 200, "it reads again");
        cx.cluster(&format!("round-{round}")).await.unwrap();
    }
    server.process().ensure_running().unwrap();
}

/// Acknowledged is there, whatever comes after.
#[tokio::test]
async fn what_was_acknowledged_outlives_the_death_of_all() {
    let (mut postgres, mut server, cx, _) = start().await;
    let mut made = Vec::new();
    for number in 0..20 {
        made.push(cx.cluster(&format!("c{number}")).await.unwrap());
    }
    postgres.kill().unwrap();
    server.process().kill().unwrap();
    postgres.start_again().unwrap();
    server.start_again().unwrap();
    for cluster in &made {
        assert_eq!(cx.read(cluster).await.unwrap(), *cluster);
    }
}
