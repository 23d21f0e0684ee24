//! Specs against a provider's schemas, which may come while the server runs.

use http::Method;
use runtime::files::POLL;

use crate::server::{LONG, V1, start};

const FIRST: &str = "components:\n  schemas:\n    ClusterSpec:\n      type: object\n      required: [region]\n      properties:\n        region: {type: string, enum: [r, us-east1]}\n        nodes: {type: integer, minimum: 1}\n    NodePoolSpec: {type: object, required: [replicas]}\n";

#[tokio::test]
async fn specs_are_judged_on_post_and_patch_with_every_violation() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("schema.yaml");
    std::fs::write(&path, FIRST).expect("it can be written");
    let server = start(&["--openapi-schema-path", path.to_str().expect("it is text")]).await;
    let clusters = format!("{V1}/clusters");
    let refused = server.post(&clusters, r#"{"kind":"Cluster","name":"a","spec":{"region":"x","nodes":0}}"#).await;
    assert_eq!((refused.status.as_u16(), refused.reason().as_str()), (400, "Invalid ClusterSpec"));
    let mut details: Vec<String> =
        refused.json()["details"].as_array().expect("details").iter().map(ToString::to_string).collect();
    details.sort();
    assert_eq!(
        details,
        [
            r#"{"error":"number must be at least 1","field":"spec.nodes"}"#,
            r#"{"error":"value is not one of the allowed values [\"r\",\"us-east1\"]","field":"spec.region"}"#,
        ]
    );
    let id = server.cluster("a").await;
    let patched = server.ask(Method::PATCH, &format!("{clusters}/{id}"), &[], r#"{"spec":{}}"#).await;
    assert_eq!(patched.json()["details"][0]["error"], r#"property "region" is missing"#);
    let pool = server.post(&format!("{clusters}/{id}/nodepools"), r#"{"name":"np","spec":{}}"#).await;
    assert_eq!(pool.reason(), "Invalid NodePoolSpec");
    let document = server.get("/openapi").await.json();
    assert_eq!(document["components"]["schemas"]["ClusterSpec"]["required"][0], "region");
    server.stop().await;
}

#[tokio::test]
async fn a_schema_that_comes_later_is_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("schema.yaml");
    let server = start(&["--openapi-schema-path", path.to_str().expect("it is text")]).await;
    let post = async |number: usize| {
        let body = format!(r#"{{"kind":"Cluster","name":"a{number}","spec":{{"region":"other"}}}}"#);
        server.post(&format!("{V1}/clusters"), &body).await.status.as_u16()
    };
    assert_eq!(post(0).await, 201, "without a schema a spec is any object");
    std::fs::write(&path, FIRST).expect("it can be written");
    let used = async {
        for number in 1.. {
            if post(number).await == 400 {
                return;
            }
            tokio::time::sleep(POLL / 50).await;
        }
    };
    tokio::time::timeout(LONG, used).await.expect("it is used");
    server.stop().await;
}
