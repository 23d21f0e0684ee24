//! A ResourceQuota of the cluster limits our objects, and the real kube-controller-manager counts them.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use clients::{bundle_deployment, collection};
use kit::{Client, Cluster, Options, eventually};
use serde_json::{Value, json};

/// Controllers look at discovery now and then, and count with growing pauses.
const PATIENCE: Duration = Duration::from_secs(180);

const COUNTED: &str = "count/bundledeployments.fleet.cattle.io";

async fn used(admin: &Client, quota: &str) -> Value {
    admin.get(quota).await.unwrap().json().unwrap()["status"]["used"][COUNTED].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_limits_how_many_there_are() {
    let cluster = Cluster::start(&Options::default()).unwrap();
    let _outrigger = clients::behind(&cluster).unwrap();
    let cluster = cluster.with_controllers().unwrap();
    let (admin, namespace) = (cluster.admin(), "counted");
    cluster.namespace(namespace).await.unwrap();
    let (quotas, ours) = (format!("/api/v1/namespaces/{namespace}/resourcequotas"), collection(namespace));
    admin.post(&ours, &bundle_deployment("before", "s-1:a")).await.unwrap().success().unwrap();
    let quota = json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {COUNTED: "2"}},
    });
    admin.post(&quotas, &quota).await.unwrap().success().unwrap();
    let quota = format!("{quotas}/few");
    eventually!(within PATIENCE, used(&admin, &quota).await == "1", "what was there before is counted");

    // Our own view of the quota may be a moment behind; from the refusal on it is not.
    let dry = format!("{ours}?dryRun=All");
    admin.post(&dry, &bundle_deployment("dry", "s-1:a")).await.unwrap().success().unwrap();
    admin.post(&ours, &bundle_deployment("second", "s-1:a")).await.unwrap().success().unwrap();
    eventually!(within PATIENCE, used(&admin, &quota).await == "2", "the second is counted");
    for path in [&ours, &dry] {
        let refused = admin.post(path, &bundle_deployment("third", "s-1:a")).await.unwrap();
        let status = refused.json().unwrap();
        assert_eq!(
            status["message"],
            format!(
                "bundledeployments.fleet.cattle.io \"third\" is forbidden: exceeded quota: few, requested: {COUNTED}=1, \
                 used: {COUNTED}=2, limited: {COUNTED}=2"
            )
        );
        assert_eq!((refused.status, &status["reason"]), (403, &json!("Forbidden")));
    }
    let patch = [("content-type", "application/merge-patch+json")];
    let label = r#"{"metadata":{"labels":{"x":"1"}}}"#;
    let changed = admin.send("PATCH", &format!("{ours}/second"), &patch, label).await.unwrap();
    assert_eq!(changed.status, 200, "what is there may change: {}", changed.text());

    admin.send("DELETE", &format!("{ours}/before"), &[], "").await.unwrap().success().unwrap();
    eventually!(within PATIENCE, used(&admin, &quota).await == "1", "the controller counts again");
    eventually!(
        within PATIENCE,
        admin.post(&ours, &bundle_deployment("third", "s-1:a")).await.unwrap().status == 201,
        "there is room again"
    );
}
