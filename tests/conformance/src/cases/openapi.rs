//! OpenAPI: what kubectl and typed clients read of it.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use crate::cx::Cx;

cases! {
    Any: [
        the_schema_of_the_kind_is_published,
        operations_tell_their_kind_and_verbs,
        patches_take_field_validation,
        lists_refer_to_their_items,
        the_second_version_holds_the_kind,
    ],
}

/// The document of the group-version, once it is there.
async fn document(cx: &Cx) -> Result<Value> {
    let path = format!("/openapi/v3/apis/{}/{}", cx.group, cx.subject.version);
    for _ in 0..600 {
        let answer = cx.ask(&path, &[]).await?;
        if answer.status == 200 && schema(&answer.body, cx.subject.kind).is_some() {
            return Ok(answer.body);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("{path} does not hold {}", cx.subject.kind)
}

/// The schema of a kind, found as kubectl finds it: by its group-version-kind.
fn schema(document: &Value, kind: &str) -> Option<Value> {
    let schemas = document.pointer("/components/schemas").or_else(|| document.pointer("/definitions"))?.as_object()?;
    let of_kind = |schema: &&Value| {
        schema["x-kubernetes-group-version-kind"].as_array().is_some_and(|kinds| kinds.iter().any(|gvk| gvk["kind"] == kind))
    };
    schemas.values().find(of_kind).cloned()
}

async fn the_schema_of_the_kind_is_published(cx: &mut Cx) -> Result<()> {
    let schema = schema(&document(cx).await?, cx.subject.kind).context("the kind is in the document")?;
    cx.note("the schema", schema);
    Ok(())
}

/// Per path and method: what clients act on.
async fn operations_tell_their_kind_and_verbs(cx: &mut Cx) -> Result<()> {
    let document = document(cx).await?;
    let mut operations = Map::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten().filter(|(path, _)| about(path, cx)) {
        for (method, operation) in item.as_object().into_iter().flatten().filter(|(_, operation)| operation.is_object()) {
            let facts = json!({
                "action": operation["x-kubernetes-action"],
                "kind": operation["x-kubernetes-group-version-kind"],
                "operation": operation["operationId"],
                "parameters": names(operation).into_iter().chain(names(item)).collect::<Vec<_>>(),
                "takes": keys(&operation["requestBody"]["content"]),
                "answers": keys(&operation["responses"]),
            });
            operations.insert(format!("{method} {path}"), facts);
        }
    }
    cx.note("the operations", operations);
    Ok(())
}

async fn patches_take_field_validation(cx: &mut Cx) -> Result<()> {
    let document = document(cx).await?;
    let paths = document["paths"].as_object().context("the document has paths")?;
    let patch = paths.iter().find(|(path, item)| about(path, cx) && path.ends_with("{name}") && !item["patch"].is_null());
    let (_, item) = patch.context("objects can be patched")?;
    cx.note("field validation", names(&item["patch"]).contains(&"fieldValidation".to_owned()));
    cx.note("media types", keys(&item["patch"]["requestBody"]["content"]));
    Ok(())
}

async fn lists_refer_to_their_items(cx: &mut Cx) -> Result<()> {
    let list = format!("{}List", cx.subject.kind);
    let schema = schema(&document(cx).await?, &list).context("the list is in the document")?;
    cx.note("required", schema["required"].clone());
    cx.note("items", schema["properties"]["items"]["items"].clone());
    Ok(())
}

async fn the_second_version_holds_the_kind(cx: &mut Cx) -> Result<()> {
    for _ in 0..900 {
        let answer = cx.ask("/openapi/v2", &[]).await?;
        let own = |schema: &Value| {
            schema["x-kubernetes-group-version-kind"].as_array().is_some_and(|kinds| {
                kinds.iter().any(|gvk| gvk["kind"] == cx.subject.kind && gvk["group"] == cx.group.as_str())
            })
        };
        let found = answer.body["definitions"].as_object().and_then(|all| all.values().find(|schema| own(schema)).cloned());
        if let Some(schema) = found {
            cx.note("the definition", schema);
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    anyhow::bail!("/openapi/v2 does not hold {}", cx.subject.kind)
}

/// Whether a path is about the kind.
fn about(path: &str, cx: &Cx) -> bool {
    path.split('/').any(|segment| segment == cx.subject.plural)
}

fn names(of: &Value) -> Vec<String> {
    let mut names: Vec<String> = of["parameters"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|parameter| parameter["name"].as_str().map(str::to_owned))
        .collect();
    names.sort();
    names
}

fn keys(of: &Value) -> Vec<String> {
    of.as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
}
