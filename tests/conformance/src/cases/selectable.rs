//! Fields that a kind lets selectors name.

use anyhow::Result;
use serde_json::json;

use crate::cx::{Cx, accept};

cases! {
    Racks: [
        declared_fields_select,
        fields_that_are_not_declared_do_not,
        declared_fields_select_in_every_namespace,
        pages_of_declared_fields,
        watches_see_objects_come_and_go_by_a_field,
        watch_lists_of_declared_fields,
        collections_are_deleted_by_a_field,
        tables_of_declared_fields,
    ],
}

async fn populate(cx: &mut Cx) -> Result<()> {
    for (name, color, open) in [
        ("a", Some("red"), None),
        ("b", Some("blue"), Some(true)),
        ("c", None, Some(false)),
        ("d", Some("red"), Some(true)),
    ] {
        cx.create_with(
            name,
            &json!({"metadata": {"labels": {"name": name}}, "spec": {"color": color, "door": {"open": open}}}),
        )
        .await?
        .ok()?;
    }
    Ok(())
}

async fn declared_fields_select(cx: &mut Cx) -> Result<()> {
    populate(cx).await?;
    for selector in [
        "spec.color=red",
        "spec.color==blue",
        "spec.color!=red",
        "spec.color=",
        "spec.color!=",
        "spec.color=green",
        "spec.door.open=true",
        "spec.door.open=false",
        "spec.door.open=",
        "spec.door.open!=true",
        "spec.color=red,spec.door.open=true",
        "spec.color=red,metadata.name=a",
        "spec.color=red,spec.color=blue",
    ] {
        cx.set("selector", selector);
        cx.say(selector).get("{r}?fieldSelector={selector}").await?;
    }
    cx.get("{r}?fieldSelector=spec.color%3Dred&labelSelector=name%3Dd").await?;
    Ok(())
}

async fn fields_that_are_not_declared_do_not(cx: &mut Cx) -> Result<()> {
    for selector in
        ["spec.replicas=1", "spec.door=x", "color=red", ".spec.color=red", "spec.color.x=1", "Spec.color=red"]
    {
        cx.set("selector", selector);
        cx.say(selector).get("{r}?fieldSelector={selector}").await?;
    }
    Ok(())
}

async fn declared_fields_select_in_every_namespace(cx: &mut Cx) -> Result<()> {
    cx.set("own", &cx.namespace.clone());
    populate(cx).await?;
    cx.get("{all}?fieldSelector=spec.color%3Dred,metadata.namespace%3D{own}").await?;
    Ok(())
}

async fn pages_of_declared_fields(cx: &mut Cx) -> Result<()> {
    populate(cx).await?;
    let page = cx.get("{r}?limit=1&fieldSelector=spec.color%3Dred").await?;
    cx.set("token", &page.text("/metadata/continue")?);
    cx.get("{r}?limit=1&fieldSelector=spec.color%3Dred&continue={token}").await?;
    Ok(())
}

async fn watches_see_objects_come_and_go_by_a_field(cx: &mut Cx) -> Result<()> {
    populate(cx).await?;
    let now = cx.ask("{r}", &[]).await?.text("/metadata/resourceVersion")?;
    cx.set("rv", &now);
    let red =
        cx.watch("{r}?watch=1&timeoutSeconds=3&resourceVersion={rv}&fieldSelector=spec.color%3Dred", None).await?;
    let open = cx
        .watch("{r}?watch=1&timeoutSeconds=3&resourceVersion={rv}&fieldSelector=spec.door.open!%3Dtrue", None)
        .await?;
    cx.merge("{r}/b", &json!({"spec": {"color": "red"}})).await?;
    cx.merge("{r}/a", &json!({"spec": {"color": "blue"}})).await?;
    cx.merge("{r}/d", &json!({"spec": {"door": null}})).await?;
    cx.delete("{r}/b").await?;
    cx.delete("{r}/a").await?;
    cx.finish(red).await?;
    cx.finish(open).await?;
    Ok(())
}

async fn watch_lists_of_declared_fields(cx: &mut Cx) -> Result<()> {
    populate(cx).await?;
    let path = "{r}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1";
    cx.watched(&format!("{path}&fieldSelector=spec.color%3Dred")).await?;
    Ok(())
}

async fn collections_are_deleted_by_a_field(cx: &mut Cx) -> Result<()> {
    populate(cx).await?;
    cx.delete("{r}?fieldSelector=spec.color%3Dred").await?;
    cx.get("{r}").await?;
    cx.delete("{r}?fieldSelector=spec.replicas%3D1").await?;
    Ok(())
}

async fn tables_of_declared_fields(cx: &mut Cx) -> Result<()> {
    populate(cx).await?;
    cx.get_as(accept::TABLE, "{r}?fieldSelector=spec.door.open%3Dtrue").await?;
    Ok(())
}
