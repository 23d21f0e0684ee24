//! Reports of adapters over HTTP. What becomes of them is tested with the records.

use http::Method;

use crate::server::{V1, start};

/// The first README's own example.
const README: &str = r#"{"adapter":"dns-adapter","observed_generation":1,"conditions":[{"adapter":"dns-adapter","type":"Ready","status":"True",
    "observed_generation":1,"reason":"ClusterProvisioned","message":"Cluster successfully provisioned",
    "created_at":"2025-11-17T15:04:05Z","updated_at":"2025-11-17T15:04:05Z"}]}"#;

#[tokio::test]
async fn the_readmes_example_is_taken_and_makes_the_cluster_ready() {
    let server = start(&[]).await;
    let path = format!("{V1}/clusters/{}", server.cluster("a").await);
    let reported = server.post(&format!("{path}/statuses"), README).await;
    assert_eq!(reported.status, 201, "{}", reported.text());
    let condition = reported.json()["conditions"][0].clone();
    assert_eq!(
        (condition["created_at"].clone(), condition["type"].clone()),
        ("2025-11-17T15:04:05Z".into(), "Ready".into())
    );
    assert_eq!(reported.json()["data"], serde_json::json!({}));
    let again = server.ask(Method::PUT, &format!("{path}/statuses"), &[], README).await;
    assert_eq!(again.status, 201, "PUT is the same");
    let cluster = server.get(&path).await.json();
    assert_eq!(
        (cluster["status"]["phase"].clone(), cluster["status"]["observed_generation"].clone()),
        ("Ready".into(), 1.into())
    );
    assert_eq!(cluster["status"]["adapters"][0]["adapter"], "dns-adapter");
    let list = server.get(&format!("{path}/statuses")).await.json();
    assert_eq!((list["kind"].clone(), list["total"].clone()), ("AdapterStatusList".into(), 1.into()));
    server.stop().await;
}

#[tokio::test]
async fn reports_on_what_is_not_there_are_refused() {
    let server = start(&[]).await;
    let id = server.cluster("a").await;
    assert_eq!(server.post(&format!("{V1}/clusters/none/statuses"), README).await.status, 404);
    assert_eq!(server.get(&format!("{V1}/clusters/none/statuses")).await.status, 404);
    assert_eq!(server.post(&format!("{V1}/clusters/{id}/nodepools/none/statuses"), README).await.status, 404);
    server.stop().await;
}

#[tokio::test]
async fn a_stale_report_is_answered_with_the_one_that_counts_or_with_nothing() {
    let report = |time: &str, status: &str| {
        format!(
            r#"{{"adapter":"dns","observed_generation":1,"observed_time":"{time}","conditions":[{{"type":"Available","status":"{status}"}}]}}"#
        )
    };
    let (new, old) = (report("2025-01-02T00:00:00Z", "True"), report("2025-01-01T00:00:00Z", "False"));
    for (flags, status) in [(&[][..], 201), (&["--stale-no-content"][..], 204)] {
        let server = start(flags).await;
        let path = format!("{V1}/clusters/{}/statuses", server.cluster("a").await);
        assert_eq!(server.post(&path, &new).await.status, 201);
        let stale = server.post(&path, &old).await;
        assert_eq!(stale.status, status);
        if status == 201 {
            assert_eq!(stale.json()["conditions"][0]["status"], "True", "the newer one counts");
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn strict_reports_and_times_are_refused() {
    let server = start(&["--strict-reports", "--strict-times"]).await;
    let path = format!("{V1}/clusters/{}/statuses", server.cluster("a").await);
    assert_eq!(server.post(&path, README).await.status, 400, "Available, Applied and Health are missing");
    let conditions: Vec<String> = ["Available", "Applied", "Health"]
        .iter()
        .map(|name| format!(r#"{{"type":"{name}","status":"True"}}"#))
        .collect();
    let report = |time: &str| {
        format!(r#"{{"adapter":"dns","observed_generation":1,{time}"conditions":[{}]}}"#, conditions.join(","))
    };
    assert_eq!(server.post(&path, &report("")).await.status, 201);
    let refused = server.post(&path, &report(r#""observed_time":"2020-01-01T00:00:00Z","#)).await;
    assert_eq!(refused.json()["details"][0]["field"], "observed_time");
    server.stop().await;
}
