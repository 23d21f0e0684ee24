//! Delete: options, preconditions, propagation, finalizers; and deletecollection.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cx::{Cx, accept};

cases! {
    Any: [
        delete_answers_success_and_the_object_is_gone,
        delete_options_are_decoded,
        delete_options_are_checked,
        preconditions_are_checked,
        a_dry_run_deletes_nothing,
        a_finalized_object_stays_until_released,
        a_deleting_object_takes_no_new_finalizers,
        a_deleting_object_keeps_its_name,
        the_deletion_time_cannot_be_taken_back,
        the_last_finalizer_can_go_by_put_or_json_patch,
        propagation_sets_finalizers,
        orphan_dependents_is_the_old_propagation,
        grace_periods_are_ignored,
        delete_negotiates,
        delete_collection_deletes_what_is_selected,
        delete_collection_answers_what_it_deleted,
        delete_collection_respects_finalizers_and_propagation,
        delete_collection_options_are_checked,
    ],
}

fn finalized() -> Value {
    json!({"metadata": {"finalizers": ["x.dev/y"]}})
}

async fn delete_answers_success_and_the_object_is_gone(cx: &mut Cx) -> Result<()> {
    cx.delete("{r}/a").await?;
    cx.create("a").await?;
    cx.delete("{r}/a").await?;
    cx.get("{r}/a").await?;
    cx.say("again").delete("{r}/a").await?;
    cx.say("the name is free").create("a").await?;
    Ok(())
}

async fn delete_options_are_decoded(cx: &mut Cx) -> Result<()> {
    let own = format!("{}/{}", cx.group, cx.subject.version);
    for (name, body) in [
        ("v1", json!({"kind": "DeleteOptions", "apiVersion": "v1"})),
        ("of the group", json!({"kind": "DeleteOptions", "apiVersion": own})),
        ("of the meta group", json!({"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/v1"})),
        ("no kind", json!({})),
        ("an unknown field", json!({"kind": "DeleteOptions", "apiVersion": "v1", "nope": 1})),
        ("another kind", json!({"kind": "Foo", "apiVersion": "v1"})),
        ("another group", json!({"kind": "DeleteOptions", "apiVersion": "other.dev/v1"})),
        ("a list", json!([])),
        ("a wrong type", json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": 5})),
    ] {
        cx.create("a").await?;
        cx.say(name).send("DELETE", "{r}/a", &[("content-type", "application/json")], body.to_string()).await?;
    }
    for (media, body) in [("application/json", "{"), ("text/plain", "{}"), ("application/yaml", "propagationPolicy: Background\n")] {
        cx.say("the raw body").create("a").await?;
        cx.say(body).send("DELETE", "{r}/a", &[("content-type", media)], body).await?;
    }
    cx.create("a").await?;
    cx.say("no content type").send("DELETE", "{r}/a", &[], "{}").await?;
    Ok(())
}

async fn delete_options_are_checked(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    for query in [
        "propagationPolicy=Nope", "orphanDependents=true&propagationPolicy=Orphan", "orphanDependents=maybe",
        "gracePeriodSeconds=abc", "dryRun=Some", "dryRun=",
    ] {
        cx.delete(&format!("{{r}}/a?{query}")).await?;
        cx.ask("{r}/a", &[]).await?;
    }
    for options in [
        json!({"propagationPolicy": "Nope"}),
        json!({"orphanDependents": true, "propagationPolicy": "Orphan"}),
        json!({"dryRun": ["Some"]}),
        json!({"preconditions": {"nope": 1}}),
    ] {
        let name = options.to_string();
        cx.say(&name).create("b").await?;
        cx.say(&name).delete_with("{r}/b", &options).await?;
    }
    Ok(())
}

async fn preconditions_are_checked(cx: &mut Cx) -> Result<()> {
    let created = cx.create("a").await?;
    let (uid, revision) = (created.uid()?, created.revision()?);
    let other = "e7cd7980-85aa-4ab0-857e-363aab604ddb";
    cx.say("another uid").delete_with("{r}/a", &json!({"preconditions": {"uid": other}})).await?;
    let future = "999999999";
    cx.say("another revision").delete_with("{r}/a", &json!({"preconditions": {"resourceVersion": future}})).await?;
    cx.say("one of two").delete_with("{r}/a", &json!({"preconditions": {"uid": uid, "resourceVersion": future}})).await?;
    cx.say("not there").delete_with("{r}/b", &json!({"preconditions": {"uid": other}})).await?;
    cx.say("both right").delete_with("{r}/a", &json!({"preconditions": {"uid": uid, "resourceVersion": revision}})).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn a_dry_run_deletes_nothing(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.delete("{r}/a?dryRun=All").await?;
    cx.delete_with("{r}/a", &json!({"dryRun": ["All"]})).await?;
    cx.get("{r}/a").await?;
    cx.create_with("b", &finalized()).await?;
    cx.delete("{r}/b?dryRun=All").await?;
    cx.get("{r}/b").await?;
    cx.merge("{r}/b", &json!({"metadata": {"finalizers": null}})).await?;
    cx.say("query and body").delete_with("{r}/a?dryRun=All", &json!({})).await?;
    cx.say("after query and body").get("{r}/a").await?;
    Ok(())
}

async fn a_finalized_object_stays_until_released(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"metadata": {"finalizers": ["x.dev/y", "x.dev/z"]}})).await?;
    cx.delete("{r}/a").await?;
    cx.get("{r}/a").await?;
    cx.say("again").delete("{r}/a").await?;
    cx.get("{r}").await?;
    cx.say("one of two").merge("{r}/a", &json!({"metadata": {"finalizers": ["x.dev/z"]}})).await?;
    let spec = json!({"spec": cx.subject.spec(1)});
    cx.say("the spec may still change").merge("{r}/a", &spec).await?;
    cx.say("the last").merge("{r}/a", &json!({"metadata": {"finalizers": []}})).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn a_deleting_object_takes_no_new_finalizers(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &finalized()).await?;
    cx.delete("{r}/a").await?;
    cx.merge("{r}/a", &json!({"metadata": {"finalizers": ["x.dev/y", "x.dev/new"]}})).await?;
    cx.say("another").merge("{r}/a", &json!({"metadata": {"finalizers": ["x.dev/new"]}})).await?;
    cx.get("{r}/a").await?;
    cx.merge("{r}/a", &json!({"metadata": {"finalizers": null}})).await?;
    Ok(())
}

