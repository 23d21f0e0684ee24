//! The kit itself, against its real programs.
#![expect(clippy::unwrap_used, reason = "tests")]

use kit::{BOB, Cluster, Crd, Identity, eventually};
use serde_json::json;

const CRD: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: trials.kit.test}
spec:
  group: kit.test
  scope: Namespaced
  names: {plural: trials, singular: trial, kind: Trial, listKind: TrialList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";

#[tokio::test]
async fn the_cluster_knows_its_users_and_enforces_rbac() {
    let cluster = Cluster::shared();
    let path = "/api/v1/namespaces/default/configmaps";
    assert_eq!(cluster.admin().get(path).await.unwrap().status, 200);
    let bob = cluster.client_for(&Identity::Token(BOB.to_owned()));
    assert_eq!(bob.get(path).await.unwrap().status, 403);
    let nobody = cluster.client_for(&Identity::Token("wrong".to_owned()));
    assert_eq!(nobody.get(path).await.unwrap().status, 401);
    let certificate = cluster.authority().client("carol", Some("system:masters")).unwrap();
    let carol = cluster.client_for(&Identity::Certificate(certificate));
    assert_eq!(carol.get(path).await.unwrap().status, 200);
    assert_eq!(carol.send_http1("GET", path, &[], "").await.unwrap().status, 200);
}

#[tokio::test]
async fn kubectl_and_the_typed_client_reach_it() {
    let cluster = Cluster::shared();
    let output = cluster.kubectl(&["get", "namespace", "default", "-o", "name"]).unwrap();
    assert_eq!(output.success().unwrap(), "namespace/default\n");
    let version = cluster.client().await.unwrap().apiserver_version().await.unwrap();
    assert_eq!(version.git_version, "v1.36.3");
}

#[tokio::test]
async fn a_definition_is_served_and_watched_in_two_groups() {
    let cluster = Cluster::shared();
    let crd = Crd::new(CRD);
    crd.install(&cluster.admin()).await.unwrap();
    crd.in_group("kit.test", "twin.kit.test").install(&cluster.admin()).await.unwrap();
    let admin = cluster.admin();
    let path = "/apis/twin.kit.test/v1/namespaces/default/trials";
    let mut watch = admin.lines(&format!("{path}?watch=1&timeoutSeconds=30"), &[]).await.unwrap();
    assert_eq!(watch.status, 200);
    let body = json!({"apiVersion": "twin.kit.test/v1", "kind": "Trial", "metadata": {"name": "a"}});
    assert_eq!(admin.post(path, &body).await.unwrap().status, 201);
    let line = watch.next(kit::PATIENCE).await.unwrap().unwrap();
    assert!(line.starts_with(r#"{"type":"ADDED""#), "{line}");
}

#[tokio::test]
async fn the_extension_configmap_names_the_front_proxy() {
    let cluster = Cluster::shared();
    let path = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication";
    eventually!(cluster.admin().get(path).await.unwrap().status == 200, "the ConfigMap is published");
    let map = cluster.admin().get(path).await.unwrap().json().unwrap();
    assert_eq!(map["data"]["requestheader-allowed-names"], r#"["front-proxy-client"]"#);
    assert_eq!(map["data"]["requestheader-client-ca-file"], cluster.front_proxy_authority().cert());
}
