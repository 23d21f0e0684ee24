//! Which webhooks are asked, and about what: selectors, rules, conditions, verbs and subresources.


use anyhow::Result;
use kit::{Reply, Webhooks};
use serde_json::{Value, json};

use crate::cx::{Cx, patch as media};
use crate::hooks::{
    self, Sort::{Mutating, Validating}, allow, asked, called, called_at_once, deny, install, patch, remove, webhook, webhook_of,
};
use super::admission::{labels, with};

cases! {
    Namespaced: [
        objects_are_selected_by_labels_old_or_new,
        namespaces_are_selected_by_labels,
        rules_name_operations_and_resources,
        rules_name_scopes,
        a_dead_certificate_fails_the_request,
        an_apply_is_reviewed_as_what_it_does,
        an_apply_that_creates_is_mutated,
        several_webhooks_validate_at_once,
        the_first_version_of_reviews_is_spoken,
        an_unknown_version_of_reviews_is_a_failure,
        a_service_that_is_not_there,
        what_a_denied_mutation_costs,
        finalizers_make_a_deletion_an_update,
        the_last_finalizer_goes_by_an_update,
        a_conflict_is_found_after_the_mutation,
        owner_references_are_deduplicated_again,
        managed_fields_that_a_webhook_breaks_are_kept,
        match_conditions_decide_who_is_called,
        a_match_condition_that_fails_is_a_matter_of_the_failure_policy,
        match_conditions_know_the_request,
        a_rule_for_another_version_means_only_that,
    ],
    WithStatus: [
        a_status_is_a_subresource_of_its_own,
        a_status_is_mutated,
    ],
    Widgets: [
        a_mutation_is_defaulted,
        a_mutation_is_validated,
        an_unknown_field_of_a_mutation_is_dropped,
        later_webhooks_see_defaults,
        an_invalid_object_is_mutated_first,
    ],
}

async fn objects_are_selected_by_labels_old_or_new(cx: &mut Cx) -> Result<()> {
    let selector = json!({"objectSelector": {
        "matchLabels": {"a": "1"}, "matchExpressions": [{"key": "b", "operator": "NotIn", "values": ["2"]}],
    }});
    let hook = webhook_of(cx, "see", &["*"], &["{}"], &selector);
    with(cx, Validating, &[hook]).await?;
    for (name, labels) in [("a", json!({})), ("b", json!({"a": "1"})), ("c", json!({"a": "1", "b": "2"}))] {
        cx.create_with(name, &json!({"metadata": {"labels": labels}})).await?;
        called(cx, "created");
    }
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"a": "1"}}})).await?;
    called(cx, "labelled");
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"a": null}}})).await?;
    called(cx, "unlabelled");
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"c": "3"}}})).await?;
    called(cx, "neither");
    cx.delete("{r}/b").await?;
    called(cx, "deleted");
    remove(cx, Validating, "case").await
}

async fn namespaces_are_selected_by_labels(cx: &mut Cx) -> Result<()> {
    let elsewhere = json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "elsewhere"}}});
    let not_here = json!({"namespaceSelector": {
        "matchLabels": {"kubernetes.io/metadata.name": cx.namespace},
        "matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "DoesNotExist"}],
    }});
    let hooks = [webhook(cx, "here", &json!({})), webhook(cx, "elsewhere", &elsewhere), webhook(cx, "never", &not_here)];
    with(cx, Mutating, &hooks).await?;
    cx.create("a").await?;
    called(cx, "called");
    remove(cx, Mutating, "case").await
}

async fn rules_name_operations_and_resources(cx: &mut Cx) -> Result<()> {
    let hooks = [
        webhook_of(cx, "every", &["*"], &["*"], &json!({})),
        webhook_of(cx, "everything", &["*"], &["*/*"], &json!({})),
        webhook_of(cx, "creations", &["CREATE"], &["{}"], &json!({})),
        webhook_of(cx, "others", &["*"], &["others"], &json!({})),
        webhook_of(cx, "subresources", &["*"], &["{}/*"], &json!({})),
        webhook_of(cx, "statuses", &["*"], &["*/status"], &json!({})),
        webhook_of(cx, "connections", &["CONNECT"], &["*"], &json!({})),
    ];
    with(cx, Mutating, &hooks).await?;
    cx.create("a").await?;
    called(cx, "created");
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    called(cx, "patched");
    cx.merge("{r}/a/status", &json!({"status": cx.subject.status(0)})).await?;
    called(cx, "its status");
    cx.get("{r}/a").await?;
    called(cx, "read");
    cx.delete("{r}/a").await?;
    called(cx, "deleted");
    remove(cx, Mutating, "case").await
}

