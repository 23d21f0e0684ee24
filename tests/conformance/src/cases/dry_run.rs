//! dryRun=All: everything happens, nothing is stored.

use anyhow::Result;
use serde_json::json;

use crate::cx::Cx;

cases! {
    Any: [
        a_dry_run_creates_nothing,
        a_dry_run_updates_nothing,
        a_dry_run_fails_as_the_real_thing,
        dry_run_takes_one_value,
    ],
}

async fn a_dry_run_creates_nothing(cx: &mut Cx) -> Result<()> {
    let object = cx.object("a");
    cx.post("{r}?dryRun=All", &object).await?;
    cx.get("{r}/a").await?;
    cx.say("a generated name").post("{r}?dryRun=All", &{
        let mut nameless = object.clone();
        nameless["metadata"] = json!({"generateName": "gen-"});
        nameless
    }).await?;
    cx.get("{r}").await?;
    Ok(())
}

async fn a_dry_run_updates_nothing(cx: &mut Cx) -> Result<()> {
    let mut object = cx.create("a").await?.ok()?;
    object["spec"] = cx.subject.spec(1);
    cx.put("{r}/a?dryRun=All", &object).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn a_dry_run_fails_as_the_real_thing(cx: &mut Cx) -> Result<()> {
    let mut object = cx.create("a").await?.ok()?;
    let fresh = cx.object("a");
    cx.say("it exists").post("{r}?dryRun=All", &fresh).await?;
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    object["spec"] = cx.subject.spec(1);
    cx.say("stale").put("{r}/a?dryRun=All", &object).await?;
    cx.delete("{r}/missing?dryRun=All").await?;
    Ok(())
}

async fn dry_run_takes_one_value(cx: &mut Cx) -> Result<()> {
    let object = cx.object("a");
    for value in ["", "true", "all", "All,All", "None"] {
        cx.post(&format!("{{r}}?dryRun={value}"), &object).await?;
    }
    cx.post("{r}?dryRun=All&dryRun=All", &object).await?;
    cx.post("{r}?dryRun=All&dryRun=Nope", &object).await?;
    cx.get("{r}").await?;
    Ok(())
}
