//! Server-side apply: merging, ownership, conflicts.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cx::{Answer, Cx, patch};

cases! {
    Any: [
        apply_creates_and_applies_again,
        a_conflict_names_the_manager_and_force_takes,
        the_same_value_is_shared,
        what_a_manager_gives_up_goes,
        apply_over_updates,
        apply_after_managed_fields_were_cleared,
        labels_and_annotations_are_owned_by_key,
        finalizers_and_owners_are_merged,
        metadata_that_the_server_owns,
        apply_options_are_checked,
        configurations_are_checked,
        yaml_configurations,
        revisions_and_uids_are_preconditions,
        a_dry_run_of_an_apply_stores_nothing,
        client_side_apply_is_gone_on_with,
        the_migration_that_kubectl_makes,
        updates_after_applies,
        an_apply_that_is_invalid_changes_nothing,
        nulls_in_configurations,
        an_apply_of_nothing,
    ],
    WithStatus: [
        the_status_is_applied_by_itself,
        the_status_of_nothing_cannot_be_applied,
    ],
    Widgets: [
        sets_are_merged_by_value,
        maps_are_merged_by_key,
        keys_with_defaults_may_be_left_out,
        items_keep_their_order,
        free_form_parts_are_owned_by_field,
        the_last_item_takes_its_list_along,
        items_that_come_twice_are_refused,
        defaults_belong_to_nobody,
        unknown_fields_are_refused,
        values_of_other_types,
    ],
}

const APPLY: [(&str, &str); 1] = [("content-type", patch::APPLY)];

async fn apply(cx: &mut Cx, query: &str, object: &Value) -> Result<Answer> {
    cx.send("PATCH", &format!("{{r}}/a?fieldManager={query}"), &APPLY, object.to_string()).await
}

/// The object `a` with this spec and nothing else.
fn widget(cx: &Cx, spec: Value) -> Value {
    let mut object = cx.object("a");
    object["spec"] = spec;
    object
}

async fn apply_spec(cx: &mut Cx, query: &str, spec: Value) -> Result<Answer> {
    let object = widget(cx, spec);
    apply(cx, query, &object).await
}

async fn apply_creates_and_applies_again(cx: &mut Cx) -> Result<()> {
    let object = cx.object("a");
    apply(cx, "m1", &object).await?;
    apply(cx, "m1", &object).await?;
    cx.say("another spec");
    let other = cx.subject.spec(1);
    apply_spec(cx, "m1", other).await?;
    cx.say("the first again");
    apply(cx, "m1", &object).await?;
    cx.get("{r}/a").await?;
    cx.watched("{r}?watch=1&resourceVersion=0&timeoutSeconds=1").await?;
    Ok(())
}

async fn a_conflict_names_the_manager_and_force_takes(cx: &mut Cx) -> Result<()> {
    let object = cx.object("a");
    apply(cx, "m1", &object).await?;
    let other = cx.subject.spec(1);
    apply_spec(cx, "m2", other.clone()).await?;
    apply_spec(cx, "m2&force=true", other.clone()).await?;
    cx.say("the loser comes back");
    apply(cx, "m1", &object).await?;
    cx.say("and gives up");
    apply_spec(cx, "m1", json!({})).await?;
    apply_spec(cx, "m2", json!({})).await?;
    Ok(())
}

async fn the_same_value_is_shared(cx: &mut Cx) -> Result<()> {
    let object = cx.object("a");
    apply(cx, "m1", &object).await?;
    apply(cx, "m2", &object).await?;
    cx.say("one of two gives up");
    apply_spec(cx, "m1", json!({})).await?;
    cx.say("the other, too");
    apply_spec(cx, "m2", json!({})).await?;
    Ok(())
}

async fn what_a_manager_gives_up_goes(cx: &mut Cx) -> Result<()> {
    let other = cx.subject.spec(1);
    apply_spec(cx, "m1", other).await?;
    let object = cx.object("a");
    apply(cx, "m1", &object).await?;
    cx.say("the whole spec");
    let mut bare = cx.object("a");
    bare.as_object_mut().map(|object| object.remove("spec"));
    apply(cx, "m1", &bare).await?;
    cx.say("and again");
    apply(cx, "m1", &bare).await?;
    cx.say("back");
    apply(cx, "m1", &object).await?;
    Ok(())
}

async fn apply_over_updates(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let other = cx.subject.spec(1);
    apply_spec(cx, "m1", other.clone()).await?;
    let same = cx.subject.spec(0);
    cx.say("what it is");
    apply_spec(cx, "m1", same).await?;
    apply_spec(cx, "m1&force=true", other).await?;
    Ok(())
}

