//! WatchList: a list that comes as a watch and says where it ends. Controllers hang on a server that never says so.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cx::{Cx, accept};

cases! {
    Any: [
        the_initial_events_end_with_a_bookmark,
        an_empty_collection_has_a_bookmark_too,
        a_selection_ends_with_a_bookmark,
        changes_follow_the_bookmark,
        without_bookmarks_there_is_none,
        initial_events_can_be_declined,
        the_bookmark_comes_in_every_form,
        the_bookmark_is_not_older_than_asked_for,
    ],
}

const REQUEST: &str = "{r}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";

async fn the_initial_events_end_with_a_bookmark(cx: &mut Cx) -> Result<()> {
    cx.create("b").await?;
    cx.create("a").await?;
    cx.watched(&format!("{REQUEST}&timeoutSeconds=1")).await?;
    cx.watched(&format!("{REQUEST}&timeoutSeconds=1&resourceVersion=0")).await?;
    Ok(())
}

async fn an_empty_collection_has_a_bookmark_too(cx: &mut Cx) -> Result<()> {
    cx.watched(&format!("{REQUEST}&timeoutSeconds=1")).await?;
    Ok(())
}

async fn a_selection_ends_with_a_bookmark(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"metadata": {"labels": {"n": "1"}}})).await?;
    cx.create("b").await?;
    cx.watched(&format!("{REQUEST}&timeoutSeconds=1&labelSelector=n%3D1")).await?;
    cx.watched(&format!("{REQUEST}&timeoutSeconds=1&fieldSelector=metadata.name%3Db")).await?;
    Ok(())
}

async fn changes_follow_the_bookmark(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let mut watch = cx.watch(&format!("{REQUEST}&timeoutSeconds=3"), None).await?;
    watch.until(2).await?;
    cx.create("b").await?;
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    cx.delete("{r}/a").await?;
    cx.finish(watch).await?;
    Ok(())
}

async fn without_bookmarks_there_is_none(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.watched("{r}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1").await?;
    Ok(())
}

async fn initial_events_can_be_declined(cx: &mut Cx) -> Result<()> {
    let revision = cx.create("a").await?.revision()?;
    cx.create("b").await?;
    cx.set("rv", &revision);
    let path = "{r}?watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&timeoutSeconds=1";
    cx.watched(&format!("{path}&resourceVersion={{rv}}")).await?;
    Ok(())
}

async fn the_bookmark_comes_in_every_form(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    for media in [accept::TABLE, accept::TABLE_BETA, accept::PARTIAL] {
        let watch = cx.watch(&format!("{REQUEST}&timeoutSeconds=1"), Some(media)).await?;
        cx.finish(watch).await?;
    }
    Ok(())
}

async fn the_bookmark_is_not_older_than_asked_for(cx: &mut Cx) -> Result<()> {
    let revision = cx.create("a").await?.revision()?;
    cx.set("rv", &revision);
    let events = cx.watched(&format!("{REQUEST}&timeoutSeconds=1&resourceVersion={{rv}}")).await?;
    let last = events.iter().rev().find(|event| event["type"] == "BOOKMARK");
    let bookmark = last.and_then(|event| event.pointer("/object/metadata/resourceVersion")).and_then(Value::as_str);
    cx.note("not older", bookmark.unwrap_or("0").parse::<u64>()? >= revision.parse::<u64>()?);
    Ok(())
}
