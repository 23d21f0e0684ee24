//! Watches: what comes, in which order, and how they end.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cx::{Cx, accept};

cases! {
    Any: [
        a_watch_from_nothing_begins_with_what_is_there,
        a_watch_from_a_revision_sees_every_change_after_it,
        a_watch_sees_no_event_for_a_write_that_changes_nothing,
        a_watch_with_a_selector_sees_objects_come_and_go,
        a_watch_of_one_name_sees_that_object_only,
        a_watch_of_a_finalized_object_sees_its_end,
        a_deleted_event_carries_the_last_state_and_a_new_revision,
        a_watch_from_a_past_revision_replays,
        a_watch_from_before_the_history_is_told_so,
        a_watch_from_the_future_waits,
        a_watch_as_table,
        a_watch_as_metadata,
        a_watch_negotiates,
        watch_options_are_checked,
        a_watch_on_a_name_is_a_get,
        the_deprecated_watch_path_still_works,
        a_watch_ends_when_it_was_asked_to,
        a_watch_over_http1_is_chunked,
    ],
    Namespaced: [
        a_watch_over_all_namespaces,
    ],
}

/// The revision of the list as it is now.
async fn now(cx: &mut Cx) -> Result<()> {
    let revision = cx.ask("{r}", &[]).await?.text("/metadata/resourceVersion")?;
    cx.set("rv", &revision);
    Ok(())
}

async fn a_watch_from_nothing_begins_with_what_is_there(cx: &mut Cx) -> Result<()> {
    cx.create("b").await?;
    cx.create("a").await?;
    cx.watched("{r}?watch=1&timeoutSeconds=1").await?;
    cx.watched("{r}?watch=true&timeoutSeconds=1&resourceVersion=0").await?;
    cx.watched("{r}?watch&timeoutSeconds=1").await?;
    cx.watched("{r}?watch=1&timeoutSeconds=1&allowWatchBookmarks=true&resourceVersion=0").await?;
    cx.watched("{r}?watch=1&timeoutSeconds=1&labelSelector=no%3Done").await?;
    Ok(())
}

async fn a_watch_from_a_revision_sees_every_change_after_it(cx: &mut Cx) -> Result<()> {
    cx.create("before").await?;
    now(cx).await?;
    let watch = cx.watch("{r}?watch=1&timeoutSeconds=3&resourceVersion={rv}", None).await?;
    let (spec, status) = (json!({"spec": cx.subject.spec(1)}), json!({"status": cx.subject.status(0)}));
    cx.create("a").await?;
    cx.merge("{r}/a", &spec).await?;
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    cx.merge("{r}/a/status", &status).await?;
    cx.create("b").await?;
    cx.delete("{r}/a").await?;
    cx.create("a").await?;
    let events = cx.finish(watch).await?;
    let revision = |event: &Value| event["object"]["metadata"]["resourceVersion"].as_str().and_then(|rv| rv.parse::<u64>().ok());
    cx.note("revisions rise", events.windows(2).all(|pair| revision(&pair[0]) < revision(&pair[1])));
    Ok(())
}

async fn a_watch_sees_no_event_for_a_write_that_changes_nothing(cx: &mut Cx) -> Result<()> {
    let object = cx.create("a").await?.ok()?;
    now(cx).await?;
    let watch = cx.watch("{r}?watch=1&timeoutSeconds=2&resourceVersion={rv}", None).await?;
    cx.put("{r}/a", &object).await?;
    cx.merge("{r}/a", &json!({})).await?;
    cx.say("as another manager").put("{r}/a?fieldManager=other", &object).await?;
    cx.merge("{r}/a?dryRun=All", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    cx.delete("{r}/a?dryRun=All").await?;
    cx.finish(watch).await?;
    Ok(())
}

async fn a_watch_with_a_selector_sees_objects_come_and_go(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"metadata": {"labels": {"n": "1"}}})).await?;
    cx.create_with("other", &json!({"metadata": {"labels": {"n": "2"}}})).await?;
    now(cx).await?;
    let equal = cx.watch("{r}?watch=1&timeoutSeconds=3&resourceVersion={rv}&labelSelector=n%3D1", None).await?;
    let without = cx.watch("{r}?watch=1&timeoutSeconds=3&resourceVersion={rv}&labelSelector=!n", None).await?;
    for value in [json!("2"), json!("1"), Value::Null, json!("1")] {
        cx.merge("{r}/a", &json!({"metadata": {"labels": {"n": value}}})).await?;
    }
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    cx.merge("{r}/other", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    cx.delete("{r}/other").await?;
    cx.delete("{r}/a").await?;
    cx.finish(equal).await?;
    cx.finish(without).await?;
    Ok(())
}

