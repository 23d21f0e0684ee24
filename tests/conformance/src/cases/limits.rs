//! What a client may not do to the server, and how it is told.

use anyhow::Result;
use serde_json::json;

use crate::cx::{Cx, patch};

cases! {
    Any: [
        yaml_that_repeats_itself_is_refused,
        yaml_is_as_deep_as_json,
        requests_may_say_how_long_they_wait,
        a_watch_ends_with_its_timeout,
        long_queries_are_read,
        patches_that_grow_are_bounded,
        many_finalizers_and_labels_are_kept,
    ],
}

const YAML: [(&str, &str); 1] = [("content-type", "application/yaml")];

async fn status(
    cx: &mut Cx,
    what: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> Result<()> {
    let answer = cx.send_unrecorded(method, path, headers, body).await?;
    cx.note(what, json!({"status": answer.status, "reason": answer.body["reason"]}));
    Ok(())
}

fn head(cx: &Cx, name: &str) -> String {
    let (group, version, kind) = (&cx.group, cx.subject.version, cx.subject.kind);
    format!("apiVersion: {group}/{version}\nkind: {kind}\nmetadata:\n  name: {name}\n")
}

async fn yaml_that_repeats_itself_is_refused(cx: &mut Cx) -> Result<()> {
    let mut bomb = head(cx, "bomb");
    bomb.push_str("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let before = format!("*a{}", level - 1);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![before; 10].join(", ")));
    }
    status(cx, "create", "POST", "{r}", &YAML, bomb.clone()).await?;
    let apply = [("content-type", patch::APPLY)];
    status(cx, "apply", "PATCH", "{r}/bomb?fieldManager=m", &apply, bomb).await?;
    let few = format!("{}labels: &l {{a: b}}\nagain: *l\n", head(cx, "few"));
    status(cx, "a few are read", "POST", "{r}?dryRun=All", &YAML, few).await?;
    cx.get("{r}").await?;
    Ok(())
}

async fn yaml_is_as_deep_as_json(cx: &mut Cx) -> Result<()> {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    cx.create("a").await?;
    for depth in [50, 20_000] {
        let yaml = format!("{}deep: {}\n", head(cx, "deep"), nested(depth));
        status(cx, &format!("YAML {depth}"), "POST", "{r}?dryRun=All", &YAML, yaml).await?;
        let merge = [("content-type", patch::MERGE)];
        let body = format!(r#"{{"deep":{}}}"#, nested(depth));
        status(cx, &format!("JSON {depth}"), "PATCH", "{r}/a?dryRun=All", &merge, body).await?;
    }
    Ok(())
}

async fn requests_may_say_how_long_they_wait(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    for timeout in ["1s", "500ms", "1m", "0", "2h", "-5s", "1", "abc", "1x"] {
        cx.get(&format!("{{r}}/a?timeout={timeout}")).await?;
    }
    cx.say("a write").merge("{r}/a?timeout=10s", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    Ok(())
}

async fn a_watch_ends_with_its_timeout(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.watched("{r}?watch=1&timeoutSeconds=1&timeout=30s").await?;
    cx.watched("{r}?watch=1&timeoutSeconds=1&timeout=abc").await?;
    Ok(())
}

async fn long_queries_are_read(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"metadata": {"labels": {"n": "999"}}})).await?;
    let values: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
    cx.set("selector", &format!("n in ({})", values.join(",")));
    cx.say("a thousand values").get("{r}?labelSelector={selector}").await?;
    cx.set("selector", &vec!["n=999"; 300].join(","));
    cx.say("the same three hundred times").get("{r}?labelSelector={selector}").await?;
    Ok(())
}

async fn patches_that_grow_are_bounded(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"metadata": {"annotations": {"a": "x".repeat(10_000)}}})).await?;
    let mut operations = Vec::new();
    for n in 0..2000 {
        operations.push(
            json!({"op": "copy", "from": "/metadata/annotations/a", "path": format!("/metadata/annotations/b{n}")}),
        );
    }
    let body = serde_json::Value::from(operations).to_string();
    status(cx, "copies", "PATCH", "{r}/a", &[("content-type", patch::JSON)], body).await?;
    Ok(())
}

async fn many_finalizers_and_labels_are_kept(cx: &mut Cx) -> Result<()> {
    let finalizers: Vec<String> = (0..200).map(|n| format!("x.dev/f{n}")).collect();
    let labels: serde_json::Map<String, serde_json::Value> = (0..200).map(|n| (format!("l{n}"), json!("v"))).collect();
    cx.create_with("a", &json!({"metadata": {"finalizers": finalizers, "labels": labels}})).await?;
    cx.merge("{r}/a", &json!({"metadata": {"finalizers": null}})).await?;
    Ok(())
}