async fn a_deleting_object_keeps_its_name(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &finalized()).await?;
    cx.delete("{r}/a").await?;
    cx.say("the same name").create("a").await?;
    cx.merge("{r}/a", &json!({"metadata": {"finalizers": null}})).await?;
    cx.say("now it is free").create("a").await?;
    Ok(())
}

async fn the_deletion_time_cannot_be_taken_back(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &finalized()).await?;
    let mut object = cx.delete("{r}/a").await?.ok()?;
    cx.merge("{r}/a", &json!({"metadata": {"deletionTimestamp": null}})).await?;
    cx.merge("{r}/a", &json!({"metadata": {"deletionGracePeriodSeconds": null}})).await?;
    cx.merge("{r}/a", &json!({"metadata": {"deletionTimestamp": "2020-01-01T00:00:00Z"}})).await?;
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("deletionTimestamp");
    }
    cx.put("{r}/a", &object).await?;
    cx.merge("{r}/a", &json!({"metadata": {"finalizers": null}})).await?;
    Ok(())
}

async fn the_last_finalizer_can_go_by_put_or_json_patch(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &finalized()).await?;
    let mut object = cx.delete("{r}/a").await?.ok()?;
    object["metadata"]["finalizers"] = json!([]);
    cx.put("{r}/a", &object).await?;
    cx.get("{r}/a").await?;
    cx.create_with("b", &finalized()).await?;
    cx.delete("{r}/b").await?;
    cx.json_patch("{r}/b", &json!([{"op": "remove", "path": "/metadata/finalizers"}])).await?;
    cx.get("{r}/b").await?;
    cx.say("finalizers of a living object").create_with("c", &finalized()).await?;
    cx.merge("{r}/c", &json!({"metadata": {"finalizers": null}})).await?;
    cx.get("{r}/c").await?;
    Ok(())
}

async fn propagation_sets_finalizers(cx: &mut Cx) -> Result<()> {
    for (name, policy) in [("a", "Background"), ("b", "Foreground"), ("c", "Orphan")] {
        cx.create(name).await?;
        cx.delete(&format!("{{r}}/{name}?propagationPolicy={policy}")).await?;
        cx.get(&format!("{{r}}/{name}")).await?;
        cx.merge(&format!("{{r}}/{name}"), &json!({"metadata": {"finalizers": null}})).await?;
    }
    cx.create("d").await?;
    cx.delete_with("{r}/d", &json!({"propagationPolicy": "Foreground"})).await?;
    cx.say("changed to orphan").delete_with("{r}/d", &json!({"propagationPolicy": "Orphan"})).await?;
    cx.say("changed to background").delete_with("{r}/d", &json!({"propagationPolicy": "Background"})).await?;
    cx.get("{r}/d").await?;
    cx.create_with("e", &json!({"metadata": {"finalizers": ["orphan", "x.dev/y"]}})).await?;
    cx.say("an orphan by finalizer, no policy").delete("{r}/e").await?;
    cx.create_with("f", &finalized()).await?;
    cx.say("foreground beside another finalizer").delete("{r}/f?propagationPolicy=Foreground").await?;
    for name in ["e", "f"] {
        cx.merge(&format!("{{r}}/{name}"), &json!({"metadata": {"finalizers": null}})).await?;
    }
    Ok(())
}

