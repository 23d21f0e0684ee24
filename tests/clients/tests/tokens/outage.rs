//! The cluster's API goes away and comes back.

use kit::{Identity, eventually};
use serde_json::json;

use crate::setting::{GROUP, Setting, create, names};

#[tokio::test(flavor = "multi_thread")]
async fn without_the_cluster_tokens_are_unavailable_and_discovery_is_not() {
    let mut setting = Setting::start(&[], &[]);
    let path = setting.namespace("outage", &["alice"]).await;
    let shown = create(&setting.user("alice"), &path, "a", json!({})).await;
    // Past the aggregator, which is a part of what goes away; who may do everything needs nobody's permission.
    let pair = setting.cluster.authority().client("root", Some("system:masters")).unwrap();
    let direct = setting.outrigger.client_for(&Identity::Certificate(pair)).unwrap();
    assert_eq!(names(&direct, &path).await, ["a"]);
    setting.cluster.kill_apiserver().unwrap();
    for uri in [path.clone(), format!("{path}/a"), format!("{path}?watch=1")] {
        let answer = direct.get(&uri).await.unwrap();
        let retry = answer.header("retry-after").map(str::to_owned);
        assert_eq!((answer.status, retry.as_deref()), (503, Some("1")), "{uri}: {}", answer.text());
    }
    for (method, uri) in [("DELETE", format!("{path}/a")), ("POST", format!("{path}/a/rotate"))] {
        assert_eq!(direct.send(method, &uri, &[], "").await.unwrap().status, 503, "{method} {uri}");
    }
    for uri in
        [format!("/apis/{GROUP}"), format!("/apis/{GROUP}/v1alpha1"), "/apis".to_owned(), "/openapi/v3".to_owned()]
    {
        assert_eq!(direct.get(&uri).await.unwrap().status, 200, "{uri}");
    }
    let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": { "token": shown } });
    assert_eq!(setting.webhook().post("/tokenreviews", &review).await.unwrap().status, 503, "nobody is believed");
    setting.cluster.start_apiserver_again().unwrap();
    eventually!(direct.get(&path).await.unwrap().status == 200, "they are back");
    assert_eq!(setting.review(&shown).await["authenticated"], true);
    eventually!(setting.who(&shown).await.is_some(), "the kube-apiserver believes us again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_outlives_us_and_so_does_the_key() {
    let mut setting = Setting::start(&[], &[]);
    let path = setting.namespace("lives", &["alice"]).await;
    let shown = create(&setting.user("alice"), &path, "a", json!({})).await;
    setting.outrigger.restart().unwrap();
    assert_eq!(setting.review(&shown).await["authenticated"], true);
}
