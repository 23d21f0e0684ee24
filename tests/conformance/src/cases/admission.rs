//! Webhooks of the cluster, and what they do to a write. What they are asked is compared too.


use anyhow::Result;
use kit::Reply;
use serde_json::{Value, json};

use crate::cx::Cx;
use crate::hooks::{
    self, Sort::{Mutating, Validating}, allow, asked, called, deny, install, patch, remove, webhook, webhook_of,
};

cases! {
    Namespaced: [
        a_validating_webhook_is_asked_about_a_creation,
        a_mutating_webhook_is_asked_about_a_creation,
        a_review_of_an_update_has_both_objects,
        a_review_of_a_patch_says_update,
        a_review_of_a_deletion_has_the_old_object,
        a_generated_name_is_known_when_it_is_validated,
        a_denial_says_why_in_each_form,
        a_denial_keeps_reason_and_details,
        a_denied_update_changes_nothing,
        a_denied_deletion_deletes_nothing,
        a_denied_collection_stays,
        each_object_of_a_collection_is_reviewed,
        warnings_come_with_the_answer,
        a_mutation_is_stored,
        a_mutation_that_changes_nothing,
        mutations_run_in_order,
        a_patch_that_cannot_be_applied,
        a_mutated_name_is_the_object_s,
        an_earlier_webhook_is_asked_again_if_it_wants,
    ],
}

pub(super) const LABEL: &str = r#"[{"op":"add","path":"/metadata/labels","value":{"hooked":"yes"}}]"#;

pub(super) fn labels() -> Value {
    serde_json::from_str(LABEL).unwrap_or_default()
}

/// Installs one configuration, which is called `case`.
pub(super) async fn with(cx: &Cx, sort: hooks::Sort, webhooks: &[Value]) -> Result<()> {
    install(cx, sort, "case", webhooks).await
}

async fn a_validating_webhook_is_asked_about_a_creation(cx: &mut Cx) -> Result<()> {
    let hook = webhook(cx, "see", &json!({}));
    with(cx, Validating, &[hook]).await?;
    cx.post("{r}?fieldManager=tester&fieldValidation=Strict", &cx.object("a")).await?;
    asked(cx, "the review");
    remove(cx, Validating, "case").await
}

async fn a_mutating_webhook_is_asked_about_a_creation(cx: &mut Cx) -> Result<()> {
    let hook = webhook(cx, "see", &json!({}));
    with(cx, Mutating, &[hook]).await?;
    let more = json!({
        "metadata": {
            "uid": "00000000-0000-4000-8000-000000000000", "creationTimestamp": "2020-01-01T00:00:00Z",
            "labels": {"x": "1"}, "finalizers": ["example.com/keep"],
        },
        "status": cx.subject.status(0),
    });
    cx.create_with("a", &more).await?;
    asked(cx, "the review");
    remove(cx, Mutating, "case").await
}

async fn a_review_of_an_update_has_both_objects(cx: &mut Cx) -> Result<()> {
    let mut object = cx.create("a").await?.ok()?;
    for sort in [Mutating, Validating] {
        let hook = webhook_of(cx, "see", &["UPDATE"], &["{}"], &json!({}));
        with(cx, sort, &[hook]).await?;
        object["spec"] = cx.subject.spec(1);
        object = cx.put("{r}/a?fieldManager=tester", &object).await?.ok()?;
        asked(cx, "the review of an update");
        cx.put("{r}/a", &object).await?;
        asked(cx, "the review of an update that changes nothing");
        object["spec"] = cx.subject.spec(0);
        object = cx.put("{r}/a", &object).await?.ok()?;
        asked(cx, "the review of another");
        remove(cx, sort, "case").await?;
    }
    Ok(())
}

