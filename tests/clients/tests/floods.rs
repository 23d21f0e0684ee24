//! Clients that mean harm, or are only slow: the server goes on serving all others, and does not grow.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use clients::http2::{self, Sender, flag, kind};
use clients::{bundle_deployment, collection};
use kit::{Client, Identity, Outrigger, eventually};
use serde_json::json;

/// What a server may grow by under a flood: what it grows by under ordinary load, too.
const GROWTH_KIB: u64 = 96 * 1024;
/// What a client tries to send in all.
const FLOOD: usize = 64 << 20;

fn resident_kib(outrigger: &mut Outrigger) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", outrigger.process().id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A server, one who asks as everybody does, and how large the server is once it has answered.
async fn setting() -> (Outrigger, Client, u64) {
    let mut outrigger = Outrigger::standalone(&[], &["--watch-cache-bytes=1048576", "--watch-mib=1"]).unwrap();
    let admin = outrigger.admin().unwrap();
    for index in 0..20 {
        let object = bundle_deployment(&format!("o{index}"), "s-1:a");
        admin.post(&collection("floods"), &object).await.unwrap().success().unwrap();
        admin.get(&collection("floods")).await.unwrap().success().unwrap();
    }
    let before = resident_kib(&mut outrigger);
    (outrigger, admin, before)
}

/// Sends the same again and again until the server has had enough, and asks as everybody does all the while.
async fn flood(admin: &Client, bytes: &[u8], sender: &mut Sender) {
    let path = collection("floods");
    let mut sent = 0;
    while sent < FLOOD && sender.write(bytes).await.is_ok() {
        sent += bytes.len();
        if sent % (4 << 20) < bytes.len() {
            assert_eq!(admin.get(&path).await.unwrap().status, 200, "others are served meanwhile");
        }
    }
}

async fn unharmed(mut outrigger: Outrigger, admin: &Client, before: u64) {
    assert_eq!(admin.get(&collection("floods")).await.unwrap().status, 200, "others are served afterwards");
    let after = resident_kib(&mut outrigger);
    assert!(after < before + GROWTH_KIB, "it grew from {before} KiB to {after} KiB");
    outrigger.process().ensure_running().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_taken_back_at_once() {
    let (outrigger, admin, before) = setting().await;
    for _ in 0..4 {
        let (mut sender, receiver) = http2::open(&outrigger.admin().unwrap()).await.unwrap();
        let path = format!("{}?watch=1", collection("floods"));
        let (mut stream, mut open) = (1, true);
        let reading = receiver.drain();
        let sending = async {
            while open && stream < 20_000 {
                let mut burst = Vec::new();
                for _ in 0..100 {
                    let flags = flag::END_HEADERS | flag::END_STREAM;
                    burst.extend(http2::frame(kind::HEADERS, flags, stream, &http2::get(&path)));
                    burst.extend(http2::frame(kind::RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
                    stream += 2;
                }
                open = sender.write(&burst).await.is_ok();
            }
            drop(sender);
        };
        tokio::select! {
            () = sending => {}
            () = reading => {}
        }
        assert_eq!(admin.get(&collection("floods")).await.unwrap().status, 200, "others are served meanwhile");
    }
    unharmed(outrigger, &admin, before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_never_end() {
    let (outrigger, admin, before) = setting().await;
    let (mut sender, receiver) = http2::open(&outrigger.admin().unwrap()).await.unwrap();
    sender.send(kind::HEADERS, flag::END_STREAM, 1, &http2::get("/apis")).await.unwrap();
    let block = http2::headers(&[("x-more", &"x".repeat(15_000))]);
    let more = http2::frame(kind::CONTINUATION, 0, 1, &block);
    let reading = receiver.drain();
    let closed = tokio::select! {
        () = flood(&admin, &more, &mut sender) => sender.write(&more).await.is_err(),
        () = reading => true,
    };
    assert!(closed, "the server ends the connection");
    unharmed(outrigger, &admin, before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_and_settings_without_an_end() {
    let (outrigger, admin, before) = setting().await;
    let ping = http2::frame(kind::PING, 0, 0, &[7; 8]).repeat(1000);
    let setting = http2::frame(kind::SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100]).repeat(1000);
    for burst in [ping, setting] {
        // The answers are never read.
        let (mut sender, _receiver) = http2::open(&outrigger.admin().unwrap()).await.unwrap();
        flood(&admin, &burst, &mut sender).await;
    }
    unharmed(outrigger, &admin, before).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_are_those_of_kubernetes_servers() {
    let outrigger = Outrigger::standalone(&[], &[]).unwrap();
    let (_sender, mut receiver) = http2::open(&outrigger.admin().unwrap()).await.unwrap();
    let settings = receiver.find(kind::SETTINGS).await.unwrap().unwrap();
    let settings: Vec<(u16, u32)> = settings
        .payload
        .chunks_exact(6)
        .map(|setting| {
            (u16::from_be_bytes([setting[0], setting[1]]), u32::from_be_bytes(setting[2..].try_into().unwrap()))
        })
        .collect();
    for (what, setting) in
        [("streams", (3, 1000)), ("window", (4, 256 << 10)), ("frame", (5, 256 << 10)), ("headers", (6, 1 << 20))]
    {
        assert!(settings.contains(&setting), "{what}: {settings:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_get_one_answer_a_connection() {
    let outrigger = Outrigger::standalone(&[], &[]).unwrap();
    let nobody = outrigger.client_for(&Identity::Anonymous).unwrap();
    let (mut sender, mut receiver) = http2::open(&nobody).await.unwrap();
    sender.get(1, &collection("floods")).await.unwrap();
    assert!(receiver.find(kind::GOAWAY).await.unwrap().is_some(), "the server says that this was the last request");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_is_not_made() {
    let outrigger = Outrigger::standalone(&[], &[]).unwrap();
    let admin = outrigger.admin().unwrap();
    let upgrade = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let path = format!("{}?watch=1&timeoutSeconds=1", collection("floods"));
    let answer = admin.send_http1("GET", &path, &upgrade, "").await.unwrap();
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")), "a watch as any other");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_holds_up_nobody() {
    let (outrigger, admin, before) = setting().await;
    let path = collection("floods");
    let now = admin.get(&path).await.unwrap().success().unwrap();
    let now = now["metadata"]["resourceVersion"].as_str().unwrap();
    let watch = format!("{path}?watch=1&timeoutSeconds=60&resourceVersion={now}");
    let mut slow = outrigger.admin().unwrap().lines(&watch, &[]).await.unwrap();
    let mut quick = outrigger.admin().unwrap().lines(&watch, &[]).await.unwrap();
    let patch = [("content-type", "application/merge-patch+json")];
    for index in 0..150 {
        let annotation = format!("{index:03}{}", "x".repeat(200 * 1024));
        let body = json!({"metadata": {"annotations": {"large": annotation}}}).to_string();
        let written = admin.send("PATCH", &format!("{path}/o1"), &patch, body).await.unwrap();
        written.success().unwrap();
        assert!(quick.next(Duration::from_secs(30)).await.unwrap().is_some(), "who reads is told");
    }
    let seen = slow.rest(Duration::from_secs(30)).await.unwrap();
    assert!(seen.len() < 150, "who does not read is cut off: {}", seen.len());
    eventually!(admin.get(&path).await.unwrap().status == 200, "others are served");
    unharmed(outrigger, &admin, before).await;
}
