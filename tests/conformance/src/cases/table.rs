//! Tables, as `kubectl get` prints them.

use anyhow::Result;
use serde_json::json;

use crate::cx::{Cx, accept};

cases! {
    Any: [
        a_list_as_table,
        one_object_as_table,
        an_empty_table_has_columns,
        tables_include_what_was_asked_for,
        tables_of_both_versions,
        cells_follow_the_object,
        writes_answer_tables_too,
        errors_are_not_tables,
        tables_in_other_encodings,
    ],
}

async fn a_list_as_table(cx: &mut Cx) -> Result<()> {
    cx.create_with("b", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    let full = json!({"spec": cx.subject.spec(1)});
    cx.create_with("a", &full).await?;
    cx.get_as(accept::TABLE, "{r}").await?;
    cx.get_as(accept::TABLE, "{r}?limit=500").await?;
    cx.get_as(accept::TABLE, "{r}?labelSelector=x%3D1").await?;
    Ok(())
}

async fn one_object_as_table(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.get_as(accept::TABLE, "{r}/a").await?;
    cx.get_as(accept::TABLE, "{r}/a?includeObject=Object").await?;
    Ok(())
}

async fn an_empty_table_has_columns(cx: &mut Cx) -> Result<()> {
    cx.get_as(accept::TABLE, "{r}").await?;
    cx.get_as(accept::TABLE, "{r}?labelSelector=no%3Done").await?;
    Ok(())
}

async fn tables_include_what_was_asked_for(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    for include in ["None", "Metadata", "Object", "", "Nope", "none"] {
        cx.get_as(accept::TABLE, &format!("{{r}}?includeObject={include}")).await?;
    }
    cx.say("not for a table").get("{r}?includeObject=Nope").await?;
    Ok(())
}

async fn tables_of_both_versions(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.get_as(accept::TABLE_BETA, "{r}").await?;
    let kubectl = format!("{},{},application/json", accept::TABLE, accept::TABLE_BETA);
    cx.get_as(&kubectl, "{r}").await?;
    cx.get_as("application/json;as=Table;v=v2;g=meta.k8s.io,application/json", "{r}/a").await?;
    cx.get_as("application/json;as=Table;v=v2;g=meta.k8s.io", "{r}/a").await?;
    cx.get_as("application/json;as=Table;v=v1;g=other.dev", "{r}/a").await?;
    cx.get_as("application/json;as=Table", "{r}/a").await?;
    Ok(())
}

async fn cells_follow_the_object(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let (spec, first, second) = (
        json!({"spec": cx.subject.spec(1)}),
        json!({"status": cx.subject.status(0)}),
        json!({"status": cx.subject.status(1)}),
    );
    cx.merge("{r}/a", &spec).await?;
    cx.merge("{r}/a/status", &first).await?;
    cx.get_as(accept::TABLE, "{r}/a").await?;
    cx.merge("{r}/a/status", &second).await?;
    cx.get_as(accept::TABLE, "{r}/a").await?;
    Ok(())
}

async fn writes_answer_tables_too(cx: &mut Cx) -> Result<()> {
    let object = cx.object("a").to_string();
    let headers = [("accept", accept::TABLE), ("content-type", "application/json")];
    cx.send("POST", "{r}", &headers, object).await?;
    let patch = [("accept", accept::TABLE), ("content-type", crate::cx::patch::MERGE)];
    cx.send("PATCH", "{r}/a", &patch, r#"{"metadata":{"labels":{"x":"1"}}}"#).await?;
    Ok(())
}

async fn errors_are_not_tables(cx: &mut Cx) -> Result<()> {
    cx.get_as(accept::TABLE, "{r}/missing").await?;
    cx.get_as(accept::TABLE, "{r}?labelSelector=a%20b").await?;
    Ok(())
}

async fn tables_in_other_encodings(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.get_as("application/yaml;as=Table;v=v1;g=meta.k8s.io", "{r}").await?;
    cx.get_as("application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io", "{r}").await?;
    cx.get_as(&format!("{};charset=utf-8", accept::TABLE), "{r}").await?;
    Ok(())
}
