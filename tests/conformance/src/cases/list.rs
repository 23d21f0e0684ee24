//! Lists: order, selectors, revisions, options.

use anyhow::Result;
use serde_json::json;

use crate::cx::Cx;

cases! {
    Any: [
        an_empty_list_has_items,
        lists_are_ordered_by_name,
        label_selectors_of_every_operator,
        label_selectors_are_checked,
        field_selectors_select_names,
        field_selectors_are_checked,
        lists_take_revisions,
        revisions_of_lists_are_checked,
        a_revision_in_the_future_is_waited_for_and_refused,
        list_options_are_checked,
        a_list_shows_every_acknowledged_write,
        compacted_revisions_are_gone,
    ],
    Namespaced: [
        lists_over_all_namespaces,
        field_selectors_select_namespaces,
    ],
}

/// Four objects to select from.
async fn populate(cx: &mut Cx) -> Result<()> {
    for (name, labels) in [
        ("l2", json!({"n": "2", "tier": "web"})),
        ("l1", json!({"n": "1", "tier": "web"})),
        ("l10", json!({"n": "10", "tier": "db"})),
        ("none", json!({})),
    ] {
        cx.create_with(name, &json!({"metadata": {"labels": labels}})).await?.ok()?;
    }
    Ok(())
}

async fn an_empty_list_has_items(cx: &mut Cx) -> Result<()> {
    cx.get("{r}").await?;
    cx.get("{r}?limit=1").await?;
    cx.get("{r}/").await?;
    cx.send("HEAD", "{r}", &[], "").await?;
    cx.send_http1("GET", "{r}", &[]).await?;
    Ok(())
}

async fn lists_are_ordered_by_name(cx: &mut Cx) -> Result<()> {
    populate(cx).await?;
    cx.get("{r}").await?;
    cx.get("{r}?pretty=true").await?;
    Ok(())
}

async fn label_selectors_of_every_operator(cx: &mut Cx) -> Result<()> {
    populate(cx).await?;
    for selector in [
        "n=1", "n==1", "n!=1", "n in (1,2)", "n notin (1,2)", "n", "!n", "n>1", "n<10", "n gt 1", "n in (1),tier=web",
        "tier=web,n!=2", "tier in (web,db),!x", "x", "n=", "n in ()", "n in (,1)", " n = 1 ", "n=1,", "",
    ] {
        cx.set("selector", selector);
        cx.say(selector).get("{r}?labelSelector={selector}").await?;
    }
    Ok(())
}

async fn label_selectors_are_checked(cx: &mut Cx) -> Result<()> {
    for selector in [
        "a b c", "a=$$", "n>abc", "n>", "=1", "n in 1", "n in (1", "n in (1,", "!n=1", "a=b=c", "!", ",", "a,,b", "a!b",
        "-a", "a/b/c=1", "A_b/c", "n notin", "in", "a in (b),(c)", "a=-b",
    ] {
        cx.set("selector", selector);
        cx.say(selector).get("{r}?labelSelector={selector}").await?;
    }
    cx.set("selector", &format!("{}=1", "k".repeat(64)));
    cx.say("a long key").get("{r}?labelSelector={selector}").await?;
    cx.set("selector", &format!("k={}", "v".repeat(64)));
    cx.say("a long value").get("{r}?labelSelector={selector}").await?;
    Ok(())
}

async fn field_selectors_select_names(cx: &mut Cx) -> Result<()> {
    populate(cx).await?;
    for selector in [
        "metadata.name=l1", "metadata.name==l1", "metadata.name!=l1", "metadata.name=nope", "metadata.name=l1,metadata.name=l2",
        "metadata.name=l1,metadata.name!=l2", "metadata.name=", "", "metadata.name=l\\,1",
    ] {
        cx.set("selector", selector);
        cx.say(selector).get("{r}?fieldSelector={selector}").await?;
    }
    cx.get("{r}?fieldSelector=metadata.name%3Dl1&labelSelector=n%3D2").await?;
    cx.get("{r}?fieldSelector=metadata.name%3Dl1&limit=1").await?;
    Ok(())
}

async fn field_selectors_are_checked(cx: &mut Cx) -> Result<()> {
    for selector in ["spec.size=1", "abc", "a=b,abc", "metadata.labels=x", "=", "metadata.name=l1,", "metadata.uid=x", "metadata.name=a\\x"] {
        cx.set("selector", selector);
        cx.say(selector).get("{r}?fieldSelector={selector}").await?;
    }
    Ok(())
}

