//! How discovery and OpenAPI documents travel: their hashes, their media types, how long they may be kept. What they say is
//! told by other cases; here only what clients and the aggregator act on is compared, as the documents differ.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::cx::{Cx, accept};

cases! {
    Widgets: [
        aggregated_discovery_is_known_by_its_hash,
        aggregated_discovery_is_negotiated,
        discovery_is_answered_to_any_way_of_asking,
        the_index_of_openapi_leads_to_documents_by_hash,
        openapi_v3_is_kept_for_ever_by_its_hash,
        openapi_v3_is_negotiated,
        openapi_v3_by_another_hash,
        openapi_v3_of_nothing,
        openapi_v2_is_known_by_its_hash,
        openapi_v2_is_negotiated,
        openapi_is_for_everybody_who_is_known,
    ],
}

/// What clients act on.
const TELLING: &[&str] = &["content-type", "cache-control", "vary"];
const V3: &str = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";
const V2: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// Notes the status and the telling headers of a GET.
async fn tell(cx: &mut Cx, what: &str, path: &str, headers: &[(&str, &str)]) -> Result<()> {
    let answer = cx.ask_for("GET", path, headers, TELLING).await?;
    cx.note(what, answer);
    Ok(())
}

async fn etag(cx: &Cx, path: &str, headers: &[(&str, &str)]) -> Result<String> {
    let answer = cx.ask_for("GET", path, headers, &["etag"]).await?;
    Ok(answer["etag"].as_str().context("the document has an ETag")?.to_owned())
}

fn is_hash(etag: &str) -> bool {
    let hash = etag.trim_start_matches("W/").trim_matches('"');
    hash.len() == 128 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'))
}

/// The same document again, with its hash and with another.
async fn again(cx: &mut Cx, path: &str, headers: &[(&str, &str)]) -> Result<()> {
    let known = etag(cx, path, headers).await?;
    cx.note("the tag is a hash", is_hash(&known));
    for (what, tag) in [("known", known.as_str()), ("unknown", "\"unknown\"")] {
        let headers = [headers, &[("if-none-match", tag)]].concat();
        let answer = cx.ask_for("GET", path, &headers, &[]).await?;
        cx.note(what, answer);
    }
    Ok(())
}

async fn aggregated_discovery_is_known_by_its_hash(cx: &mut Cx) -> Result<()> {
    let headers = [("accept", accept::DISCOVERY)];
    tell(cx, "the document", "/apis", &headers).await?;
    again(cx, "/apis", &headers).await
}

async fn aggregated_discovery_is_negotiated(cx: &mut Cx) -> Result<()> {
    let (v2, beta) = (accept::DISCOVERY, accept::DISCOVERY.replace("v=v2", "v=v2beta1"));
    let newer = accept::DISCOVERY.replace("v=v2", "v=v9");
    for media in [
        format!("{v2},{beta},application/json"),
        beta.clone(),
        newer.clone(),
        format!("{newer},application/json"),
        format!("{newer},{v2}"),
        format!("application/json,{v2}"),
        format!("{v2};profile=nopeer,{v2},application/json"),
        v2.replace("application/json", "application/vnd.kubernetes.protobuf"),
        v2.replace("application/json", "application/yaml"),
        "application/vnd.kubernetes.protobuf".to_owned(),
        "application/yaml".to_owned(),
        "text/html".to_owned(),
        "*/*".to_owned(),
    ] {
        tell(cx, &media, "/apis", &[("accept", &media)]).await?;
    }
    Ok(())
}

async fn discovery_is_answered_to_any_way_of_asking(cx: &mut Cx) -> Result<()> {
    for path in ["/apis", "/apis/", "/apis/{g}", "/apis/{g}/", "{gv}", "{gv}/"] {
        for method in ["GET", "HEAD"] {
            let answer = cx.ask_for(method, path, &[], TELLING).await?;
            cx.note(&format!("{method} {path}"), answer);
        }
    }
    Ok(())
}