async fn apply_after_managed_fields_were_cleared(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.merge("{r}/a", &json!({"metadata": {"managedFields": [{}]}})).await?;
    let other = cx.subject.spec(1);
    apply_spec(cx, "m1", other.clone()).await?;
    apply_spec(cx, "m1&force=true", other).await?;
    Ok(())
}

async fn labels_and_annotations_are_owned_by_key(cx: &mut Cx) -> Result<()> {
    let mut object = cx.object("a");
    object["metadata"]["labels"] = json!({"a": "1", "b": "1"});
    object["metadata"]["annotations"] = json!({"x/y": "1"});
    apply(cx, "m1", &object).await?;
    let mut other = cx.object("a");
    other["metadata"]["labels"] = json!({"c": "1"});
    apply(cx, "m2", &other).await?;
    other["metadata"]["labels"] = json!({"a": "2"});
    apply(cx, "m2", &other).await?;
    object["metadata"]["labels"] = json!({"b": "1"});
    object["metadata"].as_object_mut().map(|metadata| metadata.remove("annotations"));
    apply(cx, "m1", &object).await?;
    Ok(())
}

async fn finalizers_and_owners_are_merged(cx: &mut Cx) -> Result<()> {
    let owner = |uid: &str, name: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid});
    let mut object = cx.object("a");
    object["metadata"]["finalizers"] = json!(["example.com/a"]);
    object["metadata"]["ownerReferences"] = json!([owner("u1", "one")]);
    apply(cx, "m1", &object).await?;
    object["metadata"]["finalizers"] = json!(["example.com/b"]);
    object["metadata"]["ownerReferences"] = json!([owner("u2", "two")]);
    apply(cx, "m2", &object).await?;
    object["metadata"]["ownerReferences"] = json!([owner("u1", "other")]);
    apply(cx, "m3", &object).await?;
    object["metadata"]["ownerReferences"] = json!([owner("u1", "one"), owner("u1", "one")]);
    apply(cx, "m3", &object).await?;
    let mut bare = cx.object("a");
    bare["metadata"]["ownerReferences"] = json!([]);
    apply(cx, "m1", &bare).await?;
    apply(cx, "m2", &bare).await?;
    Ok(())
}

async fn metadata_that_the_server_owns(cx: &mut Cx) -> Result<()> {
    let mut object = cx.object("a");
    object["metadata"]["creationTimestamp"] = Value::Null;
    object["metadata"]["generation"] = 7.into();
    apply(cx, "m1", &object).await?;
    object["metadata"]["creationTimestamp"] = "2020-01-01T00:00:00Z".into();
    apply(cx, "m1", &object).await?;
    object["metadata"]["deletionTimestamp"] = "2020-01-01T00:00:00Z".into();
    apply(cx, "m2", &object).await?;
    cx.say("a namespace of its own");
    let mut object = cx.object("a");
    object["metadata"]["namespace"] = "elsewhere".into();
    apply(cx, "m1", &object).await?;
    Ok(())
}

async fn apply_options_are_checked(cx: &mut Cx) -> Result<()> {
    let object = cx.object("a").to_string();
    cx.send("PATCH", "{r}/a", &APPLY, object.clone()).await?;
    cx.send("PATCH", "{r}/a?fieldManager=", &APPLY, object.clone()).await?;
    let long = "x".repeat(129);
    cx.say("a long name").send("PATCH", &format!("{{r}}/a?fieldManager={long}"), &APPLY, object.clone()).await?;
    cx.send("PATCH", "{r}/a?fieldManager=m&force=maybe", &APPLY, object.clone()).await?;
    cx.send("PATCH", "{r}/a?fieldManager=m&dryRun=yes", &APPLY, object.clone()).await?;
    cx.send("PATCH", "{r}/a?fieldManager=m&fieldValidation=Perhaps", &APPLY, object.clone()).await?;
    cx.send("PATCH", "{r}?fieldManager=m", &APPLY, object.clone()).await?;
    cx.send("PATCH", "{r}/b?fieldManager=m", &APPLY, object).await?;
    Ok(())
}

