//! The status subresource.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cx::{Cx, merge, patch};

cases! {
    WithStatus: [
        get_of_the_status_answers_the_object,
        put_on_the_status_changes_only_the_status,
        patches_on_the_status_change_only_the_status,
        the_status_needs_the_current_revision,
        the_status_of_nothing_is_not_found,
        the_status_is_validated,
        the_status_has_a_manager_of_its_own,
        the_status_cannot_be_created_or_deleted,
        a_dry_run_of_the_status_stores_nothing,
        the_status_of_a_finalized_object_can_change,
    ],
}

async fn get_of_the_status_answers_the_object(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.get("{r}/a/status").await?;
    cx.get_as(crate::cx::accept::TABLE, "{r}/a/status").await?;
    Ok(())
}

async fn put_on_the_status_changes_only_the_status(cx: &mut Cx) -> Result<()> {
    let mut object = cx.create("a").await?.ok()?;
    let changes = json!({
        "metadata": {"labels": {"ignored": "yes"}, "annotations": {"ignored": "yes"}, "finalizers": ["x.dev/ignored"]},
        "spec": cx.subject.spec(1),
        "status": cx.subject.status(0),
    });
    merge(&mut object, &changes);
    let mut object = cx.put("{r}/a/status", &object).await?.ok()?;
    cx.get("{r}/a").await?;
    cx.say("the same again").put("{r}/a/status", &object).await?;
    object["status"] = cx.subject.status(1);
    let mut object = cx.put("{r}/a/status", &object).await?.ok()?;
    if let Some(object) = object.as_object_mut() {
        object.remove("status");
    }
    cx.say("without a status").put("{r}/a/status", &object).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn patches_on_the_status_change_only_the_status(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let changes = json!({
        "metadata": {"labels": {"ignored": "yes"}}, "spec": cx.subject.spec(1), "status": cx.subject.status(0),
    });
    cx.merge("{r}/a/status", &changes).await?;
    let status: Value = cx.subject.status(1);
    cx.json_patch("{r}/a/status", &json!([{"op": "replace", "path": "/status", "value": status}])).await?;
    cx.say("again").json_patch("{r}/a/status", &json!([{"op": "replace", "path": "/status", "value": status}])).await?;
    cx.json_patch("{r}/a/status", &json!([{"op": "remove", "path": "/status"}])).await?;
    cx.say("no longer there").json_patch("{r}/a/status", &json!([{"op": "remove", "path": "/status"}])).await?;
    cx.say("on the object").merge("{r}/a", &json!({"status": status})).await?;
    cx.send("PATCH", "{r}/a/status", &[("content-type", patch::STRATEGIC)], "{}").await?;
    Ok(())
}

async fn the_status_needs_the_current_revision(cx: &mut Cx) -> Result<()> {
    let old = cx.create("a").await?.ok()?;
    let (first, second) = (json!({"status": cx.subject.status(0)}), json!({"status": cx.subject.status(1)}));
    cx.merge("{r}/a/status", &first).await?;
    let mut stale = old.clone();
    merge(&mut stale, &second);
    cx.put("{r}/a/status", &stale).await?;
    let mut patch = second.clone();
    patch["metadata"] = json!({"resourceVersion": old["metadata"]["resourceVersion"]});
    cx.merge("{r}/a/status", &patch).await?;
    stale["metadata"]["resourceVersion"] = Value::Null;
    cx.say("no revision").put("{r}/a/status", &stale).await?;
    Ok(())
}

async fn the_status_of_nothing_is_not_found(cx: &mut Cx) -> Result<()> {
    let object = cx.object_with("a", &json!({"status": cx.subject.status(0), "metadata": {"resourceVersion": "5"}}));
    cx.get("{r}/a/status").await?;
    cx.put("{r}/a/status", &object).await?;
    cx.merge("{r}/a/status", &json!({"status": {}})).await?;
    Ok(())
}

async fn the_status_is_validated(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.say("a text").merge("{r}/a/status", &json!({"status": "up"})).await?;
    cx.say("a list").merge("{r}/a/status", &json!({"status": [1]})).await?;
    cx.say("null").merge("{r}/a/status", &json!({"status": null})).await?;
    let unknown = json!({"status": {"noSuchField": 1}});
    cx.say("an unknown field").merge("{r}/a/status", &unknown).await?;
    cx.say("an unknown field").merge("{r}/a/status?fieldValidation=Strict", &unknown).await?;
    let invalid = json!({"spec": cx.subject.invalid_spec(0), "status": cx.subject.status(0)});
    cx.say("an invalid spec is not looked at").merge("{r}/a/status", &invalid).await?;
    Ok(())
}

async fn the_status_has_a_manager_of_its_own(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let (first, second) = (json!({"status": cx.subject.status(0)}), json!({"status": cx.subject.status(1)}));
    cx.merge("{r}/a/status?fieldManager=agent", &first).await?;
    cx.merge("{r}/a/status?fieldManager=controller", &second).await?;
    cx.merge("{r}/a?fieldManager=agent", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    Ok(())
}

async fn the_status_cannot_be_created_or_deleted(cx: &mut Cx) -> Result<()> {
    let object = cx.create("a").await?.ok()?;
    cx.post("{r}/a/status", &object).await?;
    cx.delete("{r}/a/status").await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn a_dry_run_of_the_status_stores_nothing(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let status = json!({"status": cx.subject.status(0)});
    cx.merge("{r}/a/status?dryRun=All", &status).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn the_status_of_a_finalized_object_can_change(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"metadata": {"finalizers": ["x.dev/y"]}})).await?;
    cx.delete("{r}/a").await?;
    let status = json!({"status": cx.subject.status(0)});
    cx.merge("{r}/a/status", &status).await?;
    cx.say("finalizers are not the status's").merge("{r}/a/status", &json!({"metadata": {"finalizers": null}})).await?;
    cx.merge("{r}/a", &json!({"metadata": {"finalizers": null}})).await?;
    cx.get("{r}/a").await?;
    Ok(())
}
