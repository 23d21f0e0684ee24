//! The scale subresource: three fields of an object, as `autoscaling/v1` Scale.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cx::{Cx, accept, merge, patch};

cases! {
    Racks: [
        the_scale_shows_three_fields,
        the_scale_comes_in_every_form,
        put_on_the_scale_changes_the_replicas,
        patches_on_the_scale_change_the_replicas,
        the_scale_of_nothing_is_not_found,
        the_scale_has_a_manager_of_its_own,
        the_scale_is_applied,
        the_replicas_are_validated,
        the_counts_of_objects_are_validated,
        preconditions_of_the_scale_are_checked,
        a_dry_run_of_the_scale_stores_nothing,
        an_object_without_replicas_has_no_scale,
        the_scale_cannot_be_created_or_deleted,
        scaling_is_a_change_of_the_object,
        unknown_fields_of_a_scale_are_reported,
        scales_of_other_kinds_are_refused,
        discovery_tells_the_kind_of_the_scale,
        the_known_without_a_role_may_not_scale,
    ],
}

async fn rack(cx: &mut Cx, name: &str, replicas: i64) -> Result<Value> {
    cx.create_with(name, &json!({"spec": {"replicas": replicas}})).await?.ok()
}

fn scale(name: &str, replicas: impl Into<Value>) -> Value {
    json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": name}, "spec": {"replicas": replicas.into()}})
}

async fn the_scale_shows_three_fields(cx: &mut Cx) -> Result<()> {
    rack(cx, "a", 3).await?;
    cx.get("{r}/a/scale").await?;
    cx.merge("{r}/a/status", &json!({"status": {"replicas": 2, "selector": "app=a"}})).await?;
    cx.get("{r}/a/scale").await?;
    cx.get("{r}/a/scale?pretty=true").await?;
    rack(cx, "none", 0).await?;
    cx.get("{r}/none/scale").await?;
    Ok(())
}

async fn the_scale_comes_in_every_form(cx: &mut Cx) -> Result<()> {
    rack(cx, "a", 3).await?;
    for media in [accept::TABLE, accept::PARTIAL, "application/yaml", "text/html"] {
        cx.get_as(media, "{r}/a/scale").await?;
    }
    cx.send("HEAD", "{r}/a/scale", &[], "").await?;
    Ok(())
}