async fn configurations_are_checked(cx: &mut Cx) -> Result<()> {
    let good = cx.object("a");
    let with = |field: &str, value: Value| {
        let mut object = good.clone();
        object[field] = value;
        object
    };
    apply(cx, "m1", &good).await?;
    cx.say("another version");
    let version = format!("{}/v9", cx.group);
    apply(cx, "m1", &with("apiVersion", version.into())).await?;
    cx.say("another kind");
    apply(cx, "m1", &with("kind", "Gizmo".into())).await?;
    cx.say("no kind");
    apply(cx, "m1", &json!({"metadata": {"name": "a"}})).await?;
    cx.say("managed fields");
    apply(cx, "m1", &with("metadata", json!({"name": "a", "managedFields": []}))).await?;
    cx.say("null managed fields");
    apply(cx, "m1", &with("metadata", json!({"name": "a", "managedFields": null}))).await?;
    cx.say("no name");
    apply(cx, "m1", &with("metadata", json!({}))).await?;
    cx.say("another name");
    apply(cx, "m1", &with("metadata", json!({"name": "b"}))).await?;
    Ok(())
}

async fn yaml_configurations(cx: &mut Cx) -> Result<()> {
    let (version, kind) = (format!("{}/{}", cx.group, cx.subject.version), cx.subject.kind);
    let head = format!("apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: a\n");
    let labels = format!("{head}  labels:\n    x: \"1\"\n");
    cx.send("PATCH", "{r}/a?fieldManager=m", &APPLY, labels.clone()).await?;
    let twice = format!("{labels}    x: \"2\"\n");
    cx.say("a key twice").send("PATCH", "{r}/a?fieldManager=m", &APPLY, twice.clone()).await?;
    cx.say("strictly").send("PATCH", "{r}/a?fieldManager=m&fieldValidation=Strict", &APPLY, twice.clone()).await?;
    cx.say("silently").send("PATCH", "{r}/a?fieldManager=m&fieldValidation=Ignore", &APPLY, twice).await?;
    cx.say("an open list").send("PATCH", "{r}/a?fieldManager=m", &APPLY, "a: [").await?;
    cx.say("nothing").send("PATCH", "{r}/a?fieldManager=m", &APPLY, "").await?;
    Ok(())
}

async fn revisions_and_uids_are_preconditions(cx: &mut Cx) -> Result<()> {
    let mut object = cx.object("a");
    let created = apply(cx, "m1", &object).await?;
    object["metadata"]["resourceVersion"] = created.revision()?.into();
    object["metadata"]["labels"] = json!({"x": "1"});
    cx.say("the current revision");
    apply(cx, "m1", &object).await?;
    cx.say("a stale revision");
    apply(cx, "m1", &object).await?;
    let mut object = cx.object("a");
    object["metadata"]["uid"] = "11111111-1111-1111-1111-111111111111".into();
    cx.say("another uid");
    apply(cx, "m1", &object).await?;
    object["metadata"]["uid"] = created.uid()?.into();
    cx.say("its uid");
    apply(cx, "m1", &object).await?;
    object["metadata"]["name"] = "b".into();
    cx.say("a uid of nothing").send("PATCH", "{r}/b?fieldManager=m1", &APPLY, object.to_string()).await?;
    Ok(())
}