/// Where the document of the kind is, by its hash.
async fn by_hash(cx: &Cx) -> Result<String> {
    let key = format!("apis/{}/{}", cx.group, cx.subject.version);
    for _ in 0..600 {
        let index = cx.ask("/openapi/v3", &[]).await?.body;
        // The kube-apiserver learns of one definition after the other, and its document changes with each.
        if let Some(url) = index["paths"][&key]["serverRelativeURL"].as_str()
            && cx.ask_for("GET", url, &[], &[]).await?["status"] == 200
        {
            return Ok(url.to_owned());
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    anyhow::bail!("/openapi/v3 does not lead to {key}")
}

async fn the_index_of_openapi_leads_to_documents_by_hash(cx: &mut Cx) -> Result<()> {
    let url = by_hash(cx).await?;
    let (path, hash) = url.split_once("?hash=").context("there is a hash")?;
    cx.note("the path", path);
    cx.note("the hash", is_hash(hash));
    let index = cx.ask("/openapi/v3", &[]).await?.body;
    let all = index["paths"].as_object().into_iter().flatten();
    cx.note(
        "all have one",
        all.clone().all(|(_, at)| at["serverRelativeURL"].as_str().is_some_and(|url| url.contains("?hash="))),
    );
    cx.note("there are more", all.count() > 1);
    Ok(())
}

async fn openapi_v3_is_kept_for_ever_by_its_hash(cx: &mut Cx) -> Result<()> {
    let url = by_hash(cx).await?;
    cx.set("hash", url.split_once("?hash=").context("there is a hash")?.1);
    let path = format!("/openapi/v3/apis/{}/{}?hash={{hash}}", cx.group, cx.subject.version);
    tell(cx, "by its hash", &path, &[]).await?;
    let answer = cx.ask_for("GET", &path, &[], &["expires", "etag"]).await?;
    cx.note("expires", answer["expires"].is_string());
    cx.note("the tag is the hash", answer["etag"].as_str().is_some_and(|etag| url.ends_with(etag.trim_matches('"'))));
    again(cx, &path, &[]).await?;
    let path = path.replace("?hash={hash}", "");
    tell(cx, "without a hash", &path, &[]).await?;
    again(cx, &path, &[]).await
}

async fn openapi_v3_is_negotiated(cx: &mut Cx) -> Result<()> {
    by_hash(cx).await?;
    let path = format!("/openapi/v3/apis/{}/{}", cx.group, cx.subject.version);
    let at = V3.replace("spec.v3.v1.0", "spec.v3@v1.0");
    for media in
        ["application/json", "*/*", "application/*", V3, &at, "text/html", "application/yaml", "text/html,*/*;q=0.1"]
    {
        tell(cx, media, &path, &[("accept", media)]).await?;
    }
    let answer = cx.ask_for("HEAD", &path, &[], TELLING).await?;
    cx.note("HEAD", answer);
    Ok(())
}

async fn openapi_v3_by_another_hash(cx: &mut Cx) -> Result<()> {
    by_hash(cx).await?;
    let path = format!("/openapi/v3/apis/{}/{}?hash=ABC", cx.group, cx.subject.version);
    let answer = cx.ask_for("GET", &path, &[], &["cache-control"]).await?;
    cx.note("another hash", answer);
    Ok(())
}

async fn openapi_v3_of_nothing(cx: &mut Cx) -> Result<()> {
    for path in ["/openapi/v3/apis/no.such.group/v1", "/openapi/v3/apis/{g}/v77", "/openapi/v3/nothing", "/openapi/v4"]
    {
        let answer = cx.ask_for("GET", path, &[], &[]).await?;
        cx.note(path, answer["status"].clone());
    }
    Ok(())
}

async fn openapi_v2_is_known_by_its_hash(cx: &mut Cx) -> Result<()> {
    tell(cx, "the document", "/openapi/v2", &[]).await?;
    again(cx, "/openapi/v2", &[]).await
}

async fn openapi_v2_is_negotiated(cx: &mut Cx) -> Result<()> {
    let at = V2.replace("spec.v2.v1.0", "spec.v2@v1.0");
    for media in ["application/json", "*/*", V2, &at, "text/html", "application/yaml"] {
        tell(cx, media, "/openapi/v2", &[("accept", media)]).await?;
    }
    let answer = cx.ask_for("HEAD", "/openapi/v2", &[], TELLING).await?;
    cx.note("HEAD", answer);
    let answer = cx.ask_for("GET", "/openapi/v2", &[("accept-encoding", "gzip")], &["content-encoding"]).await?;
    cx.note("gzip", answer);
    Ok(())
}

async fn openapi_is_for_everybody_who_is_known(cx: &mut Cx) -> Result<()> {
    for path in ["/openapi/v2", "/openapi/v3", "/apis", "/version"] {
        let known = cx.status_as("bob", path).await?;
        let unknown = cx.status_as("nobody", path).await?;
        cx.note(path, json!({"known": known, "unknown": unknown}));
    }
    cx.note("nothing else", Value::Null);
    Ok(())
}