async fn put_on_the_scale_changes_the_replicas(cx: &mut Cx) -> Result<()> {
    rack(cx, "a", 3).await?;
    let mut read = cx.get("{r}/a/scale").await?.ok()?;
    read["spec"]["replicas"] = json!(5);
    read["status"]["replicas"] = json!(9);
    read["metadata"]["labels"] = json!({"ignored": "yes"});
    cx.put("{r}/a/scale", &read).await?;
    cx.get("{r}/a").await?;
    cx.say("without a revision").put("{r}/a/scale", &scale("a", 7)).await?;
    cx.say("the same again").put("{r}/a/scale", &scale("a", 7)).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn patches_on_the_scale_change_the_replicas(cx: &mut Cx) -> Result<()> {
    rack(cx, "a", 3).await?;
    cx.merge("{r}/a/scale", &json!({"spec": {"replicas": 4}})).await?;
    cx.json_patch("{r}/a/scale", &json!([{"op": "test", "path": "/spec/replicas", "value": 4}, {"op": "replace", "path": "/spec/replicas", "value": 5}])).await?;
    cx.json_patch("{r}/a/scale", &json!([{"op": "test", "path": "/spec/replicas", "value": 4}])).await?;
    cx.say("nothing").merge("{r}/a/scale", &json!({})).await?;
    cx.send("PATCH", "{r}/a/scale", &[("content-type", patch::STRATEGIC)], "{}").await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn the_scale_of_nothing_is_not_found(cx: &mut Cx) -> Result<()> {
    cx.get("{r}/a/scale").await?;
    cx.put("{r}/a/scale", &scale("a", 1)).await?;
    cx.merge("{r}/a/scale", &json!({"spec": {"replicas": 1}})).await?;
    Ok(())
}

async fn the_scale_has_a_manager_of_its_own(cx: &mut Cx) -> Result<()> {
    let object = cx.object_with("a", &json!({"spec": {"replicas": 1, "color": "red"}}));
    cx.post("{r}?fieldManager=one", &object).await?;
    cx.merge("{r}/a/scale?fieldManager=scaler", &json!({"spec": {"replicas": 2}})).await?;
    cx.get("{r}/a").await?;
    cx.merge("{r}/a/scale?fieldManager=other", &json!({"spec": {"replicas": 3}})).await?;
    cx.get("{r}/a").await?;
    cx.merge("{r}/a?fieldManager=one", &json!({"spec": {"replicas": 4}})).await?;
    Ok(())
}

async fn the_scale_is_applied(cx: &mut Cx) -> Result<()> {
    rack(cx, "a", 1).await?;
    let apply = [("content-type", patch::APPLY)];
    let body = |replicas: i64| scale("a", replicas).to_string();
    cx.send("PATCH", "{r}/a/scale?fieldManager=one&force=true", &apply, body(2)).await?;
    cx.get("{r}/a").await?;
    cx.say("a conflict").send("PATCH", "{r}/a/scale?fieldManager=two", &apply, body(3)).await?;
    cx.say("shared").send("PATCH", "{r}/a/scale?fieldManager=two", &apply, body(2)).await?;
    cx.say("forced").send("PATCH", "{r}/a/scale?fieldManager=two&force=true", &apply, body(4)).await?;
    cx.get("{r}/a").await?;
    cx.say("no manager").send("PATCH", "{r}/a/scale", &apply, body(4)).await?;
    cx.say("of nothing").send("PATCH", "{r}/b/scale?fieldManager=two", &apply, scale("b", 1).to_string()).await?;
    Ok(())
}

async fn the_replicas_are_validated(cx: &mut Cx) -> Result<()> {
    rack(cx, "a", 1).await?;
    for replicas in [json!(-1), json!(2_147_483_647), json!(0)] {
        cx.say(&replicas.to_string()).put("{r}/a/scale", &scale("a", replicas.clone())).await?;
        cx.say(&replicas.to_string()).merge("{r}/a/scale", &json!({"spec": {"replicas": replicas}})).await?;
    }
    Ok(())
}

async fn the_counts_of_objects_are_validated(cx: &mut Cx) -> Result<()> {
    for replicas in [json!(-1), json!(2_147_483_648_i64), json!(2_147_483_647), json!("many")] {
        let what = replicas.to_string();
        cx.say(&what).create_with("a", &json!({"spec": {"replicas": replicas}})).await?;
        cx.merge("{r}/a", &json!({"spec": {"replicas": replicas}})).await?;
        cx.merge("{r}/a/status", &json!({"status": {"replicas": replicas}})).await?;
    }
    Ok(())
}

async fn preconditions_of_the_scale_are_checked(cx: &mut Cx) -> Result<()> {
    rack(cx, "a", 1).await?;
    let old = cx.get("{r}/a/scale").await?.ok()?;
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    let mut stale = old.clone();
    stale["spec"]["replicas"] = json!(2);
    cx.say("stale").put("{r}/a/scale", &stale).await?;
    let revision =
        json!({"metadata": {"resourceVersion": old["metadata"]["resourceVersion"]}, "spec": {"replicas": 2}});
    cx.say("stale").merge("{r}/a/scale", &revision).await?;
    cx.say("another name").put("{r}/a/scale", &scale("b", 2)).await?;
    let mut elsewhere = scale("a", 2);
    merge(&mut elsewhere, &json!({"metadata": {"namespace": "elsewhere"}}));
    cx.say("another namespace").put("{r}/a/scale", &elsewhere).await?;
    Ok(())
}

async fn a_dry_run_of_the_scale_stores_nothing(cx: &mut Cx) -> Result<()> {
    rack(cx, "a", 1).await?;
    cx.merge("{r}/a/scale?dryRun=All", &json!({"spec": {"replicas": 4}})).await?;
    cx.put("{r}/a/scale?dryRun=All", &scale("a", 4)).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn an_object_without_replicas_has_no_scale(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"spec": {"replicas": null}})).await?;
    cx.get("{r}/a/scale").await?;
    cx.say("nothing").merge("{r}/a/scale", &json!({})).await?;
    cx.merge("{r}/a/scale", &json!({"spec": {"replicas": 2}})).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn the_scale_cannot_be_created_or_deleted(cx: &mut Cx) -> Result<()> {
    rack(cx, "a", 1).await?;
    cx.post("{r}/a/scale", &scale("a", 1)).await?;
    cx.delete("{r}/a/scale").await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn scaling_is_a_change_of_the_object(cx: &mut Cx) -> Result<()> {
    let first = rack(cx, "a", 1).await?;
    cx.set("rv", first["metadata"]["resourceVersion"].as_str().unwrap_or_default());
    let watch = cx.watch("{r}?watch=1&timeoutSeconds=2&resourceVersion={rv}", None).await?;
    cx.merge("{r}/a/scale", &json!({"spec": {"replicas": 2}})).await?;
    cx.say("the same again").merge("{r}/a/scale", &json!({"spec": {"replicas": 2}})).await?;
    cx.finish(watch).await?;
    Ok(())
}

async fn unknown_fields_of_a_scale_are_reported(cx: &mut Cx) -> Result<()> {
    rack(cx, "a", 1).await?;
    let mut unknown = scale("a", 2);
    merge(&mut unknown, &json!({"spec": {"nope": 1}}));
    for validation in ["Ignore", "Warn"] {
        cx.put(&format!("{{r}}/a/scale?dryRun=All&fieldValidation={validation}"), &unknown).await?;
    }
    Ok(())
}

async fn scales_of_other_kinds_are_refused(cx: &mut Cx) -> Result<()> {
    rack(cx, "a", 1).await?;
    let object = cx.object("a");
    let answer =
        cx.send_unrecorded("PUT", "{r}/a/scale", &[("content-type", "application/json")], object.to_string()).await?;
    cx.note("the object itself", answer.status);
    cx.get("{r}/a").await?;
    Ok(())
}

async fn discovery_tells_the_kind_of_the_scale(cx: &mut Cx) -> Result<()> {
    let list = cx.ask("{gv}", &[]).await?.body;
    let of_racks = |resource: &&Value| resource["name"].as_str().is_some_and(|name| name.starts_with("racks"));
    let found: Vec<Value> = list["resources"].as_array().into_iter().flatten().filter(of_racks).cloned().collect();
    cx.note("racks", found);
    Ok(())
}

async fn the_known_without_a_role_may_not_scale(cx: &mut Cx) -> Result<()> {
    rack(cx, "a", 1).await?;
    cx.send_as("bob", "GET", "{r}/a/scale", &[], "").await?;
    cx.send_as("bob", "PATCH", "{r}/a/scale", &[("content-type", patch::MERGE)], "{}").await?;
    Ok(())
}