async fn rules_name_scopes(cx: &mut Cx) -> Result<()> {
    let scoped = |cx: &Cx, name: &str, scope: &str| {
        let mut hook = webhook(cx, name, &json!({}));
        hook["rules"][0]["scope"] = json!(scope);
        hook
    };
    let hooks = [scoped(cx, "all", "*"), scoped(cx, "namespaced", "Namespaced"), scoped(cx, "cluster", "Cluster")];
    with(cx, Mutating, &hooks).await?;
    cx.create("a").await?;
    called(cx, "called");
    remove(cx, Mutating, "case").await
}

async fn a_dead_certificate_fails_the_request(cx: &mut Cx) -> Result<()> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let stranger = STANDARD.encode(kit::Authority::new("stranger")?.cert());
    let port = Webhooks::shared().port();
    let hook = webhook(
        cx,
        "stranger",
        &json!({"clientConfig": {"url": "https://127.0.0.1:PORT/stranger".replace("PORT", &port.to_string()), "caBundle": stranger}}),
    );
    with(cx, Validating, &[hook]).await?;
    cx.create("a").await?;
    remove(cx, Validating, "case").await
}

async fn an_apply_is_reviewed_as_what_it_does(cx: &mut Cx) -> Result<()> {
    let (mutating, validating) =
        (webhook_of(cx, "m", &["*"], &["{}"], &json!({})), webhook_of(cx, "v", &["*"], &["{}"], &json!({})));
    install(cx, Mutating, "first", &[mutating]).await?;
    install(cx, Validating, "second", &[validating]).await?;
    let object = cx.object("a");
    let headers = [("content-type", media::APPLY)];
    cx.send("PATCH", "{r}/a?fieldManager=tester", &headers, object.to_string()).await?;
    asked(cx, "a creation");
    cx.send("PATCH", "{r}/a?fieldManager=tester", &headers, object.to_string()).await?;
    asked(cx, "an update that changes nothing");
    let mut object = object;
    object["spec"] = cx.subject.spec(1);
    cx.send("PATCH", "{r}/a?fieldManager=tester&force=true", &headers, object.to_string()).await?;
    asked(cx, "an update");
    remove(cx, Mutating, "first").await?;
    remove(cx, Validating, "second").await
}

async fn an_apply_that_creates_is_mutated(cx: &mut Cx) -> Result<()> {
    let hook = webhook_of(cx, "mutate", &["*"], &["{}"], &json!({}));
    with(cx, Mutating, &[hook]).await?;
    hooks::on(cx, "/mutate", |_| patch(&labels()));
    let headers = [("content-type", media::APPLY)];
    let object = cx.object("a");
    cx.send("PATCH", "{r}/a?fieldManager=tester", &headers, object.to_string()).await?;
    cx.send("PATCH", "{r}/a?fieldManager=tester", &headers, object.to_string()).await?;
    cx.get("{r}/a").await?;
    remove(cx, Mutating, "case").await
}

async fn several_webhooks_validate_at_once(cx: &mut Cx) -> Result<()> {
    let hooks = [webhook(cx, "one", &json!({})), webhook(cx, "two", &json!({})), webhook(cx, "three", &json!({}))];
    with(cx, Validating, &hooks).await?;
    cx.create("a").await?;
    asked(cx, "all are asked");
    hooks::on(cx, "/two", |_| deny(&json!({"message": "no"})));
    cx.create("b").await?;
    asked(cx, "all are asked again");
    remove(cx, Validating, "case").await
}

async fn the_first_version_of_reviews_is_spoken(cx: &mut Cx) -> Result<()> {
    for (sort, name) in [(Mutating, "a"), (Validating, "b")] {
        let hook = webhook(cx, "see", &json!({"admissionReviewVersions": ["v1alpha1", "v1beta1", "v1"]}));
        with(cx, sort, &[hook]).await?;
        cx.create(name).await?;
        asked(cx, "the review");
        hooks::on(cx, "/see", |_| Reply::Response(json!({"allowed": false, "uid": "", "status": {"message": "no"}})));
        cx.create("c").await?;
        remove(cx, sort, "case").await?;
    }
    Ok(())
}

