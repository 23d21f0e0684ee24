//! JSON patch and merge patch.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cx::{Cx, patch};

cases! {
    Any: [
        merge_patch_changes_and_removes,
        merge_patch_that_changes_nothing_keeps_the_revision,
        merge_patch_with_a_revision_is_a_precondition,
        merge_patch_cannot_rename,
        merge_patch_results_are_validated,
        json_patch_applies_every_operation,
        json_patch_fails_as_a_whole,
        json_patch_documents_are_checked,
        json_patch_results_are_validated,
        json_patch_tests_are_preconditions,
        patches_need_an_object,
        patch_media_types_are_checked,
        patch_options_are_checked,
        a_patch_of_ten_thousand_operations_is_the_limit,
        a_dry_run_of_a_patch_stores_nothing,
    ],
}

async fn merge_patch_changes_and_removes(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"metadata": {"labels": {"x": "1", "y": "2"}}})).await?;
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": null, "z": "3"}}})).await?;
    let spec = json!({"spec": cx.subject.spec(1)});
    cx.merge("{r}/a", &spec).await?;
    cx.say("every label").merge("{r}/a", &json!({"metadata": {"labels": null}})).await?;
    cx.say("the annotations").merge("{r}/a", &json!({"metadata": {"annotations": {"a": "b"}}})).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn merge_patch_that_changes_nothing_keeps_the_revision(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.merge("{r}/a", &json!({})).await?;
    let spec = json!({"spec": cx.subject.spec(0)});
    cx.merge("{r}/a", &spec).await?;
    cx.say("what is not there").merge("{r}/a", &json!({"metadata": {"labels": {"x": null}}})).await?;
    cx.say("as another manager").merge("{r}/a?fieldManager=other", &spec).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn merge_patch_with_a_revision_is_a_precondition(cx: &mut Cx) -> Result<()> {
    let old = cx.create("a").await?.revision()?;
    let label = |value: &str, revision: &Value| json!({"metadata": {"labels": {"x": value}, "resourceVersion": revision}});
    let new = cx.merge("{r}/a", &label("1", &Value::from(old.clone()))).await?.revision()?;
    cx.say("stale").merge("{r}/a", &label("2", &old.into())).await?;
    cx.say("current").merge("{r}/a", &label("3", &new.into())).await?;
    cx.say("a word").merge("{r}/a", &label("4", &"abc".into())).await?;
    cx.say("none").merge("{r}/a", &label("5", &Value::Null)).await?;
    cx.say("zero").merge("{r}/a", &label("6", &"0".into())).await?;
    cx.say("another uid").merge("{r}/a", &json!({"metadata": {"uid": "e7cd7980-85aa-4ab0-857e-363aab604ddb"}})).await?;
    Ok(())
}

async fn merge_patch_cannot_rename(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.merge("{r}/a", &json!({"metadata": {"name": "b"}})).await?;
    cx.merge("{r}/a", &json!({"metadata": {"name": null}})).await?;
    cx.merge("{r}/a", &json!({"metadata": {"namespace": "other"}})).await?;
    cx.merge("{r}/a", &json!({"kind": "Other"})).await?;
    cx.merge("{r}/a", &json!({"kind": null})).await?;
    cx.merge("{r}/a", &json!({"apiVersion": "other.dev/v1"})).await?;
    let version = format!("{}/v7", cx.group);
    cx.say("another version").merge("{r}/a", &json!({"apiVersion": version})).await?;
    cx.merge("{r}/a", &json!({"metadata": null})).await?;
    cx.merge("{r}/a", &json!({"metadata": {"creationTimestamp": "2020-01-01T00:00:00Z"}})).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn merge_patch_results_are_validated(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    for which in [0, 1] {
        let spec = json!({"spec": cx.subject.invalid_spec(which)});
        cx.merge("{r}/a", &spec).await?;
    }
    cx.say("not an object").merge("{r}/a", &json!({"spec": "text"})).await?;
    cx.say("no spec").merge("{r}/a?dryRun=All", &json!({"spec": null})).await?;
    cx.say("an unknown field").merge("{r}/a", &json!({"spec": {"nope": 1}})).await?;
    cx.say("an unknown field").merge("{r}/a?fieldValidation=Strict", &json!({"spec": {"nope": 1}})).await?;
    cx.say("an unknown field").merge("{r}/a?fieldValidation=Ignore", &json!({"nope": 1})).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn json_patch_applies_every_operation(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"metadata": {"labels": {"x": "1", "y/z": "2"}}})).await?;
    let operations = json!([
        {"op": "test", "path": "/metadata/labels/x", "value": "1"},
        {"op": "add", "path": "/metadata/labels/new", "value": "3"},
        {"op": "replace", "path": "/metadata/labels/x", "value": "4"},
        {"op": "copy", "from": "/metadata/labels/x", "path": "/metadata/labels/copied"},
        {"op": "move", "from": "/metadata/labels/y~1z", "path": "/metadata/labels/moved"},
        {"op": "remove", "path": "/metadata/labels/new"},
        {"op": "add", "path": "/metadata/finalizers", "value": ["x.dev/a"]},
        {"op": "add", "path": "/metadata/finalizers/-", "value": "x.dev/c"},
        {"op": "add", "path": "/metadata/finalizers/1", "value": "x.dev/b"},
        {"op": "remove", "path": "/metadata/finalizers/0"},
    ]);
    cx.json_patch("{r}/a", &operations).await?;
    cx.json_patch("{r}/a", &json!([])).await?;
    let spec = json!([{"op": "replace", "path": "/spec", "value": cx.subject.spec(1)}]);
    cx.say("the whole spec").json_patch("{r}/a", &spec).await?;
    cx.json_patch("{r}/a", &json!([{"op": "remove", "path": "/metadata/finalizers"}])).await?;
    Ok(())
}