async fn a_watch_of_one_name_sees_that_object_only(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    now(cx).await?;
    let path = "{r}?watch=1&timeoutSeconds=2&resourceVersion={rv}&fieldSelector=metadata.name%3Da";
    let watch = cx.watch(path, None).await?;
    cx.create("b").await?;
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    cx.delete("{r}/b").await?;
    cx.delete("{r}/a").await?;
    cx.finish(watch).await?;
    Ok(())
}

async fn a_watch_of_a_finalized_object_sees_its_end(cx: &mut Cx) -> Result<()> {
    now(cx).await?;
    let watch = cx.watch("{r}?watch=1&timeoutSeconds=2&resourceVersion={rv}", None).await?;
    cx.create_with("a", &json!({"metadata": {"finalizers": ["x.dev/y"]}})).await?;
    cx.delete("{r}/a").await?;
    cx.delete("{r}/a").await?;
    cx.merge("{r}/a", &json!({"metadata": {"finalizers": null}})).await?;
    cx.finish(watch).await?;
    Ok(())
}

async fn a_deleted_event_carries_the_last_state_and_a_new_revision(cx: &mut Cx) -> Result<()> {
    let old = cx.create_with("a", &json!({"metadata": {"labels": {"x": "1"}}})).await?.revision()?;
    cx.set("rv", &old);
    cx.delete("{r}/a").await?;
    let events = cx.watched("{r}?watch=1&timeoutSeconds=1&resourceVersion={rv}").await?;
    let new = events.first().and_then(|event| event["object"]["metadata"]["resourceVersion"].as_str()).unwrap_or("0");
    cx.note("the revision is the deletion's", new.parse::<u64>()? > old.parse::<u64>()?);
    Ok(())
}