async fn a_dry_run_of_an_apply_stores_nothing(cx: &mut Cx) -> Result<()> {
    let object = cx.object("a");
    apply(cx, "m1&dryRun=All", &object).await?;
    cx.get("{r}/a").await?;
    apply(cx, "m1", &object).await?;
    let other = cx.subject.spec(1);
    apply_spec(cx, "m2&dryRun=All&force=true", other).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

async fn client_side_apply_is_gone_on_with(cx: &mut Cx) -> Result<()> {
    let object = cx.object("a");
    let mut created = object.clone();
    created["metadata"]["annotations"] = json!({LAST_APPLIED: format!("{object}\n")});
    let created = created.to_string();
    let json = [("content-type", "application/json")];
    cx.send("POST", "{r}?fieldManager=kubectl-client-side-apply", &json, created).await?;
    let other = cx.subject.spec(1);
    cx.say("as somebody else");
    apply_spec(cx, "m1", other.clone()).await?;
    cx.say("as kubectl");
    apply_spec(cx, "kubectl", other).await?;
    cx.say("back");
    apply(cx, "kubectl", &object).await?;
    Ok(())
}

async fn the_migration_that_kubectl_makes(cx: &mut Cx) -> Result<()> {
    let object = cx.object("a");
    let json = [("content-type", "application/json")];
    cx.send("POST", "{r}?fieldManager=kubectl-client-side-apply", &json, object.to_string()).await?;
    let applied = apply(cx, "kubectl&force=true", &object).await?;
    let mut managed = applied.body["metadata"]["managedFields"].clone();
    if let Some(entries) = managed.as_array_mut() {
        entries.retain(|entry| entry["manager"] == "kubectl");
    }
    let patch = json!([
        {"op": "replace", "path": "/metadata/managedFields", "value": managed},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": applied.revision()?},
    ]);
    cx.say("one manager").json_patch("{r}/a", &patch).await?;
    apply_spec(cx, "kubectl", json!({})).await?;
    Ok(())
}

async fn updates_after_applies(cx: &mut Cx) -> Result<()> {
    let object = cx.object("a");
    apply(cx, "m1", &object).await?;
    let spec = json!({"spec": cx.subject.spec(1)});
    cx.merge("{r}/a?fieldManager=u1", &spec).await?;
    cx.say("what was taken");
    apply(cx, "m1", &object).await?;
    cx.say("what was not");
    apply_spec(cx, "m1", json!({})).await?;
    cx.merge("{r}/a?fieldManager=u2", &json!({"spec": null})).await?;
    Ok(())
}

async fn an_apply_that_is_invalid_changes_nothing(cx: &mut Cx) -> Result<()> {
    let object = cx.object("a");
    apply(cx, "m1", &object).await?;
    let mut labels = cx.object("a");
    labels["metadata"]["labels"] = json!({"a b": "c d"});
    apply(cx, "m1", &labels).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn nulls_in_configurations(cx: &mut Cx) -> Result<()> {
    let mut object = cx.object("a");
    object["metadata"]["labels"] = json!({"a": "1"});
    apply(cx, "m1", &object).await?;
    object["metadata"]["labels"] = Value::Null;
    apply(cx, "m1", &object).await?;
    cx.say("a null spec");
    apply_spec(cx, "m1", Value::Null).await?;
    Ok(())
}

async fn an_apply_of_nothing(cx: &mut Cx) -> Result<()> {
    let mut bare = cx.object("a");
    bare.as_object_mut().map(|object| object.remove("spec"));
    apply(cx, "m1", &bare).await?;
    apply(cx, "m1", &bare).await?;
    apply_spec(cx, "m1", json!({})).await?;
    apply(cx, "m1", &bare).await?;
    Ok(())
}

async fn the_status_is_applied_by_itself(cx: &mut Cx) -> Result<()> {
    let mut object = cx.object("a");
    object["status"] = cx.subject.status(0);
    apply(cx, "m1", &object).await?;
    let status = |cx: &Cx, which: usize| {
        let mut object = cx.object("a");
        object.as_object_mut().map(|object| object.remove("spec"));
        object["status"] = cx.subject.status(which);
        object.to_string()
    };
    let (first, second) = (status(cx, 0), status(cx, 1));
    cx.send("PATCH", "{r}/a/status?fieldManager=c1", &APPLY, first.clone()).await?;
    cx.send("PATCH", "{r}/a/status?fieldManager=c1", &APPLY, first).await?;
    cx.send("PATCH", "{r}/a/status?fieldManager=c2", &APPLY, second.clone()).await?;
    cx.send("PATCH", "{r}/a/status?fieldManager=c2&force=true", &APPLY, second).await?;
    cx.say("with a spec").send("PATCH", "{r}/a/status?fieldManager=c3&force=true", &APPLY, object.to_string()).await?;
    cx.say("the same manager, both ways").send("PATCH", "{r}/a/status?fieldManager=m1&force=true", &APPLY, object.to_string()).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn the_status_of_nothing_cannot_be_applied(cx: &mut Cx) -> Result<()> {
    let mut object = cx.object("a");
    object["status"] = cx.subject.status(0);
    cx.send("PATCH", "{r}/a/status?fieldManager=c1", &APPLY, object.to_string()).await?;
    Ok(())
}

async fn sets_are_merged_by_value(cx: &mut Cx) -> Result<()> {
    apply_spec(cx, "m1", json!({"tags": ["a", "b"]})).await?;
    apply_spec(cx, "m2", json!({"tags": ["c", "a"]})).await?;
    cx.say("one gives a value up");
    apply_spec(cx, "m1", json!({"tags": ["b"]})).await?;
    cx.say("the other gives it up, too");
    apply_spec(cx, "m2", json!({"tags": ["c"]})).await?;
    cx.merge("{r}/a?fieldManager=u", &json!({"spec": {"tags": ["z"]}})).await?;
    apply_spec(cx, "m1", json!({"tags": ["b"]})).await?;
    Ok(())
}

async fn maps_are_merged_by_key(cx: &mut Cx) -> Result<()> {
    let port = |port: u16, protocol: &str, name: &str| json!({"port": port, "protocol": protocol, "name": name});
    apply_spec(cx, "m1", json!({"ports": [port(80, "TCP", "web"), port(53, "UDP", "dns")]})).await?;
    apply_spec(cx, "m2", json!({"ports": [port(53, "TCP", "dns"), {"port": 80, "protocol": "TCP"}]})).await?;
    apply_spec(cx, "m2", json!({"ports": [port(80, "TCP", "other")]})).await?;
    apply_spec(cx, "m2&force=true", json!({"ports": [port(80, "TCP", "other")]})).await?;
    cx.say("the first gives up");
    apply_spec(cx, "m1", json!({})).await?;
    Ok(())
}

async fn keys_with_defaults_may_be_left_out(cx: &mut Cx) -> Result<()> {
    apply_spec(cx, "m1", json!({"ports": [{"port": 80}]})).await?;
    apply_spec(cx, "m1", json!({"ports": [{"port": 80}]})).await?;
    apply_spec(cx, "m2", json!({"ports": [{"port": 80, "protocol": "TCP", "name": "web"}]})).await?;
    apply_spec(cx, "m1", json!({"ports": [{"port": 81}]})).await?;
    cx.say("no key at all");
    apply_spec(cx, "m1", json!({"ports": [{"name": "web"}]})).await?;
    Ok(())
}

async fn items_keep_their_order(cx: &mut Cx) -> Result<()> {
    apply_spec(cx, "m1", json!({"tags": ["a", "b", "c", "d"]})).await?;
    for (step, tags) in [
        ("turned round", json!(["d", "c", "b", "a"])),
        ("in between", json!(["x", "b", "y", "d", "z"])),
        ("one of them", json!(["c"])),
        ("new ones around", json!(["p", "a", "q"])),
    ] {
        cx.say(step);
        apply_spec(cx, "m2", json!({"tags": tags})).await?;
    }
    Ok(())
}

async fn free_form_parts_are_owned_by_field(cx: &mut Cx) -> Result<()> {
    apply_spec(cx, "m1", json!({"extra": {"x": {"y": 1}, "l": [1, 2]}})).await?;
    apply_spec(cx, "m2", json!({"extra": {"x": {"z": 1}}})).await?;
    apply_spec(cx, "m2", json!({"extra": {"l": [3]}})).await?;
    apply_spec(cx, "m2&force=true", json!({"extra": {"x": "text"}})).await?;
    apply_spec(cx, "m1", json!({})).await?;
    apply_spec(cx, "m2", json!({})).await?;
    Ok(())
}

async fn the_last_item_takes_its_list_along(cx: &mut Cx) -> Result<()> {
    apply_spec(cx, "m1", json!({"tags": ["a"], "size": 1})).await?;
    apply_spec(cx, "m1", json!({"tags": [], "size": 1})).await?;
    apply_spec(cx, "m1", json!({"size": 1})).await?;
    cx.say("a list of somebody else");
    cx.merge("{r}/a?fieldManager=u", &json!({"spec": {"tags": []}})).await?;
    apply_spec(cx, "m1", json!({"tags": ["a"]})).await?;
    apply_spec(cx, "m1", json!({"size": 2})).await?;
    Ok(())
}

async fn items_that_come_twice_are_refused(cx: &mut Cx) -> Result<()> {
    apply_spec(cx, "m1", json!({"tags": ["a", "a"]})).await?;
    apply_spec(cx, "m1", json!({"ports": [{"port": 80}, {"port": 80, "protocol": "TCP"}]})).await?;
    Ok(())
}

async fn defaults_belong_to_nobody(cx: &mut Cx) -> Result<()> {
    apply_spec(cx, "m1", json!({"size": 1})).await?;
    apply_spec(cx, "m2", json!({"color": "blue"})).await?;
    apply_spec(cx, "m2", json!({})).await?;
    apply_spec(cx, "m3", json!({"color": "red"})).await?;
    Ok(())
}

async fn unknown_fields_are_refused(cx: &mut Cx) -> Result<()> {
    apply_spec(cx, "m1", json!({"nope": 1})).await?;
    apply_spec(cx, "m1", json!({"ports": [{"port": 1, "nope": 1}]})).await?;
    let mut object = cx.object("a");
    object["metadata"]["nope"] = 1.into();
    apply(cx, "m1", &object).await?;
    Ok(())
}

async fn values_of_other_types(cx: &mut Cx) -> Result<()> {
    for spec in [json!({"size": "x"}), json!({"tags": {}}), json!({"tags": "a"}), json!({"extra": [1]}), json!([]), json!(5)] {
        cx.say(&spec.to_string());
        apply_spec(cx, "m1", spec).await?;
    }
    for spec in [json!({"mode": 5}), json!({"mode": "five"}), json!({"mode": 1.5}), json!({"size": 1.5}), json!({"size": -1})] {
        cx.say(&spec.to_string());
        apply_spec(cx, "m1", spec).await?;
    }
    Ok(())
}