async fn json_patch_fails_as_a_whole(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    let change = json!({"op": "replace", "path": "/metadata/labels/x", "value": "2"});
    for (name, operation) in [
        ("remove nothing", json!({"op": "remove", "path": "/metadata/labels/none"})),
        ("replace nothing", json!({"op": "replace", "path": "/metadata/labels/none", "value": "1"})),
        ("add below nothing", json!({"op": "add", "path": "/none/below", "value": "1"})),
        ("copy nothing", json!({"op": "copy", "from": "/none", "path": "/metadata/labels/y"})),
        ("move nothing", json!({"op": "move", "from": "/none", "path": "/metadata/labels/y"})),
        ("test nothing", json!({"op": "test", "path": "/none", "value": 1})),
        ("test another value", json!({"op": "test", "path": "/metadata/labels/x", "value": "9"})),
    ] {
        cx.say(name).json_patch("{r}/a", &json!([change, operation])).await?;
    }
    cx.get("{r}/a").await?;
    Ok(())
}

async fn json_patch_documents_are_checked(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let headers = [("content-type", patch::JSON)];
    for body in ["", "{}", "null", "[", "[1]", "[{}]", r#"[{"op":"nope","path":"/a"}]"#, r#"[{"op":"add","path":"a","value":1}]"#,
        r#"[{"op":"add","path":"/spec/x"}]"#, r#"[{"op":"remove"}]"#, r#"{"op":"remove","path":"/spec"}"#, "text"]
    {
        cx.say(body).send("PATCH", "{r}/a", &headers, body).await?;
    }
    Ok(())
}

async fn json_patch_results_are_validated(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let set = |path: &str, value: Value| json!([{"op": "add", "path": path, "value": value}]);
    cx.json_patch("{r}/a", &set("/spec", cx.subject.invalid_spec(0))).await?;
    cx.json_patch("{r}/a", &set("/metadata/name", "b".into())).await?;
    cx.json_patch("{r}/a", &set("/metadata/labels", json!({"a": "-"}))).await?;
    cx.say("unknown").json_patch("{r}/a", &set("/nope", 1.into())).await?;
    cx.say("unknown").json_patch("{r}/a?fieldValidation=Strict", &set("/nope", 1.into())).await?;
    cx.json_patch("{r}/a", &json!([{"op": "replace", "path": "", "value": 5}])).await?;
    cx.json_patch("{r}/a", &json!([{"op": "remove", "path": "/metadata"}])).await?;
    cx.json_patch("{r}/a", &json!([{"op": "remove", "path": "/kind"}])).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn json_patch_tests_are_preconditions(cx: &mut Cx) -> Result<()> {
    let created = cx.create("a").await?;
    let (revision, uid) = (created.revision()?, created.uid()?);
    let guarded = |path: &str, value: &str| {
        json!([{"op": "test", "path": path, "value": value}, {"op": "add", "path": "/metadata/labels", "value": {"x": value}}])
    };
    cx.say("a revision").json_patch("{r}/a", &json!([{"op": "test", "path": "/metadata/resourceVersion", "value": revision}])).await?;
    cx.say("another revision").json_patch("{r}/a", &guarded("/metadata/resourceVersion", "999999999")).await?;
    cx.say("the uid").json_patch("{r}/a", &json!([{"op": "test", "path": "/metadata/uid", "value": uid}])).await?;
    cx.say("a replaced revision")
        .json_patch("{r}/a", &json!([{"op": "replace", "path": "/metadata/resourceVersion", "value": "999999999"}]))
        .await?;
    Ok(())
}

async fn patches_need_an_object(cx: &mut Cx) -> Result<()> {
    cx.merge("{r}/missing", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    cx.json_patch("{r}/missing", &json!([{"op": "remove", "path": "/spec"}])).await?;
    cx.create("a").await?;
    for body in ["", "{", "[]", "5", "null", "\"text\"", "{}{}", r#"{"metadata":{"labels":{"x":"1"}}} x"#] {
        cx.say(body).send("PATCH", "{r}/a", &[("content-type", patch::MERGE)], body).await?;
    }
    Ok(())
}

async fn patch_media_types_are_checked(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    for media in [patch::STRATEGIC, "application/json", "text/plain", "application/apply-patch+cbor", "nonsense", ""] {
        cx.send("PATCH", "{r}/a", &[("content-type", media)], "{}").await?;
    }
    cx.say("none").send("PATCH", "{r}/a", &[], "{}").await?;
    cx.send("PATCH", "{r}/a", &[("content-type", "application/merge-patch+json; charset=utf-8")], "{}").await?;
    Ok(())
}

async fn patch_options_are_checked(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let body = json!({"metadata": {"labels": {"x": "1"}}});
    cx.merge("{r}/a?force=true", &body).await?;
    cx.merge("{r}/a?force=maybe", &body).await?;
    cx.merge("{r}/a?dryRun=Some", &body).await?;
    cx.merge("{r}/a?fieldValidation=Some", &body).await?;
    Ok(())
}

async fn a_patch_of_ten_thousand_operations_is_the_limit(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    let operation = json!({"op": "test", "path": "/metadata/labels/x", "value": "1"});
    for count in [10_000, 10_001] {
        let body = Value::Array(vec![operation.clone(); count]);
        cx.say(&count.to_string()).json_patch("{r}/a", &body).await?;
    }
    Ok(())
}

async fn a_dry_run_of_a_patch_stores_nothing(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let spec = json!({"spec": cx.subject.spec(1)});
    cx.merge("{r}/a?dryRun=All", &spec).await?;
    cx.json_patch("{r}/a?dryRun=All", &json!([{"op": "add", "path": "/metadata/labels", "value": {"x": "1"}}])).await?;
    cx.get("{r}/a").await?;
    Ok(())
}