async fn orphan_dependents_is_the_old_propagation(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.delete("{r}/a?orphanDependents=true").await?;
    cx.merge("{r}/a", &json!({"metadata": {"finalizers": null}})).await?;
    cx.create("b").await?;
    cx.delete_with("{r}/b", &json!({"orphanDependents": false})).await?;
    cx.get("{r}/b").await?;
    Ok(())
}

async fn grace_periods_are_ignored(cx: &mut Cx) -> Result<()> {
    for (name, query) in [("a", "gracePeriodSeconds=0"), ("b", "gracePeriodSeconds=30")] {
        cx.create(name).await?;
        cx.delete(&format!("{{r}}/{name}?{query}")).await?;
        cx.get(&format!("{{r}}/{name}")).await?;
    }
    cx.create_with("c", &finalized()).await?;
    cx.delete_with("{r}/c", &json!({"gracePeriodSeconds": 30})).await?;
    cx.merge("{r}/c", &json!({"metadata": {"finalizers": null}})).await?;
    cx.create("d").await?;
    cx.delete_with("{r}/d", &json!({"gracePeriodSeconds": -1})).await?;
    Ok(())
}

async fn delete_negotiates(cx: &mut Cx) -> Result<()> {
    for media in [accept::PARTIAL, accept::TABLE, "application/yaml", "application/vnd.kubernetes.protobuf"] {
        cx.create("a").await?;
        cx.send("DELETE", "{r}/a", &[("accept", media)], "").await?;
        cx.create_with("b", &finalized()).await?;
        cx.send("DELETE", "{r}/b", &[("accept", media)], "").await?;
        cx.merge("{r}/b", &json!({"metadata": {"finalizers": null}})).await?;
        cx.ask("{r}", &[]).await?;
        cx.delete("{r}").await?;
    }
    Ok(())
}

async fn delete_collection_deletes_what_is_selected(cx: &mut Cx) -> Result<()> {
    for (name, tier) in [("a", "web"), ("b", "web"), ("c", "db"), ("d", "db")] {
        cx.create_with(name, &json!({"metadata": {"labels": {"tier": tier}}})).await?;
    }
    cx.delete("{r}?labelSelector=tier%3Dweb&dryRun=All").await?;
    cx.get_as(accept::PARTIAL_LIST, "{r}").await?;
    cx.delete("{r}?labelSelector=tier%3Dweb").await?;
    cx.get_as(accept::PARTIAL_LIST, "{r}").await?;
    cx.delete("{r}?fieldSelector=metadata.name%3Dc").await?;
    cx.delete("{r}?labelSelector=no%3Done").await?;
    cx.delete("{r}").await?;
    cx.get("{r}").await?;
    Ok(())
}

async fn delete_collection_answers_what_it_deleted(cx: &mut Cx) -> Result<()> {
    cx.say("of nothing").delete("{r}").await?;
    for media in [accept::PARTIAL_LIST, accept::TABLE, "application/yaml"] {
        cx.create("a").await?;
        cx.send("DELETE", "{r}", &[("accept", media)], "").await?;
    }
    Ok(())
}

async fn delete_collection_respects_finalizers_and_propagation(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.create_with("b", &finalized()).await?;
    cx.delete("{r}").await?;
    cx.get("{r}").await?;
    cx.merge("{r}/b", &json!({"metadata": {"finalizers": null}})).await?;
    cx.create("c").await?;
    cx.delete_with("{r}", &json!({"propagationPolicy": "Foreground"})).await?;
    cx.get("{r}").await?;
    cx.merge("{r}/c", &json!({"metadata": {"finalizers": null}})).await?;
    Ok(())
}

async fn delete_collection_options_are_checked(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    for query in [
        "propagationPolicy=Nope", "labelSelector=a%20b", "fieldSelector=x%3Dy", "dryRun=Some", "resourceVersion=abc",
        "resourceVersionMatch=Exact", "limit=abc",
    ] {
        cx.delete(&format!("{{r}}?{query}")).await?;
        cx.ask("{r}", &[]).await?;
    }
    let created = cx.say("for the preconditions").create("b").await?;
    let uid = created.uid().unwrap_or_default();
    cx.say("preconditions").delete_with("{r}?dryRun=All", &json!({"preconditions": {"uid": uid}})).await?;
    cx.get_as(accept::PARTIAL_LIST, "{r}").await?;
    Ok(())
}
