//! The split deployment, and what is answered while a part is down.
#![expect(clippy::unwrap_used, reason = "tests")]

use clients::{bundle_deployment, collection};
use kit::{Client, Cluster, Identity, Options, Outrigger, eventually};
use serde_json::json;

async fn create(client: &Client, name: &str) -> u16 {
    client.post(&collection("default"), &bundle_deployment(name, "s-1:a")).await.unwrap().status
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_serve_as_one_and_say_so_when_the_storage_is_gone() {
    let cluster = Cluster::start(&Options::default()).unwrap();
    let mut split = Outrigger::split(&cluster, &[], &[]).unwrap();
    split.apiserver.register(&cluster, "fleet.cattle.io", "v1alpha1").await.unwrap();
    let (direct, aggregated) = (split.apiserver.admin().unwrap(), cluster.admin());
    assert_eq!(create(&aggregated, "a").await, 201);
    assert_eq!(direct.get(&format!("{}/a", collection("default"))).await.unwrap().status, 200);

    split.storage.kill().unwrap();
    let path = collection("default");
    eventually!(direct.get(&path).await.unwrap().status == 503, "a list cannot be answered");
    let refused = direct.get(&path).await.unwrap();
    assert!(refused.header("retry-after").is_some(), "it says when to come back: {:?}", refused.headers);
    assert_eq!(refused.json().unwrap()["kind"], "Status");
    assert_eq!(create(&direct, "b").await, 503);
    assert_eq!(direct.get("/apis/fleet.cattle.io/v1alpha1").await.unwrap().status, 200, "discovery still answers");
    assert_eq!(direct.get("/livez").await.unwrap().status, 200);
    assert_eq!(direct.get("/readyz").await.unwrap().status, 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn identities_count_only_from_whom_they_may_come() {
    let cluster = Cluster::start(&Options::default()).unwrap();
    let outrigger = clients::behind(&cluster).unwrap();
    let path = collection("default");
    let status = async |identity: Identity, headers: &[(&str, &str)]| {
        outrigger.client_for(&identity).unwrap().send("GET", &path, headers, "").await.unwrap().status
    };
    let forged = [("x-remote-user", "admin"), ("x-remote-group", "system:masters")];
    let front_proxy = |name: &str| Identity::Certificate(cluster.front_proxy_authority().client(name, None).unwrap());
    let client =
        |name: &str, group: Option<&str>| Identity::Certificate(cluster.authority().client(name, group).unwrap());
    let server = Identity::Certificate(cluster.front_proxy_authority().server(&["front-proxy-client"]).unwrap());

    assert_eq!(status(Identity::Anonymous, &[]).await, 401, "nobody");
    assert_eq!(status(Identity::Anonymous, &forged).await, 401, "forged, without a certificate");
    assert_eq!(status(front_proxy("front-proxy-client"), &forged).await, 200, "the aggregator");
    assert_eq!(status(front_proxy("somebody-else"), &forged).await, 401, "a name that is not allowed");
    assert_eq!(status(client("carol", Some("system:masters")), &[]).await, 200, "a client certificate");
    assert_eq!(status(client("dave", None), &[]).await, 403, "a client certificate without a role");
    assert_ne!(status(client("dave", None), &forged).await, 200, "a client certificate that forges");
    assert_eq!(
        status(front_proxy("front-proxy-client"), &[("x-remote-user", "bob")]).await,
        403,
        "bob by the aggregator"
    );
    let by_server = outrigger.client_for(&server).unwrap().send("GET", &path, &forged, "").await;
    assert!(by_server.is_err() || by_server.unwrap().status == 401, "a serving certificate is no client's");
}

#[tokio::test(flavor = "multi_thread")]
async fn alone_it_needs_no_cluster_and_no_namespace() {
    let outrigger =
        Outrigger::standalone(&[&kit::examples::crd("widgets"), &kit::examples::crd("gadgets")], &[]).unwrap();
    let admin = outrigger.admin().unwrap();
    assert_eq!(create(&admin, "a").await, 201);
    let widget =
        json!({"apiVersion": "gold.example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}});
    assert_eq!(admin.post("/apis/gold.example.com/v1/namespaces/anywhere/widgets", &widget).await.unwrap().status, 201);
    let gadget =
        json!({"apiVersion": "gold.example.com/v1", "kind": "Gadget", "metadata": {"name": "g"}, "spec": {"power": 1}});
    assert_eq!(admin.post("/apis/gold.example.com/v1/gadgets", &gadget).await.unwrap().status, 201);
    let nobody = outrigger.client_for(&Identity::Anonymous).unwrap();
    assert_eq!(nobody.get(&collection("default")).await.unwrap().status, 401);
    assert_eq!(nobody.get("/livez").await.unwrap().status, 200);
    let metrics = admin.get("/metrics").await.unwrap();
    assert!(metrics.text().contains("apiserver_request_total"), "{}", metrics.text());
}
