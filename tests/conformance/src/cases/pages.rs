//! Lists in pages: one snapshot, whatever is written meanwhile.

use anyhow::Result;
use serde_json::json;

use crate::cx::{Cx, accept};

cases! {
    Any: [
        pages_cover_the_list_once,
        pages_are_of_one_revision,
        pages_of_a_selection_do_not_count_the_rest,
        pages_of_tables_and_metadata,
        a_page_that_ends_the_list_has_no_token,
        continue_tokens_are_checked,
        continue_with_a_revision_is_refused,
        revision_zero_ignores_the_limit,
    ],
}

async fn populate(cx: &mut Cx, count: usize) -> Result<()> {
    for index in 0..count {
        let parity = if index % 2 == 0 { "even" } else { "odd" };
        cx.create_with(&format!("p{index}"), &json!({"metadata": {"labels": {"parity": parity}}})).await?.ok()?;
    }
    Ok(())
}

async fn pages_cover_the_list_once(cx: &mut Cx) -> Result<()> {
    populate(cx, 5).await?;
    let mut page = cx.get("{r}?limit=2").await?;
    let revision = page.text("/metadata/resourceVersion")?;
    while let Ok(token) = page.text("/metadata/continue") {
        if token.is_empty() {
            break;
        }
        cx.set("token", &token);
        page = cx.get("{r}?limit=2&continue={token}").await?;
        let same = page.text("/metadata/resourceVersion")? == revision;
        cx.note("the next page is of the same revision", same);
    }
    Ok(())
}

async fn pages_are_of_one_revision(cx: &mut Cx) -> Result<()> {
    populate(cx, 4).await?;
    let token = cx.get("{r}?limit=1").await?.text("/metadata/continue")?;
    cx.create("p0a").await?;
    cx.create("p2a").await?;
    cx.delete("{r}/p3").await?;
    cx.merge("{r}/p2", &json!({"metadata": {"labels": {"changed": "yes"}}})).await?;
    cx.set("token", &token);
    cx.say("as before the changes").get("{r}?limit=2&continue={token}").await?;
    cx.say("all the rest").get("{r}?continue={token}").await?;
    cx.say("now").get("{r}").await?;
    Ok(())
}

async fn pages_of_a_selection_do_not_count_the_rest(cx: &mut Cx) -> Result<()> {
    populate(cx, 5).await?;
    let token = cx.get("{r}?limit=1&labelSelector=parity%3Deven").await?.text("/metadata/continue")?;
    cx.set("token", &token);
    cx.get("{r}?limit=1&labelSelector=parity%3Deven&continue={token}").await?;
    cx.get("{r}?limit=10&labelSelector=parity%3Deven&continue={token}").await?;
    cx.get("{r}?limit=1&fieldSelector=metadata.name!%3Dp0").await?;
    cx.get("{r}?limit=2&labelSelector=parity%3Dodd").await?;
    Ok(())
}

async fn pages_of_tables_and_metadata(cx: &mut Cx) -> Result<()> {
    populate(cx, 3).await?;
    for media in [accept::TABLE, accept::PARTIAL_LIST] {
        let token = cx.get_as(media, "{r}?limit=2").await?.text("/metadata/continue")?;
        cx.set("token", &token);
        cx.get_as(media, "{r}?limit=2&continue={token}").await?;
    }
    Ok(())
}

async fn a_page_that_ends_the_list_has_no_token(cx: &mut Cx) -> Result<()> {
    populate(cx, 2).await?;
    cx.get("{r}?limit=2").await?;
    cx.get("{r}?limit=3").await?;
    cx.get("{r}?limit=0").await?;
    Ok(())
}

async fn continue_tokens_are_checked(cx: &mut Cx) -> Result<()> {
    populate(cx, 2).await?;
    // `{"v":"meta.k8s.io/v1","rv":5,"start":"../../../secrets/"}` and others like it.
    for (name, token) in [
        ("garbage", "abc"),
        ("not base64", "%%%"),
        ("empty JSON", "e30"),
        ("another folder", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NSwic3RhcnQiOiIuLi8uLi8uLi9zZWNyZXRzLyJ9"),
        ("no start", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NX0"),
        ("another version", "eyJ2IjoibWV0YS5rOHMuaW8vdjkiLCJydiI6NSwic3RhcnQiOiJhXHUwMDAwIn0"),
        ("revision 0", "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MCwic3RhcnQiOiJhXHUwMDAwIn0"),
    ] {
        cx.set("token", token);
        cx.say(name).get("{r}?limit=1&continue={token}").await?;
    }
    Ok(())
}

async fn continue_with_a_revision_is_refused(cx: &mut Cx) -> Result<()> {
    populate(cx, 3).await?;
    let page = cx.get("{r}?limit=1").await?;
    let (token, revision) = (page.text("/metadata/continue")?, page.text("/metadata/resourceVersion")?);
    cx.set("token", &token);
    cx.set("rv", &revision);
    cx.get("{r}?limit=1&continue={token}&resourceVersion={rv}").await?;
    cx.get("{r}?limit=1&continue={token}&resourceVersion=0").await?;
    cx.get("{r}?limit=1&continue={token}&resourceVersion={rv}&resourceVersionMatch=Exact").await?;
    Ok(())
}

async fn revision_zero_ignores_the_limit(cx: &mut Cx) -> Result<()> {
    populate(cx, 3).await?;
    // The cache behind revision 0 may lag; an exact read tells when it has caught up.
    let now = cx.ask("{r}", &[]).await?.text("/metadata/resourceVersion")?;
    cx.set("rv", &now);
    cx.ask("{r}?resourceVersion={rv}", &[]).await?;
    cx.get("{r}?resourceVersion=0&limit=1").await?;
    cx.get("{r}?resourceVersion=0").await?;
    Ok(())
}