async fn lists_take_revisions(cx: &mut Cx) -> Result<()> {
    let first = cx.create("a").await?.revision()?;
    cx.create("b").await?.ok()?;
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"changed": "yes"}}})).await?;
    cx.delete("{r}/b").await?;
    cx.set("rv", &first);
    cx.get("{r}?resourceVersion={rv}&resourceVersionMatch=Exact").await?;
    cx.get("{r}?resourceVersion={rv}&resourceVersionMatch=Exact&limit=1").await?;
    cx.say("limit alone means exact").get("{r}?resourceVersion={rv}&limit=1").await?;
    cx.get("{r}?resourceVersion=").await?;
    let later = cx.get("{r}").await?.text("/metadata/resourceVersion")?;
    cx.note("a list is newer than what it holds", later.parse::<u64>()? > first.parse::<u64>()?);
    cx.set("rv", &later);
    cx.say("now").get("{r}?resourceVersion={rv}&resourceVersionMatch=NotOlderThan").await?;
    cx.say("now").get("{r}?resourceVersion={rv}&resourceVersionMatch=Exact").await?;
    cx.say("now").get("{r}?resourceVersion={rv}").await?;
    Ok(())
}

async fn revisions_of_lists_are_checked(cx: &mut Cx) -> Result<()> {
    for revision in ["abc", "-5", "1.5", "0x1", " 1", "01", "18446744073709551616"] {
        cx.set("rv", revision);
        cx.say(revision).get("{r}?resourceVersion={rv}").await?;
    }
    Ok(())
}

async fn a_revision_in_the_future_is_waited_for_and_refused(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.get("{r}?resourceVersion=9223372036854775807").await?;
    cx.get("{r}?resourceVersion=9223372036854775807&resourceVersionMatch=NotOlderThan").await?;
    cx.get("{r}?resourceVersion=9223372036854775807&resourceVersionMatch=Exact").await?;
    Ok(())
}

async fn list_options_are_checked(cx: &mut Cx) -> Result<()> {
    for query in [
        "resourceVersionMatch=Exact",
        "resourceVersionMatch=Foo&resourceVersion=1",
        "resourceVersionMatch=Exact&resourceVersion=0",
        "resourceVersionMatch=NotOlderThan&resourceVersion=0&continue=abc",
        "sendInitialEvents=true",
        "sendInitialEvents=maybe",
        "limit=abc",
        "limit=-1",
        "limit=1.5",
        "limit=99999999999999999999",
        "timeoutSeconds=abc",
        "timeoutSeconds=-1",
        "timeout=abc",
        "timeout=-1s",
        "timeout=1000h",
        "allowWatchBookmarks=perhaps",
        "watch=perhaps&timeoutSeconds=1",
        "watch=false",
        "watch=0",
        "pretty=perhaps",
        "shardSelector=x",
        "unknown=parameter",
        "limit=1&limit=2",
        "%zz=1",
        "a;b=c",
    ] {
        cx.get(&format!("{{r}}?{query}")).await?;
    }
    Ok(())
}

async fn a_list_shows_every_acknowledged_write(cx: &mut Cx) -> Result<()> {
    for index in 0..20 {
        cx.create(&format!("o{index:02}")).await?.ok()?;
        let count = cx.ask("{r}", &[]).await?.body["items"].as_array().map_or(0, Vec::len);
        cx.note("objects after a create", count);
    }
    Ok(())
}

async fn compacted_revisions_are_gone(cx: &mut Cx) -> Result<()> {
    // Revision 1 is before the first write of any server: nothing was there, or it is compacted.
    cx.create("a").await?;
    let list = cx.ask("{r}?resourceVersion=1&resourceVersionMatch=Exact", &[]).await?;
    cx.note("an exact list at revision 1 is empty or gone", matches!(list.status, 200 | 410));
    cx.note("and shows nothing", list.body["items"].as_array().is_none_or(Vec::is_empty));
    Ok(())
}

async fn lists_over_all_namespaces(cx: &mut Cx) -> Result<()> {
    let mark = cx.namespace.clone();
    for name in ["b", "a"] {
        cx.create_with(name, &json!({"metadata": {"labels": {"mark": mark}}})).await?.ok()?;
    }
    cx.set("mark", &mark);
    cx.get("{all}?labelSelector=mark%3D{mark}").await?;
    cx.get("{all}?fieldSelector=metadata.namespace%3D{mark}").await?;
    cx.get("{all}?fieldSelector=metadata.namespace%3D{mark},metadata.name%3Da").await?;
    cx.get("{all}?fieldSelector=metadata.namespace!%3D{mark}&labelSelector=mark%3D{mark}").await?;
    cx.get_as(crate::cx::accept::TABLE, "{all}?labelSelector=mark%3D{mark}").await?;
    cx.get("{all}?labelSelector=mark%3D{mark}&limit=1").await?;
    Ok(())
}

async fn field_selectors_select_namespaces(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.set("own", &cx.namespace.clone());
    for query in ["metadata.namespace%3D{own}", "metadata.namespace%3Dother", "metadata.namespace!%3D{own}"] {
        cx.get(&format!("{{r}}?fieldSelector={query}")).await?;
    }
    Ok(())
}
