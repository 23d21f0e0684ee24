//! What may stand in an object's metadata.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cx::Cx;

cases! {
    Any: [
        labels_are_checked,
        annotations_are_checked,
        finalizers_are_checked,
        owners_are_checked,
        owners_are_kept_once,
        updates_are_checked_as_creates_are,
        types_of_metadata_are_checked,
    ],
}

const UID: &str = "e7cd7980-85aa-4ab0-857e-363aab604ddb";

fn owner(name: &str, more: &Value) -> Value {
    let mut owner = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": UID});
    crate::cx::merge(&mut owner, more);
    owner
}

async fn labels_are_checked(cx: &mut Cx) -> Result<()> {
    for (name, labels) in [
        ("a bad value", json!({"a": "-b"})),
        ("a long value", json!({"a": "x".repeat(64)})),
        ("a bad key", json!({"-a": "b"})),
        ("a bad prefix", json!({"A_b/c": "d"})),
        ("an empty key", json!({"": "d"})),
        ("two slashes", json!({"a/b/c": "d"})),
        ("two errors", json!({"a b": "c d"})),
        ("an empty value", json!({"a": ""})),
    ] {
        cx.say(name).create_with("a", &json!({"metadata": {"labels": labels}})).await?;
    }
    Ok(())
}

async fn annotations_are_checked(cx: &mut Cx) -> Result<()> {
    cx.say("a bad key").create_with("a", &json!({"metadata": {"annotations": {"-a": "b"}}})).await?;
    cx.say("upper case").create_with("b", &json!({"metadata": {"annotations": {"X.Y/Z": "any thing"}}})).await?;
    cx.say("too long").create_with("c", &json!({"metadata": {"annotations": {"a": "x".repeat(256 * 1024)}}})).await?;
    cx.say("just not too long").create_with("d", &json!({"metadata": {"annotations": {"a": "x".repeat(256 * 1024 - 1)}}})).await?;
    Ok(())
}

async fn finalizers_are_checked(cx: &mut Cx) -> Result<()> {
    for (index, finalizer) in ["unqualified", "a/b/c", "-a.dev/b", "", "kubernetes", "orphan", "x.dev/ok"].iter().enumerate() {
        let name = format!("a{index}");
        cx.say(finalizer).create_with(&name, &json!({"metadata": {"finalizers": [finalizer]}})).await?;
        cx.ask(&format!("{{r}}/{name}"), &[]).await?;
        cx.merge(&format!("{{r}}/{name}"), &json!({"metadata": {"finalizers": null}})).await?;
    }
    cx.say("orphan and foreground")
        .create_with("b", &json!({"metadata": {"finalizers": ["orphan", "foregroundDeletion"]}}))
        .await?;
    cx.say("the same twice").create_with("c", &json!({"metadata": {"finalizers": ["x.dev/y", "x.dev/y"]}})).await?;
    cx.merge("{r}/c", &json!({"metadata": {"finalizers": null}})).await?;
    Ok(())
}

async fn owners_are_checked(cx: &mut Cx) -> Result<()> {
    for (name, owners) in [
        ("nothing given", json!([{}])),
        ("no uid", json!([owner("o", &json!({"uid": null}))])),
        ("an empty kind", json!([owner("o", &json!({"kind": ""}))])),
        ("a bad version", json!([owner("o", &json!({"apiVersion": "a/b/c"}))])),
        ("an event", json!([owner("o", &json!({"kind": "Event"}))])),
        ("two controllers", json!([owner("o", &json!({"controller": true})), owner("p", &json!({"controller": true}))])),
        ("block and control", json!([owner("o", &json!({"controller": true, "blockOwnerDeletion": true}))])),
    ] {
        cx.say(name).create_with("a", &json!({"metadata": {"ownerReferences": owners}})).await?;
    }
    Ok(())
}

async fn owners_are_kept_once(cx: &mut Cx) -> Result<()> {
    let owners = json!([owner("o", &json!({})), owner("o", &json!({})), owner("p", &json!({}))]);
    cx.create_with("a", &json!({"metadata": {"ownerReferences": owners}})).await?;
    cx.merge("{r}/a", &json!({"metadata": {"ownerReferences": owners}})).await?;
    Ok(())
}

async fn updates_are_checked_as_creates_are(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"a": "-b"}}})).await?;
    cx.merge("{r}/a", &json!({"metadata": {"finalizers": ["-"]}})).await?;
    cx.merge("{r}/a", &json!({"metadata": {"ownerReferences": [{}]}})).await?;
    cx.merge("{r}/a", &json!({"metadata": {"annotations": {"a": "x".repeat(256 * 1024)}}})).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn types_of_metadata_are_checked(cx: &mut Cx) -> Result<()> {
    for (name, metadata) in [
        ("labels are a list", json!({"labels": ["a"]})),
        ("a label is a number", json!({"labels": {"a": 1}})),
        ("a label is null", json!({"labels": {"a": null, "b": "c"}})),
        ("an annotation is a bool", json!({"annotations": {"a": true}})),
        ("finalizers are a text", json!({"finalizers": "x"})),
        ("the name is a number", json!({"name": 5})),
        ("the time is no time", json!({"creationTimestamp": "yesterday"})),
        ("the generation is a text", json!({"generation": "1"})),
        ("an unknown field", json!({"nope": {"deep": 1}})),
    ] {
        let mut object = cx.object("a");
        object["metadata"].as_object_mut().into_iter().for_each(|into| {
            into.extend(metadata.as_object().cloned().unwrap_or_default());
        });
        cx.say(name).post("{r}?dryRun=All", &object).await?;
    }
    let mut object = cx.object("a");
    object["metadata"] = json!("text");
    cx.say("metadata is a text").post("{r}", &object).await?;
    Ok(())
}
