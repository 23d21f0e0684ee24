//! How the server begins and ends, as clients see it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clients::http2::{self, flag, kind};
use clients::{bundle_deployment, collection};
use kit::{Client, Outrigger};

const AGGREGATED: [(&str, &str); 1] =
    [("accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")];

/// Asks without a pause, and returns every status that came.
async fn hammer(client: Client, stop: Arc<AtomicBool>) -> Vec<u16> {
    let mut statuses = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        for path in ["/apis/fleet.cattle.io/v1alpha1", "/apis", &collection("begin"), "/openapi/v2"] {
            if let Ok(answer) = client.get(path).await {
                statuses.push(answer.status);
            }
        }
        tokio::task::yield_now().await;
    }
    statuses
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_while_it_starts_is_never_not_found() {
    let mut outrigger = Outrigger::standalone(&[], &[]).unwrap();
    let client = outrigger.admin().unwrap();
    outrigger.kill().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let asking = hammer(client, Arc::clone(&stop));
    let starting = async {
        tokio::task::block_in_place(|| outrigger.start_again()).unwrap();
        stop.store(true, Ordering::Relaxed);
    };
    let (statuses, ()) = tokio::join!(asking, starting);
    assert!(statuses.iter().all(|status| matches!(status, 200 | 503)), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_have_the_same_hashes_after_a_restart() {
    let mut outrigger =
        Outrigger::standalone(&[&kit::examples::crd("widgets"), &kit::examples::crd("racks")], &[]).unwrap();
    let hashes = async |outrigger: &Outrigger| {
        let admin = outrigger.admin().unwrap();
        let index = admin.get("/openapi/v3").await.unwrap().text();
        let mut tags = Vec::new();
        for (path, headers) in [("/apis", &AGGREGATED[..]), ("/openapi/v2", &[])] {
            tags.push(admin.send("GET", path, headers, "").await.unwrap().header("etag").unwrap().to_owned());
        }
        (index, tags)
    };
    let before = hashes(&outrigger).await;
    outrigger.restart().unwrap();
    assert_eq!(hashes(&outrigger).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_ends_watches_well_and_tells_late_requests_to_come_back() {
    let mut outrigger = Outrigger::standalone(&[], &["--shutdown-grace-period=30s"]).unwrap();
    let (admin, path) = (outrigger.admin().unwrap(), collection("end"));
    admin.post(&path, &bundle_deployment("a", "s-1:a")).await.unwrap().success().unwrap();
    let mut watch = admin.lines(&format!("{path}?watch=1&timeoutSeconds=60"), &[]).await.unwrap();
    assert!(watch.next(Duration::from_secs(10)).await.unwrap().unwrap().contains("ADDED"));
    // It waits three seconds for a revision that does not come.
    let waiting = outrigger.admin().unwrap();
    let slow = format!("{path}?resourceVersion=9223372036854775807");
    let waiting = async { waiting.get(&slow).await.unwrap().status };

    let (mut sender, mut receiver) = http2::open(&outrigger.admin().unwrap()).await.unwrap();
    sender.get(1, &format!("{path}?watch=1&timeoutSeconds=60")).await.unwrap();
    receiver.find(kind::DATA).await.unwrap().unwrap();
    let draining = async {
        // Until the request is under way.
        while !admin.get("/metrics").await.unwrap().text().lines().any(is_reading) {
            tokio::task::yield_now().await;
        }
        outrigger.process().signal("TERM").unwrap();
        // The client has not answered the ping behind it yet, so the server still takes what was on its way.
        assert!(receiver.find(kind::GOAWAY).await.unwrap().is_some(), "the client is told");
        sender.get(3, &path).await.unwrap();
        let mut late = Vec::new();
        while let Some(frame) = receiver.next().await.unwrap() {
            match frame.kind {
                kind::PING if frame.flags & flag::ACK == 0 && !late.is_empty() => {
                    sender.send(kind::PING, flag::ACK, 0, &frame.payload).await.unwrap();
                }
                kind::DATA if frame.stream == 3 => late.extend(frame.payload),
                _ => {}
            }
            if frame.stream == 3 && frame.flags & flag::END_STREAM != 0 {
                break;
            }
        }
        String::from_utf8(late).unwrap()
    };
    let (status, late) = tokio::join!(waiting, draining);
    assert_eq!(status, 504, "what was under way is finished");
    let late: serde_json::Value = serde_json::from_str(&late).unwrap();
    assert_eq!((&late["code"], &late["reason"]), (&429.into(), &"TooManyRequests".into()), "{late}");
    assert_eq!(late["details"]["retryAfterSeconds"], 5);
    assert_eq!(watch.rest(Duration::from_secs(10)).await.unwrap(), Vec::<String>::new(), "the watch ends well");
    drop((sender, receiver));
    assert!(outrigger.process().wait(Duration::from_secs(30)).unwrap().success());
}

/// Of the metrics: whether a request that reads is under way, besides the one for the metrics.
fn is_reading(line: &str) -> bool {
    let value = line.strip_prefix("apiserver_current_inflight_requests{request_kind=\"readOnly\"} ");
    value.is_some_and(|value| value.trim().parse::<f64>().is_ok_and(|value| value >= 2.0))
}
