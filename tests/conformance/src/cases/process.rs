//! What a server says of itself: health, version, metrics, and the marks on its answers.

use anyhow::Result;
use serde_json::{Value, json};

use crate::cx::Cx;

cases! {
    Widgets: [
        health_is_told_in_a_word,
        health_is_told_line_by_line,
        single_checks_answer_alone,
        the_version_is_told,
        metrics_have_the_names_that_people_watch,
        metrics_count_requests_by_verb_and_resource,
        answers_carry_an_audit_id,
        what_is_no_api_is_for_those_who_may,
        answers_are_not_to_be_kept,
    ],
}

/// What dashboards and alerts are made of.
const METRICS: &[&str] = &[
    "apiserver_request_total",
    "apiserver_request_duration_seconds",
    "apiserver_request_sli_duration_seconds",
    "apiserver_longrunning_requests",
    "apiserver_current_inflight_requests",
    "apiserver_response_sizes",
    "apiserver_watch_events_total",
    "apiserver_watch_events_sizes",
    "apiserver_request_terminations_total",
];

async fn health_is_told_in_a_word(cx: &mut Cx) -> Result<()> {
    for path in ["/healthz", "/livez", "/readyz", "/livez?exclude=ping"] {
        cx.get(path).await?;
        cx.send_as("nobody", "GET", path, &[("authorization", "")], "").await?;
    }
    cx.send("HEAD", "/livez", &[], "").await?;
    Ok(())
}

async fn health_is_told_line_by_line(cx: &mut Cx) -> Result<()> {
    for (path, last) in [
        ("/readyz?verbose", "readyz check passed"),
        ("/livez?verbose", "livez check passed"),
        ("/healthz?verbose", "healthz check passed"),
    ] {
        let text = cx.ask_text(path).await?;
        let lines: Vec<&str> = text.lines().collect();
        cx.note(
            path,
            json!({
                "first": lines.first(),
                "last": lines.last() == Some(&last),
                "others": lines.iter().rev().skip(1).all(|line| line.starts_with("[+]") && line.ends_with(" ok")),
            }),
        );
    }
    let text = cx.ask_text("/readyz?verbose&exclude=ping").await?;
    cx.note("excluded", text.lines().next().unwrap_or_default());
    Ok(())
}

async fn single_checks_answer_alone(cx: &mut Cx) -> Result<()> {
    for path in ["/livez/ping", "/readyz/ping", "/healthz/ping", "/livez/nope"] {
        cx.get(path).await?;
    }
    Ok(())
}

async fn the_version_is_told(cx: &mut Cx) -> Result<()> {
    let version = cx.ask("/version", &[]).await?.body;
    for field in
        ["major", "minor", "gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"]
    {
        cx.note(field, version[field].is_string());
    }
    cx.note(
        "of a form",
        version["gitVersion"]
            .as_str()
            .is_some_and(|version| version.starts_with('v') && version.matches('.').count() >= 2),
    );
    Ok(())
}

async fn metrics_have_the_names_that_people_watch(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let watch = cx.watch("{r}?watch=1&timeoutSeconds=2", None).await?;
    cx.create("b").await?;
    cx.finish(watch).await?;
    let text = cx.ask_text("/metrics").await?;
    for name in METRICS {
        let sample =
            |line: &str| ["{", "_bucket{", "_count{"].iter().any(|rest| line.starts_with(&format!("{name}{rest}")));
        // It counts refusals, of which there may have been none.
        cx.note(name, *name == "apiserver_request_terminations_total" || text.lines().any(sample));
    }
    Ok(())
}

async fn metrics_count_requests_by_verb_and_resource(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    cx.get("{r}/a").await?;
    cx.get("{r}").await?;
    let text = cx.ask_text("/metrics").await?;
    let plural = format!("resource=\"{}\"", cx.subject.plural);
    let ours: Vec<&str> =
        text.lines().filter(|line| line.starts_with("apiserver_request_total{") && line.contains(&plural)).collect();
    for verb in ["POST", "GET", "LIST"] {
        cx.note(verb, ours.iter().any(|line| line.contains(&format!("verb=\"{verb}\""))));
    }
    for label in ["code", "component", "dry_run", "group", "subresource", "version"] {
        cx.note(label, ours.first().is_some_and(|line| line.contains(&format!("{label}=\""))));
    }
    Ok(())
}

async fn answers_carry_an_audit_id(cx: &mut Cx) -> Result<()> {
    let own = "6c0a4a0e-94f5-4a5e-9d3c-6d2b1b0d1f11";
    let given = cx.ask_for("GET", "{r}", &[("audit-id", own)], &["audit-id"]).await?;
    cx.note("the client's", given["audit-id"] == own);
    let made = cx.ask_for("GET", "{r}", &[], &["audit-id"]).await?;
    cx.note("the server's", made["audit-id"].as_str().is_some_and(|id| id.len() == 36));
    let refused = cx.ask_for("GET", "{r}/missing", &[], &["audit-id"]).await?;
    cx.note("of a refusal", refused["audit-id"].is_string());
    Ok(())
}

async fn what_is_no_api_is_for_those_who_may(cx: &mut Cx) -> Result<()> {
    for path in ["/metrics", "/", "/debug/pprof", "/nothing"] {
        cx.send_as("bob", "GET", path, &[], "").await?;
    }
    let index = cx.ask("/", &[]).await?.body;
    let has = |path: &str| index["paths"].as_array().is_some_and(|paths| paths.iter().any(|found| found == path));
    let known: Vec<Value> =
        ["/apis", "/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
            .map(|path| has(path).into())
            .into();
    cx.note("the index", known);
    cx.get("/nothing").await?;
    Ok(())
}

async fn answers_are_not_to_be_kept(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    for path in ["{r}", "{r}/a", "{r}/missing", "{gv}", "/version"] {
        let answer = cx.ask_for("GET", path, &[], &["cache-control"]).await?;
        cx.note(path, answer["cache-control"].as_str().is_some_and(|control| control.contains("no-cache")));
    }
    Ok(())
}
