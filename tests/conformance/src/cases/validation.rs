//! The schema: validation, unknown and duplicate fields, pruning, defaults.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cx::Cx;

cases! {
    Any: [
        invalid_specs_are_refused_on_every_way_in,
        types_are_checked,
        unknown_fields_are_pruned_and_reported,
        duplicate_fields_are_reported,
        field_validation_takes_three_values,
        nulls_are_dropped_or_refused,
        an_object_without_a_spec,
        unknown_fields_at_every_level,
        many_errors_are_listed,
    ],
}

async fn invalid_specs_are_refused_on_every_way_in(cx: &mut Cx) -> Result<()> {
    let object = cx.create("ok").await?.ok()?;
    for which in [0, 1] {
        let spec = cx.subject.invalid_spec(which);
        cx.create_with("a", &json!({"spec": spec})).await?;
        cx.create_with("a", &json!({"spec": spec})).await?;
        let mut changed = object.clone();
        changed["spec"] = spec.clone();
        cx.put("{r}/ok", &changed).await?;
        cx.merge("{r}/ok", &json!({"spec": spec})).await?;
        cx.say("a dry run").merge("{r}/ok?dryRun=All", &json!({"spec": spec})).await?;
    }
    Ok(())
}

async fn types_are_checked(cx: &mut Cx) -> Result<()> {
    for (name, spec) in [
        ("text", json!("text")),
        ("a number", json!(1)),
        ("a list", json!([])),
        ("a bool", json!(true)),
        ("null", Value::Null),
    ] {
        let mut object = cx.object("a");
        object["spec"] = spec.clone();
        cx.say(name).post("{r}?dryRun=All", &object).await?;
        object["spec"] = cx.subject.spec(0);
        object["status"] = spec;
        cx.say(name).post("{r}?dryRun=All", &object).await?;
    }
    Ok(())
}

async fn unknown_fields_are_pruned_and_reported(cx: &mut Cx) -> Result<()> {
    let unknown = json!({"spec": {"nope": {"deep": [1]}}, "extra": 1, "metadata": {"unknown": true}});
    cx.create_with("a", &unknown).await?;
    cx.get("{r}/a").await?;
    cx.merge("{r}/a", &json!({"spec": {"nope": 2}})).await?;
    let mut object = cx.ask("{r}/a", &[]).await?.body;
    object["spec"]["nope"] = json!(3);
    cx.put("{r}/a", &object).await?;
    cx.get("{r}/a").await?;
    Ok(())
}

async fn duplicate_fields_are_reported(cx: &mut Cx) -> Result<()> {
    let spec = cx.subject.specs[0];
    let body = format!(
        r#"{{"apiVersion":"{}/{}","kind":"{}","metadata":{{"name":"a","name":"a"}},"spec":{spec},"spec":{spec}}}"#,
        cx.group, cx.subject.version, cx.subject.kind
    );
    for validation in ["", "Strict", "Warn", "Ignore"] {
        let path = format!("{{r}}?dryRun=All&fieldValidation={validation}");
        cx.send("POST", &path, &[("content-type", "application/json")], body.clone()).await?;
    }
    cx.say("in a patch").create("a").await?;
    let patch = [("content-type", crate::cx::patch::MERGE)];
    let twice = r#"{"metadata":{"labels":{"x":"1","x":"2"}}}"#;
    cx.say(twice).send("PATCH", "{r}/a", &patch, twice).await?;
    cx.say(twice).send("PATCH", "{r}/a?fieldValidation=Strict", &patch, twice).await?;
    Ok(())
}

async fn field_validation_takes_three_values(cx: &mut Cx) -> Result<()> {
    let object = cx.object_with("a", &json!({"spec": {"nope": 1}}));
    for validation in ["Ignore", "Warn", "Strict", "", "strict", "Nope"] {
        cx.post(&format!("{{r}}?dryRun=All&fieldValidation={validation}"), &object).await?;
    }
    let mut stored = cx.create("a").await?.ok()?;
    stored["spec"]["nope"] = json!(1);
    for validation in ["Ignore", "Warn", "Strict", "Nope"] {
        cx.put(&format!("{{r}}/a?dryRun=All&fieldValidation={validation}"), &stored).await?;
        cx.merge(&format!("{{r}}/a?dryRun=All&fieldValidation={validation}"), &json!({"spec": {"nope": 1}})).await?;
    }
    let known = cx.object("b");
    cx.say("a known object").post("{r}?dryRun=All&fieldValidation=Strict", &known).await?;
    Ok(())
}

async fn nulls_are_dropped_or_refused(cx: &mut Cx) -> Result<()> {
    let mut object = cx.object("a");
    let fields: Vec<String> = cx.subject.spec(1).as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect();
    for field in fields {
        let mut changed = object.clone();
        changed["spec"][&field] = Value::Null;
        cx.say(&field).post("{r}?dryRun=All", &changed).await?;
    }
    object["metadata"]["labels"] = Value::Null;
    object["status"] = Value::Null;
    cx.say("labels and status").post("{r}?dryRun=All", &object).await?;
    Ok(())
}

async fn an_object_without_a_spec(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"spec": null})).await?;
    let mut object = cx.object("b");
    object["spec"] = json!({});
    cx.post("{r}", &object).await?;
    cx.get("{r}/b").await?;
    Ok(())
}

async fn unknown_fields_at_every_level(cx: &mut Cx) -> Result<()> {
    let object = cx.object_with(
        "a",
        &json!({"z": 1, "a": {"b": 1}, "metadata": {"z": 1, "ownerReferences": [{"z": 1}]}, "spec": {"z": 1, "Z": [{"a": 1}]}, "status": {"z": 1}}),
    );
    cx.post("{r}?dryRun=All&fieldValidation=Strict", &object).await?;
    cx.post("{r}?dryRun=All&fieldValidation=Warn", &object).await?;
    Ok(())
}

async fn many_errors_are_listed(cx: &mut Cx) -> Result<()> {
    let spec = cx.subject.invalid_spec(0);
    let bad = json!({"metadata": {"labels": {"-a": "-b"}, "finalizers": ["-"], "annotations": {"-": ""}}, "spec": spec});
    cx.create_with("Bad_Name", &bad).await?;
    Ok(())
}
