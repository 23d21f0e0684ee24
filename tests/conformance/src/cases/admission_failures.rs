//! Webhooks that cannot be reached, are late or make no sense, and dry runs.

use std::time::Duration;

use anyhow::Result;
use kit::{Reply, Webhooks};
use serde_json::{Value, json};

use crate::cx::Cx;
use crate::hooks::{
    self, Sort::{Mutating, Validating}, asked, called, install, remove, webhook, webhook_of,
};
use super::admission::with;

cases! {
    Namespaced: [
        an_unreachable_webhook_fails_the_request,
        an_unreachable_webhook_may_be_ignored,
        a_webhook_that_is_late_fails_the_request,
        a_webhook_that_is_late_may_be_ignored,
        an_answer_that_makes_no_sense,
        an_answer_that_is_an_error,
        a_dry_run_needs_a_webhook_without_side_effects,
        a_dry_run_says_so,
    ],
}

/// A place where nobody listens.
fn nowhere() -> Value {
    json!({"clientConfig": {"url": "https://127.0.0.1:1/x", "caBundle": Webhooks::shared().ca_bundle()}, "timeoutSeconds": 1})
}

async fn an_unreachable_webhook_fails_the_request(cx: &mut Cx) -> Result<()> {
    for sort in [Mutating, Validating] {
        let hook = webhook(cx, "gone", &nowhere());
        with(cx, sort, &[hook]).await?;
        cx.create("a").await?;
        cx.get("{r}/a").await?;
        remove(cx, sort, "case").await?;
    }
    Ok(())
}

async fn an_unreachable_webhook_may_be_ignored(cx: &mut Cx) -> Result<()> {
    for (sort, name) in [(Mutating, "a"), (Validating, "b")] {
        let mut more = nowhere();
        more["failurePolicy"] = json!("Ignore");
        let hook = webhook(cx, "gone", &more);
        with(cx, sort, &[hook]).await?;
        cx.create(name).await?;
        remove(cx, sort, "case").await?;
    }
    Ok(())
}

async fn a_webhook_that_is_late_fails_the_request(cx: &mut Cx) -> Result<()> {
    for sort in [Mutating, Validating] {
        let hook = webhook(cx, "late", &json!({"timeoutSeconds": 1}));
        with(cx, sort, &[hook]).await?;
        hooks::on(cx, "/late", |_| Reply::Late(Duration::from_secs(3)));
        cx.create("a").await?;
        remove(cx, sort, "case").await?;
    }
    Ok(())
}

async fn a_webhook_that_is_late_may_be_ignored(cx: &mut Cx) -> Result<()> {
    let hook = webhook(cx, "late", &json!({"timeoutSeconds": 1, "failurePolicy": "Ignore"}));
    with(cx, Validating, &[hook]).await?;
    hooks::on(cx, "/late", |_| Reply::Late(Duration::from_secs(3)));
    cx.create("a").await?;
    remove(cx, Validating, "case").await
}

async fn an_answer_that_makes_no_sense(cx: &mut Cx) -> Result<()> {
    let hook = webhook(cx, "odd", &json!({}));
    with(cx, Validating, &[hook]).await?;
    let review = |response: Value| {
        json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "response": response})
    };
    let answers = [
        ("without a response", Reply::Document(json!({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"}))),
        ("of another request", Reply::Document(review(json!({"uid": "other", "allowed": true})))),
        ("without a kind", Reply::Document(json!({"response": {"allowed": true}}))),
        ("with a patch", Reply::Response(json!({"allowed": true, "patch": "W10=", "patchType": "JSONPatch"}))),
        ("with a type of patches", Reply::Response(json!({"allowed": true, "patchType": "JSONPatch"}))),
        ("without anything", Reply::Raw(200, "application/json", String::new())),
    ];
    for (what, answer) in answers {
        hooks::on(cx, "/odd", move |_| answer.clone());
        cx.say(what).create("a").await?;
    }
    remove(cx, Validating, "case").await
}

async fn an_answer_that_is_an_error(cx: &mut Cx) -> Result<()> {
    let hook = webhook(cx, "odd", &json!({}));
    with(cx, Validating, &[hook]).await?;
    for code in [301, 400, 401, 403, 404, 405, 406, 409, 415, 418, 422, 500, 502, 503, 504] {
        hooks::on(cx, "/odd", move |_| Reply::Raw(code, "text/plain", format!("the body of {code}\n")));
        cx.say(&format!("{code}")).create("a").await?;
    }
    hooks::on(cx, "/odd", |_| Reply::Raw(500, "application/json", "{\"odd\":true}".to_owned()));
    cx.say("500 as JSON").create("a").await?;
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "said so", "code": 403});
    hooks::on(cx, "/odd", move |_| Reply::Raw(403, "application/json", status.to_string()));
    cx.say("a Status").create("a").await?;
    remove(cx, Validating, "case").await
}

async fn a_dry_run_needs_a_webhook_without_side_effects(cx: &mut Cx) -> Result<()> {
    for sort in [Mutating, Validating] {
        for effects in ["None", "NoneOnDryRun"] {
            let hook = webhook(cx, "effects", &json!({"sideEffects": effects}));
            install(cx, sort, "case", &[hook]).await?;
            let object = cx.object("a");
            cx.say(effects).post("{r}?dryRun=All", &object).await?;
            called(cx, "called");
            remove(cx, sort, "case").await?;
        }
    }
    Ok(())
}

async fn a_dry_run_says_so(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let hook = webhook_of(cx, "see", &["*"], &["{}"], &json!({}));
    with(cx, Validating, &[hook]).await?;
    cx.post("{r}?dryRun=All", &cx.object("b")).await?;
    cx.merge("{r}/a?dryRun=All", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    cx.delete("{r}/a?dryRun=All").await?;
    asked(cx, "the reviews");
    remove(cx, Validating, "case").await
}