async fn an_unknown_version_of_reviews_is_a_failure(cx: &mut Cx) -> Result<()> {
    let hooks = [webhook(cx, "see", &json!({"admissionReviewVersions": ["v1", "v9"]}))];
    with(cx, Validating, &hooks).await?;
    cx.create("a").await?;
    remove(cx, Validating, "case").await
}

async fn a_service_that_is_not_there(cx: &mut Cx) -> Result<()> {
    let service = json!({"clientConfig": {
        "url": null, "caBundle": Webhooks::shared().ca_bundle(),
        "service": {"namespace": "default", "name": "missing", "path": "/x"},
    }});
    let hook = webhook(cx, "service", &service);
    with(cx, Validating, &[hook]).await?;
    cx.create("a").await?;
    let elsewhere = json!({"clientConfig": {
        "url": null, "caBundle": Webhooks::shared().ca_bundle(),
        "service": {"namespace": "default", "name": "kubernetes", "port": 81},
    }});
    remove(cx, Validating, "case").await?;
    let hook = webhook(cx, "service", &elsewhere);
    with(cx, Mutating, &[hook]).await?;
    cx.create("a").await?;
    remove(cx, Mutating, "case").await
}

async fn what_a_denied_mutation_costs(cx: &mut Cx) -> Result<()> {
    let hooks = [webhook(cx, "denies", &json!({})), webhook(cx, "later", &json!({}))];
    with(cx, Mutating, &hooks).await?;
    hooks::on(cx, "/denies", |_| deny(&json!({"message": "no"})));
    cx.create("a").await?;
    called(cx, "nobody else is asked");
    remove(cx, Mutating, "case").await
}

async fn finalizers_make_a_deletion_an_update(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"metadata": {"finalizers": ["example.com/keep"]}})).await?;
    let hook = webhook_of(cx, "see", &["*"], &["{}"], &json!({}));
    with(cx, Validating, &[hook]).await?;
    cx.delete("{r}/a").await?;
    asked(cx, "the review");
    cx.delete("{r}/a").await?;
    called(cx, "once more");
    remove(cx, Validating, "case").await
}

async fn the_last_finalizer_goes_by_an_update(cx: &mut Cx) -> Result<()> {
    cx.create_with("a", &json!({"metadata": {"finalizers": ["example.com/keep"]}})).await?;
    cx.delete("{r}/a").await?;
    let hook = webhook_of(cx, "see", &["*"], &["{}"], &json!({}));
    with(cx, Validating, &[hook]).await?;
    cx.merge("{r}/a", &json!({"metadata": {"finalizers": null}})).await?;
    asked(cx, "the review");
    cx.get("{r}/a").await?;
    remove(cx, Validating, "case").await
}

async fn a_conflict_is_found_after_the_mutation(cx: &mut Cx) -> Result<()> {
    let stale = cx.create("a").await?.ok()?;
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
    let (mutating, validating) = (
        webhook_of(cx, "mutate", &["UPDATE"], &["{}"], &json!({})),
        webhook_of(cx, "validate", &["UPDATE"], &["{}"], &json!({})),
    );
    install(cx, Mutating, "first", &[mutating]).await?;
    install(cx, Validating, "second", &[validating]).await?;
    cx.put("{r}/a", &stale).await?;
    called(cx, "called for a stale object");
    remove(cx, Mutating, "first").await?;
    remove(cx, Validating, "second").await
}

async fn owner_references_are_deduplicated_again(cx: &mut Cx) -> Result<()> {
    let hook = webhook(cx, "mutate", &json!({}));
    with(cx, Mutating, &[hook]).await?;
    let owner = json!({"apiVersion": "v1", "kind": "Namespace", "name": "x", "uid": "00000000-0000-4000-8000-000000000000"});
    hooks::on(cx, "/mutate", move |_| {
        patch(&json!([{"op": "add", "path": "/metadata/ownerReferences", "value": [owner, owner]}]))
    });
    cx.create("a").await?;
    remove(cx, Mutating, "case").await
}

async fn managed_fields_that_a_webhook_breaks_are_kept(cx: &mut Cx) -> Result<()> {
    let hook = webhook(cx, "mutate", &json!({}));
    with(cx, Mutating, &[hook]).await?;
    hooks::on(cx, "/mutate", |_| patch(&json!([{"op": "remove", "path": "/metadata/managedFields"}])));
    cx.say("none").create("a").await?;
    remove(cx, Mutating, "case").await
}