async fn a_watch_from_a_past_revision_replays(cx: &mut Cx) -> Result<()> {
    let first = cx.create("a").await?.revision()?;
    let mut revisions = vec![first];
    for value in ["1", "2", "3"] {
        revisions.push(cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": value}}})).await?.revision()?);
    }
    for revision in revisions {
        cx.set("rv", &revision);
        cx.watched("{r}?watch=1&timeoutSeconds=1&resourceVersion={rv}").await?;
    }
    Ok(())
}

async fn a_watch_from_before_the_history_is_told_so(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.watched("{r}?watch=1&timeoutSeconds=1&resourceVersion=1").await?;
    Ok(())
}

async fn a_watch_from_the_future_waits(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.watched("{r}?watch=1&timeoutSeconds=1&resourceVersion=9223372036854775807").await?;
    Ok(())
}

async fn a_watch_as_table(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let watch = cx.watch("{r}?watch=1&timeoutSeconds=2", Some(accept::TABLE)).await?;
    cx.create("b").await?;
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    cx.delete("{r}/b").await?;
    cx.finish(watch).await?;
    let object = cx.watch("{r}?watch=1&timeoutSeconds=1&includeObject=Object", Some(accept::TABLE)).await?;
    cx.finish(object).await?;
    let none = cx.watch("{r}?watch=1&timeoutSeconds=1&includeObject=None", Some(accept::TABLE)).await?;
    cx.finish(none).await?;
    let expired = cx.watch("{r}?watch=1&timeoutSeconds=1&resourceVersion=1", Some(accept::TABLE)).await?;
    cx.finish(expired).await?;
    Ok(())
}

async fn a_watch_as_metadata(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let watch = cx.watch("{r}?watch=1&timeoutSeconds=2", Some(accept::PARTIAL)).await?;
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    cx.delete("{r}/a").await?;
    cx.finish(watch).await?;
    let list = cx.watch("{r}?watch=1&timeoutSeconds=1", Some(accept::PARTIAL_LIST)).await?;
    cx.finish(list).await?;
    Ok(())
}

async fn a_watch_negotiates(cx: &mut Cx) -> Result<()> {
    for media in [
        "application/json", "application/json;stream=watch", "application/yaml", "text/html", "*/*",
        "application/vnd.kubernetes.protobuf", "application/vnd.kubernetes.protobuf,application/json",
        "application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1", "application/json;as=Nope;g=meta.k8s.io;v=v1",
    ] {
        let watch = cx.watch("{r}?watch=1&timeoutSeconds=1", Some(media)).await?;
        cx.finish(watch).await?;
    }
    Ok(())
}

async fn watch_options_are_checked(cx: &mut Cx) -> Result<()> {
    for query in [
        "labelSelector=a%20b",
        "fieldSelector=spec.a%3D1",
        "resourceVersion=abc",
        "resourceVersion=-1",
        "continue=abc",
        "resourceVersionMatch=NotOlderThan&resourceVersion=0",
        "resourceVersionMatch=Exact&resourceVersion=1",
        "sendInitialEvents=true",
        "sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=1",
        "sendInitialEvents=maybe",
        "timeoutSeconds=abc",
        "limit=1",
        "includeObject=Nope",
    ] {
        cx.watched(&format!("{{r}}?watch=1&timeoutSeconds=1&{query}")).await?;
    }
    Ok(())
}

async fn a_watch_on_a_name_is_a_get(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.get("{r}/a?watch=1&timeoutSeconds=1").await?;
    Ok(())
}

async fn the_deprecated_watch_path_still_works(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.create("b").await?;
    let collection = match cx.subject.namespaced {
        true => format!("{{gv}}/watch/namespaces/{{ns}}/{}", cx.subject.plural),
        false => format!("{{gv}}/watch/{}", cx.subject.plural),
    };
    cx.watched(&format!("{collection}?timeoutSeconds=1")).await?;
    cx.watched(&format!("{collection}/a?timeoutSeconds=1")).await?;
    Ok(())
}

async fn a_watch_ends_when_it_was_asked_to(cx: &mut Cx) -> Result<()> {
    let start = tokio::time::Instant::now();
    cx.watched("{r}?watch=1&timeoutSeconds=2").await?;
    let elapsed = start.elapsed().as_millis();
    cx.note("after two seconds, not much sooner or later", (1500..10_000).contains(&elapsed));
    Ok(())
}

async fn a_watch_over_http1_is_chunked(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.send_http1("GET", "{r}?watch=1&timeoutSeconds=1", &[]).await?;
    cx.send_http1("GET", "{r}?watch=1&timeoutSeconds=1", &[("accept-encoding", "gzip")]).await?;
    Ok(())
}

async fn a_watch_over_all_namespaces(cx: &mut Cx) -> Result<()> {
    let mark = cx.namespace.clone();
    cx.set("mark", &mark);
    now(cx).await?;
    let labelled = cx.watch("{all}?watch=1&timeoutSeconds=2&resourceVersion={rv}&labelSelector=mark%3D{mark}", None).await?;
    let path = "{all}?watch=1&timeoutSeconds=2&resourceVersion={rv}&fieldSelector=metadata.namespace%3D{mark}";
    let selected = cx.watch(path, None).await?;
    cx.create_with("a", &json!({"metadata": {"labels": {"mark": mark}}})).await?;
    cx.create("b").await?;
    cx.delete("{r}/a").await?;
    cx.finish(labelled).await?;
    cx.finish(selected).await?;
    Ok(())
}