async fn a_review_of_a_patch_says_update(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let hook = webhook_of(cx, "see", &["UPDATE"], &["{}"], &json!({}));
    with(cx, Validating, &[hook]).await?;
    cx.merge("{r}/a?fieldManager=tester&fieldValidation=Ignore", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    asked(cx, "the review of a merge patch");
    cx.json_patch("{r}/a", &json!([{"op": "add", "path": "/metadata/labels/y", "value": "2"}])).await?;
    asked(cx, "the review of a JSON patch");
    cx.json_patch("{r}/missing", &json!([])).await?;
    asked(cx, "there is nothing to review");
    remove(cx, Validating, "case").await
}

async fn a_review_of_a_deletion_has_the_old_object(cx: &mut Cx) -> Result<()> {
    for name in ["a", "b", "c"] {
        cx.create(name).await?;
    }
    for sort in [Mutating, Validating] {
        let hook = webhook_of(cx, "see", &["DELETE"], &["{}"], &json!({}));
        with(cx, sort, &[hook]).await?;
        let name = if sort == Mutating { "a" } else { "b" };
        cx.delete(&format!("{{r}}/{name}?propagationPolicy=Background&gracePeriodSeconds=0")).await?;
        asked(cx, "the review of a deletion");
        cx.delete("{r}/missing").await?;
        asked(cx, "there is nothing to review");
        remove(cx, sort, "case").await?;
    }
    let hook = webhook_of(cx, "see", &["DELETE"], &["{}"], &json!({}));
    with(cx, Validating, &[hook]).await?;
    let wrong = json!({"preconditions": {"uid": "00000000-0000-4000-8000-000000000000"}});
    cx.delete_with("{r}/c", &wrong).await?;
    asked(cx, "a precondition that does not hold");
    cx.delete_with("{r}/c", &json!({"propagationPolicy": "Background", "gracePeriodSeconds": 5})).await?;
    asked(cx, "options of a body");
    remove(cx, Validating, "case").await
}

async fn a_generated_name_is_known_when_it_is_validated(cx: &mut Cx) -> Result<()> {
    let (mutating, validating) = (webhook(cx, "mutate", &json!({})), webhook(cx, "validate", &json!({})));
    install(cx, Mutating, "first", &[mutating]).await?;
    install(cx, Validating, "second", &[validating]).await?;
    let mut object = cx.object("a");
    object["metadata"] = json!({"generateName": "gen-"});
    cx.post("{r}", &object).await?;
    asked(cx, "the reviews");
    remove(cx, Mutating, "first").await?;
    remove(cx, Validating, "second").await
}

async fn a_denial_says_why_in_each_form(cx: &mut Cx) -> Result<()> {
    let statuses = [
        Value::Null,
        json!({}),
        json!({"message": "no"}),
        json!({"reason": "NoReason"}),
        json!({"code": 403}),
        json!({"code": 403, "message": "you may not", "reason": "Forbidden"}),
        json!({"code": 200, "message": "odd"}),
        json!({"code": 399, "message": "odd", "status": "Success"}),
        json!({"code": 418, "message": "a \"quoted\" <text>", "reason": "Teapot"}),
        json!({"code": 500}),
    ];
    for sort in [Mutating, Validating] {
        let hook = webhook(cx, "deny", &json!({}));
        with(cx, sort, &[hook]).await?;
        for status in &statuses {
            let answer = status.clone();
            hooks::on(cx, "/deny", move |_| deny(&answer));
            cx.say(&status.to_string()).create("a").await?;
        }
        remove(cx, sort, "case").await?;
    }
    cx.get("{r}").await?;
    Ok(())
}

async fn a_denial_keeps_reason_and_details(cx: &mut Cx) -> Result<()> {
    let hook = webhook(cx, "deny", &json!({}));
    with(cx, Validating, &[hook]).await?;
    hooks::on(cx, "/deny", |_| {
        deny(&json!({
            "code": 422, "message": "wrong", "reason": "Invalid",
            "details": {
                "name": "a", "group": "g", "kind": "K", "uid": "u", "retryAfterSeconds": 7,
                "causes": [{"reason": "FieldValueInvalid", "message": "bad", "field": "spec.x"}],
            },
        }))
    });
    cx.create("a").await?;
    remove(cx, Validating, "case").await
}

async fn a_denied_update_changes_nothing(cx: &mut Cx) -> Result<()> {
    let mut object = cx.create("a").await?.ok()?;
    let hook = webhook_of(cx, "deny", &["UPDATE"], &["{}"], &json!({}));
    with(cx, Validating, &[hook]).await?;
    hooks::on(cx, "/deny", |_| deny(&json!({"message": "stays as it is"})));
    object["spec"] = cx.subject.spec(1);
    cx.put("{r}/a", &object).await?;
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    cx.get("{r}/a").await?;
    remove(cx, Validating, "case").await
}

async fn a_denied_deletion_deletes_nothing(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    for sort in [Mutating, Validating] {
        let hook = webhook_of(cx, "deny", &["DELETE"], &["{}"], &json!({}));
        with(cx, sort, &[hook]).await?;
        hooks::on(cx, "/deny", |_| deny(&json!({"message": "it stays"})));
        cx.delete("{r}/a").await?;
        cx.delete("{r}/a?dryRun=All").await?;
        cx.get("{r}/a").await?;
        remove(cx, sort, "case").await?;
    }
    Ok(())
}

async fn a_denied_collection_stays(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let hook = webhook_of(cx, "deny", &["DELETE"], &["{}"], &json!({}));
    with(cx, Validating, &[hook]).await?;
    hooks::on(cx, "/deny", |_| deny(&json!({"message": "it stays"})));
    cx.delete("{r}").await?;
    cx.get("{r}").await?;
    remove(cx, Validating, "case").await
}

async fn each_object_of_a_collection_is_reviewed(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let hook = webhook_of(cx, "see", &["DELETE"], &["{}"], &json!({}));
    with(cx, Validating, &[hook]).await?;
    cx.delete("{r}?propagationPolicy=Background").await?;
    asked(cx, "the review");
    cx.delete("{r}").await?;
    asked(cx, "there is nothing to review");
    remove(cx, Validating, "case").await
}

async fn warnings_come_with_the_answer(cx: &mut Cx) -> Result<()> {
    for (sort, name) in [(Mutating, "a"), (Validating, "b")] {
        let hook = webhook(cx, "warn", &json!({}));
        with(cx, sort, &[hook]).await?;
        hooks::on(cx, "/warn", |_| {
            Reply::Response(json!({"allowed": true, "warnings": ["mind this", "a \"quoted\" one", "mind this", ""]}))
        });
        cx.create(name).await?;
        hooks::on(cx, "/warn", |_| {
            Reply::Response(json!({"allowed": false, "status": {"message": "no"}, "warnings": ["mind that"]}))
        });
        cx.create("other").await?;
        let long = "x".repeat(3000);
        hooks::on(cx, "/warn", move |_| {
            Reply::Response(json!({"allowed": false, "warnings": [long.clone(), format!("y{long}"), "z"]}))
        });
        cx.create("other").await?;
        remove(cx, sort, "case").await?;
    }
    Ok(())
}

async fn a_mutation_is_stored(cx: &mut Cx) -> Result<()> {
    let hook = webhook_of(cx, "mutate", &["CREATE", "UPDATE"], &["{}"], &json!({}));
    with(cx, Mutating, &[hook]).await?;
    hooks::on(cx, "/mutate", |_| patch(&labels()));
    cx.create("a").await?;
    cx.get("{r}/a").await?;
    hooks::on(cx, "/mutate", |_| patch(&json!([{"op": "add", "path": "/metadata/annotations", "value": {"by": "hook"}}])));
    cx.merge("{r}/a?fieldManager=tester", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    cx.get("{r}/a").await?;
    cx.say("dry").create_with("b", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    cx.post("{r}?dryRun=All", &cx.object("c")).await?;
    remove(cx, Mutating, "case").await
}

async fn a_mutation_that_changes_nothing(cx: &mut Cx) -> Result<()> {
    let hook = webhook_of(cx, "mutate", &["CREATE", "UPDATE"], &["{}"], &json!({}));
    with(cx, Mutating, &[hook]).await?;
    let answers = [
        json!([]),
        json!([{"op": "test", "path": "/metadata/name", "value": "a"}]),
        json!([{"op": "replace", "path": "/metadata/name", "value": "a"}]),
    ];
    for answer in answers {
        hooks::on(cx, "/mutate", move |_| patch(&answer));
        cx.create("a").await?;
    }
    hooks::on(cx, "/mutate", |_| patch(&json!([{"op": "replace", "path": "/spec", "value": {}}])));
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    remove(cx, Mutating, "case").await
}

async fn mutations_run_in_order(cx: &mut Cx) -> Result<()> {
    let hooks = [webhook(cx, "one", &json!({})), webhook(cx, "two", &json!({}))];
    with(cx, Mutating, &hooks).await?;
    hooks::on(cx, "/one", |_| patch(&labels()));
    hooks::on(cx, "/two", |_| patch(&json!([{"op": "add", "path": "/metadata/labels/second", "value": "too"}])));
    cx.create("a").await?;
    asked(cx, "the reviews");
    remove(cx, Mutating, "case").await
}

async fn a_patch_that_cannot_be_applied(cx: &mut Cx) -> Result<()> {
    let hook = webhook(cx, "mutate", &json!({}));
    with(cx, Mutating, &[hook]).await?;
    hooks::on(cx, "/mutate", |_| Reply::Response(json!({"allowed": true, "patch": "W10="})));
    cx.say("without a type").create("a").await?;
    hooks::on(cx, "/mutate", |_| Reply::Response(json!({"allowed": true, "patchType": "JSONPatch"})));
    cx.say("without a patch").create("a").await?;
    hooks::on(cx, "/mutate", |_| Reply::Response(json!({"allowed": true, "patchType": "Merge", "patch": "W3sib3AiOiJ0ZXN0In1d"})));
    cx.say("of another type").create("a").await?;
    cx.get("{r}").await?;
    remove(cx, Mutating, "case").await
}

async fn a_mutated_name_is_the_object_s(cx: &mut Cx) -> Result<()> {
    let hook = webhook(cx, "mutate", &json!({}));
    with(cx, Mutating, &[hook]).await?;
    hooks::on(cx, "/mutate", |_| patch(&json!([{"op": "add", "path": "/metadata/name", "value": "renamed"}])));
    let mut object = cx.object("a");
    object["metadata"] = json!({"generateName": "gen-"});
    cx.post("{r}", &object).await?;
    cx.get("{r}/renamed").await?;
    remove(cx, Mutating, "case").await
}

async fn an_earlier_webhook_is_asked_again_if_it_wants(cx: &mut Cx) -> Result<()> {
    let hooks = [
        webhook(cx, "wants", &json!({"reinvocationPolicy": "IfNeeded"})),
        webhook(cx, "never", &json!({})),
        webhook(cx, "changes", &json!({"reinvocationPolicy": "IfNeeded"})),
    ];
    with(cx, Mutating, &hooks).await?;
    hooks::on(cx, "/changes", |review| match review.pointer("/request/object/metadata/labels/hooked") {
        Some(_) => allow(),
        None => patch(&labels()),
    });
    cx.create("a").await?;
    called(cx, "the first is asked again");
    hooks::on(cx, "/changes", |_| allow());
    cx.create("b").await?;
    called(cx, "nothing has changed");
    hooks::on(cx, "/wants", |_| patch(&labels()));
    cx.create("c").await?;
    called(cx, "the first changed it");
    remove(cx, Mutating, "case").await
}