fn conditions(expressions: &[&str]) -> Value {
    let conditions = expressions.iter().enumerate().map(|(index, expression)| {
        json!({"name": format!("c{index}.example.com"), "expression": expression})
    });
    json!({"matchConditions": conditions.collect::<Vec<_>>()})
}

async fn match_conditions_decide_who_is_called(cx: &mut Cx) -> Result<()> {
    let hooks = [
        webhook_of(cx, "holds", &["*"], &["{}"], &conditions(&["true", "object == null || object.metadata.name == 'a'"])),
        webhook_of(cx, "fails", &["*"], &["{}"], &conditions(&["true", "object != null && object.metadata.name == 'b'"])),
        webhook_of(cx, "old", &["*"], &["{}"], &conditions(&["oldObject != null"])),
    ];
    for sort in [Mutating, Validating] {
        with(cx, sort, &hooks).await?;
        for name in ["a", "b"] {
            cx.create(name).await?;
            called_at_once(cx, "created");
        }
        cx.merge("{r}/a", &json!({"metadata": {"labels": {"x": "1"}}})).await?;
        called_at_once(cx, "patched");
        cx.delete("{r}/a").await?;
        called_at_once(cx, "deleted");
        cx.delete("{r}/b").await?;
        remove(cx, sort, "case").await?;
    }
    Ok(())
}

async fn a_match_condition_that_fails_is_a_matter_of_the_failure_policy(cx: &mut Cx) -> Result<()> {
    for policy in ["Fail", "Ignore"] {
        for expressions in [&["object.missing == 1"][..], &["object.missing == 1", "false"], &["object.missing == 1", "object.gone == 2"]] {
            let mut more = conditions(expressions);
            more["failurePolicy"] = json!(policy);
            let hook = webhook(cx, "conditional", &more);
            with(cx, Validating, &[hook]).await?;
            let object = cx.object("a");
            cx.say(&format!("{policy} {expressions:?}")).post("{r}?dryRun=All", &object).await?;
            called(cx, "called");
            remove(cx, Validating, "case").await?;
        }
    }
    Ok(())
}

async fn match_conditions_know_the_request(cx: &mut Cx) -> Result<()> {
    let expressions = [
        "request.operation == 'CREATE'",
        "request.kind.kind == request.requestKind.kind && request.resource.resource == request.requestResource.resource",
        "request.namespace == object.metadata.namespace && request.name == 'a'",
        "request.userInfo.username != '' && 'system:authenticated' in request.userInfo.groups",
        "request.dryRun",
        "request.options.fieldManager == 'tester'",
        "!authorizer.group('').resource('pods').namespace('default').check('fly').errored()",
    ];
    let hook = webhook(cx, "conditional", &conditions(&expressions));
    with(cx, Validating, &[hook]).await?;
    cx.post("{r}?dryRun=All&fieldManager=tester", &cx.object("a")).await?;
    called(cx, "called");
    cx.post("{r}?dryRun=All", &cx.object("b")).await?;
    called(cx, "not called");
    remove(cx, Validating, "case").await
}

async fn a_rule_for_another_version_means_only_that(cx: &mut Cx) -> Result<()> {
    let of_version = |cx: &Cx, name: &str, policy: &str| {
        let mut hook = webhook(cx, name, &json!({"matchPolicy": policy}));
        hook["rules"][0]["apiVersions"] = json!(["v9"]);
        hook
    };
    let hooks = [of_version(cx, "exact", "Exact"), of_version(cx, "equivalent", "Equivalent")];
    with(cx, Mutating, &hooks).await?;
    cx.create("a").await?;
    called(cx, "called");
    remove(cx, Mutating, "case").await
}

async fn a_status_is_a_subresource_of_its_own(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let (mutating, validating) = (
        webhook_of(cx, "mutate", &["*"], &["{}/status"], &json!({})),
        webhook_of(cx, "validate", &["*"], &["{}/status"], &json!({})),
    );
    install(cx, Mutating, "first", &[mutating]).await?;
    install(cx, Validating, "second", &[validating]).await?;
    cx.merge("{r}/a/status", &json!({"status": cx.subject.status(0), "metadata": {"labels": {"x": "1"}}})).await?;
    asked(cx, "the reviews of a status");
    cx.merge("{r}/a", &json!({"metadata": {"labels": {"y": "1"}}})).await?;
    asked(cx, "nobody is asked about the rest");
    hooks::on(cx, "/validate", |_| deny(&json!({"message": "not this status"})));
    cx.merge("{r}/a/status", &json!({"status": cx.subject.status(1)})).await?;
    cx.get("{r}/a").await?;
    remove(cx, Mutating, "first").await?;
    remove(cx, Validating, "second").await
}

