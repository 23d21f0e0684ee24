//! Discovery: legacy and aggregated.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::cx::{Cx, accept};

cases! {
    Any: [
        the_group_version_lists_its_resources,
        the_group_lists_its_versions,
        the_group_is_among_all_groups,
        aggregated_discovery_holds_the_group,
        unknown_versions_are_not_found,
        storage_version_hashes_are_stable,
    ],
}

async fn the_group_version_lists_its_resources(cx: &mut Cx) -> Result<()> {
    cx.get("{gv}").await?;
    cx.get("{gv}/").await?;
    cx.get("{gv}?pretty=true").await?;
    cx.get_as("text/html", "{gv}").await?;
    cx.get_as(accept::DISCOVERY, "{gv}").await?;
    Ok(())
}

async fn the_group_lists_its_versions(cx: &mut Cx) -> Result<()> {
    cx.get("/apis/{g}").await?;
    cx.get("/apis/{g}/").await?;
    cx.get_as("application/yaml", "/apis/{g}").await?;
    cx.get_as(accept::DISCOVERY, "/apis/{g}").await?;
    Ok(())
}

async fn the_group_is_among_all_groups(cx: &mut Cx) -> Result<()> {
    let group = cx.group.clone();
    let found = eventually(cx, "/apis", &[], |body| {
        body["groups"].as_array()?.iter().find(|entry| entry["name"] == group.as_str()).cloned()
    });
    let entry = found.await?;
    cx.note("the group", entry);
    Ok(())
}

async fn aggregated_discovery_holds_the_group(cx: &mut Cx) -> Result<()> {
    let group = cx.group.clone();
    let found = eventually(cx, "/apis", &[("accept", accept::DISCOVERY)], |body| {
        let entry = body["items"].as_array()?.iter().find(|entry| entry["metadata"]["name"] == group.as_str())?.clone();
        (entry["versions"][0]["freshness"] == "Current").then_some(entry)
    });
    let mut entry = found.await?;
    if let Some(metadata) = entry["metadata"].as_object_mut() {
        metadata.remove("creationTimestamp");
    }
    cx.note("the group", entry);
    Ok(())
}

async fn unknown_versions_are_not_found(cx: &mut Cx) -> Result<()> {
    cx.get("/apis/{g}/v9").await?;
    cx.get("/apis/no.such.group.example.com").await?;
    cx.get("/apis/no.such.group.example.com/v1").await?;
    Ok(())
}

async fn storage_version_hashes_are_stable(cx: &mut Cx) -> Result<()> {
    let (first, second) = (cx.ask("{gv}", &[]).await?.body, cx.ask("{gv}", &[]).await?.body);
    let hash = |list: &Value| list["resources"][0]["storageVersionHash"].clone();
    cx.note("equal", hash(&first) == hash(&second));
    cx.note("of eight bytes", json!(hash(&first).as_str().map(str::len)));
    Ok(())
}

/// Asks until the answer holds what is looked for: the aggregator learns of a group a moment after it appears.
async fn eventually(
    cx: &Cx,
    path: &str,
    headers: &[(&str, &str)],
    find: impl Fn(&Value) -> Option<Value>,
) -> Result<Value> {
    for _ in 0..300 {
        if let Some(found) = find(&cx.ask(path, headers).await?.body) {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    ensure!(false, "{path} does not hold {}", cx.group);
    Ok(Value::Null)
}
