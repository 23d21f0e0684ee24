//! What the server says about itself.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cx::Cx;
use crate::shape::keys;

cases![
    the_root_describes_the_api,
    compatibility_is_the_first_versions,
    the_openapi_document_is_served_under_both_paths,
    the_ui_is_served_under_both_paths_and_needs_no_other_host,
    an_unknown_path_is_not_found,
    an_unknown_method_is_not_allowed,
    one_slash_at_the_end_is_forgiven,
    answers_are_compressed_for_who_accepts_it,
];

async fn the_root_describes_the_api(cx: &Cx) -> Result<()> {
    let answer = cx.get("//api/hyperfleet").await?;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(keys(&answer.body, "")?, ["id", "href", "kind", "version", "build_time"]);
    let root = answer.json()?;
    assert_eq!((&root["id"], &root["href"], &root["kind"]), (&json!("hyperfleet"), &json!("/api/hyperfleet"), &json!("API")));
    Ok(())
}

async fn compatibility_is_the_first_versions(cx: &Cx) -> Result<()> {
    let answer = cx.get("/compatibility").await?;
    assert_eq!(answer.status, 200);
    assert_eq!(keys(&answer.body, "")?, ["api_version", "compatible", "features"]);
    let features = ["clusters", "nodepools", "adapter_status", "status_aggregation"];
    assert_eq!(answer.json()?, json!({"api_version": "v1", "compatible": true, "features": features}));
    Ok(())
}

async fn the_openapi_document_is_served_under_both_paths(cx: &Cx) -> Result<()> {
    let (root, own) = (cx.get("//openapi").await?, cx.get("/openapi").await?);
    assert_eq!((root.status, own.status), (200, 200));
    let document = own.json()?;
    assert_eq!(root.json()?, document);
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.")), "{}", document["openapi"]);
    let paths = document["paths"].as_object().into_iter().flatten().map(|(path, _)| path.as_str());
    let paths: Vec<&str> = paths.map(|path| path.trim_start_matches(crate::cx::API)).collect();
    for path in ["/compatibility", "/clusters", "/nodepools"] {
        assert!(paths.contains(&path), "{path} is not in {paths:?}");
    }
    for end in ["/statuses", "/nodepools", "/force-delete"] {
        assert!(paths.iter().any(|path| path.ends_with(end)), "{end} is not in {paths:?}");
    }
    Ok(())
}

async fn the_ui_is_served_under_both_paths_and_needs_no_other_host(cx: &Cx) -> Result<()> {
    for path in ["//openapi-ui", "/openapi.html"] {
        let mut page = cx.get(path).await?;
        // A page may live in a folder of its own.
        if let Some(place) = page.header("location").filter(|_| (300..400).contains(&page.status)) {
            page = cx.get(&format!("/{place}")).await?;
        }
        assert_eq!(page.status, 200, "{path}");
        assert!(page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{path}");
        let text = page.text();
        for attribute in ["src=\"http", "href=\"http", "src=\"//", "href=\"//"] {
            assert!(!text.contains(attribute), "{path} asks another host: {text}");
        }
    }
    Ok(())
}

async fn an_unknown_path_is_not_found(cx: &Cx) -> Result<()> {
    for path in ["/nothing", "/clusters/a/b/c", "/errors/7"] {
        let answer = cx.get(path).await?;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(keys(&answer.body, "")?, ["type", "id", "href", "code", "reason"], "{path}");
        let error = answer.json()?;
        let expected = json!({
            "type": "Error", "id": "404", "href": "/api/hyperfleet/v1/errors/404", "code": "hyperfleet-404",
            "reason": format!("The requested resource '/api/hyperfleet/v1{path}' doesn't exist"),
        });
        assert_eq!(error, expected);
    }
    Ok(())
}

async fn an_unknown_method_is_not_allowed(cx: &Cx) -> Result<()> {
    for (method, path) in [("PUT", "/clusters"), ("DELETE", "/clusters"), ("POST", "/compatibility"), ("PATCH", "/nodepools")] {
        let answer = cx.send(method, path, &[], "").await?;
        assert_eq!((answer.status, answer.text().as_str()), (405, ""), "{method} {path}");
    }
    Ok(())
}

async fn one_slash_at_the_end_is_forgiven(cx: &Cx) -> Result<()> {
    let cluster = cx.cluster("a").await?;
    assert_eq!(cx.get(&format!("{}/", crate::cx::path(&cluster))).await?.success()?, cluster_read(cx, &cluster).await?);
    assert_eq!(cx.get("/compatibility/").await?.status, 200);
    Ok(())
}

async fn cluster_read(cx: &Cx, cluster: &Value) -> Result<Value> {
    cx.read(cluster).await
}

async fn answers_are_compressed_for_who_accepts_it(cx: &Cx) -> Result<()> {
    for suffix in ["a", "b", "c", "d", "e", "f"] {
        cx.cluster(suffix).await?;
    }
    let list = format!("/clusters?search=labels.run%3D'{}'", cx.run);
    let plain = cx.get(&list).await?;
    assert_eq!((plain.status, plain.header("content-encoding")), (200, None));
    let small = cx.send("GET", &list, &[("accept-encoding", "gzip")], "").await?;
    assert_eq!((small.status, small.header("content-encoding")), (200, Some("gzip")));
    assert!(small.body.len() < plain.body.len());
    Ok(())
}