async fn a_status_is_mutated(cx: &mut Cx) -> Result<()> {
    cx.create("a").await?;
    let hook = webhook_of(cx, "mutate", &["*"], &["{}/status"], &json!({}));
    with(cx, Mutating, &[hook]).await?;
    let status = cx.subject.status(1);
    hooks::on(cx, "/mutate", move |_| {
        patch(&json!([
            {"op": "replace", "path": "/status", "value": status},
            {"op": "add", "path": "/metadata/labels", "value": {"dropped": "yes"}},
        ]))
    });
    cx.merge("{r}/a/status", &json!({"status": cx.subject.status(0)})).await?;
    cx.get("{r}/a").await?;
    remove(cx, Mutating, "case").await
}

async fn a_mutation_is_defaulted(cx: &mut Cx) -> Result<()> {
    let hook = webhook(cx, "mutate", &json!({}));
    with(cx, Mutating, &[hook]).await?;
    hooks::on(cx, "/mutate", |_| {
        patch(&json!([
            {"op": "remove", "path": "/spec/color"},
            {"op": "add", "path": "/spec/ports", "value": [{"port": 80}]},
        ]))
    });
    cx.create("a").await?;
    remove(cx, Mutating, "case").await
}

async fn a_mutation_is_validated(cx: &mut Cx) -> Result<()> {
    let hook = webhook_of(cx, "mutate", &["CREATE", "UPDATE"], &["{}"], &json!({}));
    with(cx, Mutating, &[hook]).await?;
    hooks::on(cx, "/mutate", |_| patch(&json!([{"op": "add", "path": "/spec/size", "value": -1}])));
    cx.create("a").await?;
    hooks::on(cx, "/mutate", |_| allow());
    cx.create("a").await?;
    hooks::on(cx, "/mutate", |_| patch(&json!([{"op": "add", "path": "/spec/color", "value": "pink"}])));
    cx.merge("{r}/a", &json!({"spec": {"size": 3}})).await?;
    hooks::on(cx, "/mutate", |_| patch(&json!([{"op": "add", "path": "/spec/size", "value": "big"}])));
    cx.merge("{r}/a", &json!({"spec": {"size": 3}})).await?;
    cx.get("{r}/a").await?;
    remove(cx, Mutating, "case").await
}

async fn an_unknown_field_of_a_mutation_is_dropped(cx: &mut Cx) -> Result<()> {
    let (mutating, validating) = (webhook(cx, "mutate", &json!({})), webhook(cx, "validate", &json!({})));
    install(cx, Mutating, "first", &[mutating]).await?;
    install(cx, Validating, "second", &[validating]).await?;
    hooks::on(cx, "/mutate", |_| patch(&json!([{"op": "add", "path": "/spec/nope", "value": 1}])));
    cx.create("a").await?;
    asked(cx, "the reviews");
    cx.get("{r}/a").await?;
    remove(cx, Mutating, "first").await?;
    remove(cx, Validating, "second").await
}

async fn later_webhooks_see_defaults(cx: &mut Cx) -> Result<()> {
    let hooks = [webhook(cx, "one", &json!({})), webhook(cx, "two", &json!({}))];
    with(cx, Mutating, &hooks).await?;
    hooks::on(cx, "/one", |_| patch(&json!([{"op": "add", "path": "/spec/ports", "value": [{"port": 80}]}])));
    cx.create("a").await?;
    asked(cx, "the reviews");
    remove(cx, Mutating, "case").await
}

async fn an_invalid_object_is_mutated_first(cx: &mut Cx) -> Result<()> {
    let (mutating, validating) = (webhook(cx, "mutate", &json!({})), webhook(cx, "validate", &json!({})));
    install(cx, Mutating, "first", &[mutating]).await?;
    install(cx, Validating, "second", &[validating]).await?;
    let invalid = cx.object_with("a", &json!({"spec": {"size": -1}}));
    cx.post("{r}", &invalid).await?;
    called(cx, "called for an invalid object");
    hooks::on(cx, "/mutate", |_| patch(&json!([{"op": "replace", "path": "/spec/size", "value": 1}])));
    cx.post("{r}", &invalid).await?;
    called(cx, "called for one that is mended");
    remove(cx, Mutating, "first").await?;
    remove(cx, Validating, "second").await
}
