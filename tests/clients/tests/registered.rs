//! What a group that is registered with a cluster shows of itself there, and whom it answers.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::OnceLock;

use clients::bundle_deployment;
use kit::{Cluster, Outrigger, eventually};
use serde_json::{Value, json};

/// The server that all tests of this file share.
fn behind() -> &'static Outrigger {
    static SHARED: OnceLock<Outrigger> = OnceLock::new();
    SHARED.get_or_init(|| {
        let outrigger = Outrigger::behind(Cluster::shared(), &[], &[]).unwrap();
        kit::block_on(outrigger.register(Cluster::shared(), "fleet.cattle.io", "v1alpha1")).unwrap();
        outrigger
    })
}

#[test]
fn no_definition_is_renamed_in_the_aggregated_document() {
    let _us: &Outrigger = behind();
    let ours = |document: &str| document.contains("BundleDeployment");
    eventually!(
        ours(&Cluster::shared().kubectl(&["get", "--raw", "/openapi/v2"]).unwrap().stdout),
        "the aggregator has read our document"
    );
    let document = Cluster::shared().kubectl(&["get", "--raw", "/openapi/v2"]).unwrap().success().unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let renamed: Vec<&String> =
        document["definitions"].as_object().unwrap().keys().filter(|name| name.ends_with("_v2")).collect();
    assert!(renamed.is_empty(), "{renamed:?}");
}

/// What bob is given, one verb after the other.
#[test]
fn each_verb_is_allowed_by_itself() {
    let us = behind();
    let namespace = "verb-by-verb";
    let admin = Cluster::shared().admin();
    let rbac = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}");
    let role = |verbs: &[&str]| {
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "bob"},
            "rules": [{"apiGroups": ["fleet.cattle.io"], "resources": ["bundledeployments"], "verbs": verbs}],
        })
    };
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "bob"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "bob"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "bob"}],
    });
    let bob = us.client_for(&kit::Identity::Token(kit::BOB.to_owned())).unwrap();
    kit::block_on(async move {
        Cluster::shared().namespace(namespace).await?;
        admin.post(&format!("{rbac}/roles"), &role(&["get"])).await?.success()?;
        admin.post(&format!("{rbac}/rolebindings"), &binding).await?.success()?;
        let path = clients::collection(namespace);
        let (one, body) = (format!("{path}/a"), bundle_deployment("a", "s-1:a").to_string());
        let (json, apply) =
            ([("content-type", "application/json")], [("content-type", "application/apply-patch+yaml")]);
        let roles = format!("{rbac}/roles/bob");
        let watch = format!("{path}?watch=1&timeoutSeconds=1");
        let applied = format!("{one}?fieldManager=bob&dryRun=All");
        for (verbs, method, target, headers, allowed, forbidden) in [
            (&["get"][..], "GET", &one, &[][..], 404, None),
            (&["list"], "GET", &path, &[], 200, Some(("GET", &watch))),
            (&["watch"], "GET", &watch, &[], 200, Some(("GET", &path))),
            (&["delete"], "DELETE", &one, &[], 404, Some(("DELETE", &path))),
            (&["deletecollection"], "DELETE", &path, &[], 200, Some(("DELETE", &one))),
            (&["patch", "create"], "PATCH", &applied, &apply[..], 201, Some(("GET", &one))),
        ] {
            admin.send("PUT", &roles, &json, role(verbs).to_string()).await?.success()?;
            eventually!(
                bob.send(method, target, headers, if headers.is_empty() { String::new() } else { body.clone() })
                    .await?
                    .status
                    == allowed,
                "{verbs:?} is enough"
            );
            if let Some((method, target)) = forbidden {
                eventually!(
                    bob.send(method, target, &[], "").await?.status == 403,
                    "{verbs:?} is not enough for {method} {target}"
                );
            }
        }
        // An apply that would create needs both.
        admin.send("PUT", &roles, &json, role(&["patch"]).to_string()).await?.success()?;
        eventually!(
            bob.send("PATCH", &applied, &apply, body.clone()).await?.status == 403,
            "patch alone creates nothing"
        );
        Ok(())
    })
    .unwrap();
}

#[test]
fn the_apiservice_says_available() {
    let _us: &Outrigger = behind();
    let path = "jsonpath={.status.conditions[?(@.type=='Available')].status} {.status.conditions[?(@.type=='Available')].reason}";
    let output = Cluster::shared().kubectl(&["get", "apiservice", "v1alpha1.fleet.cattle.io", "-o", path]).unwrap();
    assert_eq!(output.success().unwrap(), "True Passed");
}

#[test]
fn a_user_without_a_role_is_forbidden_on_both_ways() {
    let us = behind();
    let bob = Cluster::shared().kubectl_as(kit::BOB).unwrap();
    let refused = bob.run(&["get", "bundledeployments", "-n", "default"]).unwrap();
    assert!(refused.stderr.contains(r#"User "bob" cannot list resource "bundledeployments""#), "{}", refused.stderr);
    let direct = us.client_for(&kit::Identity::Token(kit::BOB.to_owned())).unwrap();
    let answer = kit::block_on(async move { direct.get(&clients::collection("default")).await }).unwrap();
    assert_eq!(answer.status, 403);
}
